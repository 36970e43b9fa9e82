package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/automatond/automatond/internal/ledger"
)

// examineStore looks at the ledger, whether or not a daemon works on it. It takes no lock and leaves
// everything as it is.
func (e *examination) examineStore(ctx context.Context) {
	if err := writable(e.Data); err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // the path is one that nobody knows
		}
		e.fail(CheckStore, "the daemon needs a directory of its own: name one with --data, and let its user write there",
			"the data directory %s cannot be written to: %v", e.Data, err)
		return
	}
	if e.Store != "" {
		e.examineDatabase(ctx)
		return
	}
	file := ledger.File(e.Data)
	health, err := ledger.Check(ctx, file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		e.ok(CheckStore, "there is no ledger in %s yet, and it can be made there", e.Data)
	case err != nil:
		e.fail(CheckStore, "", "%v", err)
	case !health.Sound():
		e.fail(CheckStore, health.Remedy, "the ledger %s is not sound: %s", file, Enumerate(health.Problems))
	case !openable(file):
		e.fail(CheckStore, "let the daemon's user write to it", "the ledger %s is sound, and cannot be written to", file)
	default:
		e.ok(CheckStore, "the ledger %s is sound, and can be written to", file)
	}
}

// examineDatabase looks at a store that replicas share.
func (e *examination) examineDatabase(ctx context.Context) {
	reader, err := ledger.OpenReader(ctx, e.Store)
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		// A failed connection has a line for each address that was tried, of which the first says it all.
		first, _, _ := strings.Cut(err.Error(), "\n")
		e.fail(CheckStore, "", "%s", first)
		return
	}
	if !missing {
		defer reader.Close()
	}
	switch err := ledger.TryToWrite(ctx, e.Store, !missing); {
	case err != nil:
		e.fail(CheckStore, "name in --store a server that takes writes, and a role that may write there", "%v", err)
	case missing:
		e.ok(CheckStore, "the database of --store answers, and a ledger can be made there")
	default:
		e.ok(CheckStore, "the ledger %s can be read and written", reader)
	}
}

// openable reports whether a file may be written to.
func openable(file string) bool {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// writable writes a file and removes it, in the directory or, where that is not there yet, in the one
// in which it would be made.
func writable(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		if parent := filepath.Dir(dir); errors.Is(err, os.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		return err
	}
	probe, err := os.CreateTemp(dir, ".automatond-doctor-*")
	if err != nil {
		return err
	}
	_, err = probe.Write(make([]byte, 4096)) // a full disk lets files be made, but not filled
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}
