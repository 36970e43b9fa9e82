package ledger

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func activity(id string) Activity {
	return Activity{ID: id, Project: "p", Type: "environment.backup", State: "pending"}
}

// isTaken reports whether an activity of project "p" belongs to a dispatch.
func isTaken(t *testing.T, l *Ledger, id string) bool {
	t.Helper()
	var n int
	must(t, l.reader.QueryRowContext(t.Context(), `SELECT count(*) FROM recent_activities WHERE project = 'p' AND id = ?`, id).Scan(&n))
	return n == 1
}

func TestRecord_KeepsTheAnswer(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		want := mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		must(t, l.Record(t.Context(), Result{
			RunID: u.ID, Owner: "a", State: DispatchTracking, StatusCode: 202, Activities: []Activity{activity("one"), activity("two")},
		}))
		want.State, want.StatusCode, want.Activities = DispatchTracking, 202, []Activity{activity("one"), activity("two")}
		if diff := cmp.Diff(want, mustDispatch(t, l, u.ID, 0)); diff != "" {
			t.Errorf("dispatch (-want +got):\n%s", diff)
		}
		if run, _, _ := l.Run(t.Context(), u.ID); run.State != RunRunning {
			t.Errorf("run is %s before its last dispatch, want running", run.State)
		}
		if !isTaken(t, l, "one") || !isTaken(t, l, "two") || isTaken(t, l, "three") {
			t.Error("the dispatch does not have exactly its own activities")
		}

		must(t, l.Record(t.Context(), Result{
			RunID: u.ID, Owner: "a", State: DispatchDone, StatusCode: 202, Outcome: Failed, Reason: ActivityFailed, Message: "exit 1", ExitStatus: 1,
		}))
		want.State, want.Outcome, want.Reason, want.Message, want.ExitStatus = DispatchDone, Failed, ActivityFailed, "exit 1", 1
		if diff := cmp.Diff(want, mustDispatch(t, l, u.ID, 0)); diff != "" {
			t.Errorf("dispatch that ended (-want +got):\n%s", diff)
		}
	})
}

func TestRecord_MovesTheRunToTracking(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		must(t, l.Record(t.Context(), Result{
			RunID: u.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{activity("one")}, RunTracking: true,
		}))
		if run, _, _ := l.Run(t.Context(), u.ID); run.State != RunTracking {
			t.Errorf("run is %s, want tracking", run.State)
		}
	})
}

func TestRecord_SetsTheSettleTimeOnlyWhenGiven(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		first := mustIntend(t, l, "a", dispatchOf(u, 0, "key")).SettleAt
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt}))
		if got := mustDispatch(t, l, u.ID, 0).SettleAt; !got.Equal(first) {
			t.Errorf("settle time = %s, want it kept at %s", got, first)
		}
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt, SettleAt: slotTime.Add(time.Hour)}))
		if got := mustDispatch(t, l, u.ID, 0).SettleAt; !got.Equal(slotTime.Add(time.Hour)) {
			t.Errorf("settle time = %s, want it moved", got)
		}
	})
}

func TestRecord_RefusesWhatIsNotTheOwners(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		done := Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Succeeded}

		other := done
		other.Owner = "b"
		if err := l.Record(t.Context(), other); !errors.Is(err, ErrNotOwned) {
			t.Errorf("another owner: %v, want ErrNotOwned", err)
		}
		must(t, l.Record(t.Context(), done))
		must(t, l.Record(t.Context(), done)) // a retry finds it done
		changed := done
		changed.Outcome, changed.Reason = Failed, APIError
		if err := l.Record(t.Context(), changed); !errors.Is(err, ErrNotOwned) {
			t.Errorf("a dispatch that is done otherwise: %v, want ErrNotOwned", err)
		}
		if d := mustDispatch(t, l, u.ID, 0); d.Outcome != Succeeded {
			t.Errorf("outcome became %s", d.Outcome)
		}
	})
}

func TestAdopt_GivesAnActivityToOneDispatch(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const runs = 10
		var environments []string
		for n := range runs {
			environments = append(environments, fmt.Sprint("env", n))
		}
		claimed := mustClaim(t, l, "a", claimOf(slotTime, environments...))
		for _, u := range claimed.Runs {
			mustIntend(t, l, "a", dispatchOf(u, 0, u.Environment))
			must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt, Message: "reset"}))
		}
		var adopted atomic.Int32
		parallel(runs, func(n int) {
			u := claimed.Runs[n]
			ok, err := l.Adopt(t.Context(), u.ID, 0, "a", activity("one"))
			want := DispatchInDoubt
			if ok {
				adopted.Add(1)
				want = DispatchTracking
				if again, err := l.Adopt(t.Context(), u.ID, 0, "a", activity("one")); !again || err != nil {
					t.Errorf("a retry: %t, %v", again, err)
				}
			}
			if d := mustDispatch(t, l, u.ID, 0); err != nil || d.State != want || (len(d.Activities) == 1) != ok {
				t.Errorf("Adopt = %t, %v; dispatch = %+v", ok, err, d)
			}
		})
		if adopted.Load() != 1 {
			t.Errorf("%d dispatches adopted one activity", adopted.Load())
		}
	})
}

