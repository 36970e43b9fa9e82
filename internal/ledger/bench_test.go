package ledger

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWay takes 1,000 fires that are due together from claim to recorded answer, as the
// runner does: claims in batches of 250, then every run by itself. Set LEDGER_BENCH_ROWS to the
// number of old runs that the ledger has already, for example 1000000 (which takes minutes).
func BenchmarkWay(b *testing.B) {
	old, err := strconv.Atoi(os.Getenv("LEDGER_BENCH_ROWS"))
	if err != nil {
		old = 0
	}
	const fires = 1000
	ctx := b.Context()
	l := open(b, b.TempDir())
	now := time.Now().UTC().Truncate(time.Second)
	seed(b, l, now, old)
	var claimed, intended, recorded, finished time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		claims := make([]Claim, fires)
		for n := range claims {
			claims[n] = benchClaim(n, now.Add(time.Duration(i)*time.Second))
		}
		results := make([]Result, fires)
		claimed += cpuTime(func() {
			for n := 0; n < fires; n += 250 {
				if _, err := l.Claim(ctx, "owner", claims[n:n+250]); err != nil {
					b.Fatal(err)
				}
			}
		})
		intended += cpuTime(func() {
			parallel(fires, func(n int) {
				u := claims[n].Runs[0]
				_, err := l.BeginAndIntend(ctx, Dispatch{
					RunID: u.ID, Kind: "backup", Params: []byte(`{"live":false}`), Project: claims[n].Fire.Project,
					Environment: u.Environment, Dedupe: u.ID + "0123",
				}, "owner", now, now.Add(time.Minute))
				if err != nil {
					b.Error(err)
				}
			})
		})
		recorded += cpuTime(func() {
			parallel(fires, func(n int) {
				results[n] = Result{
					RunID: claims[n].Runs[0].ID, Owner: "owner", State: DispatchTracking, StatusCode: 202, RunTracking: true,
					Activities: []Activity{benchActivity(claims[n].Fire.Project)},
				}
				if err := l.Record(ctx, results[n]); err != nil {
					b.Error(err)
				}
			})
		})
		finished += cpuTime(func() {
			parallel(fires, func(n int) {
				r := results[n]
				r.State, r.Outcome = DispatchDone, Succeeded
				_, err := l.Finish(ctx, Finish{
					RunID: r.RunID, Owner: "owner", Outcome: Succeeded, At: now, Dispatches: []Result{r},
				})
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
	b.StopTimer()
	perRow := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N*fires) }
	b.ReportMetric(perRow(claimed), "claim-cpu-ns/fire")
	b.ReportMetric(perRow(intended), "intend-cpu-ns/fire")
	b.ReportMetric(perRow(recorded), "record-cpu-ns/fire")
	b.ReportMetric(perRow(finished), "finish-cpu-ns/fire")
	b.ReportMetric(float64(l.writer.transactions.Load())/float64(b.N), "transactions/op")
}

func BenchmarkSchedules(b *testing.B) {
	const crons = 10_000
	l := open(b, b.TempDir())
	keys := make([]ScheduleKey, crons)
	for i := range keys {
		keys[i] = ScheduleKey{Cron: fmt.Sprintf("cron-%05d", i), Project: fmt.Sprintf("project%05d", i), Hash: "hash"}
	}
	first := time.Now()
	if _, _, err := l.Schedules(b.Context(), time.Now(), keys); err != nil {
		b.Fatal(err)
	}
	elapsed := time.Since(first)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, _, err := l.Schedules(b.Context(), time.Now(), keys); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(elapsed.Milliseconds()), "first-ms")
}

func benchClaim(n int, at time.Time) Claim {
	return Claim{
		Fire: Fire{
			ID: NewID(), Cron: "nightly-backup-" + strconv.Itoa(n), Project: "k3qz7p2m5n" + strconv.Itoa(n), Slot: slotAt(at),
			ScheduledAt: at, Targets: 1,
		},
		Runs: []Run{{
			ID: NewID(), Environment: "main", Exclusive: true, StartDeadline: at.Add(10 * time.Minute), Deadline: at.Add(24 * time.Hour),
		}},
	}
}

func benchActivity(project string) Activity {
	id := NewID()
	// Ids of activities do not sort by time.
	return Activity{ID: id[12:] + id[:12], Project: project, Type: "environment.backup", State: "pending"}
}

// seed fills the ledger with finished runs of 1,000 crons.
func seed(b *testing.B, l *Ledger, now time.Time, runs int) {
	ctx := b.Context()
	for done := 0; done < runs; done += 1000 {
		at := now.Add(-time.Duration(runs-done) * time.Second)
		claims := make([]Claim, 1000)
		for n := range claims {
			claims[n] = benchClaim(n, at)
		}
		if _, err := l.Claim(ctx, "owner", claims); err != nil {
			b.Fatal(err)
		}
		err := l.write(ctx, opFinish, "seed", groupLimit, func(s *session) error {
			for _, c := range claims {
				id := c.Runs[0].ID
				a := benchActivity(c.Fire.Project)
				activities, _ := encodeActivities([]Activity{a})
				d := Dispatch{RunID: id, State: DispatchDone, Kind: "backup", Project: c.Fire.Project, Environment: "main", Dedupe: id + "0123"}
				if _, err := s.insertDispatch(&d, "owner", nil); err != nil {
					return err
				}
				if err := s.insertActivities(id, 0, []Activity{a}); err != nil {
					return err
				}
				f := Finish{RunID: id, Owner: "owner", Outcome: Succeeded, At: at}
				if _, err := s.finish(&f); err != nil {
					return err
				}
				if _, err := s.exec(`UPDATE dispatches SET activities = ? WHERE run_id = ?`, activities, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func parallel(n int, do func(int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// cpuTime measures user and system time of the whole process.
func cpuTime(do func()) time.Duration {
	read := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := read()
	do()
	return read() - before
}
