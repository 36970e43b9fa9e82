package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damageFile changes the content of a file.
func damageFile(t *testing.T, path string, damage func([]byte)) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	damage(content)
	must(t, os.WriteFile(path, content, 0o600))
	return content
}

// lived opens a ledger in which runs have ended, are open, and were asked for twice.
func lived(t *testing.T, dir string) *Ledger {
	t.Helper()
	l := open(t, Options{Dir: dir})
	for i := range 5 {
		u := mustRun(t, l, "a", slotTime.Add(time.Duration(i)*time.Hour), "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		r := Result{RunID: u.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{{ID: u.ID, Project: "p"}}}
		must(t, l.Record(t.Context(), r))
		r.State, r.Outcome = DispatchDone, Succeeded
		_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Succeeded, Dispatches: []Result{r}})
		must(t, err)
	}
	mustClaim(t, l, "a", claimOf(slotTime.Add(100*time.Hour), "main", "staging"))
	mustClaim(t, l, "a", claimOf(slotTime.Add(101*time.Hour), "main"))
	return l
}

func TestCheck_FindsALedgerInUseSound(t *testing.T) {
	dir := t.TempDir()
	lived(t, dir)
	h, err := Check(t.Context(), File(dir))
	if err != nil || !h.Sound() || h.Schema != h.Known || h.Remedy != "" {
		t.Errorf("Check = %+v, %v", h, err)
	}
}

func TestCheck_LeavesWhatAKilledProcessLeft(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	lived(t, dir)
	must(t, os.CopyFS(crashed, os.DirFS(dir)))
	if h, err := Check(t.Context(), File(crashed)); err != nil || !h.Sound() {
		t.Errorf("Check = %+v, %v", h, err)
	}
	for _, name := range []string{fileName, fileName + "-wal"} {
		before, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if after, err := os.ReadFile(filepath.Join(crashed, name)); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was changed: %v", name, err)
		}
	}
}

func TestCheck_FindsDamage(t *testing.T) {
	sound := t.TempDir()
	must(t, lived(t, sound).Close())
	for name, damage := range map[string]func([]byte){
		"header":     func(b []byte) { copy(b, "this is no database at all") },
		"first page": func(b []byte) { copy(b[100:], bytes.Repeat([]byte{0xff}, 3000)) },
		"a page":     func(b []byte) { copy(b[len(b)/2:], bytes.Repeat([]byte{0xa5}, 2*4096)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(sound)))
			content := damageFile(t, File(dir), damage)
			h, err := Check(t.Context(), File(dir))
			if err != nil || h.Sound() || !strings.Contains(h.Remedy, "restore the file from a backup") {
				t.Errorf("Check = %+v, %v", h, err)
			}
			if after, err := os.ReadFile(File(dir)); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the damaged file was changed: %v", err)
			}
		})
	}
}

func TestCheck_FindsRowsThatContradictEachOther(t *testing.T) {
	sound := t.TempDir()
	must(t, lived(t, sound).Close())
	for statement, want := range map[string]string{
		`DELETE FROM fires WHERE slot = (SELECT min(slot) FROM fires)`:          "run without its fire: ",
		`DELETE FROM runs WHERE id = (SELECT min(id) FROM runs)`:                "dispatch without its run: ",
		`UPDATE fires SET open_runs = 0 WHERE open_runs = 2`:                    "fire that miscounts its open runs: ",
		`UPDATE fires SET outcome = '' WHERE open_runs = 0`:                     "fire that is over without an outcome: ",
		`UPDATE runs SET outcome = '' WHERE finished_at IS NOT NULL`:            "run that is over without an outcome: ",
		`UPDATE dispatches SET outcome = ''`:                                    "dispatch that is done without an outcome: ",
		`UPDATE dispatches SET state = 'sent'`:                                  "dispatch in a state that there is not: ",
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`: "schema version 999 ",
		`DROP TABLE goose_db_version`:                                           "not automatond's ledger",
	} {
		dir := t.TempDir()
		must(t, os.CopyFS(dir, os.DirFS(sound)))
		l := open(t, Options{Dir: dir})
		must(t, l.write(t.Context(), opHeartbeat, "spoil", 1, func(s *session) error {
			_, err := s.exec(statement)
			return err
		}))
		h, err := Check(t.Context(), File(dir))
		if err != nil || !strings.Contains(strings.Join(h.Problems, "\n"), want) {
			t.Errorf("after %s: Check = %+v, %v; want %q", statement, h, err, want)
		}
	}
}

func TestCheck_NeedsAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Check(t.Context(), File(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want os.ErrNotExist", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the directory holds %v (%v)", entries, err)
	}
}
