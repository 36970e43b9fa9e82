package ledger

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOpenReader_ReadsBesideAnOpenLedgerAndAfterIt(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l, err := Open(t.Context(), o)
		must(t, err)
		u := mustRun(t, l, "a", slotTime, "main")
		r, err := OpenReader(t.Context(), storeOf(o))
		must(t, err)
		if got, _, err := r.Run(t.Context(), u.ID); err != nil || got.State != RunClaimed {
			t.Errorf("Run = %+v, %v", got, err)
		}
		_, err = l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Succeeded})
		must(t, err)
		fire, err := r.Fire(t.Context(), "nightly", "p", slotAt(slotTime))
		if err != nil || fire.Outcome != Succeeded {
			t.Errorf("Fire = %+v, %v; want what was written meanwhile", fire, err)
		}
		if byID, err := r.FireByID(t.Context(), fire.ID); err != nil || byID.Slot != fire.Slot {
			t.Errorf("FireByID = %+v, %v", byID, err)
		}
		if _, err := r.Fire(t.Context(), "nightly", "p", "manual:none"); !errors.Is(err, ErrNotFound) {
			t.Errorf("error %v for a fire that was not claimed, want ErrNotFound", err)
		}
		must(t, l.Close())
		if runs, err := r.Runs(t.Context(), Filter{FireID: fire.ID}); err != nil || len(runs) != 1 {
			t.Errorf("Runs = %+v, %v after the ledger was closed", runs, err)
		}
		must(t, r.Close())
	})
}

func TestOpenReader_CreatesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReader(t.Context(), dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want os.ErrNotExist", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("the directory holds %v, %v", files, err)
	}
}

func TestOpenReader_RefusesAnotherSchema(t *testing.T) {
	for change, want := range map[string]string{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`: "run the newer automatond",
		`DELETE FROM goose_db_version WHERE version_id > 1`:                        "start this version's daemon once",
	} {
		engines(t, func(t *testing.T, o Options) {
			l := open(t, o)
			must(t, l.write(t.Context(), opHeartbeat, "pretend", 1, func(s *session) error {
				_, err := s.exec(change)
				return err
			}))
			if _, err := OpenReader(t.Context(), storeOf(o)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

func TestQueries_TellRunsInDoubtAndFiresWithoutOne(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		doubt, plain := mustRun(t, l, "a", slotTime, "main"), mustRun(t, l, "a", slotTime.Add(time.Hour), "staging")
		mustIntend(t, l, "a", dispatchOf(doubt, 0, "1"))
		mustIntend(t, l, "a", dispatchOf(plain, 0, "2"))
		must(t, l.Record(t.Context(), Result{RunID: doubt.ID, Owner: "a", State: DispatchInDoubt}))
		mustClaim(t, l, "a", claimOf(slotTime.Add(2*time.Hour)))
		runs, err := l.Runs(t.Context(), Filter{InDoubt: true})
		if err != nil || len(runs) != 1 || runs[0].ID != doubt.ID {
			t.Errorf("runs in doubt %+v, %v", runs, err)
		}
		fires, err := l.Fires(t.Context(), Filter{WithoutRun: true})
		if err != nil || len(fires) != 1 || !fires[0].ScheduledAt.Equal(slotTime.Add(2*time.Hour)) {
			t.Errorf("fires without a run %+v, %v", fires, err)
		}
	})
}

func TestOpenProjects_NamesWhereSomethingMayGoOn(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		elsewhere := dispatchOf(u, 0, "1")
		elsewhere.Project = "elsewhere"
		mustIntend(t, l, "a", elsewhere)
		open, err := l.OpenProjects(t.Context())
		if err != nil || !slices.Equal(open, []string{"elsewhere", "p"}) {
			t.Errorf("open projects %q, %v", open, err)
		}
		_, err = l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Succeeded})
		must(t, err)
		if open, err := l.OpenProjects(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("open projects %q, %v after the end", open, err)
		}
	})
}

// version makes a ledger with the schema of an earlier version, and fills it.
func version(t *testing.T, o Options, n int64, fill ...string) {
	t.Helper()
	d, err := dialectOf(storeOf(o))
	must(t, err)
	db, err := d.open(forMigrating)
	must(t, err)
	provider, err := newProvider(d, db)
	must(t, err)
	_, err = provider.UpTo(t.Context(), n)
	for _, statement := range fill {
		if err == nil {
			_, err = db.ExecContext(t.Context(), statement)
		}
	}
	must(t, errors.Join(err, db.Close()))
}

// TestOpen_UpgradesALedgerOfVersionOne keeps what the first schema had of a cron.
func TestOpen_UpgradesALedgerOfVersionOne(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	version(t, o, 1, fmt.Sprintf(`INSERT INTO schedules (cron, project, hash, first_seen_at) VALUES ('a', 'p', '1', %d)`, micros(slotTime)))
	if at, _, fresh := baselines(t, open(t, o), slotTime.Add(time.Hour), key("a", "1")); at[0] != 0 || fresh {
		t.Errorf("baseline after %s, fresh %t; want that of before the upgrade", at[0], fresh)
	}
}

// TestOpen_KeepsWhoseAnActivityIsWhereItMayBeAskedFor upgrades a ledger that knew the activities of its
// whole history.
func TestOpen_KeepsWhoseAnActivityIsWhereItMayBeAskedFor(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		run := func(id string, claimed, finished string) string {
			return fmt.Sprintf(`INSERT INTO runs (id, fire_id, environment, cron, project, slot, lane, scheduled_at, claimed_at,
				finished_at, tracking, outcome, reason, message, owner) VALUES ('%s', '%[1]s', 'main', '%[1]s', 'p', '', '', 0, %s, %s, 0, '', '', '', 'a')`,
				id, claimed, finished)
		}
		version(t, o, 7,
			run("before", "10000000000", "20000000000"), run("open", "30000000000", "NULL"), run("since", "10000000000", "40000000000"),
			`INSERT INTO activities VALUES ('p', 'x', 'before', 0), ('p', 'y', 'open', 1), ('p', 'z', 'since', 0)`)
		l := open(t, o)
		left, err := collect(t.Context(), l.reader, scanText, `SELECT id || run_id || ordinal FROM recent_activities ORDER BY id`)
		if want := []string{"yopen1", "zsince0"}; err != nil || !slices.Equal(left, want) {
			t.Errorf("known are %q, %v; want %q", left, err, want)
		}
	})
}
