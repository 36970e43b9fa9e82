package scheduler

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/job"
)

// restart loads one job with a baseline some time ago and returns what is emitted at once.
func restart(t *testing.T, j *job.Job, down time.Duration) []string {
	t.Helper()
	h := newHarness(t)
	h.Load([]Entry{{Job: j, Project: shop, Baseline: time.Now().Add(-down)}})
	h.run(t)
	return h.take()
}

func TestLate_RunsTheLatestAndRecordsTheOthers(t *testing.T) {
	tests := []struct {
		name    string
		spec    string
		at      time.Duration // after midnight
		down    time.Duration
		catchUp job.CatchUp
		want    []string
	}{
		{"nothing was due", "0 5 * * *", 4 * time.Hour, 2 * time.Hour, job.CatchUpLatest, nil},
		{"the baseline itself is dealt with", "0 * * * *", 4 * time.Hour, time.Hour, job.CatchUpLatest,
			[]string{"j 02 04:00:00"}},
		{"one, in time", "0 5 * * *", 5*time.Hour + 9*time.Minute, time.Hour, job.CatchUpLatest,
			[]string{"j 02 05:00:00"}},
		{"one, at the deadline", "0 5 * * *", 5*time.Hour + 10*time.Minute, time.Hour, job.CatchUpLatest,
			[]string{"j 02 05:00:00"}},
		{"one, past the deadline", "0 5 * * *", 5*time.Hour + 10*time.Minute + time.Second, time.Hour, job.CatchUpLatest,
			[]string{"j 02 05:00:00 missed 1 from 02 05:00:00"}},
		{"several, the latest in time", "0 * * * *", 5*time.Hour + 5*time.Minute, 4 * time.Hour, job.CatchUpLatest,
			[]string{"j 02 04:00:00 missed 3 from 02 02:00:00", "j 02 05:00:00"}},
		{"several, all past the deadline", "0 * * * *", 5*time.Hour + 30*time.Minute, 4 * time.Hour, job.CatchUpLatest,
			[]string{"j 02 05:00:00 missed 4 from 02 02:00:00"}},
		{"no catching up", "0 5 * * *", 5*time.Hour + 2*time.Minute, time.Hour, job.CatchUpNone,
			[]string{"j 02 05:00:00 missed 1 from 02 05:00:00"}},
		{"no catching up, but hardly late", "0 5 * * *", 5*time.Hour + time.Minute, time.Hour, job.CatchUpNone,
			[]string{"j 02 05:00:00"}},
		{"no catching up, several", "*/2 * * * *", 5*time.Hour + 30*time.Second, time.Hour, job.CatchUpNone,
			[]string{"j 02 04:58:00 missed 29 from 02 04:02:00", "j 02 05:00:00"}},
		{"a day of minutes", "* * * * *", 30 * time.Second, 24 * time.Hour, job.CatchUpLatest,
			[]string{"j 01 23:59:00 missed 1439 from 01 00:01:00", "j 02 00:00:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(24*time.Hour + tt.at)
				j := newJob(t, "j", tt.spec)
				j.CatchUp = tt.catchUp
				check(t, restart(t, j, tt.down), tt.want...)
			})
		})
	}
}

func TestLate_OwesNothingWithoutABaseline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(5*time.Hour + time.Second)
		h := newHarness(t)
		h.Load(entries(newJob(t, "j", "0 5 * * *")))
		h.run(t)
		check(t, h.take())
	})
}

func TestLate_CountsYearsOfMinutesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10*366*24*time.Hour + 30*time.Second)
		h := newHarness(t)
		var all []Entry
		for range 1000 {
			all = append(all, Entry{Job: newJob(t, "j", "* * * * *"), Project: shop, Baseline: start})
		}
		h.Load(all)
		began := realNow()
		h.run(t)
		fires := h.take()
		if took := realNow() - began; took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		if want := "j 07 23:59:00 missed 5270399 from 01 00:01:00"; len(fires) != 2000 || fires[0] != want {
			t.Errorf("%d fires, the first %s, want %s", len(fires), fires[0], want)
		}
	})
}

func TestLate_AStalledHostLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "fast", "* * * * *"), newJob(t, "slow", "*/30 * * * *")))
		h.run(t)
		h.stall(29*time.Minute + 20*time.Second) // from the fire at 00:01 until 00:30:20
		time.Sleep(31*time.Minute + 30*time.Second)
		check(t, h.take(),
			"fast 01 00:01:00",
			"fast 01 00:29:00 missed 28 from 01 00:02:00", "fast 01 00:30:00", "slow 01 00:30:00",
			"fast 01 00:31:00")
	})
}

func TestLate_AShortStallOnlyDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		j := newJob(t, "fast", "* * * * *")
		j.StartDeadline = 0 // is taken for a second, because waking up takes time
		h.Load(entries(j))
		h.run(t)
		h.stall(time.Minute + 900*time.Millisecond)
		time.Sleep(3*time.Minute + time.Second)
		check(t, h.take(), "fast 01 00:01:00", "fast 01 00:02:00", "fast 01 00:03:00")
	})
}

// Another replica may have dealt with some of the times in the meantime.
func TestLate_ARecordKnowsWhatIsLeftOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(29*time.Hour + 30*time.Minute)
		h := newHarness(t)
		h.Load([]Entry{{Job: newJob(t, "j", "0 * * * *"), Project: shop, Baseline: time.Now().Add(-4 * time.Hour)}})
		h.run(t)
		missed := h.emissions()[0].fires[0].Missed // from two to five o'clock
		at := func(hour int) time.Time {
			return time.Now().Truncate(24 * time.Hour).Add(time.Duration(hour) * time.Hour)
		}
		for _, c := range []struct {
			after time.Time
			from  time.Time
			count int
		}{{at(2), at(3), 3}, {at(4).Add(time.Minute), at(5), 1}, {at(5), time.Time{}, 0}, {at(9), time.Time{}, 0}} {
			if from, count := missed.Rest(c.after); !from.Equal(c.from) || count != c.count {
				t.Errorf("after %s: %d from %s, want %d from %s", c.after, count, from, c.count, c.from)
			}
		}
	})
}
