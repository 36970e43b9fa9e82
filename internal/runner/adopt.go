package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// adopt takes over the runs that an earlier process, or another replica that has died, left open and
// sets them going again. Recorded calls are not sent again; what may have left is looked for; what had
// not left goes on.
func (r *Runner) adopt(ctx context.Context) error {
	left, err := r.Ledger.TakeOver(ctx, r.Lease.Owner(), r.Lease.Exclusive())
	if err != nil {
		return fmt.Errorf("take over open runs: %w", err)
	}
	for _, open := range left {
		r.log.Info().Str("cron", open.Cron).Str("run", open.ID).Str("project", open.Project).
			Str("environment", open.Environment).Str("state", string(open.State)).Msg("run adopted")
		u := r.revive(open)
		r.Metrics.opened(u)
		r.spawn(func() {
			r.execute(ctx, u)
		})
	}
	return nil
}

// adoptions returns how often to look for the runs of replicas that have died: never where there can
// be none, else several times in the life of a lease.
func (r *Runner) adoptions() (ticks <-chan time.Time, stop func()) {
	if r.Aside || r.Lease.Exclusive() {
		return nil, func() {}
	}
	ticker := time.NewTicker(r.Lease.ttl / 6)
	return ticker.C, ticker.Stop
}

// adoptFromDead adopts while the replica runs. One whose own lease is over leaves it to the others,
// and a store that does not work is asked again at the next tick.
func (r *Runner) adoptFromDead(ctx context.Context) {
	if !r.Lease.Valid() {
		return
	}
	if err := r.adopt(ctx); err != nil {
		r.log.Warn().Err(err).Msg("runs of other replicas not looked for")
	}
}

// revive rebuilds a run from its record. A script sees the values it was first judged on.
func (r *Runner) revive(open ledger.OpenRun) *run {
	u := &run{Run: open.Run, recorded: open.Dispatches}
	job := r.Job(open.Cron)
	project := projectOf(job, open.Project)
	if project == nil {
		return u
	}
	// The status stays unknown, so that the environment is read again before anything is sent.
	env := &platform.Environment{ID: open.Environment, Name: open.Environment, Project: open.Project}
	var seen snapshot
	if json.Unmarshal(open.Snapshot, &seen) == nil {
		env.Name, env.MachineName, env.Type = seen.Name, seen.MachineName, seen.Type
		u.variables = seen.Variables
	}
	if job.Script != nil && u.variables == nil {
		return u // the cron was declared when the run began: its record alone is followed
	}
	if job.Script == nil && u.variables != nil {
		return u // the cron was a script then
	}
	u.job = job
	u.due = dueAt(job, open.Slot, open.ScheduledAt, open.Project, open.Environment)
	u.target = plan.Target{Project: project, DefaultBranch: seen.DefaultBranch, Environment: env}
	return u
}

// followRest follows or looks for what an earlier process sent and this one did not ask for again,
// because the cron has changed or left the configuration. Nothing more is sent.
func (r *Runner) followRest(ctx context.Context, u *run) error {
	for _, row := range u.recorded[min(u.replayed, len(u.recorded)):] {
		u.diverged = true
		var lost *verdict
		task, err := tasks.Decode(row.Kind, row.Params)
		if err != nil && (row.State == ledger.DispatchDispatching || row.State == ledger.DispatchInDoubt) {
			lost = &verdict{ledger.Unknown, ledger.InDoubt, "it may have been sent and cannot be looked for: " + err.Error()}
		}
		d := &dispatch{Runner: r, run: u, row: row, inLedger: true, call: plan.Call{
			Task: task, Project: row.Project, Environment: row.Environment,
		}}
		switch {
		case lost != nil:
			_, err = d.end(ctx, *lost)
		case row.State == ledger.DispatchClaimed:
			_, err = d.end(ctx, *gone(whatLeft(r.Job(u.Cron), u.Project)))
		default:
			_, err = d.resume(ctx)
		}
		if err != nil {
			return err
		}
	}
	if u.job == nil && len(u.recorded) == 0 {
		u.note(ledger.Canceled, ledger.NotFound, whatLeft(r.Job(u.Cron), u.Project)+" before anything was sent")
	}
	return nil
}
