package app

import (
	"context"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

func TestHistory_IsKeptAsLongAsTheLastReloadSays(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(2*period + time.Minute)
		w.down()
		end := time.Now()
		time.Sleep(3 * 24 * time.Hour)
		w.start()
		old := func() (n int) {
			fires, err := w.app.store.Fires(context.Background(), ledger.Filter{})
			w.must(err)
			for _, f := range fires {
				if f.ScheduledAt.Before(end) {
					n++
				}
			}
			return n
		}
		w.wait(pruneEvery + time.Minute)
		if got := old(); got != 2 {
			t.Fatalf("%d of the fires of three days ago are there, want both", got)
		}
		w.reload(shop + "history: {keep: 2d}\n" + backup)
		w.wait(pruneEvery)
		if got := old(); got != 0 {
			t.Errorf("%d of the fires of three days ago are there when two days are kept", got)
		}
	})
}
