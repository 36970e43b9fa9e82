package inventory

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
)

// lists is what a Discovery found.
type lists struct {
	mu    sync.Mutex
	found map[string]int       // how often
	at    map[string]time.Time // when it was got last, by whomever
}

func (l *lists) take(_ context.Context, s Source, _ []platform.ListedProject, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found[s.Name]++
	l.at[s.Name] = at
	return nil
}

func (l *lists) listed(_ context.Context, s Source) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at[s.Name], nil
}

// discovering runs body beside a Discovery of two organizations, in virtual time.
func discovering(t *testing.T, body func(*world, *Discovery, *lists)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.AddProject(sandbox.Project{ID: "x", Organization: "other"})
		l := &lists{found: map[string]int{}, at: map[string]time.Time{}}
		d := NewDiscovery(DiscoveryOptions{
			Sources: func() ([]Source, time.Duration) {
				return []Source{{Name: "own", Organization: "sandbox", Client: w.client}, {Name: "other", Organization: "other", Client: w.client}}, 10 * time.Minute
			},
			Listed: l.listed, Found: l.take, Metrics: NewDiscoveryMetrics(w.registry), Logger: zerolog.New(w.log),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = d.Run(ctx) }()
		synctest.Wait()
		body(w, d, l)
		cancel()
		<-ended
	})
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestDiscovery_SlowListHoldsUpNoOther(t *testing.T) {
	discovering(t, func(w *world, d *Discovery, l *lists) {
		w.platform.Inject(sandbox.Fault{Match: "/organizations/name=other", Latency: time.Hour, Times: -1})
		d.Again()
		wait(time.Hour)
		if l.found["own"] < 7 || l.found["own"] > 9 || l.found["other"] != 1 {
			t.Errorf("found %v within an hour, want the one list every ten minutes and the other no more", l.found)
		}
		w.platform.ClearFaults()
		wait(10 * time.Minute)
		if l.found["other"] < 2 {
			t.Error("the slow list is not asked for again")
		}
	})
}

func TestDiscovery_TakesTheListThatAnotherReplicaHasGot(t *testing.T) {
	discovering(t, func(w *world, d *Discovery, l *lists) {
		for range 6 {
			wait(8 * time.Minute)
			l.mu.Lock()
			l.at["own"] = time.Now()
			l.mu.Unlock()
		}
		if l.found["own"] != 1 || l.found["other"] < 5 {
			t.Errorf("found %v, want no list that another had got a moment before", l.found)
		}
	})
}

func TestDiscovery_AgainAsksForWhatIsUnderWayOnceMore(t *testing.T) {
	discovering(t, func(w *world, d *Discovery, l *lists) {
		w.platform.Inject(sandbox.Fault{PathSuffix: "/projects", Latency: 10 * time.Second, Times: 2})
		d.Again()
		wait(time.Second)
		d.Again() // while both are under way
		wait(30 * time.Second)
		if l.found["own"] != 3 || l.found["other"] != 3 {
			t.Errorf("found %v, want each at the start, and once for each time that it was asked for", l.found)
		}
	})
}
