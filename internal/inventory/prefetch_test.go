package inventory

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// during runs the prefetch loop for a while, with projects that are due at the given times.
func during(t *testing.T, w *world, due map[string]time.Time, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- w.Run(ctx, func(within time.Duration) []string {
			var soon []string
			for project, at := range due {
				if in := time.Until(at); in > 0 && in <= within {
					soon = append(soon, project)
				}
			}
			return soon
		})
	}()
	time.Sleep(d)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

func TestRun_FetchesAheadOfTheFireAndSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fire := time.Now().Add(time.Minute)
		due := map[string]time.Time{"later": time.Now().Add(time.Hour)}
		for p := range 200 {
			due[strconv.Itoa(p)] = fire
		}
		during(t, w, due, time.Minute)
		first, last := fire, time.Time{}
		together := map[time.Time]int{}
		for p := range 200 {
			l, ok := w.Cached(strconv.Itoa(p), time.Minute)
			if !ok {
				t.Fatalf("project %d was not listed", p)
			}
			if got := w.reads("/projects/" + strconv.Itoa(p) + "/environments"); got != 1 {
				t.Errorf("project %d was listed %d times, want once", p, got)
			}
			together[l.FetchedAt.Truncate(100*time.Millisecond)]++
			if l.FetchedAt.Before(first) {
				first = l.FetchedAt
			}
			if l.FetchedAt.After(last) {
				last = l.FetchedAt
			}
		}
		if first.Before(fire.Add(-ahead)) || last.After(fire.Add(-2*time.Second)) || last.Sub(first) < spread/2 {
			t.Errorf("listed from %s to %s before the fire", fire.Sub(first), fire.Sub(last))
		}
		if len(together) > 200/group+1 {
			t.Errorf("listed at %d times, want groups of %d", len(together), group)
		}
		if _, ok := w.Last("later"); ok {
			t.Error("a project without a fire soon was listed")
		}
	})
}

func TestRun_FetchesAtOnceWhatIsDueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		during(t, w, map[string]time.Time{"shop": time.Now().Add(time.Second)}, time.Second)
		if _, ok := w.Last("shop"); !ok {
			t.Error("not listed before the fire")
		}
	})
}

func TestRun_HasATokenReadyAlsoForAFreshListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.Inject(sandbox.Fault{PathSuffix: "/oauth2/token", Latency: time.Second})
		w.listings["shop"] = Listing{FetchedAt: time.Now().Add(35 * time.Second)}
		during(t, w, map[string]time.Time{"shop": time.Now().Add(time.Minute)}, 58*time.Second)
		if got := w.reads(listPath); got != 0 {
			t.Errorf("listed %d times although the listing was fresh", got)
		}
		began := time.Now()
		if _, err := w.client.Me(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("the next request took %s (%v): the token was not there", time.Since(began), err)
		}
	})
}

func TestRun_GoesOnAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Kind: sandbox.Status, Status: 500, Times: 4})
		during(t, w, map[string]time.Time{"shop": time.Now().Add(time.Minute)}, time.Minute)
		if _, ok := w.Cached("shop", time.Minute); !ok {
			t.Error("not listed after the first try failed")
		}
		if w.log.String() == "" {
			t.Error("the failure was not logged")
		}
	})
}
