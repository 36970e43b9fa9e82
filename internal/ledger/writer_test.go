package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
)

// holdWriter keeps the writer busy inside a transaction until the returned function is called, so
// that a test decides what gathers behind it.
func holdWriter(t *testing.T, l *Ledger) (release func()) {
	t.Helper()
	taken, let := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	held.Go(func() {
		err := l.writer.write(context.Background(), 1, false, func(*session) error {
			close(taken)
			<-let
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-taken
	return func() {
		close(let)
		held.Wait()
	}
}

// awaitQueue returns when n operations wait for the writer.
func awaitQueue(l *Ledger, n int) {
	for {
		l.writer.mu.Lock()
		waiting := len(l.writer.queue) + len(l.writer.later)
		l.writer.mu.Unlock()
		if waiting >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestWriter_PerformsConcurrentOperationsTogether(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const n = 300
		before := l.writer.transactions.Load()
		release := holdWriter(t, l)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				claimed, err := l.Claim(t.Context(), "a", []Claim{claimOf(slotTime.Add(time.Duration(i)*time.Minute), fmt.Sprint("env", i))})
				if err != nil || !claimed[0].Owned {
					t.Errorf("Claim = %+v, %v", claimed, err)
				}
			})
		}
		awaitQueue(l, n)
		release()
		all.Wait()
		// One is the holder's. A claim with its run weighs 2, and a group at most 512.
		if got := l.writer.transactions.Load() - before; got != 3 {
			t.Errorf("%d operations took %d transactions, want 3", n, got)
		}
	})
}

func TestWriter_TakesALeaseBeforeAllThatWaits(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		release := holdWriter(t, l)
		var order []string // of the writer
		var all sync.WaitGroup
		for i, op := range []string{opClaim, opFinish, opLease} {
			all.Go(func() {
				err := l.write(t.Context(), op, op, 1, func(*session) error { order = append(order, op); return nil })
				if err != nil {
					t.Error(err)
				}
			})
			awaitQueue(l, i+1)
		}
		release()
		all.Wait()
		if want := []string{opLease, opClaim, opFinish}; !slices.Equal(order, want) {
			t.Errorf("performed %q, want %q", order, want)
		}
	})
}

// refuseBad makes the store refuse runs on environments that are called bad.
var refuseBad = map[goose.Dialect]string{
	goose.DialectSQLite3: `CREATE TRIGGER refuse BEFORE INSERT ON runs WHEN NEW.environment LIKE 'bad%'
		BEGIN SELECT RAISE(ABORT, 'refused'); END`,
	goose.DialectPostgres: `ALTER TABLE runs ADD CONSTRAINT refused CHECK (environment NOT LIKE 'bad%')`,
}

func TestWriter_FailsOneOperationAndNotItsNeighbours(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		must(t, l.write(t.Context(), opHeartbeat, "make trigger", 1, func(s *session) error {
			_, err := s.exec(refuseBad[l.dialect.terms().goose])
			return err
		}))
		before := l.writer.transactions.Load()
		release := holdWriter(t, l)
		const n = 30
		var failed atomic.Int32
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				environment := fmt.Sprint("good", i)
				if i%10 == 5 {
					environment = fmt.Sprint("bad", i)
				}
				_, err := l.Claim(t.Context(), "a", []Claim{claimOf(slotTime.Add(time.Duration(i)*time.Minute), environment)})
				if err != nil {
					failed.Add(1)
				}
				if bad := strings.HasPrefix(environment, "bad"); bad != (err != nil) || bad && !strings.Contains(err.Error(), "refused") {
					t.Errorf("%s: %v", environment, err)
				}
			})
		}
		awaitQueue(l, n)
		release()
		all.Wait()
		if failed.Load() != 3 {
			t.Errorf("%d operations failed, want 3", failed.Load())
		}
		if got := l.writer.transactions.Load() - before; got != 2 {
			t.Errorf("the good ones took %d transactions, want 1 beside the holder's", got-1)
		}
		fires, err := l.Fires(t.Context(), Filter{})
		if err != nil || len(fires) != n-3 {
			t.Errorf("%d fires, %v; want those of the good claims, %d", len(fires), err, n-3)
		}
	})
}

