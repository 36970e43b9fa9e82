package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/postgrestest"
)

func TestPostgres_SetsItsSessionsWhateverTheServersDefaultsAre(t *testing.T) {
	o := onPostgres(t)
	o.Store = postgrestest.WithParameter(o.Store, "synchronous_commit", "local")
	l := open(t, o)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "idle_in_transaction_session_timeout": "5s", "lock_timeout": "10s",
		"statement_timeout": "15s", "application_name": "automatond", "transaction_isolation": "read committed",
	} {
		var got string
		err := l.write(t.Context(), opHeartbeat, "read setting", 1, func(s *session) error {
			return s.row("SHOW " + setting).Scan(&got)
		})
		if err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", setting, got, err, want)
		}
	}
}

func TestPostgres_ItsClockMovesWithinATransaction(t *testing.T) {
	l := open(t, onPostgres(t))
	must(t, l.write(t.Context(), opHeartbeat, "read clock", 1, func(s *session) error {
		var before, after int64
		if err := s.row("SELECT {now}").Scan(&before); err != nil {
			return err
		}
		if err := s.row("SELECT {now} FROM pg_sleep(0.001)").Scan(&after); err != nil {
			return err
		}
		if after <= before {
			t.Errorf("it went from %d to %d", before, after)
		}
		return nil
	}))
}

func TestOpen_ThreeAtOnceMigrateAnEmptyDatabase(t *testing.T) {
	o := onPostgres(t)
	var all sync.WaitGroup
	for i := range 3 {
		o := Options{Dir: t.TempDir(), Store: o.Store}
		all.Go(func() {
			l, err := Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if !mustClaim(t, l, "a", claimOf(slotTime.Add(time.Duration(i)*time.Hour))).Owned {
				t.Error("a claim on the new schema is not owned")
			}
		})
	}
	all.Wait()
}

// TestPostgres_KeepsThePasswordToItself looks for it in every error of opening, and in the log.
func TestPostgres_KeepsThePasswordToItself(t *testing.T) {
	good := onPostgres(t).Store
	change := func(from, to string) string {
		changed := strings.Replace(good, from, to, 1)
		if changed == good {
			t.Fatalf("the URL has no %q", from)
		}
		return changed
	}
	u, err := url.Parse(good)
	must(t, err)
	encoded, _, _ := strings.Cut(strings.TrimPrefix(u.User.String(), u.User.Username()+":"), "@")
	for name, c := range map[string]struct{ store, want string }{
		"wrong password":       {change(encoded, encoded+"x"), u.Host + "/postgres: "},
		"no such database":     {change("/postgres?", "/nowhere?"), u.Host + "/nowhere: "},
		"nobody listens":       {change(u.Host, "127.0.0.1:1"), "127.0.0.1:1/postgres: "},
		"no such host":         {change(u.Host, "nowhere.invalid"), "nowhere.invalid:5432/postgres: "},
		"unencoded characters": {change(encoded, postgrestest.Password), "the store's URL cannot be read"},
		"unknown setting":      {postgrestest.WithParameter(good, "no_such", "1"), u.Host + "/postgres: "},
		"another scheme":       {change("postgres://", "mysql://"), "begins with postgres://"},
		"no scheme":            {change("postgres://", ""), "begins with postgres://"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			_, err := Open(t.Context(), Options{Dir: t.TempDir(), Store: c.store, Logger: zerolog.New(&log)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
				t.Error("the error carries the connection's configuration")
			}
			said := fmt.Sprintf("%v %+v %s", err, err, &log)
			for _, password := range []string{postgrestest.Password, encoded, "never/be", "be@seen"} {
				if strings.Contains(said, password) {
					t.Errorf("%q is in %s", password, said)
				}
			}
		})
	}
}

func TestOpenReader_FindsNoLedgerInAnEmptyDatabase(t *testing.T) {
	if _, err := OpenReader(t.Context(), onPostgres(t).Store); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want os.ErrNotExist", err)
	}
}

