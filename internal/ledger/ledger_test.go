package ledger

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/postgrestest"
)

// slotTime is a scheduled time that is never in the future.
var slotTime = time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)

// engines runs a test on each engine, with an empty store. Both are tried at the same time, because one
// waits for the disk and the other one for a server.
func engines(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Options{Dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, onPostgres(t))
	})
}

func onPostgres(t testing.TB) Options {
	return Options{Dir: t.TempDir(), Store: postgrestest.URL(t)}
}

// storeOf is the store as OpenReader wants it.
func storeOf(o Options) string { return cmp.Or(o.Store, o.Dir) }

func open(t testing.TB, o Options) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// claimOf is a claim of the cron "nightly" on project "p" with one exclusive run per environment.
func claimOf(at time.Time, environments ...string) Claim {
	c := Claim{Fire: Fire{ID: NewID(), Cron: "nightly", Project: "p", Slot: slotAt(at), ScheduledAt: at, Targets: len(environments)}}
	for _, environment := range environments {
		c.Runs = append(c.Runs, Run{
			ID: NewID(), Environment: environment, Exclusive: true,
			StartDeadline: at.Add(10 * time.Minute), Deadline: at.Add(24 * time.Hour),
		})
	}
	return c
}

// mustClaim claims one fire and returns what became of it.
func mustClaim(t testing.TB, l *Ledger, owner string, c Claim) Claimed {
	t.Helper()
	claimed, err := l.Claim(t.Context(), owner, []Claim{c})
	if err != nil {
		t.Fatal(err)
	}
	return claimed[0]
}

// mustRun claims a fire with one run at the given time and returns the run.
func mustRun(t testing.TB, l *Ledger, owner string, at time.Time, environment string) Run {
	t.Helper()
	claimed := mustClaim(t, l, owner, claimOf(at, environment))
	if len(claimed.Runs) != 1 {
		t.Fatalf("claimed %+v, want one run", claimed)
	}
	return claimed.Runs[0]
}

func dispatchOf(u Run, ordinal int, dedupe string) Dispatch {
	return Dispatch{
		RunID: u.ID, Ordinal: ordinal, Kind: "backup", Params: []byte(`{"live":false}`),
		Project: u.Project, Environment: u.Environment, Dedupe: dedupe,
	}
}

// mustIntend begins a dispatch and commits its intent.
func mustIntend(t testing.TB, l *Ledger, owner string, d Dispatch) Dispatch {
	t.Helper()
	res, err := l.BeginAndIntend(t.Context(), d, owner, slotTime, slotTime.Add(time.Minute))
	if err != nil || res.Duplicate {
		t.Fatalf("BeginAndIntend = %+v, %v", res, err)
	}
	return res.Dispatch
}

func mustDispatch(t testing.TB, l *Ledger, runID string, ordinal int) Dispatch {
	t.Helper()
	_, dispatches, err := l.Run(t.Context(), runID)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dispatches {
		if d.Ordinal == ordinal {
			return d
		}
	}
	t.Fatalf("run %s has no dispatch %d", runID, ordinal)
	return Dispatch{}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen_CreatesPrivateFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	l := open(t, Options{Dir: dir})
	must(t, l.Writable(t.Context()))
	for name, want := range map[string]os.FileMode{".": 0o700, "lock": 0o600, "ledger.db": 0o600, "ledger.db-wal": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", name, got, want)
		}
	}
}

func TestOpen_SyncsEveryCommit(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		var got string
		err := l.write(t.Context(), opHeartbeat, "read pragma", 1, func(s *session) error {
			return s.row("PRAGMA " + pragma).Scan(&got)
		})
		if err != nil || got != want {
			t.Errorf("PRAGMA %s = %q, %v; want %q", pragma, got, err, want)
		}
	}
}

func TestOpen_ReadersCannotWrite(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		if _, err := l.reader.Exec(`DELETE FROM fires`); err == nil {
			t.Error("a write through the read pool succeeded")
		}
	})
}

func TestOpen_TakesAnyDirectoryName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "100% ?#&=odd dir")
	l := open(t, Options{Dir: dir})
	must(t, l.Writable(t.Context()))
	if _, err := os.Stat(filepath.Join(dir, "ledger.db")); err != nil {
		t.Error(err)
	}
}

func TestLedger_KeepsEverythingOverRestarts(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "first", slotTime, "main")
		mustIntend(t, l, "first", dispatchOf(u, 0, "key"))
		must(t, l.Close())

		l = open(t, o)
		got, dispatches, err := l.Run(t.Context(), u.ID)
		must(t, err)
		if got.State != RunRunning || len(dispatches) != 1 || dispatches[0].State != DispatchDispatching {
			t.Errorf("after a restart: %+v, %+v", got, dispatches)
		}
		if mustClaim(t, l, "second", claimOf(slotTime, "main")).Owned {
			t.Error("the slot was claimed a second time after a restart")
		}
	})
}

func TestLedger_WorksInsideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(t.Context(), Options{Dir: t.TempDir()})
		must(t, err)
		time.Sleep(24 * time.Hour)
		u := mustRun(t, l, "owner", time.Now().UTC().Truncate(time.Second), "main")
		mustIntend(t, l, "owner", dispatchOf(u, 0, "key"))
		if runs, err := l.Runs(t.Context(), Filter{}); err != nil || len(runs) != 1 {
			t.Errorf("Runs = %+v, %v", runs, err)
		}
		must(t, l.Close())
	})
}
