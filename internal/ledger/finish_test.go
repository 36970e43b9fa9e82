package ledger

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFinish_EndsTheFireWithItsLastRun(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		claimed := mustClaim(t, l, "a", claimOf(slotTime, "one", "two", "three"))
		ends := []Finish{
			{Outcome: Failed, Reason: ActivityFailed, Message: "exit 1"},
			{Outcome: Succeeded},
			{Outcome: Unknown, Reason: InDoubt, Message: "lost"},
		}
		for i, f := range ends {
			f.RunID, f.Owner = claimed.Runs[i].ID, "a"
			got, err := l.Finish(t.Context(), f)
			must(t, err)
			want := Finished{}
			if i == len(ends)-1 {
				want = Finished{FireDone: true, Outcome: Failed, Reason: ActivityFailed}
			}
			if got != want {
				t.Errorf("end %d: %+v, want %+v", i, got, want)
			}
			fires, err := l.Fires(t.Context(), Filter{})
			must(t, err)
			if fires[0].Outcome != want.Outcome || fires[0].Reason != want.Reason {
				t.Errorf("after end %d the fire is %s/%s, want %s/%s", i, fires[0].Outcome, fires[0].Reason, want.Outcome, want.Reason)
			}
			if i == len(ends)-1 && fires[0].Message != "exit 1" {
				t.Errorf("message = %q, want the worst run's", fires[0].Message)
			}
		}
	})
}

func TestFinish_OneOfManyConcurrentEndsTheFire(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		var environments []string
		for n := range 40 {
			environments = append(environments, fmt.Sprint("env", n))
		}
		claimed := mustClaim(t, l, "a", claimOf(slotTime, environments...))
		var done atomic.Int32
		parallel(len(environments), func(n int) {
			f := Finish{RunID: claimed.Runs[n].ID, Owner: "a", Outcome: Succeeded}
			if n == 13 {
				f.Outcome, f.Reason = Missed, Dirty
			}
			got, err := l.Finish(t.Context(), f)
			if err != nil {
				t.Error(err)
			} else if got.FireDone {
				done.Add(1)
				if got.Outcome != Missed || got.Reason != Dirty {
					t.Errorf("fire = %+v, want missed/dirty", got)
				}
			}
		})
		if done.Load() != 1 {
			t.Errorf("the fire ended %d times", done.Load())
		}
	})
}

func TestFinish_EndsDispatchesWithTheRun(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{activity("one")}}))
		last := activity("one")
		last.State, last.Result = "complete", "success"
		at := slotTime.Add(time.Hour)
		_, err := l.Finish(t.Context(), Finish{
			RunID: u.ID, Owner: "a", Outcome: Succeeded, At: at,
			Dispatches: []Result{{State: DispatchDone, Outcome: Succeeded, StatusCode: 202, Activities: []Activity{last}}},
		})
		must(t, err)
		d := mustDispatch(t, l, u.ID, 0)
		if d.State != DispatchDone || d.Outcome != Succeeded || cmp.Diff(d.Activities, []Activity{last}) != "" {
			t.Errorf("dispatch = %+v", d)
		}
		run, _, err := l.Run(t.Context(), u.ID)
		must(t, err)
		if run.State != RunDone || run.Outcome != Succeeded || !run.FinishedAt.Equal(at) {
			t.Errorf("run = %+v", run)
		}
	})
}

func TestFinish_RefusesWhatIsNotTheOwners(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		f := Finish{RunID: u.ID, Owner: "a", Outcome: Succeeded, At: slotTime}

		for name, change := range map[string]func(*Finish){
			"another owner": func(f *Finish) { f.Owner = "b" },
			"no such run":   func(f *Finish) { f.RunID = "nothing" },
		} {
			wrong := f
			change(&wrong)
			if _, err := l.Finish(t.Context(), wrong); !errors.Is(err, ErrNotOwned) {
				t.Errorf("%s: %v, want ErrNotOwned", name, err)
			}
		}
		if _, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a"}); err == nil {
			t.Error("a run ended without an outcome")
		}
		for range 2 { // the second is the retry of an end whose acknowledgement was lost
			got, err := l.Finish(t.Context(), f)
			if err != nil || !got.FireDone || got.Outcome != Succeeded {
				t.Errorf("Finish = %+v, %v", got, err)
			}
		}
		other := f
		other.Outcome, other.Reason = Failed, Timeout
		if _, err := l.Finish(t.Context(), other); !errors.Is(err, ErrNotOwned) {
			t.Errorf("another end: %v, want ErrNotOwned", err)
		}
	})
}

func TestFinish_RemembersTheTarget(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		at := func(hour int) time.Time { return slotTime.Add(time.Duration(hour) * time.Hour) }
		end := func(hour int, outcome Outcome) {
			t.Helper()
			u := mustRun(t, l, "a", at(hour), "main")
			_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: outcome, At: at(hour).Add(time.Minute)})
			must(t, err)
		}
		check := func(scheduled, success time.Time) {
			t.Helper()
			got, err := l.Targets(t.Context())
			must(t, err)
			want := []Target{{Cron: "nightly", Project: "p", Environment: "main", LastScheduled: scheduled, LastSuccess: success}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("targets (-want +got):\n%s", diff)
			}
		}
		end(5, Failed)
		check(at(5), time.Time{})
		end(6, Succeeded)
		check(at(6), at(6).Add(time.Minute))
		end(7, Failed)
		check(at(7), at(6).Add(time.Minute))
		end(3, Succeeded) // late news of an older run
		check(at(7), at(6).Add(time.Minute))
	})
}

func TestTrack_MovesAnOpenRun(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		if err := l.Track(t.Context(), u.ID, "b"); !errors.Is(err, ErrNotOwned) {
			t.Errorf("another owner: %v, want ErrNotOwned", err)
		}
		if run, _, _ := l.Run(t.Context(), u.ID); run.State != RunRunning {
			t.Errorf("run is %s, want running", run.State)
		}
		must(t, l.Track(t.Context(), u.ID, "a"))
		if run, _, _ := l.Run(t.Context(), u.ID); run.State != RunTracking {
			t.Errorf("run is %s, want tracking", run.State)
		}
	})
}
