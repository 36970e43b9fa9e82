package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFires_FiltersAndOrders(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		at := func(n int) time.Time { return slotTime.Add(time.Duration(n) * time.Hour) }
		claim := func(n int, change func(*Fire)) {
			c := claimOf(at(n))
			change(&c.Fire)
			mustClaim(t, l, "a", c)
		}
		claim(1, func(f *Fire) { f.Message = "one" })
		claim(2, func(f *Fire) { f.Message, f.Project = "two", "q" })
		claim(3, func(f *Fire) { f.Message, f.Slot = "three", "manual:x" })
		claim(4, func(f *Fire) { f.Message, f.Cron, f.Outcome, f.Reason = "four", "weekly", Missed, Deadline })
		open := claimOf(at(5), "main")
		open.Fire.Message = "five"
		mustClaim(t, l, "a", open)

		for name, test := range map[string]struct {
			filter Filter
			want   []string
		}{
			"all":        {Filter{}, []string{"five", "four", "three", "two", "one"}},
			"limit":      {Filter{Limit: 3}, []string{"five", "four", "three"}},
			"since":      {Filter{Since: at(3)}, []string{"five", "four", "three"}},
			"since part": {Filter{Since: at(3).Add(500 * time.Millisecond)}, []string{"five", "four"}},
			"cron":       {Filter{Cron: "weekly"}, []string{"four"}},
			"project":    {Filter{Project: "q"}, []string{"two"}},
			"outcome":    {Filter{Outcome: Skipped}, []string{"three", "two", "one"}},
			"reason":     {Filter{Reason: Deadline}, []string{"four"}},
			"nothing":    {Filter{Cron: "none"}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				fires, err := l.Fires(t.Context(), test.filter)
				must(t, err)
				var got []string
				for _, f := range fires {
					got = append(got, f.Message)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("fires (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestRuns_FiltersAndOrders(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		for n := range 3 {
			u := mustRun(t, l, "a", slotTime.Add(time.Duration(n)*time.Hour), fmt.Sprint("env", n))
			if n == 1 {
				_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Failed, Reason: Auth})
				must(t, err)
			}
		}
		for name, test := range map[string]struct {
			filter Filter
			want   []string
		}{
			"all":         {Filter{}, []string{"env2", "env1", "env0"}},
			"limit":       {Filter{Limit: 1}, []string{"env2"}},
			"since":       {Filter{Since: slotTime.Add(time.Hour)}, []string{"env2", "env1"}},
			"cron":        {Filter{Cron: "nightly", Project: "p"}, []string{"env2", "env1", "env0"}},
			"environment": {Filter{Environment: "env0"}, []string{"env0"}},
			"outcome":     {Filter{Outcome: Failed, Reason: Auth}, []string{"env1"}},
		} {
			t.Run(name, func(t *testing.T) {
				runs, err := l.Runs(t.Context(), test.filter)
				must(t, err)
				var got []string
				for _, u := range runs {
					got = append(got, u.Environment)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("runs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestRun_SaysWhenThereIsNone(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		if _, _, err := l.Run(t.Context(), "nothing"); !errors.Is(err, ErrNotFound) {
			t.Errorf("error = %v, want ErrNotFound", err)
		}
	})
}

// TestRun_IsOfOneMomentWithItsDispatches reads runs while their dispatches move: one that is
// tracked belongs to a run that tracks, and a run that is done has no open dispatch.
func TestRun_IsOfOneMomentWithItsDispatches(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const runs = 150
		var all []Run
		for n := range runs {
			u := mustRun(t, l, "a", slotTime.Add(time.Duration(n)*time.Minute), fmt.Sprint("env", n))
			mustIntend(t, l, "a", dispatchOf(u, 0, ""))
			all = append(all, u)
		}
		for _, u := range all {
			moved := make(chan error, 1)
			go func() {
				moved <- l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchTracking, RunTracking: true})
			}()
			for seen := false; !seen; {
				got, dispatches, err := l.Run(t.Context(), u.ID)
				must(t, err)
				seen = dispatches[0].State == DispatchTracking
				if want := map[bool]RunState{false: RunRunning, true: RunTracking}[seen]; got.State != want {
					t.Fatalf("the run is %s while its dispatch is %s", got.State, dispatches[0].State)
				}
			}
			must(t, <-moved)
		}
	})
}
