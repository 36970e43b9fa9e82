package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unfinished says that a run which is looked for by its id is open. PostgreSQL's statistics know of next to
// none that are: told so in the words of their index, it would read all of them for each.
const unfinished = `coalesce(runs.finished_at, 0) = 0`

// ownedRun is the condition under which a dispatch may be moved: its run is open and the owner's,
// and stays so until that is on the disk.
const ownedRun = `EXISTS (SELECT 1 FROM runs WHERE runs.id = dispatches.run_id AND runs.owner = ?
		AND ` + unfinished + ` {share})`

// intending begins the statements that write an intent.
const intending = `UPDATE dispatches
		SET state = 'dispatching', attempts = attempts + 1, sent_at = ?, settle_at = ?, answered_at = NULL `

// intendFirst intends the first dispatches of as many runs as are written together.
var intendFirst = intending + `WHERE run_id IN (?` + strings.Repeat(", ?", together-1) + `) AND ordinal = 0 AND state = 'claimed' AND ` + ownedRun

const (
	// insertDispatch takes the slot from the run, and inserts nothing when the run is not the
	// owner's or is done. It hits a unique key in two cases: the dispatch was begun before, or
	// another run of the slot has its dedupe key.
	insertDispatch = `INSERT INTO dispatches (run_id, slot, ` + dispatchInserted + `)
		SELECT runs.id, runs.slot, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
		FROM runs WHERE runs.id = ? AND runs.owner = ? AND ` + unfinished + ` {share}
		ON CONFLICT DO NOTHING`

	intendDispatch = intending + `WHERE run_id = ? AND ordinal = ? AND state = 'claimed' AND ` + ownedRun

	returnDispatch = `UPDATE dispatches SET state = 'claimed', message = ?
		WHERE run_id = ? AND ordinal = ? AND state IN ('dispatching', 'in_doubt') AND ` + ownedRun

	selectDispatch = `SELECT ` + dispatchColumns + ` FROM dispatches WHERE run_id = ? AND ordinal = ?`
)

// Begin writes a dispatch in state claimed; its run is running then. When another run of the
// slot has asked for the same (Dispatch.Dedupe), the row is written as done, skipped as a
// duplicate. A row that exists already is returned as it stands, for replay. The error is
// ErrNotOwned when the run is not the owner's or is done.
func (l *Ledger) Begin(ctx context.Context, d Dispatch, owner string) (BeginResult, error) {
	return l.begin(ctx, d.claimed(), owner, func(s *session, old Dispatch) (Dispatch, error) { return old, nil })
}

// BeginAndIntend is Begin and Intend in one: the dispatch is written in state dispatching, so its
// request may leave when this returns without an error, unless the result says Duplicate. A row
// that exists already is intended if it is in state claimed; else the error is ErrNotOwned,
// because its request may have left, and the result has the row.
func (l *Ledger) BeginAndIntend(
	ctx context.Context, d Dispatch, owner string, at, settleAt time.Time,
) (BeginResult, error) {
	d = d.intended(at, settleAt)
	return l.begin(ctx, d, owner, func(s *session, old Dispatch) (Dispatch, error) {
		if !sameRequest(old, d) {
			return old, fmt.Errorf("it is recorded as another request: %w", ErrNotOwned)
		}
		ok, err := s.intend(d.RunID, d.Ordinal, owner, at, settleAt)
		if err != nil {
			return old, err
		}
		if !ok {
			return old, fmt.Errorf("its state is %s: %w", old.State, ErrNotOwned)
		}
		return scanDispatch(s.row(selectDispatch, d.RunID, d.Ordinal))
	})
}

// claimed is a dispatch as it is written before anything of it may leave.
func (d Dispatch) claimed() Dispatch {
	d.State, d.Attempts, d.SentAt, d.SettleAt = DispatchClaimed, 0, time.Time{}, time.Time{}
	return d
}

// intended is a dispatch that is written together with the intent to send it.
func (d Dispatch) intended(at, settleAt time.Time) Dispatch {
	d.State, d.Attempts, d.SentAt, d.SettleAt = DispatchDispatching, 1, stored(at), stored(settleAt)
	return d
}

func sameRequest(a, b Dispatch) bool {
	return a.Kind == b.Kind && a.Project == b.Project && a.Environment == b.Environment &&
		string(a.Params) == string(b.Params)
}