// TestPostgres_EveryOperationIsRepeatableAfterALostConnection cuts the connection while an operation
// is being committed: before the commit reaches the server, and before its answer comes back.
func TestPostgres_EveryOperationIsRepeatableAfterALostConnection(t *testing.T) {
	for name, loss := range map[string]int32{"commit": aRequest, "answer": anAnswer} {
		t.Run("without its "+name, func(t *testing.T) {
			o, p := throughProxy(t, onPostgres(t))
			l := open(t, o)
			w := &waverer{dialect: l.dialect, t: t, l: l, proxy: p, loss: loss}
			l.writer.dialect = w
			w.repeatAll()
		})
	}
}

// waverer performs operations whose first try loses its connection when it is committed.
type waverer struct {
	dialect
	t     *testing.T
	l     *Ledger
	proxy *proxy
	loss  int32
	armed atomic.Bool
}

func (w *waverer) commit(s *session) error {
	if w.armed.Swap(false) {
		w.proxy.loss.Store(w.loss)
	}
	return w.dialect.commit(s)
}

// twice performs an operation, which must fail for want of a connection, and then again.
func (w *waverer) twice(op string, do func() error) {
	w.t.Helper()
	w.armed.Store(true)
	if err := do(); err == nil || !w.isStoreGone(err) {
		w.t.Errorf("%s: error %v, want that of a lost connection", op, err)
	}
	if err := do(); err != nil {
		w.t.Errorf("%s, repeated: %v", op, err)
	}
}

func (w *waverer) repeatAll() {
	t, l, ctx := w.t, w.l, w.t.Context()
	c := claimOf(slotTime, "main")
	w.twice(opClaim, func() error {
		claimed, err := l.Claim(ctx, "a", []Claim{c})
		if err == nil && (!claimed[0].Owned || len(claimed[0].Runs) != 1) {
			return fmt.Errorf("claimed %+v", claimed)
		}
		return err
	})
	u := c.Runs[0]
	u.Project = "p"
	w.twice(opBegin, func() error {
		_, err := l.BeginAndIntend(ctx, dispatchOf(u, 0, "key"), "a", slotTime, slotTime)
		return err
	})
	w.twice(opReturn, func() error { return l.Return(ctx, u.ID, 0, "a", "not sent") })
	w.twice(opIntend, func() error {
		ok, err := l.Intend(ctx, u.ID, 0, "a", slotTime.Add(time.Second), slotTime)
		if err == nil && !ok {
			return errors.New("not intended")
		}
		return err
	})
	w.twice(opRetry, func() error {
		return l.Retry(ctx, Retry{RunID: u.ID, Owner: "a", Earlier: []Attempt{{Outcome: Failed}}, At: slotTime})
	})
	w.twice(opIntend, func() error {
		ok, err := l.Intend(ctx, u.ID, 0, "a", slotTime.Add(2*time.Second), slotTime)
		if err == nil && !ok {
			return errors.New("not intended")
		}
		return err
	})
	w.twice(opAdopt, func() error {
		adopted, err := l.Adopt(ctx, u.ID, 0, "a", activity("one"))
		if err == nil && !adopted {
			return errors.New("not adopted")
		}
		return err
	})
	w.twice(opRecord, func() error {
		return l.Record(ctx, Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Succeeded})
	})
	w.twice(opTrack, func() error { return l.Track(ctx, u.ID, "a") })
	w.twice(opTakeOver, func() error {
		open, err := l.TakeOver(ctx, "b", false)
		if err == nil && (len(open) != 1 || len(open[0].Dispatches) != 1) {
			return fmt.Errorf("took over %+v", open)
		}
		return err
	})
	w.twice(opFinish, func() error {
		done, err := l.Finish(ctx, Finish{RunID: u.ID, Owner: "b", Outcome: Succeeded, At: slotTime})
		if err == nil && !done.FireDone {
			return errors.New("the fire is not done")
		}
		return err
	})
	replica := Replica{ID: "a", StartedAt: slotTime}
	lease := func(of func() (Lease, error)) func() error {
		return func() error {
			_, err := of()
			return err
		}
	}
	w.twice(opLease, lease(func() (Lease, error) { return l.Register(ctx, replica, time.Hour) }))
	w.twice(opLease, lease(func() (Lease, error) { return l.Renew(ctx, replica, time.Hour) }))
	w.twice(opSuspend, func() error {
		_, written, err := l.Suspend(ctx, Suspension{Cron: "nightly", Since: slotTime})
		if err == nil && !written {
			err = errors.New("a suspension stands in its own way")
		}
		return err
	})
	w.twice(opDiscover, func() error { return l.Discover(ctx, Discovery{Source: "acme", At: slotTime}) })
	if d := mustDispatch(t, l, u.ID, 0); d.Attempts != 1 || len(d.Earlier) != 1 || d.Outcome != Succeeded || len(d.Activities) != 1 {
		t.Errorf("dispatch %+v, want one earlier attempt, one intent since, one activity and success", d)
	}
}

