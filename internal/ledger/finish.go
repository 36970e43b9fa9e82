package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	finishRun = `UPDATE runs SET outcome = ?, reason = ?, message = ?, finished_at = ?
		WHERE id = ? AND owner = ? AND ` + unfinished

	raiseTarget = `INSERT INTO targets (cron, project, environment, last_scheduled_at, last_success_at)
		SELECT cron, project, environment, scheduled_at, ? FROM runs WHERE id = ?
		ON CONFLICT (cron, project, environment) DO UPDATE SET
			last_scheduled_at = CASE WHEN excluded.last_scheduled_at > targets.last_scheduled_at
				THEN excluded.last_scheduled_at ELSE targets.last_scheduled_at END,
			last_success_at = CASE WHEN targets.last_success_at IS NULL
					OR excluded.last_success_at > targets.last_success_at
				THEN excluded.last_success_at ELSE targets.last_success_at END`

	// finishFire counts one run as over and keeps the worst outcome; of equals the first.
	finishFire = `UPDATE fires SET open_runs = open_runs - 1,
			outcome  = CASE WHEN ?1 > severity THEN ?2 ELSE outcome END,
			reason   = CASE WHEN ?1 > severity THEN ?3 ELSE reason END,
			message  = CASE WHEN ?1 > severity THEN ?4 ELSE message END,
			severity = CASE WHEN ?1 > severity THEN ?1 ELSE severity END
		WHERE (slot, cron, project) = (SELECT slot, cron, project FROM runs WHERE id = ?5)`

	// selectFinished is a statement of its own: SQLite's RETURNING costs more than both.
	selectFinished = `SELECT open_runs, outcome, reason FROM fires
		WHERE (slot, cron, project) = (SELECT slot, cron, project FROM runs WHERE id = ?)`
)

// Finish ends a run together with dispatches that end with it. When it was its fire's last open
// run, the fire gets its outcome, the worst of its runs. The error is ErrNotOwned when the run is
// not the owner's or is done; the very same end may be written again after an error.
func (l *Ledger) Finish(ctx context.Context, f Finish) (Finished, error) {
	if f.Outcome.severity() == 0 {
		return Finished{}, fmt.Errorf("finish run %s: %q is not an outcome", f.RunID, f.Outcome)
	}
	if f.At.IsZero() {
		f.At = time.Now()
	}
	var res Finished
	err := l.write(ctx, opFinish, "finish run "+f.RunID, 1+len(f.Dispatches), func(s *session) (err error) {
		res, err = s.finish(&f)
		return err
	})
	return res, err
}

func (s *session) finish(f *Finish) (Finished, error) {
	n, err := s.exec(finishRun, string(f.Outcome), string(f.Reason), f.Message, micros(f.At), f.RunID, f.Owner)
	if err != nil {
		return Finished{}, err
	}
	if n == 0 {
		return s.refinish(f)
	}
	for i := range f.Dispatches {
		if err := s.finishDispatch(f.RunID, &f.Dispatches[i]); err != nil {
			return Finished{}, err
		}
	}
	success := any(nil)
	if f.Outcome == Succeeded {
		success = micros(f.At)
	}
	if _, err := s.exec(raiseTarget, success, f.RunID); err != nil {
		return Finished{}, err
	}
	_, err = s.exec(finishFire, f.Outcome.severity(), string(f.Outcome), string(f.Reason), f.Message, f.RunID)
	if err != nil {
		return Finished{}, err
	}
	return s.finished(f.RunID)
}

// finished reads what has become of a run's fire.
func (s *session) finished(runID string) (Finished, error) {
	var res Finished
	var open int
	if err := s.row(selectFinished, runID).Scan(&open, &res.Outcome, &res.Reason); err != nil {
		return Finished{}, fmt.Errorf("its fire: %w", err)
	}
	if open > 0 {
		return Finished{}, nil
	}
	res.FireDone = true
	return res, nil
}

func (s *session) finishDispatch(runID string, r *Result) error {
	activities, err := encodeActivities(r.Activities)
	if err != nil {
		return err
	}
	_, err = s.recordResult(recordResult, r, activities, runID)
	return err
}

// refinish answers when the run was not open: the same end may have been written before, and only
// its acknowledgement lost.
func (s *session) refinish(f *Finish) (Finished, error) {
	u, err := scanRun(s.row(`SELECT `+runColumns+` FROM runs WHERE id = ?`, f.RunID))
	if errors.Is(err, sql.ErrNoRows) {
		return Finished{}, fmt.Errorf("no such run: %w", ErrNotOwned)
	} else if err != nil {
		return Finished{}, err
	}
	same := u.State == RunDone && u.Owner == f.Owner && u.FinishedAt.Equal(stored(f.At)) &&
		u.Outcome == f.Outcome && u.Reason == f.Reason
	if !same {
		return Finished{}, fmt.Errorf("the run is done or another replica's: %w", ErrNotOwned)
	}
	return s.finished(f.RunID)
}

// Track moves an open run to tracking: all its calls are made.
func (l *Ledger) Track(ctx context.Context, runID, owner string) error {
	return l.write(ctx, opTrack, "track run "+runID, 1, func(s *session) error {
		n, err := s.exec(`UPDATE runs SET tracking = 1 WHERE id = ? AND owner = ? AND `+unfinished, runID, owner)
		if n == 0 && err == nil {
			return fmt.Errorf("the run is done or another replica's: %w", ErrNotOwned)
		}
		return err
	})
}
