package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filter narrows a query. Empty fields are not asked.
type Filter struct {
	Cron        string
	Project     string
	Environment string // of runs; fires have none
	Outcome     Outcome
	Reason      Reason
	Since       time.Time // scheduled at or after
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
func (l *Ledger) Fires(ctx context.Context, f Filter) ([]Fire, error) {
	scheduled, err := l.fires(ctx, f, where{}.and("slot < ?", manualPrefix).
		andIf(!f.Since.IsZero(), "slot >= ?", slotAt(f.Since)), "slot DESC")
	if err != nil {
		return nil, l.judge(ctx, opQuery, "read fires", err)
	}
	manual, err := l.fires(ctx, f, where{}.and("slot >= ?", manualPrefix), "scheduled_at DESC")
	if err != nil {
		return nil, l.judge(ctx, opQuery, "read fires", err)
	}
	all := append(scheduled, manual...)
	slices.SortStableFunc(all, func(a, b Fire) int { return b.ScheduledAt.Compare(a.ScheduledAt) })
	return all[:min(len(all), f.limit())], nil
}

func (l *Ledger) fires(ctx context.Context, f Filter, w where, order string) ([]Fire, error) {
	w = w.andIf(!f.Since.IsZero(), "scheduled_at >= ?", micros(f.Since)).
		andIf(f.Cron != "", "cron = ?", f.Cron).
		andIf(f.Project != "", "project = ?", f.Project).
		andIf(f.Outcome != "", "open_runs = 0 AND outcome = ?", string(f.Outcome)).
		andIf(f.Reason != "", "open_runs = 0 AND reason = ?", string(f.Reason))
	query := `SELECT ` + fireColumns + ` FROM fires` + w.clause() + ` ORDER BY ` + order + ` LIMIT ?`
	return collect(ctx, l.reader, scanFire, query, append(w.args, f.limit())...)
}

// Runs returns runs, the last claimed first.
func (l *Ledger) Runs(ctx context.Context, f Filter) ([]Run, error) {
	w := where{}.andIf(!f.Since.IsZero(), "scheduled_at >= ?", micros(f.Since)).
		andIf(f.Cron != "", "cron = ?", f.Cron).
		andIf(f.Project != "", "project = ?", f.Project).
		andIf(f.Environment != "", "environment = ?", f.Environment).
		andIf(f.Outcome != "", "outcome = ?", string(f.Outcome)).
		andIf(f.Reason != "", "reason = ?", string(f.Reason))
	query := `SELECT ` + runColumns + ` FROM runs` + w.clause() + ` ORDER BY id DESC LIMIT ?`
	runs, err := collect(ctx, l.reader, scanRun, query, append(w.args, f.limit())...)
	return runs, l.judge(ctx, opQuery, "read runs", err)
}

// Run returns one run and its dispatches, in their order. The error is ErrNotFound when there is
// none of that id.
func (l *Ledger) Run(ctx context.Context, id string) (*Run, []Dispatch, error) {
	run, err := scanRun(l.reader.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, nil, l.judge(ctx, opQuery, "read run "+id, err)
	}
	dispatches, err := collect(ctx, l.reader, scanDispatch,
		`SELECT `+dispatchColumns+` FROM dispatches WHERE run_id = ? ORDER BY ordinal`, id)
	return &run, dispatches, l.judge(ctx, opQuery, "read dispatches of run "+id, err)
}

// Targets returns what is remembered of every cron on every environment, ordered by cron, project
// and environment.
func (l *Ledger) Targets(ctx context.Context) ([]Target, error) {
	targets, err := collect(ctx, l.reader, scanTarget,
		`SELECT cron, project, environment, last_scheduled_at, last_success_at
		FROM targets ORDER BY cron, project, environment`)
	return targets, l.judge(ctx, opQuery, "read targets", err)
}

// Counts are the numbers of things that are open.
type Counts struct {
	Runs       int
	InDoubt    int // dispatches whose request may have executed and whose answer is not known
	Activities int // dispatches whose activities are followed
}

// OpenCounts counts what is open, whoever owns it.
func (l *Ledger) OpenCounts(ctx context.Context) (Counts, error) {
	var c Counts
	err := l.reader.QueryRowContext(ctx, `SELECT count(DISTINCT runs.id),
			count(CASE WHEN dispatches.state = 'in_doubt' THEN 1 END),
			count(CASE WHEN dispatches.state = 'tracking' THEN 1 END)
		FROM runs LEFT JOIN dispatches ON dispatches.run_id = runs.id
		WHERE runs.finished_at IS NULL`).Scan(&c.Runs, &c.InDoubt, &c.Activities)
	return c, l.judge(ctx, opQuery, "count open runs", err)
}

// HasActivity reports which of a project's activities belong to a dispatch. Ids that do not are
// absent from the map.
func (l *Ledger) HasActivity(ctx context.Context, project string, ids []string) (map[string]bool, error) {
	found := make(map[string]bool, len(ids))
	for chunk := range slices.Chunk(ids, 100) {
		args := []any{project}
		for _, id := range chunk {
			args = append(args, id)
		}
		known, err := collect(ctx, l.reader, scanText,
			`SELECT id FROM activities WHERE project = ? AND id IN (?`+strings.Repeat(", ?", len(chunk)-1)+`)`, args...)
		if err != nil {
			return nil, l.judge(ctx, opQuery, "read activities", err)
		}
		for _, id := range known {
			found[id] = true
		}
	}
	return found, nil
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
	ctx context.Context, db *sql.DB, scan func(scanner) (T, error), query string, args ...any,
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

// where is a conjunction of conditions with their arguments.
type where struct {
	conditions []string
	args       []any
}

func (w where) and(condition string, arg any) where {
	return where{append(w.conditions, condition), append(w.args, arg)}
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
