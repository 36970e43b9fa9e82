package runner

import (
	"context"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
)

func TestRunner_ForeseesWhatNeedsNothingElse(t *testing.T) {
	const crons = `
crons:
  declared: {spec: '0 5 * * *', task: {backup: {}}}
  script: {spec: '0 5 * * *', cmd: 'platform backup:create --no-wait'}
  project-wide: {spec: '0 5 * * *', task: {variable_create: {name: "env:a", value: b, level: project}}}
`
	inWorld(t, crons, func(w *world) {
		listing, err := w.runner.Inventory.Environments(context.Background(), projectA, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			name, cron string
			late       time.Duration
			change     func(*platform.Environment)
			want       bool
		}{
			{"a declared task", "declared", 0, nil, true},
			{"a script", "script", 0, nil, false},
			{"a late one", "declared", 10 * time.Second, nil, false},
			{"what other runs may ask for", "project-wide", 0, nil, false},
			{"an environment that is not known", "declared", 0, func(e *platform.Environment) { e.Status = "" }, false},
			{"an environment without the link", "declared", 0, func(e *platform.Environment) { e.Links = nil }, false},
		} {
			env := *listing.Environments[0]
			if test.change != nil {
				test.change(&env)
			}
			j := w.find(test.cron)
			f := scheduler.Fire{Job: j, Project: j.Projects[0], ScheduledAt: time.Now().Add(-test.late)}
			u := w.runner.newRun(newClaim(f).row.Fire, f, plan.NewTarget(f.Project, "master", &env))
			u.first = w.runner.foresee(u)
			if got := u.early(); got != test.want {
				t.Errorf("%s: early is %t, want %t", test.name, got, test.want)
			}
		}
	})
}

func TestRunner_TakesBackAnIntentThatTheStoreHeldUp(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(time.Minute)
		unlock := w.lockStore()
		w.fire()
		w.wait(12 * time.Second) // shorter than the lease
		if n := w.posts("/backup"); n != 1 {
			t.Errorf("%d requests while the store is away, want the first fire's", n)
		}
		unlock()
		back := time.Now()
		w.wait(2 * time.Minute)
		w.want("/backup", 2, "succeeded/ succeeded/")
		runs, err := w.ledger.Runs(context.Background(), ledger.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		_, dispatches, err := w.ledger.Run(context.Background(), runs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := dispatches[0]; d.Attempts != 2 || d.SentAt.Before(back) {
			t.Errorf("attempt %d was sent at %s, want a second one after %s", d.Attempts, d.SentAt, back)
		}
	})
}

// TestRunner_GivesBackThePlacesOfRunsThatOverlap lets more runs overlap than the limiter has places.
func TestRunner_GivesBackThePlacesOfRunsThatOverlap(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(time.Second)
		for range 60 {
			w.fire()
			w.wait(time.Second)
		}
		w.wait(time.Minute)
		before := w.posts("/backup")
		w.fire()
		w.wait(time.Minute)
		if got := w.posts("/backup"); got != before+1 {
			t.Errorf("%d requests of the last fire, want 1\n%s", got-before, w.logs)
		}
	})
}

func TestRunner_FirstRequestsWaitForNoMorePlacesThanThereAre(t *testing.T) {
	const everywhere = "crons: {snapshot: {spec: '0 5 * * *', task: {backup: {}}}}"
	for _, places := range []int{1, 2} {
		prepare := func(w *world) { w.limits = platform.LimiterOptions{InFlight: places} }
		inPreparedWorld(t, everywhere, prepare, func(w *world) {
			w.fire()
			w.wait(time.Minute)
			for _, ahead := range []time.Duration{0, time.Second} {
				before := w.posts("/backup")
				w.fireFor(time.Now().Truncate(time.Second).Add(ahead))
				w.wait(ahead)
				if got := w.posts("/backup") - before; got != 3 {
					t.Errorf("%d of 3 requests left on time, with %d places, claimed %s ahead", got, places, ahead)
				}
				w.wait(time.Minute)
			}
		})
	}
}

// TestRunner_TakesBackAnIntentThatFindsNoPlace lets a request that hangs have the only place there is.
func TestRunner_TakesBackAnIntentThatFindsNoPlace(t *testing.T) {
	const everywhere = "crons: {snapshot: {spec: '0 5 * * *', task: {backup: {}}}}"
	prepare := func(w *world) { w.limits = platform.LimiterOptions{InFlight: 1} }
	inPreparedWorld(t, everywhere, prepare, func(w *world) {
		w.fire()
		w.wait(time.Minute)
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Delay, Latency: 20 * time.Second, Executed: true, Times: 1})
		before := w.posts("/backup")
		w.fireFor(time.Now().Truncate(time.Second).Add(time.Second))
		intents := func() (n int) {
			runs, err := w.ledger.Runs(context.Background(), ledger.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range runs {
				_, dispatches, err := w.ledger.Run(context.Background(), run.ID)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range dispatches {
					if d.State == ledger.DispatchDispatching {
						n++
					}
				}
			}
			return n
		}
		w.wait(2 * time.Second)
		if got := intents(); got != 3 {
			t.Errorf("%d intents are written a second later, want those of the request under way and of the next two", got)
		}
		w.wait(staleIntent)
		if got := intents(); got != 1 {
			t.Errorf("%d intents are written when two have waited for too long, want 1", got)
		}
		if got := w.posts("/backup") - before; got != 1 {
			t.Errorf("%d requests left, with one place", got)
		}
		w.wait(2 * time.Minute)
		if got := w.posts("/backup") - before; got != 3 {
			t.Errorf("%d requests in the end, want each of the 3 once", got)
		}
	})
}