func TestWriter_ReplacesAConnectionThatWasLostWhileItWasIdle(t *testing.T) {
	l := open(t, onPostgres(t))
	var pid int
	must(t, l.write(t.Context(), opHeartbeat, "ask", 1, func(s *session) error {
		return s.row("SELECT pg_backend_pid()").Scan(&pid)
	}))
	var ended bool
	must(t, l.reader.QueryRowContext(t.Context(), "SELECT pg_terminate_backend(?, 60000)", pid).Scan(&ended))
	mustRun(t, l, "a", slotTime, "main")
}

func TestWriter_TriesAgainWhenAnotherWasInItsWay(t *testing.T) {
	for _, code := range []string{"40001", "40P01"} {
		l := open(t, onPostgres(t))
		tries := 0
		must(t, l.write(t.Context(), opHeartbeat, "collide", 1, func(s *session) error {
			if tries++; tries > 2 {
				return nil
			}
			_, err := s.exec("DO $$ BEGIN RAISE EXCEPTION 'collision' USING ERRCODE = '" + code + "'; END $$")
			return err
		}))
		if tries != 3 {
			t.Errorf("%s: %d tries, want 3", code, tries)
		}
	}
}

func TestWriter_CommitsNothingAfterAnErrorThatWasIgnored(t *testing.T) {
	l := open(t, onPostgres(t))
	err := l.write(t.Context(), opHeartbeat, "ignore", 1, func(s *session) error {
		_, _ = s.exec("SELECT 1 / 0")
		return nil
	})
	if err == nil {
		t.Error("a transaction that the database had given up was acknowledged")
	}
	must(t, l.Writable(t.Context()))
}

// TestClaim_WaitsForAReplicaFrozenInATransaction lets a replica insert a fire and stand still.
func TestClaim_WaitsForAReplicaFrozenInATransaction(t *testing.T) {
	o := onPostgres(t)
	frozen, l := open(t, o), open(t, Options{Dir: t.TempDir(), Store: o.Store})
	stop := make(chan struct{})
	held := make(chan error)
	inserted := make(chan struct{})
	go func() {
		held <- frozen.write(t.Context(), opClaim, "freeze", 1, func(s *session) error {
			if _, err := s.exec("SET LOCAL idle_in_transaction_session_timeout = 300"); err != nil {
				return err
			}
			c := claimOf(slotTime, "main")
			_, err := s.claim("frozen", &c, time.Now())
			close(inserted)
			<-stop
			return err
		})
	}()
	<-inserted
	if !mustClaim(t, l, "a", claimOf(slotTime, "main")).Owned {
		t.Error("a claim that was never committed took the fire")
	}
	close(stop)
	if err := <-held; err == nil {
		t.Error("the frozen replica's claim was acknowledged")
	}
}

func TestClaim_ReplicasThatClaimTheSameDoNotBlockEachOther(t *testing.T) {
	o := onPostgres(t)
	const fires = 200
	var owned [2][]bool
	parallel(2, func(n int) {
		l, err := Open(t.Context(), Options{Dir: t.TempDir(), Store: o.Store})
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		claims := make([]Claim, fires)
		for i := range claims {
			claims[i] = claimOf(slotTime.Add(time.Duration(i)*time.Minute), fmt.Sprint("env", i))
		}
		if n == 1 {
			slices.Reverse(claims)
		}
		claimed, err := l.Claim(t.Context(), fmt.Sprint("owner", n), claims)
		if err != nil {
			t.Error(err)
		}
		for _, c := range claimed {
			owned[n] = append(owned[n], c.Owned)
		}
	})
	slices.Reverse(owned[1])
	for i := range fires {
		if owned[0][i] == owned[1][i] {
			t.Errorf("fire %d is owned by both, or by neither", i)
		}
	}
}