// begin inserts the dispatch. A row that is there already goes through replay, unless it ended as
// a duplicate.
func (l *Ledger) begin(
	ctx context.Context, d Dispatch, owner string, replay func(*session, Dispatch) (Dispatch, error),
) (BeginResult, error) {
	var res BeginResult
	err := l.write(ctx, opBegin, attempt("begin", d.RunID, d.Ordinal), 1, func(s *session) (err error) {
		res = BeginResult{Dispatch: d}
		inserted, err := s.insertDispatch(&d, owner)
		if inserted || err != nil {
			return err
		}
		if err := s.mustOwn(d.RunID, owner); err != nil {
			return err
		}
		old, err := scanDispatch(s.row(selectDispatch, d.RunID, d.Ordinal))
		if err == nil {
			res.Replayed = true
			res.Duplicate = old.State == DispatchDone && old.Reason == Duplicate
			if res.Dispatch = old; res.Duplicate {
				return nil
			}
			res.Dispatch, err = replay(s, old)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		res.Dispatch, res.Duplicate = duplicate(d), true
		_, err = s.insertDispatch(&res.Dispatch, owner)
		return err
	})
	return res, err
}

// dispatchInserted are the columns of a dispatch that is inserted, but for its run's.
const dispatchInserted = `ordinal, state, kind, params, project, environment, dedupe, attempts, sent_at, settle_at,
	outcome, reason, message, command_line, status_code, exit_status, last, activities`

func (s *session) insertDispatch(d *Dispatch, owner string) (bool, error) {
	values, err := d.values(nil)
	if err != nil {
		return false, err
	}
	n, err := s.exec(insertDispatch, append(values, d.RunID, owner)...)
	return n == 1, err
}

// values appends what belongs into dispatchInserted. The last four of its columns say that nothing
// has come of it yet.
func (d *Dispatch) values(list []any) ([]any, error) {
	commandLine, err := encodeList(d.CommandLine)
	return append(list, d.Ordinal, string(d.State), d.Kind, nullText(d.Params), d.Project, d.Environment,
		nullText(d.Dedupe), d.Attempts, nullMicros(d.SentAt), nullMicros(d.SettleAt),
		string(d.Outcome), string(d.Reason), d.Message, commandLine, 0, 0, 0, nil), err
}

// duplicate is a dispatch that ends because another run's dispatch asks for the same.
func duplicate(d Dispatch) Dispatch {
	d.State, d.Outcome, d.Reason = DispatchDone, Skipped, Duplicate
	d.Message = "another run of this fire asked for the same operation"
	d.Dedupe, d.Attempts, d.SentAt, d.SettleAt = "", 0, time.Time{}, time.Time{}
	return d
}

// mustOwn returns ErrNotOwned unless the run is open and the owner's.
func (s *session) mustOwn(runID, owner string) error {
	var found int
	err := s.row(`SELECT 1 FROM runs WHERE id = ? AND owner = ? AND `+unfinished+` {share}`, runID, owner).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("the run is done or another replica's: %w", ErrNotOwned)
	}
	return err
}

// Intend commits the intent to send a dispatch that is in state claimed, of an open run that is
// the owner's: after it returns true, the request may leave. It may be repeated with the same
// times after an error.
func (l *Ledger) Intend(
	ctx context.Context, runID string, ordinal int, owner string, at, settleAt time.Time,
) (ok bool, err error) {
	err = l.write(ctx, opIntend, attempt("intend", runID, ordinal), 1, func(s *session) (err error) {
		ok, err = s.intend(runID, ordinal, owner, at, settleAt)
		return err
	})
	return ok && err == nil, err
}

// IntendFirst is Intend for the first dispatches of several runs, with few statements. It says of each run,
// in the same order, whether the request of its dispatch may leave.
func (l *Ledger) IntendFirst(
	ctx context.Context, runs []string, owner string, at, settleAt time.Time,
) (may []bool, err error) {
	may = make([]bool, len(runs))
	apart := func(s *session) (err error) {
		for i, id := range runs {
			if may[i], err = s.intend(id, 0, owner, at, settleAt); err != nil {
				return err
			}
		}
		return nil
	}
	err = l.ask(ctx, opIntend, "intend first dispatches", &request{
		weight: len(runs), ahead: true, apart: apart,
		do: func(s *session) error {
			for i := range may {
				may[i] = true
			}
			return s.intendFirst(runs, owner, at, settleAt)
		},
	})
	return may, err
}

// intendFirst is errApart unless all of them can be intended.
func (s *session) intendFirst(runs []string, owner string, at, settleAt time.Time) error {
	for chunk := range slices.Chunk(runs, together) {
		args := append(s.list[:0], micros(at), micros(settleAt))
		for i := range together {
			args = append(args, chunk[min(i, len(chunk)-1)]) // the last one more than once
		}
		s.list = append(args, owner)
		n, err := s.change(int64(len(chunk)), intendFirst, s.list...)
		if err != nil {
			return err
		}
		if int(n) != len(chunk) {
			return errApart
		}
	}
	return nil
}

func (s *session) intend(runID string, ordinal int, owner string, at, settleAt time.Time) (bool, error) {
	n, err := s.exec(intendDispatch, micros(at), micros(settleAt), runID, ordinal, owner)
	if n == 1 || err != nil {
		return n == 1, err
	}
	// The same intent may have been written before, and only its acknowledgement lost. Its time,
	// to the microsecond, and its owner tell it from any other.
	var same int
	err = s.row(`SELECT 1 FROM dispatches WHERE run_id = ? AND ordinal = ? AND state = 'dispatching'
		AND sent_at = ? AND settle_at = ? AND `+ownedRun,
		runID, ordinal, micros(at), micros(settleAt), owner).Scan(&same)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Return takes a dispatch back to claimed: its request certainly did not execute, or it is to be
// sent again although it may have.
func (l *Ledger) Return(ctx context.Context, runID string, ordinal int, owner, message string) error {
	return l.write(ctx, opReturn, attempt("return", runID, ordinal), 1, func(s *session) error {
		n, err := s.exec(returnDispatch, message, runID, ordinal, owner)
		if n == 1 || err != nil {
			return err
		}
		return s.mustBe(runID, ordinal, owner, func(d Dispatch) bool { return d.State == DispatchClaimed })
	})
}

// mustBe returns nil when the dispatch already is what it was to become, of an open run that is
// the owner's, else ErrNotOwned.
func (s *session) mustBe(runID string, ordinal int, owner string, there func(Dispatch) bool) error {
	if err := s.mustOwn(runID, owner); err != nil {
		return err
	}
	d, err := scanDispatch(s.row(selectDispatch, runID, ordinal))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("no such dispatch: %w", ErrNotOwned)
	case err != nil:
		return err
	case !there(d):
		return fmt.Errorf("its state is %s: %w", d.State, ErrNotOwned)
	default:
		return nil
	}
}

// attempt says in an error what was to be done with a dispatch.
func attempt(verb, runID string, ordinal int) string {
	return verb + " dispatch " + strconv.Itoa(ordinal) + " of run " + runID
}

func encodeList(list []string) (any, error) {
	if len(list) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}
