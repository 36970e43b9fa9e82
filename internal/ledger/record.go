package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	recordResult = `UPDATE dispatches SET state = ?, status_code = ?, outcome = ?, reason = ?, message = ?,
			exit_status = ?, last = CASE WHEN ? THEN 1 ELSE last END,
			settle_at = coalesce(?, settle_at), answered_at = coalesce(?, answered_at),
			activities = coalesce(?, activities)
		WHERE run_id = ? AND ordinal = ? AND state <> 'done'`

	insertActivity = `INSERT INTO recent_activities (project, id, run_id, ordinal, recorded_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (project, id) DO NOTHING`

	adoptActivity = `UPDATE dispatches SET state = 'tracking', activities = ?
		WHERE run_id = ? AND ordinal = ? AND state IN ('in_doubt', 'dispatching')`

	selectHolder = `SELECT run_id, ordinal FROM recent_activities WHERE project = ? AND id = ?`

	// selectOtherRequest looks among the requests that may go elsewhere than to their run's environment,
	// and among those of the environment's own runs, so that it need not look at all that are open.
	selectOtherRequest = `SELECT 1 FROM dispatches
		WHERE state = 'dispatching' AND dedupe IS NOT NULL
			AND project = ?1 AND environment = ?2 AND NOT (run_id = ?3 AND ordinal = ?4)
			AND EXISTS (SELECT 1 FROM runs WHERE id = run_id AND finished_at IS NULL)
		UNION ALL SELECT 1 FROM runs CROSS JOIN dispatches -- in this order
		WHERE finished_at IS NULL AND runs.project = ?1 AND runs.environment = ?2
			AND run_id = runs.id AND state = 'dispatching' AND dispatches.project = ?1 AND dispatches.environment = ?2
			AND NOT (run_id = ?3 AND ordinal = ?4) LIMIT 1`
)

// Record writes what became of a dispatch that is not done. With state tracking, the activities
// are its own from then on; with another state, they are the last that was seen of those it has.
// The error is ErrNotOwned when the run is not the owner's or is done, or when the dispatch is done
// otherwise.
func (l *Ledger) Record(ctx context.Context, r Result) error {
	return l.write(ctx, opRecord, attempt("record", r.RunID, r.Ordinal), 1, func(s *session) error {
		activities, err := encodeActivities(r.Activities) // here, where in a burst it comes after the requests
		if err != nil {
			return err
		}
		n, err := s.recordResult(recordResult+" AND "+ownedRun, &r, activities, r.RunID, r.Owner)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.mustBe(r.RunID, r.Ordinal, r.Owner, func(d Dispatch) bool {
				return d.State == r.State && d.Outcome == r.Outcome && d.Reason == r.Reason
			})
		}
		if r.State != DispatchTracking {
			return nil // these are the last states of activities that are its own already
		}
		_, err = s.insertActivities(r.RunID, r.Ordinal, r.Activities)
		return err
	})
}

// recordResult runs recordResult, or that with the owner's condition, for which owner is given.
func (s *session) recordResult(query string, r *Result, activities any, runID string, owner ...any) (int64, error) {
	args := []any{string(r.State), r.StatusCode, string(r.Outcome), string(r.Reason), r.Message, r.ExitStatus,
		r.RunTracking, nullMicros(r.SettleAt), nullMicros(r.AnsweredAt), activities, runID, r.Ordinal}
	return s.exec(query, append(args, owner...)...)
}

// insertActivities makes activities a dispatch's, and returns of how many nobody was known before.
func (s *session) insertActivities(runID string, ordinal int, activities []Activity) (inserted int64, err error) {
	for _, a := range activities {
		n, err := s.exec(insertActivity, a.Project, a.ID, runID, ordinal, micros(time.Now()))
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	return inserted, nil
}

// Adopt gives an activity that was found on the platform to a dispatch in doubt, which is tracked
// from then on. It returns false when the activity belongs to another dispatch. The error is
// ErrUndecided while another request to the same environment awaits its answer, which may name it.
func (l *Ledger) Adopt(
	ctx context.Context, runID string, ordinal int, owner string, a Activity,
) (adopted bool, err error) {
	what := attempt("adopt activity "+a.ID+" for", runID, ordinal)
	err = l.write(ctx, opAdopt, what, 1, func(s *session) (err error) {
		adopted, err = s.adopt(runID, ordinal, owner, a)
		return err
	})
	return adopted && err == nil, err
}

func (s *session) adopt(runID string, ordinal int, owner string, a Activity) (bool, error) {
	var d Dispatch
	err := s.mustBe(runID, ordinal, owner, func(found Dispatch) bool {
		d = found
		return d.State == DispatchInDoubt || d.State == DispatchDispatching || d.tracks(a)
	})
	if err != nil || d.State == DispatchTracking || d.tried(a) {
		return err == nil && !d.tried(a), err // if it is tracked already, only the acknowledgement was lost
	}
	holder, n, held := runID, ordinal, true
	err = s.row(selectHolder, a.Project, a.ID).Scan(&holder, &n)
	if errors.Is(err, sql.ErrNoRows) {
		held = false
		err = s.mustBeOnlyRequest(&d)
	}
	if err != nil || holder != runID || n != ordinal {
		return false, err
	}
	if inserted, err := s.insertActivities(runID, ordinal, []Activity{a}); err != nil || !held && inserted == 0 {
		return false, err // another replica has taken it just now
	}
	activities, err := encodeActivities([]Activity{a})
	if err != nil {
		return false, err
	}
	_, err = s.exec(adoptActivity, activities, runID, ordinal)
	return err == nil, err
}

// mustBeOnlyRequest returns ErrUndecided while another request to the dispatch's environment may be
// under way: an activity that is nobody's yet may be that one's.
func (s *session) mustBeOnlyRequest(d *Dispatch) error {
	var found int
	err := s.row(selectOtherRequest, d.Project, d.Environment, d.RunID, d.Ordinal).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	return fmt.Errorf("another request to the environment awaits its answer: %w", ErrUndecided)
}

// tracks reports whether the dispatch is tracked by this activity.
func (d *Dispatch) tracks(a Activity) bool {
	return d.State == DispatchTracking && slices.ContainsFunc(d.Activities, func(own Activity) bool {
		return own.ID == a.ID && own.Project == a.Project
	})
}

func encodeActivities(activities []Activity) (any, error) {
	if len(activities) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(activities)
	return string(text), err
}
