package runner

import (
	"context"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

// What a replica was about to do when it lost its lease, another may have taken, and left to it again:
// then the run goes on once here, not twice.
func TestRunner_GoesOnOnceWithARunThatCameBack(t *testing.T) {
	inWorld(t, "crons:\n  deploy: {spec: '0 5 * * *', only: {branches: [master]}, task: {redeploy: {}}}\n", func(w *world) {
		w.stop()
		w.shared = true
		w.start()
		dirty := func(yes bool) {
			w.sandbox.SetEnvironment(projectA, "master", func(e *sandbox.Environment) { e.Dirty = yes })
		}
		dirty(true)
		w.fire()
		w.wait(10 * time.Second)

		before := w.lease.Owner()
		w.takenAndLeft("other")
		w.wait(time.Minute)
		if w.lease.Owner() == before {
			t.Error("the replica has the id under which it lost its lease")
		}
		dirty(false)
		w.wait(5 * time.Minute)
		w.want("/redeploy", 1, "succeeded/")
		if g := w.gauge("automatond_run_open"); g != 0 {
			t.Errorf("run_open %v, want 0", g)
		}
	})
}

// takenAndLeft ends the replica's lease, and has another take over what it had, and end.
func (w *world) takenAndLeft(id string) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.ledger.Release(ctx, w.lease.Owner()); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ledger.Register(ctx, ledger.Replica{ID: id, StartedAt: time.Now()}, time.Minute); err != nil {
		w.t.Fatal(err)
	}
	taken, err := w.ledger.TakeOver(ctx, id, false)
	if err != nil || len(taken) != 1 {
		w.t.Fatalf("%d runs were taken over, want 1; %v", len(taken), err)
	}
	if err := w.ledger.Release(ctx, id); err != nil {
		w.t.Fatal(err)
	}
}
