package main

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// TestHistoryLedger_IsOneThatTheDaemonCouldHaveWritten holds what is written past the ledger's own
// methods against its check, its queries and its pruning.
func TestHistoryLedger_IsOneThatTheDaemonCouldHaveWritten(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir()}
	l, err := b.newLedger(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.drop()
	if err := l.fill(t.Context(), 2000, time.Now().UTC()); err != nil {
		t.Fatal(err)
	}
	health, err := ledger.Check(t.Context(), ledger.File(l.dir))
	if err != nil || len(health.Problems) > 0 {
		t.Fatalf("check = %+v, %v", health, err)
	}
	if err := l.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed, err := l.Runs(t.Context(), ledger.Filter{Outcome: ledger.Failed})
	if err != nil || len(failed) != 20 {
		t.Errorf("%d runs failed, %v; want 20", len(failed), err)
	}
	logged, err := l.logs(t.Context(), time.Now().UTC().Truncate(time.Second).Add(-time.Second))
	if err != nil || logged < historyBurst*100 || logged > historyBurst*10_000 {
		t.Errorf("a burst logged %d bytes, %v", logged, err)
	}
	stop := l.prune(t.Context())
	if _, err := l.burst(t.Context(), time.Now().UTC().Truncate(time.Second)); err != nil {
		t.Error(err)
	}
	if pruned, err := stop(); err != nil || pruned == 0 {
		t.Errorf("%d fires were pruned, %v", pruned, err)
	}
}
