package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBackup_IsALedgerAsOfOneMoment(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	l := open(t, Options{Dir: dir})
	u := mustRun(t, l, "a", slotTime, "main") // not checkpointed: it is in the journal only
	file := filepath.Join(to, fileName)
	size, err := Backup(t.Context(), File(dir), file)
	must(t, err)
	mustRun(t, l, "a", slotTime.Add(time.Hour), "staging") // the ledger goes on

	info, err := os.Stat(file)
	must(t, err)
	if info.Mode() != 0o600 || info.Size() != size {
		t.Errorf("mode %v and %d bytes, want 0600 and %d", info.Mode(), info.Size(), size)
	}
	if entries, err := os.ReadDir(to); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v (%v), want the copy alone", entries, err)
	}
	if h, err := Check(t.Context(), file); err != nil || !h.Sound() {
		t.Errorf("Check = %+v, %v", h, err)
	}
	restored := open(t, Options{Dir: to})
	if runs, err := restored.Runs(t.Context(), Filter{}); err != nil || len(runs) != 1 || runs[0].ID != u.ID {
		t.Errorf("the copy has %+v (%v), want the one run", runs, err)
	}
	if mustClaim(t, restored, "b", claimOf(slotTime, "main")).Owned {
		t.Error("the copy has forgotten a claim")
	}
}

func TestBackup_OverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	file := filepath.Join(t.TempDir(), "copy.db")
	must(t, os.WriteFile(file, []byte("precious"), 0o644))
	if _, err := Backup(t.Context(), File(dir), file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error = %v, want fs.ErrExist", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "precious" {
		t.Errorf("the file holds %q (%v)", content, err)
	}
}

func TestBackup_LeavesNothingBehindWhenItFails(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	l := open(t, Options{Dir: dir})
	mustRun(t, l, "a", slotTime, "main")
	must(t, l.Close())
	damageFile(t, filepath.Join(dir, fileName), func(b []byte) { copy(b[100:], bytes.Repeat([]byte{0xff}, 3000)) })
	if _, err := Backup(t.Context(), File(dir), filepath.Join(to, "copy.db")); err == nil {
		t.Error("a damaged ledger was copied")
	}
	if entries, err := os.ReadDir(to); err != nil || len(entries) != 0 {
		t.Errorf("the directory holds %v (%v)", entries, err)
	}
}
