package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rs/xid"
)

// Filter narrows a query. Empty fields are not asked.
type Filter struct {
	Cron        string
	Project     string
	Environment string // of runs; fires have none
	Outcome     Outcome
	Reason      Reason
	Since       time.Time // scheduled at or after
	FireID      string    // of runs: those of one fire
	InDoubt     bool      // of runs: with a request that is, or remained, in doubt
	WithoutRun  bool      // of fires: those that led to no run
	Limit       int       // zero means 100
}

const defaultLimit = 100

func (f Filter) limit() int {
	if f.Limit <= 0 {
		return defaultLimit
	}
	return f.Limit
}

// Fires returns fires, newest first by their scheduled times.
func (r *Reader) Fires(ctx context.Context, f Filter) ([]Fire, error) {
	query, args := f.fires()
	fires, err := collect(ctx, r.reader, scanFire, query, args...)
	return fires, r.judge(ctx, opQuery, "read fires", err)
}

// fires is the query for Fires. Only fires without a run have indexes for it.
func (f Filter) fires() (query string, args []any) {
	w := where{}.andIf(!f.Since.IsZero(), "scheduled_at >= ?", micros(f.Since)).
		andIf(f.Cron != "", "cron = ?", f.Cron).
		andIf(f.Project != "", "project = ?", f.Project)
	order := ""
	for _, end := range []struct{ column, value string }{{"outcome", string(f.Outcome)}, {"reason", string(f.Reason)}} {
		if end.value == "" {
			continue
		}
		// Said like this, PostgreSQL does not go by time through all that led to no run, and SQLite goes by
		// cron or project where one is given.
		w = w.when("open_runs = 0").and(end.column+" >= ?", end.value).and(end.column+" <= ?", end.value)
		order = end.column + " DESC, "
	}
	if f.WithoutRun {
		w = w.when("without_run = 1")
	}
	query = `SELECT ` + fireColumns + ` FROM fires` + w.clause() + ` ORDER BY ` + order + `scheduled_at DESC LIMIT ?`
	return query, append(w.args, f.limit())
}

// Fire returns the fire of a cron on a project in a slot. The error is ErrNotFound when it was not
// claimed.
func (r *Reader) Fire(ctx context.Context, cron, project, slot string) (Fire, error) {
	return r.fire(ctx, "fire "+slot, "slot = ? AND cron = ? AND project = ?", slot, cron, project)
}

// CronKey names a cron on one project.
type CronKey struct{ Cron, Project string }

// ClaimedIn returns the crons whose fire in a slot is claimed.
func (r *Reader) ClaimedIn(ctx context.Context, slot string) (map[CronKey]bool, error) {
	keys, err := collect(ctx, r.reader, scanCronKey, `SELECT cron, project FROM fires WHERE slot = ?`, slot)
	claimed := make(map[CronKey]bool, len(keys))
	for _, key := range keys {
		claimed[key] = true
	}
	return claimed, r.judge(ctx, opQuery, "read fires of slot "+slot, err)
}

func scanCronKey(row scanner) (key CronKey, err error) {
	err = row.Scan(&key.Cron, &key.Project)
	return key, err
}

// A fire's id has an index of its own only where no run leads to it.
const (
	byIDWithoutRun = `id = ? AND without_run = 1`
	byIDOfRun      = `(slot, cron, project) IN (SELECT slot, cron, project FROM runs WHERE fire_id = ?)`
)

// FireByID returns a fire by its id. The error is ErrNotFound when there is none.
func (r *Reader) FireByID(ctx context.Context, id string) (Fire, error) {
	fire, err := r.fire(ctx, "fire "+id, byIDWithoutRun, id)
	if !errors.Is(err, ErrNotFound) {
		return fire, err
	}
	return r.fire(ctx, "fire "+id, byIDOfRun, id)
}

