package scheduler

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLoad_KeepsThePositionOfWhatIsUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "0 * * * *")))
		h.run(t)
		time.Sleep(time.Hour + time.Second)
		check(t, h.take(), "j 01 01:00:00")
		// The ledger may not have seen the last fire yet.
		h.Load([]Entry{{Job: newJob(t, "j", "0 * * * *"), Project: shop, Baseline: start}})
		check(t, h.take())
		time.Sleep(time.Hour)
		check(t, h.take(), "j 01 02:00:00")
	})
}

func TestLoad_LosesNothingThatIsDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "0 * * * *"), newJob(t, "blocker", "59 * * * *")))
		h.run(t)
		h.stall(2 * time.Minute) // the loop is away from 00:59 until 01:01
		time.Sleep(time.Hour + 30*time.Second)
		h.Load(entries(newJob(t, "j", "0 * * * *"), newJob(t, "blocker", "59 * * * *")))
		time.Sleep(time.Minute)
		check(t, h.take(), "blocker 01 00:59:00", "j 01 01:00:00")
	})
}

func TestLoad_AnEditCausesNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "0 5 * * *")))
		h.run(t)
		time.Sleep(4*time.Hour + 30*time.Minute)
		h.Load([]Entry{{Job: newJob(t, "j", "0 4 * * *"), Project: shop, Baseline: time.Now()}})
		check(t, h.take())
		h.Load(entries(newJob(t, "j", "15 4 * * *"))) // without a baseline, but with another hash
		time.Sleep(23 * time.Hour)
		check(t, h.take())
		time.Sleep(time.Hour)
		check(t, h.take(), "j 02 04:15:00")
	})
}

func TestLoad_AnEditWithoutABaselineOwesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "0 5 * * *")))
		h.run(t)
		time.Sleep(4*time.Hour + 5*time.Minute)
		h.Load(entries(newJob(t, "j", "0 4 * * *")))
		time.Sleep(time.Hour)
		check(t, h.take())
	})
}

func TestLoad_WakesTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		time.Sleep(7 * time.Second) // so that no idle tick falls on a whole minute
		h.run(t)
		time.Sleep(time.Hour - 17*time.Second)
		h.Load(entries(newJob(t, "j", "* * * * *")))
		time.Sleep(10 * time.Second)
		check(t, h.take(), "j 01 01:00:00")
	})
}

func TestLoad_JustBeforeAFireDoesNotHastenIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.run(t)
		time.Sleep(time.Hour - time.Millisecond)
		h.Load(entries(newJob(t, "j", "0 * * * *")))
		check(t, h.take())
		time.Sleep(time.Millisecond)
		check(t, h.take(), "j 01 01:00:00")
	})
}

func TestLoad_ALaterBaselineWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "*/10 * * * *"), newJob(t, "blocker", "9 * * * *")))
		h.run(t)
		h.stall(5 * time.Minute) // from 00:09, over the fire of 00:10
		time.Sleep(12 * time.Minute)
		resumed := Entry{Job: newJob(t, "j", "*/10 * * * *"), Project: shop, Baseline: time.Now()}
		h.Load([]Entry{resumed})
		time.Sleep(9 * time.Minute)
		check(t, h.take(), "blocker 01 00:09:00", "j 01 00:20:00")
	})
}

func TestLoad_RemovesAndAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "old", "*/10 * * * *")))
		h.run(t)
		time.Sleep(15 * time.Minute)
		h.Load(entries(newJob(t, "new", "16 * * * *")))
		time.Sleep(10 * time.Minute)
		check(t, h.take(), "old 01 00:10:00", "new 01 00:16:00")
		h.Load(nil)
		time.Sleep(2 * time.Hour)
		check(t, h.take())
	})
}

func TestLoad_TakesABaselineAheadOfTheClockForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load([]Entry{{Job: newJob(t, "j", "0 * * * *"), Project: shop, Baseline: start.AddDate(10, 0, 0)}})
		h.run(t)
		time.Sleep(time.Hour + time.Second)
		check(t, h.take(), "j 01 01:00:00")
	})
}
