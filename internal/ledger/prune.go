package ledger

import (
	"context"
	"time"
)

// keepClaims is how long a claim is kept whatever the retention: its keys must outlive everything
// that may still ask whether its slot was taken.
const keepClaims = 48 * time.Hour

// selectPrunable reads the keys of fires of one severity that may go, oldest first. The newest fire
// of a cron on a project, which its watermark names, stays.
const selectPrunable = `SELECT slot, cron, project, id FROM fires
		WHERE severity = ? AND scheduled_at < ? AND open_runs = 0 AND claimed_at < ?
			AND NOT EXISTS (SELECT 1 FROM schedules WHERE schedules.cron = fires.cron
				AND schedules.project = fires.project AND schedules.watermark = fires.scheduled_at)
		ORDER BY scheduled_at LIMIT ?`

const (
	selectOldestOpen = `SELECT min(claimed_at) FROM runs WHERE finished_at IS NULL`

	forgetActivities = `DELETE FROM recent_activities WHERE (project, id) IN
		(SELECT project, id FROM recent_activities WHERE recorded_at < ? ORDER BY recorded_at LIMIT ?)`
)

// Prune deletes at most limit fires, with all that followed from them, and recent activities that are
// not needed any more, and returns how many of both; call it again while it returns limit. Deleted are
// fires scheduled before the given time, if they succeeded or were skipped, and the others if they were
// scheduled before keepFailuresBefore.
//
// It never deletes an open fire, a claim of the last 48 hours, or the newest scheduled fire of a
// cron on a project.
func (l *Ledger) Prune(ctx context.Context, before, keepFailuresBefore time.Time, limit int) (int, error) {
	claimed := time.Now().Add(-keepClaims)
	if before.After(claimed) {
		before = claimed
	}
	var n int
	err := l.write(ctx, opPrune, "prune", groupLimit, func(s *session) error {
		forgotten, err := s.forget(limit)
		if err != nil {
			return err
		}
		fires, err := s.prunable(before, claimed, keepFailuresBefore, limit-forgotten)
		if err != nil {
			return err
		}
		for _, f := range fires {
			if err := s.deleteFire(f); err != nil {
				return err
			}
		}
		n = forgotten + len(fires)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (s *session) prunable(before, claimed, failures time.Time, limit int) ([]Fire, error) {
	var fires []Fire
	scan := func(row scanner) error {
		var f Fire
		err := row.Scan(&f.Slot, &f.Cron, &f.Project, &f.ID)
		fires = append(fires, f)
		return err
	}
	for severity := Succeeded.severity(); severity <= Failed.severity(); severity++ {
		if severity > benign && failures.Before(before) {
			before = failures
		}
		err := s.each(selectPrunable, []any{severity, micros(before), micros(claimed), limit - len(fires)}, scan)
		if err != nil || len(fires) == limit {
			return fires, err
		}
	}
	return fires, nil
}

func (s *session) deleteFire(f Fire) error {
	var runs []string
	err := s.each(`SELECT id FROM runs WHERE fire_id = ?`, []any{f.ID}, func(row scanner) error {
		id, err := scanText(row)
		runs = append(runs, id)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range runs {
		if err := s.deleteRun(id); err != nil {
			return err
		}
	}
	_, err = s.exec(`DELETE FROM fires WHERE slot = ? AND cron = ? AND project = ?`, f.Slot, f.Cron, f.Project)
	return err
}

func (s *session) deleteRun(id string) error {
	for _, statement := range []string{
		`DELETE FROM dispatches WHERE run_id = ?`, `DELETE FROM resolutions WHERE run_id = ?`, `DELETE FROM runs WHERE id = ?`,
	} {
		if _, err := s.exec(statement, id); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes at most limit of the recent activities that nobody can ask for any more, and returns
// how many. Whoever asks whose an activity is has a request in doubt, which left after its run was
// claimed and before the activity was recorded.
func (s *session) forget(limit int) (int, error) {
	needed := time.Now()
	var oldest stamp
	if err := s.row(selectOldestOpen).Scan(&oldest); err != nil {
		return 0, err
	}
	if !oldest.IsZero() && oldest.Before(needed) {
		needed = oldest.Time
	}
	n, err := s.exec(forgetActivities, micros(needed.Add(-clockStep)), limit)
	return int(n), err
}
