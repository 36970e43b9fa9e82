package ledger

import (
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/postgrestest"
)

func TestTryToWrite_SaysThatADatabaseIsReadOnly(t *testing.T) {
	store := postgrestest.URL(t)
	readOnly := postgrestest.WithParameter(store, "default_transaction_read_only", "on")
	try := func(made bool) {
		t.Helper()
		if err := TryToWrite(t.Context(), store, made); err != nil {
			t.Errorf("ledger made: %v: %v", made, err)
		}
		if err := TryToWrite(t.Context(), readOnly, made); err == nil || !strings.Contains(err.Error(), "in a read-only transaction") {
			t.Errorf("ledger made: %v, read only: %v", made, err)
		}
	}
	try(false)
	try(false) // nothing was left of the first time
	l, err := Open(t.Context(), Options{Dir: t.TempDir(), Store: store})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	try(true)
}
