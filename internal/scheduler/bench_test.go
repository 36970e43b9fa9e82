package scheduler

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/job"
)

// fleet is n crons on n projects with their baselines.
func fleet(b *testing.B, n int, spec string) []Entry {
	b.Helper()
	baseline := time.Now()
	all := make([]Entry, n)
	for i := range all {
		j := newJob(b, fmt.Sprint("cron", i), spec)
		j.Projects = []*job.Project{{ID: fmt.Sprint("project", i)}}
		all[i] = Entry{Job: j, Project: j.Projects[0], Baseline: baseline}
	}
	return all
}

func BenchmarkLoad_10000(b *testing.B) {
	for _, spec := range []string{"0 5 * * *", "H H * * *"} {
		b.Run(spec, func(b *testing.B) {
			all := fleet(b, 10000, spec)
			s := New(Options{Logger: zerolog.Nop()})
			b.ReportAllocs()
			for b.Loop() {
				s.Load(all)
			}
		})
	}
}

// BenchmarkEmit_DueTogether measures from the timer to the call of Emit, and the allocation of the
// batch.
func BenchmarkEmit_DueTogether(b *testing.B) {
	for _, n := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := New(Options{Logger: zerolog.Nop()})
			s.Load(fleet(b, n, "* * * * *"))
			b.ReportAllocs()
			for b.Loop() {
				// To the next minute, without an hour of waiting and without a step being noticed.
				s.skew += time.Minute
				s.last.wall = s.last.wall.Add(time.Minute)
				if got := len(s.tick()); got != n {
					b.Fatalf("%d fires", got)
				}
			}
		})
	}
}

func BenchmarkMemory_10000Entries(b *testing.B) {
	all := fleet(b, 10000, "H 2 * * *")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := New(Options{Logger: zerolog.Nop()})
	s.Load(all)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		s.Upcoming(0)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	runtime.KeepAlive(s)
}
