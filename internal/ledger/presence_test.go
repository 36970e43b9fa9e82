package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLedger_ClaimsNothingWhileItsStoreIsAwayAndGoesOnAfterwards covers what a disk can do to an open
// ledger, beside being full and read-only: each fault lasts until it is mended.
func TestLedger_ClaimsNothingWhileItsStoreIsAwayAndGoesOnAfterwards(t *testing.T) {
	for name, fault := range map[string]func(t *testing.T, l *Ledger, dir string) (mend func()){
		"locked by another process": func(t *testing.T, l *Ledger, dir string) func() {
			pragma(t, l, "PRAGMA busy_timeout = 20")
			db, err := sql.Open(driverName, writerDSN(File(dir)))
			must(t, err)
			tx, err := db.Begin()
			must(t, err)
			return func() { must(t, errors.Join(tx.Rollback(), db.Close())) }
		},
		"directory renamed": func(t *testing.T, l *Ledger, dir string) func() {
			must(t, os.Rename(dir, dir+".away"))
			return func() { must(t, os.Rename(dir+".away", dir)) }
		},
		"another directory in its place": func(t *testing.T, l *Ledger, dir string) func() {
			must(t, os.Rename(dir, dir+".away"))
			must(t, open(t, Options{Dir: dir}).Close())
			return func() { must(t, errors.Join(os.RemoveAll(dir), os.Rename(dir+".away", dir))) }
		},
		"connection lost and directory renamed": func(t *testing.T, l *Ledger, dir string) func() {
			must(t, os.Rename(dir, dir+".away"))
			must(t, os.Mkdir(dir, 0o700))
			l.writer.session.close()
			l.writer.session = nil
			if _, err := l.Runs(t.Context(), Filter{}); err == nil {
				t.Error("an empty file was read in the place of the ledger")
			}
			return func() {
				if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
					t.Errorf("files were made: %v (%v)", entries, err)
				}
				must(t, errors.Join(os.RemoveAll(dir), os.Rename(dir+".away", dir)))
			}
		},
		"file damaged": func(t *testing.T, l *Ledger, dir string) func() {
			pragma(t, l, "PRAGMA wal_checkpoint(TRUNCATE)")
			sound, err := os.ReadFile(File(dir))
			must(t, err)
			damaged := bytes.Repeat([]byte{0xa5}, len(sound))
			must(t, os.WriteFile(File(dir), damaged, 0o600))
			pragma(t, l, "PRAGMA shrink_memory") // what it has in memory it would not read
			return func() {
				if now, err := os.ReadFile(File(dir)); err != nil || !bytes.Equal(now, damaged) {
					t.Errorf("the damaged file was changed: %v", err)
				}
				must(t, os.WriteFile(File(dir), sound, 0o600))
				pragma(t, l, "PRAGMA shrink_memory")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			l := open(t, Options{Dir: dir})
			before := claimOf(slotTime, "main")
			mustClaim(t, l, "a", before)
			during := claimOf(slotTime.Add(time.Hour), "staging")

			mend := fault(t, l, dir)
			_, err := l.Claim(t.Context(), "a", []Claim{during})
			if err == nil || isAnswer(err) {
				t.Errorf("Claim = %v, want an error of the store", err)
			}
			if name == "file damaged" && !strings.Contains(err.Error(), "is damaged and was left as it is: stop automatond") {
				t.Errorf("error %v does not say what to do", err)
			}
			if err := l.Writable(t.Context()); err == nil {
				t.Error("the store counts as writable")
			}
			mend()

			must(t, l.Writable(t.Context()))
			if !mustClaim(t, l, "a", during).Owned {
				t.Error("what could not be claimed cannot be claimed afterwards")
			}
			if mustClaim(t, l, "a", claimOf(slotTime, "main")).Owned {
				t.Error("a claim from before is forgotten")
			}
		})
	}
}
