package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

// start is when every bubble of package synctest begins.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var shop = &job.Project{Alias: "shop", ID: "k3qz7p2m5nwya"}

func newJob(t testing.TB, name, spec string) *job.Job {
	t.Helper()
	parsed, err := cronspec.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return &job.Job{
		Name: name, Spec: parsed, Location: time.UTC, Projects: []*job.Project{shop},
		StartDeadline: 10 * time.Minute, CatchUp: job.CatchUpLatest, Hash: spec,
	}
}

// emitted is one Emit call.
type emitted struct {
	at    time.Time
	fires []Fire
}

// harness runs a scheduler in a bubble and keeps what it emits.
type harness struct {
	*Scheduler
	reg  *prometheus.Registry
	stop func()

	emitting sync.Mutex
	batches  []emitted
	pause    time.Duration // how long the next Emit takes
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{reg: prometheus.NewPedanticRegistry()}
	h.Scheduler = New(Options{Logger: zerolog.Nop(), Metrics: NewMetrics(h.reg), Emit: func(fires []Fire) {
		h.emitting.Lock()
		h.batches = append(h.batches, emitted{time.Now(), fires})
		pause := h.pause
		h.pause = 0
		h.emitting.Unlock()
		time.Sleep(pause)
	}})
	return h
}

// run starts the loop; the test ends it.
func (h *harness) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	}
	t.Cleanup(func() {
		if h.stop != nil {
			h.stop()
		}
	})
}

// step sets the wall clock forward or back.
func (h *harness) step(d time.Duration) {
	h.mu.Lock()
	h.skew += d
	h.mu.Unlock()
}

// stall makes the next Emit block for a while.
func (h *harness) stall(d time.Duration) {
	h.emitting.Lock()
	h.pause = d
	h.emitting.Unlock()
}

// emissions returns what was emitted since the last call.
func (h *harness) emissions() []emitted {
	synctest.Wait()
	h.emitting.Lock()
	defer h.emitting.Unlock()
	taken := h.batches
	h.batches = nil
	return taken
}

// take returns what was emitted since the last call, one line a fire: its scheduled time, and what
// is recorded as missed.
func (h *harness) take() []string {
	lines := []string{}
	for _, b := range h.emissions() {
		for _, f := range b.fires {
			lines = append(lines, describe(f))
		}
	}
	return lines
}

func describe(f Fire) string {
	line := f.Job.Name + " " + f.ScheduledAt.Format("02 15:04:05")
	if f.Missed != nil {
		line += fmt.Sprintf(" missed %d from %s", f.Missed.Count, f.Missed.From.Format("02 15:04:05"))
	}
	return line
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func entries(jobs ...*job.Job) []Entry {
	var all []Entry
	for _, j := range jobs {
		for _, p := range j.Projects {
			all = append(all, Entry{Job: j, Project: p})
		}
	}
	return all
}

func TestScheduler_FiresAtTheScheduledSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		time.Sleep(123456789) // nanoseconds, so that the wall is not at a whole second
		h.Load(entries(newJob(t, "quarter", "*/15 * * * *")))
		h.run(t)
		time.Sleep(time.Hour)
		batches := h.emissions()
		if len(batches) != 4 {
			t.Fatalf("%d batches in an hour, want 4", len(batches))
		}
		for i, b := range batches {
			want := start.Add(time.Duration(i+1) * 15 * time.Minute)
			if !b.at.Equal(want) || !b.fires[0].ScheduledAt.Equal(want) || b.fires[0].ScheduledAt.Location() != time.UTC {
				t.Errorf("at %s left the fire of %s, want %s", b.at, b.fires[0].ScheduledAt, want)
			}
		}
	})
}

func TestScheduler_EmitsFiresDueTogetherAsOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var jobs []*job.Job
		for i := range 1000 {
			jobs = append(jobs, newJob(t, fmt.Sprint("cron", i), "5 0 * * *"))
		}
		jobs = append(jobs, newJob(t, "other", "6 0 * * *"))
		h.Load(entries(jobs...))
		h.run(t)
		time.Sleep(10 * time.Minute)
		batches := h.emissions()
		if len(batches) != 2 || len(batches[0].fires) != 1000 || len(batches[1].fires) != 1 {
			t.Fatalf("%d batches", len(batches))
		}
		for i, f := range batches[0].fires {
			if f.Job != jobs[i] {
				t.Fatalf("fire %d is of %s: fires due together leave in the order of loading", i, f.Job.Name)
			}
		}
	})
}

func TestScheduler_FiresEveryNightOfAYear(t *testing.T) {
	berlin, err := cronspec.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		fixed, wall, hourly := newJob(t, "fixed", "30 2 * * *"), newJob(t, "wall", "*/30 2 * * *"), newJob(t, "hourly", "0 * * * *")
		fixed.Location, wall.Location, hourly.Location = berlin, berlin, berlin
		h.Load(entries(fixed, wall, hourly))
		h.run(t)
		// 2000-03-26 01:00 UTC begins summer time, 2000-10-29 01:00 UTC ends it.
		time.Sleep(366 * 24 * time.Hour)
		count := map[string]int{}
		days := map[string][]string{}
		for _, b := range h.emissions() {
			for _, f := range b.fires {
				if f.Missed != nil || !f.ScheduledAt.Equal(b.at) {
					t.Fatalf("%s left at %s", describe(f), b.at)
				}
				count[f.Job.Name]++
				if f.Job != hourly {
					day := f.ScheduledAt.Format("01-02") + " " + f.Job.Name
					days[day] = append(days[day], f.ScheduledAt.Format("15:04"))
				}
			}
		}
		if count["fixed"] != 366 || count["wall"] != 2*366 || count["hourly"] != 366*24 {
			t.Errorf("counted %v", count)
		}
		check(t, days["03-26 fixed"], "01:00")
		check(t, days["03-26 wall"])
		check(t, days["10-29 fixed"], "00:30")
		check(t, days["10-29 wall"], "00:00", "00:30", "01:00", "01:30")
	})
}

