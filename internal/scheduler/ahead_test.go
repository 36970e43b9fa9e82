package scheduler

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestScheduler_FiresLeaveAheadOfTheirTimeAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.ahead = 2 * time.Second
		hourly := newJob(t, "hourly", "0 * * * *")
		h.Load(entries(hourly))
		h.run(t)
		time.Sleep(time.Hour - 2*time.Second - time.Millisecond)
		check(t, h.take())
		time.Sleep(time.Millisecond)
		check(t, h.take(), "hourly 01 01:00:00")

		claimed := entries(hourly)
		claimed[0].Baseline = start.Add(time.Hour) // as the ledger says of what was claimed ahead
		h.Load(claimed)
		time.Sleep(time.Second)
		check(t, h.take())
		h.step(-30 * time.Minute)
		time.Sleep(40 * time.Minute) // across its time once more
		check(t, h.take())
		time.Sleep(time.Hour)
		check(t, h.take(), "hourly 01 02:00:00")
		if n := h.steps(t); n != 1 {
			t.Errorf("%v steps counted, want the one that there was", n)
		}
	})
}