func TestWriter_CancelledBeforeItIsTakenUpWritesNothing(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		release := holdWriter(t, l)
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := l.Claim(ctx, "a", []Claim{claimOf(slotTime, "main")}); !errors.Is(err, stop) {
				t.Errorf("cancelled claim: %v, want the cause", err)
			}
		})
		all.Go(func() {
			if _, err := l.Claim(t.Context(), "a", []Claim{claimOf(slotTime.Add(time.Hour), "main")}); err != nil {
				t.Errorf("the claim beside it: %v", err)
			}
		})
		awaitQueue(l, 2)
		cancel(stop)
		for {
			l.writer.mu.Lock()
			waiting := len(l.writer.queue) + len(l.writer.later)
			l.writer.mu.Unlock()
			if waiting == 1 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		release()
		all.Wait()
		fires, err := l.Fires(t.Context(), Filter{})
		if err != nil || len(fires) != 1 || !fires[0].ScheduledAt.Equal(slotTime.Add(time.Hour)) {
			t.Errorf("fires = %+v, %v; want only the one not cancelled", fires, err)
		}
		if _, err := l.Claim(ctx, "a", []Claim{claimOf(slotTime, "main")}); !errors.Is(err, stop) {
			t.Errorf("a context that was over before: %v, want the cause", err)
		}
	})
}

func TestWriter_CancelledAfterItIsTakenUpIsWaitedFor(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		var performed bool
		err := l.writer.write(ctx, 1, false, func(s *session) error {
			cancel()
			time.Sleep(20 * time.Millisecond) // the caller must not return meanwhile
			performed = true
			return nil
		})
		if err != nil || !performed {
			t.Errorf("write = %v, performed = %t; want it to wait for the end", err, performed)
		}
	})
}

func TestWriter_ClosePerformsWhatWaits(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		release := holdWriter(t, l)
		var all sync.WaitGroup
		all.Go(func() {
			if !mustClaim(t, l, "a", claimOf(slotTime, "main")).Owned {
				t.Error("the claim that waited is not owned")
			}
		})
		awaitQueue(l, 1)
		all.Go(func() { must(t, l.Close()) })
		release()
		all.Wait()
		if _, err := l.Claim(t.Context(), "a", nil); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
		if fires, err := open(t, o).Fires(t.Context(), Filter{}); err != nil || len(fires) != 1 {
			t.Errorf("fires = %+v, %v", fires, err)
		}
	})
}

// pragma sets something on the connection of a writer that is idle and has been used.
func pragma(t *testing.T, l *Ledger, text string) {
	t.Helper()
	_, err := l.writer.session.conn.ExecContext(t.Context(), text)
	must(t, err)
}

func TestLedger_SurfacesAFullDiskAndRecovers(t *testing.T) {
	reg := prometheus.NewRegistry()
	l, err := Open(t.Context(), Options{Dir: t.TempDir(), Metrics: reg})
	must(t, err)
	defer l.Close()
	must(t, l.Writable(t.Context()))
	pragma(t, l, "PRAGMA max_page_count = 40")
	var kept []Claim
	for i := 0; ; i++ {
		c := claimOf(slotTime.Add(time.Duration(i)*time.Minute), fmt.Sprint("env", i))
		c.Fire.Message = strings.Repeat("x", 1000)
		if _, err = l.Claim(t.Context(), "a", []Claim{c}); err != nil {
			break
		}
		kept = append(kept, c)
	}
	if !l.dialect.isStoreGone(err) || !strings.Contains(err.Error(), "claim fires: ") || !strings.Contains(err.Error(), "full") {
		t.Fatalf("error = %v, want that of a full disk", err)
	}
	if got := storeErrors(t, reg)[opClaim]; got != 1 {
		t.Errorf("store errors = %v, want 1", got)
	}
	fires, err := l.Fires(t.Context(), Filter{Limit: 1000})
	if err != nil || len(fires) != len(kept) {
		t.Errorf("%d fires are there, %v; want the %d acknowledged ones", len(fires), err, len(kept))
	}
	pragma(t, l, "PRAGMA max_page_count = 100000")
	if !mustClaim(t, l, "a", claimOf(slotTime.Add(-time.Hour), "main")).Owned {
		t.Error("nothing can be claimed after the disk has room again")
	}
}

