package ledger

import (
	"encoding/json"
	"fmt"
)

// The columns that each scan function reads, in its order.
const (
	fireColumns = `id, cron, project, slot, scheduled_at, claimed_at, owner, open_runs, outcome, reason, message,
		targets, not_run, missed_from, missed_count`

	// A run's state follows from its dispatches, so that moving a dispatch does not also write to
	// its run.
	runColumns = `id, fire_id, cron, project, environment, slot, scheduled_at, start_deadline, deadline, claimed_at,
		finished_at, CASE
			WHEN finished_at IS NOT NULL THEN 'done'
			WHEN tracking = 1 OR EXISTS (SELECT 1 FROM dispatches WHERE run_id = runs.id AND last = 1) THEN 'tracking'
			WHEN EXISTS (SELECT 1 FROM dispatches WHERE run_id = runs.id) THEN 'running'
			ELSE 'claimed' END,
		outcome, reason, message, owner, lane, snapshot`

	dispatchColumns = `run_id, ordinal, state, kind, params, project, environment, dedupe, attempts, sent_at, settle_at,
		status_code, outcome, reason, message, exit_status, activities, command_line,
		earlier, retry_at, answered_at`
)

func scanFire(row scanner) (Fire, error) {
	var f Fire
	var scheduled, claimed, missed stamp
	var open int
	var notRun []byte
	err := row.Scan(&f.ID, &f.Cron, &f.Project, &f.Slot, &scheduled, &claimed, &f.Owner, &open, &f.Outcome, &f.Reason,
		&f.Message, &f.Targets, &notRun, &missed, &f.MissedCount)
	if err != nil {
		return Fire{}, err
	}
	f.ScheduledAt, f.ClaimedAt, f.MissedFrom = scheduled.Time, claimed.Time, missed.Time
	if open > 0 {
		f.Outcome, f.Reason = "", ""
	}
	return f, decode("not_run", notRun, &f.NotRun)
}

func scanRun(row scanner) (Run, error) {
	var u Run
	var scheduled, startDeadline, deadline, claimed, finished stamp
	var lane string
	var snapshot []byte
	err := row.Scan(&u.ID, &u.FireID, &u.Cron, &u.Project, &u.Environment, &u.Slot, &scheduled, &startDeadline,
		&deadline, &claimed, &finished, &u.State, &u.Outcome, &u.Reason, &u.Message, &u.Owner, &lane, &snapshot)
	if err != nil {
		return Run{}, err
	}
	u.ScheduledAt, u.StartDeadline, u.Deadline = scheduled.Time, startDeadline.Time, deadline.Time
	u.ClaimedAt, u.FinishedAt = claimed.Time, finished.Time
	u.Exclusive, u.Snapshot = lane == "", snapshot
	return u, nil
}

func scanDispatch(row scanner) (Dispatch, error) {
	var d Dispatch
	var sent, settle, retry, answered stamp
	var params, dedupe, activities, commandLine, earlier []byte
	err := row.Scan(&d.RunID, &d.Ordinal, &d.State, &d.Kind, &params, &d.Project, &d.Environment, &dedupe, &d.Attempts,
		&sent, &settle, &d.StatusCode, &d.Outcome, &d.Reason, &d.Message, &d.ExitStatus, &activities, &commandLine,
		&earlier, &retry, &answered)
	if err != nil {
		return Dispatch{}, err
	}
	d.Params, d.Dedupe = params, string(dedupe)
	d.SentAt, d.SettleAt, d.AnsweredAt, d.RetryAt = sent.Time, settle.Time, answered.Time, retry.Time
	if err := decode("activities", activities, &d.Activities); err != nil {
		return Dispatch{}, err
	}
	if err := decode("earlier", earlier, &d.Earlier); err != nil {
		return Dispatch{}, err
	}
	return d, decode("command_line", commandLine, &d.CommandLine)
}

func decode(column string, text []byte, into any) error {
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("column %s: %w", column, err)
	}
	return nil
}
