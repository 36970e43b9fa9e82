package runner

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
)

// adopt takes over the runs that an earlier process left open and sets them going again. Recorded
// calls are not sent again; what may have left is looked for; what had not left goes on.
func (r *Runner) adopt(ctx context.Context) error {
	left, err := r.Ledger.TakeOver(ctx, r.Owner, r.Lease.Exclusive())
	if err != nil {
		return fmt.Errorf("take over open runs: %w", err)
	}
	for _, open := range left {
		r.log.Info().Str("cron", open.Cron).Str("run", open.ID).Str("project", open.Project).
			Str("environment", open.Environment).Str("state", string(open.State)).Msg("run adopted")
		u := r.revive(open)
		r.Metrics.opened(u)
		r.spawn(func() {
			if u.job == nil {
				r.orphan(ctx, u)
				return
			}
			r.execute(ctx, u)
		})
	}
	return nil
}

// revive rebuilds a run from its record. A script sees the values it was first judged on.
func (r *Runner) revive(open ledger.OpenRun) *run {
	u := &run{Run: open.Run, recorded: open.Dispatches}
	job, project := r.Job(open.Cron, open.Project)
	if job == nil || project == nil {
		return u
	}
	// The status stays unknown, so that the environment is read again before anything is sent.
	env := &platform.Environment{ID: open.Environment, Name: open.Environment, Project: open.Project}
	var seen snapshot
	if job.Script != nil && json.Unmarshal(open.Snapshot, &seen) == nil {
		env.Name, env.MachineName, env.Type = seen.Name, seen.MachineName, seen.Type
		u.variables = seen.Variables
	}
	if job.Script != nil && u.variables == nil {
		return u // the cron was declared when the run began: its record alone is followed
	}
	if job.Script == nil && len(open.Snapshot) > 0 && string(open.Snapshot) != "null" {
		return u // the cron was a script then
	}
	u.job = job
	u.target = plan.Target{Project: project, DefaultBranch: seen.DefaultBranch, Environment: env}
	return u
}

// orphan brings a run to its end whose cron is not what it was: what was sent is followed or
// looked for, nothing more is asked for.
func (r *Runner) orphan(ctx context.Context, u *run) {
	for _, row := range u.recorded {
		task, err := taskOf(row)
		if err != nil {
			u.note(ledger.Canceled, ledger.NotFound, err.Error())
			continue
		}
		d := &dispatch{Runner: r, run: u, row: row, inLedger: true, call: plan.Call{
			Task: task, Project: row.Project, Environment: row.Environment,
		}}
		u.calls = row.Ordinal + 1
		if row.State == ledger.DispatchClaimed {
			_, err = d.end(ctx, verdict{ledger.Canceled, ledger.NotFound, "its cron left the configuration before it was sent"})
		} else {
			_, err = d.replay(ctx, row)
		}
		if err != nil {
			r.event(r.log.Info(), u).Err(err).Msg("run left open")
			return
		}
	}
	if len(u.recorded) == 0 {
		u.note(ledger.Canceled, ledger.NotFound, "its cron left the configuration before anything was sent")
	}
	r.completeRun(ctx, u)
}
