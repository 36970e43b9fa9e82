package app

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// TestReload_FiveHundredUnderLoad reloads 500 times while 100 crons fire every minute, also at the very
// instant at which they are due. Crons and projects come, change and go, and the file is bad now and
// then. Nothing is lost, nothing is doubled, and neither memory nor goroutines grow.
func TestReload_FiveHundredUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute under the race detector")
	}
	const crons, reloads, every = 100, 500, 600 * time.Millisecond // so one in a hundred at a full minute
	configuration := func(n int) string {
		var yaml strings.Builder
		fmt.Fprintf(&yaml, "defaults: {catch_up: none}\nprojects:\n  guest: {id: guest%d}\n", n)
		for i := range crons {
			fmt.Fprintf(&yaml, "  p%d: {id: project%d}\n", i, i)
		}
		yaml.WriteString("crons:\n")
		for i := range crons {
			timeout := 24
			if i%3 == 0 {
				timeout = 1 + n%24 // changed by every reload, though not when it fires
			}
			fmt.Fprintf(&yaml, "  c%d: {spec: '* * * * *', projects: [p%d], only: {branches: [main]}, timeout: %dh, task: {redeploy: {}}}\n", i, i, timeout)
		}
		fmt.Fprintf(&yaml, "  edited: {spec: '%d 3 * * *', projects: [guest], task: {backup: {}}}\n", n%60)
		fmt.Fprintf(&yaml, "  guest%d: {spec: '0 3 * * *', projects: [guest], task: {backup: {}}}\n", n)
		if n%10 == 9 {
			yaml.WriteString("  broken: {spec: 'never'}\n")
		}
		return yaml.String()
	}
	inWorld(t, configuration(0), func(w *world) {
		var before usage
		for n := range reloads {
			w.wait(every)
			w.configure(configuration(n))
			if _, err := w.app.reload(context.Background()); (err != nil) != (n%10 == 9) {
				t.Fatalf("reload %d: %v", n, err)
			}
			if n == reloads/5 {
				before = w.usage()
			}
		}
		w.wait(time.Minute - 2*fireAhead) // what began has ended, and the next minute has not
		after := w.usage()

		minutes := int(reloads * every / time.Minute)
		fires, err := w.app.store.Fires(context.Background(), ledger.Filter{Limit: 1 << 20})
		w.must(err)
		slots := map[string]int{}
		for _, f := range fires {
			slots[f.Cron+" "+f.Slot]++
			if f.Outcome != ledger.Succeeded {
				t.Errorf("%s at %s ended %s/%s: %s", f.Cron, f.Slot, f.Outcome, f.Reason, f.Message)
			}
		}
		if len(slots) != crons*minutes || len(fires) != len(slots) {
			t.Errorf("%d fires of %d crons and minutes, want %d of both", len(fires), len(slots), crons*minutes)
		}
		if got := w.posts(); got != crons*minutes {
			t.Errorf("%d requests, want %d", got, crons*minutes)
		}
		t.Logf("after %d reloads %+v, after all %+v", reloads/5, before, after)
		// As many as there are requests at once may wait for the next ones.
		if after.goroutines > before.goroutines+crons {
			t.Errorf("%d goroutines at the end, %d early on", after.goroutines, before.goroutines)
		}
		if after.projects > before.projects || after.former > 1 {
			t.Errorf("%d listings and %d former clients are kept at the end, %d and %d early on",
				after.projects, after.former, before.projects, before.former)
		}
		if after.heap > before.heap+8<<20 {
			t.Errorf("%d bytes in use at the end, %d early on", after.heap, before.heap)
		}
	})
}

// usage is what the daemon holds.
type usage struct {
	heap       uint64
	goroutines int
	projects   int // series of projects
	former     int // clients of projects that have left
}

func (w *world) usage() usage {
	w.t.Helper()
	var u usage
	families, err := w.app.registry.Gather()
	w.must(err)
	for _, f := range families {
		if f.GetName() == "automatond_inventory_last_success_timestamp_seconds" {
			u.projects = len(f.Metric)
		}
	}
	u.former = len(w.app.current.Load().former)
	u.goroutines = runtime.NumGoroutine()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = m.HeapAlloc
	return u
}
