package scheduler

import (
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// realNow reads the machine's clock from within a bubble.
func realNow() time.Duration {
	var tv syscall.Timeval
	_ = syscall.Gettimeofday(&tv)
	return time.Duration(tv.Nano())
}

func TestClockStep_IsTheDifferenceBetweenTheClocks(t *testing.T) {
	base := time.Now()
	at := func(wall, monotonic time.Duration) reading {
		return reading{base.Round(0).Add(wall), base.Add(monotonic)}
	}
	for _, tt := range []struct{ wall, monotonic, want time.Duration }{
		{0, 0, 0},
		{30 * time.Second, 30 * time.Second, 0},
		{30*time.Second + 999*time.Millisecond, 30 * time.Second, 0}, // slewed, not stepped
		{29*time.Second + 1*time.Millisecond, 30 * time.Second, 0},
		{8 * time.Hour, 30 * time.Second, 8*time.Hour - 30*time.Second}, // the machine slept
		{-time.Hour, 30 * time.Second, -time.Hour - 30*time.Second},
		{31 * time.Second, 30 * time.Second, time.Second},
	} {
		if got := clockStep(at(0, 0), at(tt.wall, tt.monotonic)); got != tt.want {
			t.Errorf("wall %s, monotonic %s: got %s, want %s", tt.wall, tt.monotonic, got, tt.want)
		}
	}
}

func (h *harness) steps(t *testing.T) float64 {
	t.Helper()
	return h.metric(t, "automatond_scheduler_clock_steps_total")
}

func TestClock_AStepForwardAppliesTheLateRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "hourly", "0 * * * *"), newJob(t, "noon", "0 12 * * *")))
		h.run(t)
		time.Sleep(30*time.Minute + time.Second)
		h.step(11*time.Hour + 34*time.Minute) // to 12:04
		time.Sleep(longestWait)
		check(t, h.take(), "hourly 01 11:00:00 missed 11 from 01 01:00:00", "hourly 01 12:00:00", "noon 01 12:00:00")
		if h.steps(t) != 1 {
			t.Errorf("%v steps counted", h.steps(t))
		}
		time.Sleep(time.Hour)
		check(t, h.take(), "hourly 01 13:00:00")
		if h.steps(t) != 1 {
			t.Errorf("%v steps counted", h.steps(t))
		}
	})
}

func TestClock_AStepBackFiresNothingTwiceAndDoesNotStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "fast", "*/10 * * * *"), newJob(t, "daily", "30 2 * * *"), newJob(t, "evening", "0 20 * * *")))
		h.run(t)
		time.Sleep(3*time.Hour + time.Second)
		h.take()
		h.step(-time.Hour) // from 03:00 back to 02:00
		time.Sleep(59 * time.Minute)
		check(t, h.take()) // all times until 03:00 have left
		if h.steps(t) != 1 {
			t.Errorf("%v steps counted", h.steps(t))
		}
		time.Sleep(11*time.Minute + time.Second)
		check(t, h.take(), "fast 01 03:10:00")
		h.step(10 * time.Minute)
		time.Sleep(time.Minute)
		check(t, h.take(), "fast 01 03:20:00")
		if h.steps(t) != 2 {
			t.Errorf("%v steps counted", h.steps(t))
		}
	})
}

func TestClock_AnExcursionIntoTheFutureDoesNotStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "hourly", "0 * * * *")))
		h.run(t)
		time.Sleep(30*time.Minute + time.Second)
		h.step(366 * 24 * time.Hour)
		time.Sleep(time.Hour)
		check(t, h.take(), "hourly 01 00:00:00 missed 8784 from 01 01:00:00", "hourly 01 01:00:00")
		h.step(-366 * 24 * time.Hour)
		time.Sleep(time.Hour)
		check(t, h.take(), "hourly 01 02:00:00")
		time.Sleep(time.Hour)
		check(t, h.take(), "hourly 01 03:00:00")
	})
}

func TestClock_AMachineThatBootsInTheFutureDoesNotStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.step(10 * 366 * 24 * time.Hour)
		h.Load([]Entry{{Job: newJob(t, "hourly", "0 * * * *"), Project: shop, Baseline: start}})
		h.step(-10 * 366 * 24 * time.Hour) // before the loop even began
		h.run(t)
		time.Sleep(time.Hour + time.Second)
		check(t, h.take(), "hourly 01 01:00:00")
	})
}

func TestClock_ALateFireIsNotRepeatedAfterAStepBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(5*time.Hour + 4*time.Minute)
		h := newHarness(t)
		h.Load([]Entry{{Job: newJob(t, "daily", "0 5 * * *"), Project: shop, Baseline: start}})
		h.run(t)
		check(t, h.take(), "daily 01 05:00:00")
		h.step(-30 * time.Minute)
		time.Sleep(2 * time.Hour)
		check(t, h.take())
	})
}

func TestHistory_LeavesOutWhatWasLivedThrough(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2025, 6, 1, hour, minute, 0, 0, time.UTC) }
	h := history{past: []stretch{
		{at(3, 0).Unix(), at(4, 30).Unix()},
		{at(6, 0).Unix(), at(6, 59).Unix()},
	}}
	hourly := newJob(t, "hourly", "0 * * * *").Schedule(shop)
	for _, tt := range []struct{ got, want time.Time }{
		{h.next(hourly, at(1, 30)), at(2, 0)},
		{h.next(hourly, at(2, 0)), at(5, 0)},
		{h.next(hourly, at(5, 0)), at(7, 0)},
		{h.latest(hourly, at(7, 0)), at(7, 0)},
		{h.latest(hourly, at(6, 59)), at(5, 0)},
		{h.latest(hourly, at(4, 0)), at(2, 0)},
	} {
		if !tt.got.Equal(tt.want) {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	if n := h.count(hourly, at(2, 0), at(8, 0)); n != 4 {
		t.Errorf("counted %d of 2, 5, 7 and 8 o'clock", n)
	}
}

func TestClock_RestlessStepsNeverRepeatAFire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "fast", "* * * * *"), newJob(t, "slow", "7 * * * *")))
		h.run(t)
		seen := map[string]bool{}
		minutes := []int{-3, 5, -20, 61, -59, 2, -2, 180, -170, 7, -1, -1, -1, 30, -31, 4, -45, 45, -90, 89}
		for round := range 40 {
			for _, m := range minutes {
				h.step(time.Duration(m) * time.Minute)
				time.Sleep(time.Duration(40+round*7) * time.Second)
			}
			for _, b := range h.emissions() {
				for _, f := range b.fires {
					name := fmt.Sprint(f.Job.Name, f.ScheduledAt)
					if f.Missed == nil && seen[name] {
						t.Fatalf("%s fired twice", name)
					}
					seen[name] = seen[name] || f.Missed == nil
				}
			}
			if len(h.history.past) > stretchLimit {
				t.Fatalf("remembers %d stretches", len(h.history.past))
			}
		}
		if len(seen) < 500 {
			t.Errorf("only %d fires", len(seen))
		}
	})
}