// TestClaim_ManyCallersOfTwoReplicasDoNotDeadlock has each replica claim one fire after the other in
// one transaction, asked for in opposite orders.
func TestClaim_ManyCallersOfTwoReplicasDoNotDeadlock(t *testing.T) {
	o := onPostgres(t)
	const fires = 50
	before := deadlocks(t, o)
	var ledgers []*Ledger
	var releases []func()
	var all sync.WaitGroup
	var owned atomic.Int32
	for n := range 2 {
		l := open(t, Options{Dir: t.TempDir(), Store: o.Store})
		releases = append(releases, holdWriter(t, l))
		for i := range fires {
			slot := i
			if n == 1 {
				slot = fires - 1 - i
			}
			all.Go(func() {
				if mustClaim(t, l, fmt.Sprint("owner", n), claimOf(slotTime.Add(time.Duration(slot)*time.Minute), fmt.Sprint(slot))).Owned {
					owned.Add(1)
				}
			})
			awaitQueue(l, i+1)
		}
		ledgers = append(ledgers, l)
	}
	for _, release := range releases {
		all.Go(release)
	}
	all.Wait()
	for _, l := range ledgers {
		must(t, l.Close()) // what a connection has counted is seen when it has ended
	}
	if owned.Load() != fires {
		t.Errorf("%d claims are owned, want %d", owned.Load(), fires)
	}
	if after := deadlocks(t, o); after != before {
		t.Errorf("%d deadlocks", after-before)
	}
}

// deadlocks is how many the database has ended.
func deadlocks(t *testing.T, o Options) (n int) {
	t.Helper()
	l := open(t, Options{Dir: t.TempDir(), Store: o.Store})
	must(t, l.reader.QueryRowContext(t.Context(),
		"SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&n))
	return n
}

// TestTakeOver_FindsADispatchThatWasBeingWritten has a replica write an intent whose lease is over.
func TestTakeOver_FindsADispatchThatWasBeingWritten(t *testing.T) {
	o := onPostgres(t)
	late, l := open(t, o), open(t, Options{Dir: t.TempDir(), Store: o.Store})
	u := mustRun(t, late, "late", slotTime, "main")
	release := holdWriter(t, late)
	var both sync.WaitGroup
	both.Go(func() { mustIntend(t, late, "late", dispatchOf(u, 0, "key")) })
	awaitQueue(late, 1)
	written, commit := make(chan struct{}), make(chan struct{})
	both.Go(func() {
		must(t, late.writer.write(t.Context(), 1, false, func(s *session) error {
			must(t, s.flush())
			close(written)
			<-commit
			return nil
		}))
	})
	awaitQueue(late, 2)
	release()
	<-written
	both.Go(func() {
		open, err := l.TakeOver(t.Context(), "a", false)
		if err != nil || len(open) != 1 || len(open[0].Dispatches) != 1 {
			t.Errorf("TakeOver = %+v, %v; want the run with its dispatch", open, err)
		}
	})
	awaitLock(t, l)
	close(commit)
	both.Wait()
}

// awaitLock returns when somebody waits for a row.
func awaitLock(t *testing.T, l *Ledger) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for waiting := 0; waiting == 0; {
		if time.Now().After(deadline) {
			t.Error("nobody waits")
			return
		}
		must(t, l.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waiting))
	}
}

func TestLedger_StoresWhatOthersHaveSent(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(u, 0, "key"))
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Failed, Message: "a\x00b\xffc ü"}))
		if got, want := mustDispatch(t, l, u.ID, 0).Message, "a\uFFFDb\uFFFDc ü"; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	})
}

func TestTerms_TranslateStatements(t *testing.T) {
	for statement, want := range map[string]string{
		"a = ? AND b = ?":       "a = $1 AND b = $2",
		"?2 > ?1 AND c = ?2":    "$2 > $1 AND c = $2",
		"now {now} > ? {share}": "now clock() > $1 FOR SHARE",
	} {
		terms := &terms{now: "clock()", share: "FOR SHARE", parameter: "$"}
		for range 2 { // the second answer is remembered
			if diff := cmp.Diff(want, terms.translate(statement)); diff != "" {
				t.Error(diff)
			}
		}
	}
}
