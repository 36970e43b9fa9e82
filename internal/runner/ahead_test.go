package runner

import (
	"context"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/scheduler"
)

// fireFor lets every cron fire for a time that may be still to come.
func (w *world) fireFor(at time.Time) {
	var batch []scheduler.Fire
	for _, j := range w.jobs {
		batch = append(batch, scheduler.Fire{Job: j, Project: j.Projects[0], ScheduledAt: at})
	}
	w.runner.Fire(batch)
}

// fireAhead lets every cron fire once, so that the environments are known, and then a second ahead of a time,
// which it returns.
func (w *world) fireAhead() time.Time {
	w.fire()
	w.wait(time.Minute)
	at := time.Now().Truncate(time.Second).Add(10 * time.Second)
	w.wait(time.Until(at) - time.Second)
	w.fireFor(at)
	return at
}

// newest returns the newest run and its dispatches.
func (w *world) newest() (*ledger.Run, []ledger.Dispatch) {
	w.t.Helper()
	runs, err := w.ledger.Runs(context.Background(), ledger.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(runs) == 0 {
		w.t.Fatal("no run")
	}
	u, dispatches, err := w.ledger.Run(context.Background(), runs[0].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return u, dispatches
}

func TestRunner_ClaimsAheadAndSendsOnTime(t *testing.T) {
	const script = `crons: {snapshot: {spec: '0 5 * * *', cmd: 'if [ "$PLATFORM_BRANCH" = master ]; then platform backup:create --no-wait; fi'}}`
	for name, crons := range map[string]string{"declared": declared, "script": script} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, crons, func(w *world) {
				at := w.fireAhead()
				w.wait(time.Second - time.Millisecond)
				u, dispatches := w.newest()
				if !u.ScheduledAt.Equal(at) || !u.ClaimedAt.Before(at) {
					t.Errorf("the newest run is of %s and was claimed at %s, want of %s and before", u.ScheduledAt, u.ClaimedAt, at)
				}
				for _, d := range dispatches {
					if d.State != ledger.DispatchClaimed || d.Attempts != 0 {
						t.Errorf("before its time the dispatch is %s, attempts %d", d.State, d.Attempts)
					}
				}
				if n := w.posts("/backup"); n != 1 {
					t.Errorf("%d requests before the scheduled time, want the first fire's", n)
				}
				w.wait(2 * time.Millisecond)
				_, dispatches = w.newest()
				if len(dispatches) != 1 || dispatches[0].Attempts != 1 || dispatches[0].SentAt.Before(at) {
					t.Errorf("at its time the dispatches are %+v", dispatches)
				}
				w.fireFor(at) // another replica would do the same
				w.wait(time.Minute)
				w.want("/backup", 2, "succeeded/ succeeded/")
			})
		})
	}
}

func TestRunner_SendsOnceWhatWasClaimedAheadOfARestart(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fireAhead()
		w.wait(500 * time.Millisecond)
		w.restart()
		w.wait(400 * time.Millisecond)
		if n := w.posts("/backup"); n != 1 {
			t.Errorf("%d requests before the scheduled time, want the first fire's", n)
		}
		w.wait(time.Minute)
		w.want("/backup", 2, "succeeded/ succeeded/")
	})
}

func TestRunner_SendsNothingOfWhatWasClaimedBeforeItObserves(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fireAhead()
		w.wait(500 * time.Millisecond)
		w.observe = true
		w.restart()
		w.wait(time.Minute)
		w.want("/backup", 1, "skipped/observe succeeded/")
	})
}

func TestRunner_DecidesOverlapAtTheScheduledTime(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		first := w.fire() // is over after about 20 s
		w.wait(time.Second)
		open, over := first.Add(10*time.Second), first.Add(2*time.Minute)
		w.fireFor(open)
		w.fireFor(over)
		w.wait(time.Until(open) - time.Millisecond)
		if got := w.outcomes(); len(got) != 1 {
			t.Errorf("fires %v, want one: overlap is not decided before the time", got)
		}
		w.wait(time.Until(over) - time.Millisecond)
		if n := w.posts("/backup"); n != 1 {
			t.Errorf("%d requests, want the first fire's", n)
		}
		w.wait(time.Minute)
		w.want("/backup", 2, "succeeded/ skipped/overlap succeeded/")
	})
}

func TestRunner_ASuspensionAfterTheClaimHolds(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(time.Minute)
		suspended := false
		w.runner.Suspended = func(string, time.Time) string {
			w.mu.Lock()
			defer w.mu.Unlock()
			if suspended {
				return "maintenance"
			}
			return ""
		}
		at := time.Now().Truncate(time.Second).Add(time.Second)
		w.fireFor(at)
		w.wait(100 * time.Millisecond)
		w.mu.Lock()
		suspended = true
		w.mu.Unlock()
		w.wait(time.Minute)
		w.want("/backup", 1, "skipped/suspended succeeded/")
	})
}
