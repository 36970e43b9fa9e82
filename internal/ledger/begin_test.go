package ledger

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBegin_WritesTheDispatch(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		d := dispatchOf(u, 0, "key")
		d.CommandLine = []string{"platform", "backup:create", "--no-wait"}
		res, err := l.Begin(t.Context(), d, "a")
		must(t, err)
		d.State = DispatchClaimed
		if diff := cmp.Diff(BeginResult{Dispatch: d}, res); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(d, mustDispatch(t, l, u.ID, 0)); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if run, _, _ := l.Run(t.Context(), u.ID); run.State != RunRunning {
			t.Errorf("run is %s, want running", run.State)
		}
	})
}

func TestBeginAndIntend_WritesTheIntent(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		at, settle := slotTime.Add(time.Second), slotTime.Add(time.Minute)
		res, err := l.BeginAndIntend(t.Context(), dispatchOf(u, 0, "key"), "a", at, settle)
		must(t, err)
		want := dispatchOf(u, 0, "key")
		want.State, want.Attempts, want.SentAt, want.SettleAt = DispatchDispatching, 1, at, settle
		if diff := cmp.Diff(BeginResult{Dispatch: want}, res); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, mustDispatch(t, l, u.ID, 0)); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

func TestBeginAndIntend_OneRunOfASlotAsksForAnOperation(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const environments = 20
		var names []string
		for n := range environments {
			names = append(names, fmt.Sprint("env", n))
		}
		claimed := mustClaim(t, l, "a", claimOf(slotTime, names...))
		var sent, duplicates atomic.Int32
		parallel(environments, func(n int) {
			res, err := l.BeginAndIntend(t.Context(), dispatchOf(claimed.Runs[n], 0, "backup main"), "a", slotTime, slotTime)
			switch {
			case err != nil:
				t.Error(err)
			case res.Duplicate:
				duplicates.Add(1)
				if res.Dispatch.State != DispatchDone || res.Dispatch.Outcome != Skipped || res.Dispatch.Reason != Duplicate {
					t.Errorf("duplicate = %+v", res.Dispatch)
				}
				if diff := cmp.Diff(res.Dispatch, mustDispatch(t, l, claimed.Runs[n].ID, 0)); diff != "" {
					t.Errorf("duplicate (-returned +stored):\n%s", diff)
				}
			default:
				sent.Add(1)
			}
		})
		if sent.Load() != 1 || duplicates.Load() != environments-1 {
			t.Errorf("%d may send, %d are duplicates; want 1 and %d", sent.Load(), duplicates.Load(), environments-1)
		}
	})
}

func TestBeginAndIntend_OtherSlotsAndRequestsAreNoDuplicates(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		mustIntend(t, l, "a", dispatchOf(u, 1, "other key"))
		mustIntend(t, l, "a", dispatchOf(u, 2, ""))
		mustIntend(t, l, "a", dispatchOf(u, 3, ""))
		later := mustRun(t, l, "a", slotTime.Add(time.Minute), "feature")
		mustIntend(t, l, "a", dispatchOf(later, 0, "key"))
	})
}

func TestBegin_DuplicatesAreFoundAgainAsDuplicates(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		claimed := mustClaim(t, l, "a", claimOf(slotTime, "main", "feature"))
		mustIntend(t, l, "a", dispatchOf(claimed.Runs[0], 0, "key"))
		for i, begin := range []func() (BeginResult, error){
			func() (BeginResult, error) { return l.Begin(t.Context(), dispatchOf(claimed.Runs[1], 0, "key"), "a") },
			func() (BeginResult, error) { return l.Begin(t.Context(), dispatchOf(claimed.Runs[1], 0, "key"), "a") },
			func() (BeginResult, error) {
				return l.BeginAndIntend(t.Context(), dispatchOf(claimed.Runs[1], 0, "key"), "a", slotTime, slotTime)
			},
		} {
			if res, err := begin(); err != nil || !res.Duplicate || res.Replayed != (i > 0) {
				t.Errorf("call %d = %+v, %v", i, res, err)
			}
		}
	})
}

func TestBegin_ReplaysARecordedRow(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		recorded := mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		res, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		if diff := cmp.Diff(BeginResult{Dispatch: recorded, Replayed: true}, res); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
	})
}

func TestBeginAndIntend_IntendsARowThatWasOnlyClaimed(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		_, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		res, err := l.BeginAndIntend(t.Context(), dispatchOf(u, 0, "key"), "a", slotTime, slotTime)
		if err != nil || !res.Replayed || res.Dispatch.State != DispatchDispatching || res.Dispatch.Attempts != 1 {
			t.Errorf("BeginAndIntend = %+v, %v", res, err)
		}
	})
}