func TestAdopt_LeavesARecordedActivityToItsDispatch(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		claimed := mustClaim(t, l, "a", claimOf(slotTime, "main", "feature"))
		mustIntend(t, l, "a", dispatchOf(claimed.Runs[0], 0, "one"))
		mustIntend(t, l, "a", dispatchOf(claimed.Runs[1], 0, "two"))
		must(t, l.Record(t.Context(), Result{
			RunID: claimed.Runs[0].ID, Owner: "a", State: DispatchTracking, Activities: []Activity{activity("one")},
		}))
		if ok, err := l.Adopt(t.Context(), claimed.Runs[1].ID, 0, "a", activity("one")); ok || err != nil {
			t.Errorf("Adopt = %t, %v; want false", ok, err)
		}
		elsewhere := activity("one")
		elsewhere.Project = "q"
		if ok, err := l.Adopt(t.Context(), claimed.Runs[1].ID, 0, "a", elsewhere); !ok || err != nil {
			t.Errorf("an activity of another project: %t, %v; want true", ok, err)
		}
	})
}

func TestAdopt_WaitsForTheAnswerThatMayNameTheActivity(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		lost := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(lost, 0, "one"))
		must(t, l.Record(t.Context(), Result{RunID: lost.ID, Owner: "a", State: DispatchInDoubt}))
		c := claimOf(slotTime, "main")
		c.Fire.Cron = "hourly"
		other := mustClaim(t, l, "a", c).Runs[0]
		mustIntend(t, l, "a", dispatchOf(other, 0, "two"))

		if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity("one")); ok || !errors.Is(err, ErrUndecided) {
			t.Errorf("Adopt beside a request under way = %t, %v; want ErrUndecided", ok, err)
		}
		must(t, l.Record(t.Context(), Result{RunID: other.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{activity("one")}}))
		if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity("one")); ok || err != nil {
			t.Errorf("Adopt of the other's = %t, %v; want false", ok, err)
		}
		if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity("two")); !ok || err != nil {
			t.Errorf("Adopt of nobody's = %t, %v; want true", ok, err)
		}
	})
}

// TestAdopt_SeesEveryRequestThatMayBeUnderWay has a request on its way that a declared task made, and one
// of a script that runs for another environment.
func TestAdopt_SeesEveryRequestThatMayBeUnderWay(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		lost := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(lost, 0, "lost"))
		must(t, l.Record(t.Context(), Result{RunID: lost.ID, Owner: "a", State: DispatchInDoubt}))
		for cron, environment := range map[string]string{"declared": "main", "script": "staging"} {
			c := claimOf(slotTime, environment)
			c.Fire.Cron = cron
			other := mustClaim(t, l, "a", c).Runs[0]
			d := dispatchOf(other, 0, "")
			if d.Environment = "main"; cron == "script" {
				d.Dedupe = "key"
			}
			mustIntend(t, l, "a", d)
			if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity("one")); ok || !errors.Is(err, ErrUndecided) {
				t.Errorf("Adopt beside the request of a %s = %t, %v; want ErrUndecided", cron, ok, err)
			}
			must(t, l.Record(t.Context(), Result{RunID: other.ID, Owner: "a", State: DispatchDone, Outcome: Succeeded}))
		}
		if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity("one")); !ok || err != nil {
			t.Errorf("Adopt with nothing under way = %t, %v; want true", ok, err)
		}
	})
}

func TestAdopt_NeedsADispatchInDoubtOfTheOwner(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		if _, err := l.Adopt(t.Context(), u.ID, 0, "a", activity("one")); !errors.Is(err, ErrNotOwned) {
			t.Errorf("no such dispatch: %v, want ErrNotOwned", err)
		}
		_, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		if _, err := l.Adopt(t.Context(), u.ID, 0, "a", activity("one")); !errors.Is(err, ErrNotOwned) {
			t.Errorf("a dispatch that was never sent: %v, want ErrNotOwned", err)
		}
		if _, err := l.Adopt(t.Context(), u.ID, 0, "b", activity("one")); !errors.Is(err, ErrNotOwned) {
			t.Errorf("another owner: %v, want ErrNotOwned", err)
		}
		if isTaken(t, l, "one") {
			t.Error("a refused adoption took the activity")
		}
	})
}

// TestRecord_SaysWhenTheLastRequestWasAnswered has two attempts, of which the first was answered at once.
func TestRecord_SaysWhenTheLastRequestWasAnswered(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, ""))
		want := func(when string, at time.Time) {
			t.Helper()
			if d := mustDispatch(t, l, u.ID, 0); !d.AnsweredAt.Equal(at) {
				t.Errorf("%s it was answered at %s, want %s", when, d.AnsweredAt, at)
			}
		}
		first := slotTime.Add(time.Second)
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt, StatusCode: 502, AnsweredAt: first}))
		want("in doubt", first)
		must(t, l.Return(t.Context(), u.ID, 0, "a", "once more"))
		if ok, err := l.Intend(t.Context(), u.ID, 0, "a", first, first); !ok || err != nil {
			t.Fatal(ok, err)
		}
		want("sent again", time.Time{})
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchTracking, AnsweredAt: first.Add(time.Second)}))
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Failed}))
		want("done", first.Add(time.Second))
	})
}
