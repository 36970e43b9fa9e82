package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/xid"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
)

// historyLedger is a ledger that is used without a daemon, as the daemon uses it.
type historyLedger struct {
	*ledger.Ledger
	dir   string // of its data
	store string // "" for a file in it
	clean func() error

	written func() (int64, error) // in the log so far; nil when nobody asks
}

// newLedger makes a ledger with nothing in it. It is not open.
func (b *bench) newLedger(ctx context.Context, name string) (*historyLedger, error) {
	l := &historyLedger{dir: filepath.Join(b.dir, "history-"+name)}
	if b.store != "" {
		schema := filepath.Base(b.dir) + "-" + name
		if err := b.execute(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return nil, err
		}
		l.store = inSchema(b.store, schema)
		l.clean = func() error {
			return b.execute(context.WithoutCancel(ctx), "DROP SCHEMA "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		}
	}
	err := l.open(ctx)
	if err == nil {
		err = l.Close()
	}
	return l, err
}

func (l *historyLedger) open(ctx context.Context) (err error) {
	l.Ledger, err = ledger.Open(ctx, ledger.Options{Dir: l.dir, Store: l.store, Logger: zerolog.Nop()})
	return err
}

// drop removes the ledger.
func (l *historyLedger) drop() error {
	var err error
	if l.Ledger != nil {
		err = l.Close()
	}
	if l.clean != nil {
		err = errors.Join(err, l.clean())
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// burst takes fires that are due at one time from their claims to the ends of their runs.
func (l *historyLedger) burst(ctx context.Context, at time.Time) (f burstFigures, err error) {
	claims := make([]ledger.Claim, historyBurst)
	for n := range claims {
		claims[n] = historyClaim(n, at)
	}
	may := make(delays, 0, historyBurst)
	began := time.Now()
	for n := 0; n < historyBurst; n += historyBatch {
		claimed, err := l.Claim(ctx, "bench", claims[n:n+historyBatch])
		if err != nil {
			return f, err
		}
		for _, c := range claimed {
			if len(c.Runs) != 1 {
				return f, errors.New("a claim of the burst was not its owner's")
			}
			may = append(may, time.Since(began))
		}
	}
	f.Claim, f.P99 = duration(time.Since(began)), may.summary().P99
	result := func(n int) ledger.Result {
		c := &claims[n]
		return ledger.Result{
			RunID: c.Runs[0].ID, Owner: "bench", State: ledger.DispatchTracking, StatusCode: 202, RunTracking: true,
			Activities: []ledger.Activity{historyActivity(c.Fire.Project, "pending")},
		}
	}
	f.Record, err = each(historyBurst, func(n int) error { return l.Record(ctx, result(n)) })
	if err != nil {
		return f, err
	}
	if l.written != nil {
		if f.Logged, err = l.written(); err != nil {
			return f, err
		}
	}
	f.End, err = each(historyBurst, func(n int) error {
		r := result(n)
		r.State, r.Outcome, r.Activities = ledger.DispatchDone, ledger.Succeeded, nil
		_, err := l.Finish(ctx, ledger.Finish{
			RunID: r.RunID, Owner: "bench", Outcome: ledger.Succeeded, Dispatches: []ledger.Result{r},
		})
		return err
	})
	return f, err
}

// logs is how much claim and record of a burst write to the store's log. Unlike their times, it does not
// depend on the machine.
func (l *historyLedger) logs(ctx context.Context, at time.Time) (int64, error) {
	open := l.openFileLog
	if l.store != "" {
		open = l.openDatabaseLog
	}
	size, release, err := open(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	before, err := size()
	if err != nil {
		return 0, err
	}
	l.written = func() (int64, error) {
		now, err := size()
		return now - before, err
	}
	defer func() { l.written = nil }()
	f, err := l.burst(ctx, at)
	return f.Logged, err
}

// openFileLog keeps SQLite from using its log again, until it is released: while a transaction reads the
// file, nothing of the log moves into it.
func (l *historyLedger) openFileLog(ctx context.Context) (size func() (int64, error), release func(), err error) {
	db, err := sql.Open("sqlite", "file:"+ledger.File(l.dir)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	release = func() { db.Close() }
	for _, statement := range []string{"PRAGMA wal_checkpoint(TRUNCATE)", "BEGIN", "SELECT 1 FROM fires LIMIT 1"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			release()
			return nil, nil, err
		}
	}
	return func() (int64, error) {
		info, err := os.Stat(ledger.File(l.dir) + "-wal")
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}, release, nil
}

func (l *historyLedger) openDatabaseLog(ctx context.Context) (size func() (int64, error), release func(), err error) {
	conn, err := pgx.Connect(ctx, l.store)
	if err != nil {
		return nil, nil, err
	}
	return func() (n int64, err error) {
		err = conn.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&n)
		return n, err
	}, func() { conn.Close(ctx) }, nil
}

// each does something n times at once, and returns how long all of it took.
func each(n int, do func(int) error) (duration, error) {
	began := time.Now()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return duration(time.Since(began)), errors.Join(errs...)
}

// prune prunes as the daemon does, one batch after the other, until the function that it returns is
// called, which returns how many fires went.
func (l *historyLedger) prune(ctx context.Context) (stop func() (int, error)) {
	ctx, cancel := context.WithCancel(ctx)
	var pruned int
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		for n := historyPrune; n == historyPrune && failed == nil && ctx.Err() == nil; pruned += n {
			before := time.Now().Add(-historyKeep)
			n, failed = l.Prune(context.WithoutCancel(ctx), before, before, historyPrune)
		}
	})
	return func() (int, error) {
		cancel()
		done.Wait()
		return pruned, failed
	}
}

func historyClaim(n int, at time.Time) ledger.Claim {
	id := ledger.NewID()
	return ledger.Claim{
		Fire: ledger.Fire{
			ID: ledger.NewID(), Cron: historyCron(n), Project: historyProject(n), Slot: at.Format(time.RFC3339),
			ScheduledAt: at, Targets: 1,
		},
		Runs: []ledger.Run{{
			ID: id, Environment: "main", Exclusive: true,
			StartDeadline: at.Add(10 * time.Minute), Deadline: at.Add(24 * time.Hour),
			First: &ledger.Dispatch{
				Kind: "backup", Params: []byte(`{"live":false}`), Project: historyProject(n), Environment: "main",
				SentAt: at, SettleAt: at.Add(time.Minute),
			},
		}},
	}
}

func historyCron(n int) string    { return fmt.Sprintf("cron-%04d", n%historyBurst) }
func historyProject(n int) string { return fmt.Sprintf("project%04d", n%historyBurst) }

func historyActivity(project, state string) ledger.Activity {
	id := ledger.NewID()
	// Ids of activities do not sort by time.
	return ledger.Activity{ID: id[12:] + id[:12], Project: project, Type: "environment.backup", State: state}
}

const (
	historyAge  = 120 * 24 * time.Hour // of the oldest run
	historyKeep = 90 * 24 * time.Hour
	historyRows = 100 // of one insertion
)

// fill writes runs that have ended, oldest first, with what follows from each: bursts of a thousand at even distances,
// and for every tenth run a fire that led to none.
func (l *historyLedger) fill(ctx context.Context, runs int, now time.Time) error {
	driver, source, mark := "sqlite", "file:"+ledger.File(l.dir)+"?_pragma=synchronous(off)", "?"
	if l.store != "" {
		driver, source, mark = "pgx", l.store, "$"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	w := &historyWriter{tx: tx, mark: mark}
	step := historyAge / time.Duration(max(runs/historyBurst, 1))
	for n := range runs {
		w.run(ctx, n, now.Add(-historyAge).Add(time.Duration(n/historyBurst)*step).Truncate(time.Second), n == runs/2)
	}
	w.flush(ctx)
	if w.err != nil {
		return w.err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if l.store == "" {
		return nil
	}
	// What the server would do to the new rows by and by. Not everybody may ask for a checkpoint.
	_, err = db.ExecContext(ctx, "VACUUM ANALYZE")
	_, _ = db.ExecContext(ctx, "CHECKPOINT")
	return err
}

// historyWriter inserts many rows at once. After an error it does nothing.
type historyWriter struct {
	tx     *sql.Tx
	mark   string // of a parameter
	tables [3]historyTable
	err    error
}

type historyTable struct {
	width  int
	values []any
}

// historyTables are the tables in which a run leaves something for long, with the columns that are filled.
var historyTables = [3]string{
	`fires (slot, cron, project, id, scheduled_at, claimed_at, owner, open_runs, severity, outcome, reason, message,
		targets, missed_count, without_run)`,
	`runs (id, fire_id, environment, cron, project, slot, lane, scheduled_at, start_deadline, deadline, claimed_at,
		finished_at, tracking, outcome, reason, message, owner)`,
	`dispatches (run_id, ordinal, state, kind, params, project, environment, slot, attempts, sent_at, settle_at, status_code,
		outcome, reason, message, exit_status, last, activities)`,
}

// run writes one run. Few of them are other than most.
func (w *historyWriter) run(ctx context.Context, n int, at time.Time, retired bool) {
	cron, project, environment := historyCron(n), historyProject(n), "main"
	outcome, reason, severity := "succeeded", "", 1
	switch {
	case n%100 == 99:
		outcome, reason, severity = "failed", "activity_failed", 6
	case n%20_000 == 1:
		outcome, reason, severity = "canceled", "activity_canceled", 4
	case n%20_000 == 2:
		outcome, reason, severity = "unknown", "in_doubt", 5
	case n%20_000 == 3:
		environment = "feature-x"
	}
	if retired {
		cron = "retired"
	}
	slot, micros := at.Format(time.RFC3339), at.UnixMicro()
	fire, run, activity := historyID(at, 3*n), historyID(at, 3*n+1), historyActivity(project, "complete")
	w.add(ctx, 0, slot, cron, project, fire, micros, micros, "bench", 0, severity, outcome, reason, "", 1, 0, 0)
	w.add(ctx, 1, run, fire, environment, cron, project, slot, "", micros, micros, micros, micros, micros, 1, outcome, reason, "", "bench")
	w.add(ctx, 2, run, 0, "done", "backup", `{"live":false}`, project, environment, slot, 1, micros, micros, 202, outcome, reason, "",
		0, 1, fmt.Sprintf(`[{"id":%q,"project":%q,"type":"environment.backup","state":"complete"}]`, activity.ID, project))
	if n%10 == 0 {
		reason := "guard"
		if n%20_000 == 0 {
			reason = "no_target"
		}
		w.add(ctx, 0, slot, "guarded-"+strconv.Itoa(n%historyBurst), project, historyID(at, 3*n+2), micros, micros, "bench",
			0, 2, "skipped", reason, "", 1, 0, 1)
	}
}

// historyID is an id as NewID would have made it at a time.
func historyID(at time.Time, n int) string {
	var id xid.ID
	binary.BigEndian.PutUint32(id[:], uint32(at.Unix()))
	binary.BigEndian.PutUint64(id[4:], uint64(n))
	return id.String()
}

func (w *historyWriter) add(ctx context.Context, table int, values ...any) {
	t := &w.tables[table]
	t.width, t.values = len(values), append(t.values, values...)
	if len(t.values) == historyRows*t.width {
		w.insert(ctx, table)
	}
}

func (w *historyWriter) flush(ctx context.Context) {
	for table := range w.tables {
		w.insert(ctx, table)
	}
}

func (w *historyWriter) insert(ctx context.Context, table int) {
	t := &w.tables[table]
	if w.err != nil || len(t.values) == 0 {
		return
	}
	var text strings.Builder
	text.WriteString("INSERT INTO " + historyTables[table] + " VALUES ")
	for i := range t.values {
		separator := ", "
		if i%t.width == 0 {
			separator = "), ("
		}
		if i == 0 {
			separator = "("
		}
		text.WriteString(separator + w.mark)
		if w.mark == "$" {
			text.WriteString(strconv.Itoa(i + 1))
		}
	}
	text.WriteString(")")
	_, w.err = w.tx.ExecContext(ctx, text.String(), t.values...)
	t.values = t.values[:0]
}
