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
// number of old runs that the ledger has already, for example 1000000 (which takes a minute).
func BenchmarkWay(b *testing.B) {
	old, _ := strconv.Atoi(os.Getenv("LEDGER_BENCH_ROWS")) // none by default
	const fires = 1000
	ctx := b.Context()
	l := open(b, Options{Dir: b.TempDir()})
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
	l := open(b, Options{Dir: b.TempDir()})
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

// seed fills the ledger with finished runs of 1,000 crons, one a second for each cron.
func seed(b *testing.B, l *Ledger, now time.Time, runs int) {
	numbers := `WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?1),
		old AS (SELECT n, 'nightly-backup-' || (n % 1000) AS cron, 'k3qz7p2m5n' || (n % 1000) AS project,
			printf('0000run%013d', n) AS run, printf('0000fire%012d', n) AS fire,
			(?2 - (?1 - n) / 1000 - 1) * 1000000 AS at,
			strftime('%Y-%m-%dT%H:%M:%SZ', ?2 - (?1 - n) / 1000 - 1, 'unixepoch') AS slot FROM number)
		`
	for _, insert := range []string{
		`INSERT INTO fires (slot, cron, project, id, scheduled_at, claimed_at, owner, open_runs, severity, outcome, reason,
			message, targets, missed_count)
			SELECT slot, cron, project, fire, at, at, 'cjld2cjxh0000qzrmn83', 0, 1, 'succeeded', '', '', 1, 0 FROM old
			ORDER BY slot, cron, project`,
		`INSERT INTO runs (id, fire_id, environment, cron, project, slot, lane, scheduled_at, start_deadline, deadline,
			claimed_at, finished_at, tracking, outcome, reason, message, owner)
			SELECT run, fire, 'main', cron, project, slot, '', at, at, at, at, at, 0, 'succeeded', '', '',
				'cjld2cjxh0000qzrmn83' FROM old`,
		`INSERT INTO dispatches (run_id, ordinal, state, kind, params, project, environment, slot, dedupe, attempts, sent_at,
			settle_at, status_code, outcome, reason, message, exit_status, last, activities)
			SELECT run, 0, 'done', 'backup', '{"live":false}', project, 'main', slot, run || '0123', 1, at, at, 202,
				'succeeded', '', '', 0, 1, '[{"id":"abcdefghijklm","project":"k3qz7p2m5n","type":"environment.backup",'
				|| '"state":"complete","result":"success"}]' FROM old`,
	} {
		if runs == 0 {
			return
		}
		err := l.write(b.Context(), opFinish, "seed", groupLimit, func(s *session) error {
			_, err := s.exec(numbers+insert, runs, now.Unix())
			return err
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
