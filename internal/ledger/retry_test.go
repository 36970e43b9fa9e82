package ledger

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// mustRetry puts a dispatch's next attempt off, after one that ended with an activity.
func mustRetry(t *testing.T, l *Ledger, owner string, u Run, activities ...Activity) Retry {
	t.Helper()
	r := Retry{RunID: u.ID, Owner: owner, At: slotTime.Add(5 * time.Minute), Earlier: []Attempt{{
		SentAt: slotTime, EndedAt: slotTime.Add(time.Minute), StatusCode: 202,
		Outcome: Failed, Reason: ActivityFailed, Message: "activity one failed", Activities: activities,
	}}}
	must(t, l.Retry(t.Context(), r))
	return r
}

func TestRetry_KeepsTheAttemptAndItsActivities(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, ""))
		a := activity("one")
		a.Project = u.Project
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{a}, RunTracking: true}))
		r := mustRetry(t, l, "a", u, a)
		d := mustDispatch(t, l, u.ID, 0)
		if diff := cmp.Diff(r.Earlier, d.Earlier); diff != "" || !d.RetryAt.Equal(r.At) || d.State != DispatchClaimed || d.Activities != nil {
			t.Errorf("dispatch = %+v, attempts (-want +got):\n%s", d, diff)
		}
		ok, err := l.Intend(t.Context(), u.ID, 0, "a", slotTime, slotTime)
		if !ok || err != nil {
			t.Fatalf("Intend = %t, %v", ok, err)
		}
		if adopted, err := l.Adopt(t.Context(), u.ID, 0, "a", a); adopted || err != nil {
			t.Errorf("the activity of an earlier attempt: adopted %t, %v", adopted, err)
		}
	})
}

func TestRetry_RefusesWhatIsInDoubt(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, ""))
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt}))
		err := l.Retry(t.Context(), Retry{RunID: u.ID, Owner: "a", Earlier: []Attempt{{Outcome: Failed}}, At: slotTime})
		if !errors.Is(err, ErrNotOwned) {
			t.Errorf("error = %v, want ErrNotOwned", err)
		}
	})
}

func TestClaim_EndsARunThatWaitsForARetry(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, ""))
		mustRetry(t, l, "a", u)
		next := claimOf(slotTime.Add(time.Hour), "main")
		claimed := mustClaim(t, l, "b", next)
		if len(claimed.Runs) != 1 || len(claimed.Displaced) != 1 || claimed.Displaced[0].ID != u.ID {
			t.Fatalf("claimed %+v, want a run in the place of %s", claimed, u.ID)
		}
		again := mustClaim(t, l, "b", next)
		if len(again.Displaced) != 1 || !reflect.DeepEqual(again.Displaced[0], claimed.Displaced[0]) {
			t.Errorf("repeated, the claim displaced %+v, want %+v", again.Displaced, claimed.Displaced)
		}
		ended, dispatches, err := l.Run(t.Context(), u.ID)
		must(t, err)
		if ended.Outcome != Failed || ended.Reason != ActivityFailed || dispatches[0].State != DispatchDone {
			t.Errorf("run = %+v, dispatches %+v", ended, dispatches)
		}
		if ok, err := l.Intend(t.Context(), u.ID, 0, "a", slotTime, slotTime); ok || err != nil {
			t.Errorf("Intend after that = %t, %v", ok, err)
		}
	})
}

func TestClaim_LeavesARetryThatMayHaveLeft(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, ""))
		mustRetry(t, l, "a", u)
		if ok, err := l.Intend(t.Context(), u.ID, 0, "a", slotTime, slotTime); !ok || err != nil {
			t.Fatalf("Intend = %t, %v", ok, err)
		}
		claimed := mustClaim(t, l, "b", claimOf(slotTime.Add(time.Hour), "main"))
		if len(claimed.Runs) != 0 || len(claimed.Displaced) != 0 || claimed.Fire.Reason != Overlap {
			t.Errorf("claimed %+v, want an overlap", claimed)
		}
	})
}

// The next fire and the retry come at the same time, of two replicas on PostgreSQL: one of them has
// the environment, never both and never neither.
func TestClaim_EitherEndsARetryOrLeavesIt(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		other := l
		if o.Store != "" {
			other = open(t, Options{Dir: t.TempDir(), Store: o.Store})
		}
		for i := range 40 {
			at := slotTime.Add(time.Duration(i) * time.Hour)
			environment := fmt.Sprint("e", i)
			u := mustRun(t, l, "a", at, environment)
			mustIntend(t, l, "a", dispatchOf(u, 0, ""))
			mustRetry(t, l, "a", u)
			var intended bool
			var intendErr error
			var both sync.WaitGroup
			both.Go(func() { intended, intendErr = l.Intend(t.Context(), u.ID, 0, "a", at, at) })
			claimed := mustClaim(t, other, "b", claimOf(at.Add(time.Minute), environment))
			both.Wait()
			must(t, intendErr)
			if ended := len(claimed.Displaced) == 1 && len(claimed.Runs) == 1; ended == intended {
				t.Fatalf("round %d: the retry was sent: %t, the next fire ended it: %t (%+v)", i, intended, ended, claimed)
			}
		}
	})
}