func (r *Reader) fire(ctx context.Context, what, condition string, args ...any) (Fire, error) {
	fire, err := scanFire(r.reader.QueryRowContext(ctx, `SELECT `+fireColumns+` FROM fires WHERE `+condition, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Fire{}, fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return fire, r.judge(ctx, opQuery, "read "+what, err)
}

// Runs returns runs, the last claimed first.
func (r *Reader) Runs(ctx context.Context, f Filter) ([]Run, error) {
	query, args := f.runs()
	runs, err := collect(ctx, r.reader, scanRun, query, args...)
	return runs, r.judge(ctx, opQuery, "read runs", err)
}

// isOpen has the open runs read from their index, of which there are few. Asked for as they are found,
// sorted by id, SQLite would walk through all runs.
const isOpen = `id IN (SELECT id FROM runs WHERE finished_at IS NULL)`

// runs is the query for Runs. Open runs have an index of their own, so that claims need not write to
// those of ended ones; so the two are looked for apart. The indexes of ended ones have the outcome before the
// id, so that no question has to read through what ended otherwise; without one, each is looked for.
func (f Filter) runs() (query string, args []any) {
	const selectRuns, newest = `SELECT ` + runColumns + ` FROM runs`, ` ORDER BY id DESC LIMIT ?`
	w := where{}.andIf(!f.Since.IsZero(), "scheduled_at >= ?", micros(f.Since)).
		andIf(!f.Since.IsZero(), "id >= ?", idAt(f.Since.Add(-clockStep))).
		andIf(f.Cron != "", "cron = ?", f.Cron).
		andIf(f.Project != "", "project = ?", f.Project).
		andIf(f.Environment != "", "environment = ?", f.Environment).
		andIf(f.Outcome != "", "outcome = ?", string(f.Outcome)).
		andIf(f.Reason != "", "reason <> '' AND reason = ?", string(f.Reason)).
		andIf(f.FireID != "", "fire_id = ?", f.FireID)
	switch ended := w.when("finished_at IS NOT NULL"); {
	case f.InDoubt:
		w = w.when(`id IN (SELECT run_id FROM dispatches WHERE ` + inDoubt + `)`)
	case f.FireID != "":
	case f.Outcome != "" || f.Reason != "":
		w = ended
	case f.Cron != "" || f.Project != "" || f.Environment != "":
		open := w.when(isOpen)
		query, args = `SELECT * FROM (`+selectRuns+open.clause()+`) AS open`, open.args
		for _, outcome := range fromBest {
			one := ended.and("outcome = ?", string(outcome))
			query += ` UNION ALL SELECT * FROM (` + selectRuns + one.clause() + newest + `) AS ` + string(outcome)
			args = slices.Concat(args, one.args, []any{f.limit()})
		}
		return query + newest, append(args, f.limit())
	}
	return selectRuns + w.clause() + newest, append(w.args, f.limit())
}

// clockStep is how far two replicas' clocks, or one before and after it was set, may lie apart where
// rows are looked for by time.
const clockStep = time.Hour

// idAt sorts before the ids that NewID makes from a time on.
func idAt(t time.Time) string {
	var id xid.ID
	binary.BigEndian.PutUint32(id[:], uint32(min(max(t.Unix(), 0), math.MaxUint32)))
	return id.String()
}

// Run returns one run and its dispatches, in their order, as they were at one moment. The error is
// ErrNotFound when there is none of that id.
func (r *Reader) Run(ctx context.Context, id string) (*Run, []Dispatch, error) {
	run, dispatches, err := r.run(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, nil, r.judge(ctx, opQuery, "read run "+id, err)
	}
	return &run, dispatches, nil
}

func (r *Reader) run(ctx context.Context, id string) (run Run, dispatches []Dispatch, err error) {
	tx, err := r.reader.snapshot(ctx)
	if err != nil {
		return run, nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if run, err = scanRun(tx.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = ?`, id)); err != nil {
		return run, nil, err
	}
	dispatches, err = collect(ctx, tx, scanDispatch,
		selectDispatches, id)
	return run, dispatches, err
}

// Targets returns what is remembered of every cron on every environment, ordered by cron, project
// and environment.
func (r *Reader) Targets(ctx context.Context) ([]Target, error) {
	targets, err := collect(ctx, r.reader, scanTarget,
		`SELECT cron, project, environment, last_scheduled_at, last_success_at
		FROM targets ORDER BY cron, project, environment`)
	return targets, r.judge(ctx, opQuery, "read targets", err)
}

// OpenProjects returns the projects in which something may still be going on: those of open runs,
// and those that their dispatches go to.
func (r *Reader) OpenProjects(ctx context.Context) ([]string, error) {
	projects, err := collect(ctx, r.reader, scanText, `SELECT project FROM runs WHERE finished_at IS NULL
		UNION SELECT dispatches.project FROM runs JOIN dispatches ON dispatches.run_id = runs.id
		WHERE runs.finished_at IS NULL ORDER BY project`)
	return projects, r.judge(ctx, opQuery, "read projects of open runs", err)
}

func scanText(row scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

func scanTarget(row scanner) (Target, error) {
	var t Target
	var scheduled, success stamp
	err := row.Scan(&t.Cron, &t.Project, &t.Environment, &scheduled, &success)
	t.LastScheduled, t.LastSuccess = scheduled.Time, success.Time
	return t, err
}

// collect runs a query in the read pool and scans all its rows.
func collect[T any](
	ctx context.Context, db querier, scan func(scanner) (T, error), query string, args ...any,
) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var all []T
	err = eachRow(rows, func(row scanner) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	})
	return all, err
}

// querier is what a pool and a snapshot have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// where is a conjunction of conditions with their arguments.
type where struct {
	conditions []string
	args       []any
}

func (w where) and(condition string, arg any) where {
	w.args = append(w.args, arg)
	return w.when(condition)
}

func (w where) when(condition string) where {
	return where{slices.Concat(w.conditions, []string{condition}), w.args}
}

func (w where) andIf(asked bool, condition string, arg any) where {
	if !asked {
		return w
	}
	return w.and(condition, arg)
}

func (w where) clause() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}
