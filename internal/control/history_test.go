package control

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

func TestHistory_SaysHowLateARequestLeft(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	l, err := ledger.Open(t.Context(), ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	claimed, err := l.Claim(t.Context(), "a", []ledger.Claim{{
		Fire: ledger.Fire{Cron: "nightly", Project: "p", Slot: "2026-03-01T05:00:00Z", ScheduledAt: at},
		Runs: []ledger.Run{{Environment: "main", First: &ledger.Dispatch{
			Kind: "backup", Project: "p", Environment: "main", SentAt: at.Add(1500 * time.Millisecond), SettleAt: at.Add(time.Minute),
		}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := OpenHistory(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	detail, err := h.Show(t.Context(), claimed[0].Runs[0].ID)
	if err != nil || len(detail.Dispatches) != 1 || detail.Dispatches[0].Delay != 1.5 {
		t.Errorf("detail = %+v, %v; want one request, 1.5 s late", detail, err)
	}
}
