// Package ledgertest makes empty ledgers for the tests of other packages. Nothing else may import it.
package ledgertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/automatond/automatond/internal/ledger"
)

// Dir returns a temporary directory in which the directory of the given name has an empty ledger. It
// is in memory where there is a place for that: what a power cut leaves is package ledger's own
// tests' affair, and the others need not wait for the disk. Call it outside of a synctest bubble.
func Dir(t testing.TB, data string) string {
	t.Helper()
	file, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	dir := memoryDir(t)
	if err := os.Mkdir(filepath.Join(dir, data), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, data, "ledger.db"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "automatond-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// empty is the file of a ledger that was opened once. Bringing one about by its migrations costs more
// than most tests do with it.
var empty = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "automatond-ledger-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := ledger.Open(context.Background(), ledger.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "ledger.db"))
})
