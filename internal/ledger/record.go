package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

const (
	recordResult = `UPDATE dispatches SET state = ?, status_code = ?, outcome = ?, reason = ?, message = ?,
			exit_status = ?, last = CASE WHEN ? THEN 1 ELSE last END,
			settle_at = coalesce(?, settle_at), activities = coalesce(?, activities)
		WHERE run_id = ? AND ordinal = ? AND state <> 'done'`

	insertActivity = `INSERT INTO activities (project, id, run_id, ordinal) VALUES (?, ?, ?, ?)
		ON CONFLICT (project, id) DO NOTHING`

	adoptActivity = `UPDATE dispatches SET state = 'tracking', activities = ?
		WHERE run_id = ? AND ordinal = ? AND state IN ('in_doubt', 'dispatching')`
)

// Record writes what became of a dispatch that is not done. With state tracking, the activities
// are its own from then on; with another state, they are the last that was seen of those it has.
// The error is ErrNotOwned when the run is not the owner's or is done, or when the dispatch is done
// otherwise.
func (l *Ledger) Record(ctx context.Context, r Result) error {
	activities, err := encodeActivities(r.Activities)
	if err != nil {
		return fmt.Errorf("%s: %w", attempt("record", r.RunID, r.Ordinal), err)
	}
	return l.write(ctx, opRecord, attempt("record", r.RunID, r.Ordinal), 1, func(s *session) error {
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
		return s.insertActivities(r.RunID, r.Ordinal, r.Activities)
	})
}

// recordResult runs recordResult, or that with the owner's condition, for which owner is given.
func (s *session) recordResult(query string, r *Result, activities any, runID string, owner ...any) (int64, error) {
	args := []any{string(r.State), r.StatusCode, string(r.Outcome), string(r.Reason), r.Message, r.ExitStatus,
		r.RunTracking, nullMicros(r.SettleAt), activities, runID, r.Ordinal}
	return s.exec(query, append(args, owner...)...)
}

func (s *session) insertActivities(runID string, ordinal int, activities []Activity) error {
	for _, a := range activities {
		if _, err := s.exec(insertActivity, a.Project, a.ID, runID, ordinal); err != nil {
			return err
		}
	}
	return nil
}

// Adopt gives an activity that was found on the platform to a dispatch in doubt, which is tracked
// from then on. It returns false when the activity belongs to another dispatch.
func (l *Ledger) Adopt(
	ctx context.Context, runID string, ordinal int, owner string, a Activity,
) (adopted bool, err error) {
	activities, err := encodeActivities([]Activity{a})
	if err != nil {
		return false, fmt.Errorf("adopt activity %s: %w", a.ID, err)
	}
	err = l.write(ctx, opAdopt, attempt("adopt activity "+a.ID+" for", runID, ordinal), 1, func(s *session) (err error) {
		adopted = false
		repeated := false
		err = s.mustBe(runID, ordinal, owner, func(d Dispatch) bool {
			repeated = d.State == DispatchTracking && slices.ContainsFunc(d.Activities, a.is)
			return repeated || d.State == DispatchInDoubt || d.State == DispatchDispatching
		})
		if err != nil || repeated {
			adopted = repeated
			return err
		}
		if err := s.insertActivities(runID, ordinal, []Activity{a}); err != nil {
			return err
		}
		holder, n := "", 0
		err = s.row(`SELECT run_id, ordinal FROM activities WHERE project = ? AND id = ?`,
			a.Project, a.ID).Scan(&holder, &n)
		if err != nil || holder != runID || n != ordinal {
			return err
		}
		adopted = true
		_, err = s.exec(adoptActivity, activities, runID, ordinal)
		return err
	})
	return adopted && err == nil, err
}

func (a Activity) is(b Activity) bool { return a.ID == b.ID && a.Project == b.Project }

// UpdateActivities writes the state and result in which activities were seen. Those that the
// ledger does not know are passed over.
func (l *Ledger) UpdateActivities(ctx context.Context, seen []Activity) error {
	return l.write(ctx, opActivities, "update activities", len(seen), func(s *session) error {
		for _, a := range seen {
			if err := s.updateActivity(a); err != nil {
				return fmt.Errorf("activity %s: %w", a.ID, err)
			}
		}
		return nil
	})
}

func (s *session) updateActivity(seen Activity) error {
	var runID string
	var ordinal int
	var text []byte
	err := s.row(`SELECT dispatches.run_id, dispatches.ordinal, dispatches.activities FROM activities
		JOIN dispatches ON dispatches.run_id = activities.run_id AND dispatches.ordinal = activities.ordinal
		WHERE activities.project = ? AND activities.id = ?`, seen.Project, seen.ID).Scan(&runID, &ordinal, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	var activities []Activity
	if err := decode("activities", text, &activities); err != nil {
		return err
	}
	for i := range activities {
		if activities[i].is(seen) {
			activities[i].State, activities[i].Result = seen.State, seen.Result
		}
	}
	encoded, err := encodeActivities(activities)
	if err != nil {
		return err
	}
	_, err = s.exec(`UPDATE dispatches SET activities = ? WHERE run_id = ? AND ordinal = ?`, encoded, runID, ordinal)
	return err
}

func encodeActivities(activities []Activity) (any, error) {
	if len(activities) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(activities)
	return string(text), err
}