func TestLedger_SurfacesAReadOnlyStoreAndRecovers(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	must(t, l.Writable(t.Context()))
	pragma(t, l, "PRAGMA query_only = 1")
	parallel(10, func(int) {
		if err := l.Writable(t.Context()); !l.dialect.isStoreGone(err) {
			t.Errorf("Writable = %v, want that the store is read-only", err)
		}
	})
	pragma(t, l, "PRAGMA query_only = 0")
	must(t, l.Writable(t.Context()))
}

func TestWriter_ReplacesALostConnection(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		must(t, l.Writable(t.Context()))
		err := l.writer.write(t.Context(), 1, false, func(s *session) error {
			s.close()
			_, err := s.exec(`SELECT 1`)
			return err
		})
		if err == nil {
			t.Error("a statement on a lost connection succeeded")
		}
		must(t, l.Writable(t.Context()))
		if !mustClaim(t, l, "a", claimOf(slotTime, "main")).Owned {
			t.Error("nothing can be claimed after the connection was replaced")
		}
	})
}

func TestWriter_LeavesNoTransactionBehind(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		failure := errors.New("refused by the operation")
		err := l.writer.write(t.Context(), 1, false, func(s *session) error {
			if _, err := s.exec(`INSERT INTO heartbeat (id, beat_at) VALUES (7, 7)`); err != nil {
				return err
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("error = %v", err)
		}
		must(t, l.Writable(t.Context()))
		var n int
		must(t, l.reader.QueryRowContext(t.Context(), `SELECT count(*) FROM heartbeat WHERE id = 7`).Scan(&n))
		if n != 0 {
			t.Error("an operation that failed has written")
		}
	})
}

func TestMetrics_AllSeriesStartAtZero(t *testing.T) {
	reg := prometheus.NewRegistry()
	l, err := Open(t.Context(), Options{Dir: t.TempDir(), Metrics: reg})
	must(t, err)
	defer l.Close()
	counts := storeErrors(t, reg)
	if len(counts) != 19 {
		t.Errorf("%d series, want 19: %v", len(counts), counts)
	}
	for op, n := range counts {
		if n != 0 {
			t.Errorf("%s starts at %v", op, n)
		}
	}
}

// storeErrors reads automatond_store_errors_total by operation.
func storeErrors(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	must(t, err)
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "automatond_store_errors_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			counts[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return counts
}

func TestWriter_LetsWhatCanWaitWaitButNotForEver(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		urgent  int           // operations queued that cannot wait
		asked   time.Duration // how long ago the latest of those came
		waiting time.Duration // how long ago the one that can wait came
		closed  bool
		group   int // operations taken
		wait    time.Duration
	}{
		"behind what is urgent":       {urgent: 2, asked: 0, waiting: 2 * lull, group: 2, wait: lull},
		"shortly after it":            {asked: lull / 3, waiting: lull / 3, wait: lull - lull/3},
		"when nothing urgent came":    {asked: lull, waiting: lull / 3, group: 1},
		"when it has waited long":     {asked: 0, waiting: longest, group: 1},
		"long, beside what is urgent": {urgent: 2, asked: 0, waiting: longest, group: 3},
		"at the end of the ledger":    {asked: 0, waiting: 0, closed: true, group: 1},
		"not in a full group":         {urgent: groupLimit, asked: 0, waiting: longest, group: groupLimit},
	} {
		t.Run(name, func(t *testing.T) {
			w := &writer{closed: c.closed, urgent: now.Add(-c.asked)}
			for range c.urgent {
				w.queue = append(w.queue, &request{weight: 1, since: w.urgent})
			}
			w.later = []*request{{weight: 1, later: true, since: now.Add(-c.waiting)}}
			group, wait := w.take(now)
			if len(group) != c.group || len(group) <= c.urgent && wait != c.wait {
				t.Errorf("took %d and waits %s, want %d and %s", len(group), wait, c.group, c.wait)
			}
		})
	}
}

func TestWriter_PerformsWhatCanWaitByItself(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		began := time.Now()
		must(t, l.writer.write(t.Context(), 1, false, func(*session) error { return nil }))
		must(t, l.writer.write(t.Context(), 1, true, func(*session) error { return nil }))
		if took := time.Since(began); took < lull {
			t.Errorf("it was performed %s after an urgent one, want it to wait %s", took, lull)
		}
	})
}