func TestBeginAndIntend_RefusesARequestThatMayHaveLeft(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		at, settle := slotTime, slotTime.Add(time.Minute)
		first, err := l.BeginAndIntend(t.Context(), dispatchOf(u, 0, "key"), "a", at, settle)
		must(t, err)

		res, err := l.BeginAndIntend(t.Context(), dispatchOf(u, 0, "key"), "a", at.Add(time.Microsecond), settle)
		if !errors.Is(err, ErrNotOwned) {
			t.Errorf("a second intent: %v, want ErrNotOwned", err)
		}
		if diff := cmp.Diff(BeginResult{Dispatch: first.Dispatch, Replayed: true}, res); diff != "" {
			t.Errorf("the row (-want +got):\n%s", diff)
		}
		// The same intent again is the retry of one whose acknowledgement was lost.
		res, err = l.BeginAndIntend(t.Context(), dispatchOf(u, 0, "key"), "a", at, settle)
		if err != nil || res.Dispatch.Attempts != 1 {
			t.Errorf("the same intent: %+v, %v", res, err)
		}
	})
}

func TestBeginAndIntend_RefusesAnotherRequestThanRecorded(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		_, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		other := dispatchOf(u, 0, "key")
		other.Params = []byte(`{"live":true}`)
		if _, err := l.BeginAndIntend(t.Context(), other, "a", slotTime, slotTime); !errors.Is(err, ErrNotOwned) {
			t.Errorf("error = %v, want ErrNotOwned", err)
		}
		if d := mustDispatch(t, l, u.ID, 0); d.State != DispatchClaimed {
			t.Errorf("the recorded dispatch became %s", d.State)
		}
	})
}

func TestBegin_NeedsAnOpenRunOfTheOwner(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		check := func(name, runID, owner string) {
			t.Helper()
			d := dispatchOf(u, 0, "key")
			d.RunID = runID
			if _, err := l.Begin(t.Context(), d, owner); !errors.Is(err, ErrNotOwned) {
				t.Errorf("%s: Begin: %v, want ErrNotOwned", name, err)
			}
			if _, err := l.BeginAndIntend(t.Context(), d, owner, slotTime, slotTime); !errors.Is(err, ErrNotOwned) {
				t.Errorf("%s: BeginAndIntend: %v, want ErrNotOwned", name, err)
			}
		}
		check("another owner", u.ID, "b")
		check("no such run", "nothing", "a")
		_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Failed, Reason: Timeout})
		must(t, err)
		check("a run that is done", u.ID, "a")
	})
}

func TestIntend_OneOfManyMaySend(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		_, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		var sent atomic.Int32
		parallel(50, func(n int) {
			at := slotTime.Add(time.Duration(n) * time.Microsecond)
			ok, err := l.Intend(t.Context(), u.ID, 0, "a", at, at)
			if err != nil {
				t.Error(err)
			} else if ok {
				sent.Add(1)
			}
		})
		if sent.Load() != 1 {
			t.Errorf("%d intents were accepted", sent.Load())
		}
	})
}

func TestIntend_NeedsAnOpenRunOfTheOwner(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		_, err := l.Begin(t.Context(), dispatchOf(u, 0, "key"), "a")
		must(t, err)
		if ok, err := l.Intend(t.Context(), u.ID, 0, "b", slotTime, slotTime); ok || err != nil {
			t.Errorf("another owner: %t, %v", ok, err)
		}
		if ok, err := l.Intend(t.Context(), u.ID, 7, "a", slotTime, slotTime); ok || err != nil {
			t.Errorf("no such dispatch: %t, %v", ok, err)
		}
		_, err = l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Missed, Reason: Deadline})
		must(t, err)
		if ok, err := l.Intend(t.Context(), u.ID, 0, "a", slotTime, slotTime); ok || err != nil {
			t.Errorf("a run that is done: %t, %v", ok, err)
		}
	})
}

func TestReturn_LetsTheRequestBeSentAgain(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		if err := l.Return(t.Context(), u.ID, 0, "b", ""); !errors.Is(err, ErrNotOwned) {
			t.Errorf("another owner: %v, want ErrNotOwned", err)
		}
		must(t, l.Return(t.Context(), u.ID, 0, "a", "connection refused"))
		must(t, l.Return(t.Context(), u.ID, 0, "a", "connection refused")) // a retry finds it done
		if d := mustDispatch(t, l, u.ID, 0); d.State != DispatchClaimed || d.Message != "connection refused" {
			t.Errorf("dispatch = %+v", d)
		}
		ok, err := l.Intend(t.Context(), u.ID, 0, "a", slotTime.Add(time.Second), slotTime.Add(time.Minute))
		if d := mustDispatch(t, l, u.ID, 0); !ok || err != nil || d.Attempts != 2 || !d.SentAt.Equal(slotTime.Add(time.Second)) {
			t.Errorf("Intend = %t, %v; dispatch = %+v", ok, err, d)
		}
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt}))
		must(t, l.Return(t.Context(), u.ID, 0, "a", "to be sent again"))
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Succeeded}))
		if err := l.Return(t.Context(), u.ID, 0, "a", ""); !errors.Is(err, ErrNotOwned) {
			t.Errorf("a dispatch that is done: %v, want ErrNotOwned", err)
		}
	})
}