func TestScheduler_FiresOncePerProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		j := newJob(t, "spread", "H * * * *")
		for i := range 10 {
			j.Projects = append(j.Projects, &job.Project{ID: fmt.Sprint("project", i)})
		}
		h.Load(entries(j))
		h.run(t)
		earliest := h.Next(j)
		time.Sleep(time.Hour)
		batches := h.emissions()
		seen := map[string]time.Time{}
		minutes := map[int]bool{}
		for _, b := range batches {
			for _, f := range b.fires {
				if _, twice := seen[f.Project.ID]; twice {
					t.Errorf("%s fired twice", f.Project.ID)
				}
				seen[f.Project.ID] = f.ScheduledAt
				minutes[f.ScheduledAt.Minute()] = true
			}
		}
		if len(seen) != len(j.Projects) || len(minutes) < 5 {
			t.Errorf("%d projects fired in %d different minutes", len(seen), len(minutes))
		}
		if !batches[0].at.Equal(earliest) {
			t.Errorf("Next was %s, the first fire %s", earliest, batches[0].at)
		}
	})
}

func TestScheduler_KeepsTickingWithNothingDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		if age := time.Since(h.LastTick()); age != 0 {
			t.Errorf("a new scheduler ticked %s ago", age)
		}
		h.run(t)
		for range 100 {
			time.Sleep(17 * time.Second)
			synctest.Wait()
			if age := time.Since(h.LastTick()); age > longestWait {
				t.Fatalf("last tick %s ago", age)
			}
		}
		if got, want := h.metric(t, "automatond_scheduler_last_tick_timestamp_seconds"), float64(h.LastTick().Unix()); got != want {
			t.Errorf("metric says %v, LastTick %v", got, want)
		}
		h.stop()
		h.stop = nil
		time.Sleep(time.Hour)
		if age := time.Since(h.LastTick()); age < time.Hour {
			t.Errorf("a stopped scheduler ticked %s ago", age)
		}
	})
}

// metric returns the value of one of the scheduler's metrics.
func (h *harness) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := h.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestScheduler_StopsFiringWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.Load(entries(newJob(t, "minutely", "* * * * *")))
		h.run(t)
		time.Sleep(90 * time.Second)
		h.stop()
		h.stop = nil
		time.Sleep(time.Hour)
		check(t, h.take(), "minutely 01 00:01:00")
	})
}

func TestScheduler_EmitsSuspendedFiresForTheirRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		j := newJob(t, "asleep", "*/10 * * * *")
		j.Suspended = true
		h.Load(entries(j))
		h.run(t)
		time.Sleep(21 * time.Minute)
		check(t, h.take(), "asleep 01 00:10:00", "asleep 01 00:20:00")
		awake := newJob(t, "asleep", "*/10 * * * *")
		h.Load(entries(awake))
		time.Sleep(8 * time.Minute)
		check(t, h.take())
		time.Sleep(2 * time.Minute)
		check(t, h.take(), "asleep 01 00:30:00")
	})
}

func TestScheduler_NeverSchedulesWhatIsLeftToTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		j := newJob(t, "drush", "* * * * *")
		j.Left = []string{"drush"}
		h.Load(entries(j))
		h.run(t)
		time.Sleep(5 * time.Minute)
		check(t, h.take())
		if !h.Next(j).IsZero() {
			t.Error("it has no next fire")
		}
	})
}

func TestScheduler_ListsWhatIsUpcoming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		soon, later, never := newJob(t, "soon", "1 0 * * *"), newJob(t, "later", "10 0 * * *"), newJob(t, "never", "*/30 2 8-14 3 */7")
		newYork, err := cronspec.LoadZone("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		never.Location = newYork
		fast := newJob(t, "fast", "* * * * *")
		h.Load(entries(later, soon, never, fast))
		names := func(within time.Duration) string {
			var all []string
			for _, f := range h.Upcoming(within) {
				all = append(all, describe(f))
			}
			slices.Sort(all)
			return strings.Join(all, ", ")
		}
		if got := names(30 * time.Second); got != "" {
			t.Errorf("got %s", got)
		}
		if got := names(time.Minute); got != "fast 01 00:01:00, soon 01 00:01:00" {
			t.Errorf("got %s", got)
		}
		if got := names(time.Hour); got != "fast 01 00:01:00, later 01 00:10:00, soon 01 00:01:00" {
			t.Errorf("got %s", got)
		}
		if got, want := h.Next(soon), start.Add(time.Minute); !got.Equal(want) {
			t.Errorf("Next is %s, want %s", got, want)
		}
		if got := h.Next(newJob(t, "soon", "1 0 * * *")); !got.IsZero() {
			t.Errorf("a job that was not loaded fires at %s", got)
		}
	})
}

func TestScheduler_MayBeUsedFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		j := newJob(t, "minutely", "* * * * *")
		h.run(t)
		for range 4 {
			go func() {
				for range 200 {
					time.Sleep(7 * time.Second)
					h.Load(entries(j))
					h.Upcoming(time.Minute)
					h.Next(j)
					h.LastTick()
				}
			}()
		}
		time.Sleep(30*time.Minute + time.Second)
		var want []string
		for i := range 30 {
			want = append(want, "minutely "+start.Add(time.Duration(i+1)*time.Minute).Format("02 15:04:05"))
		}
		check(t, h.take(), want...)
	})
}
