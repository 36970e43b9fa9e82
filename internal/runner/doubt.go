package runner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// clockMargin is how far the platform's stamp of an activity may lie before our own stamp of its
// request: the Date header by which the clocks are compared has a resolution of one second.
const clockMargin = 2 * time.Second

// doubt records that a request may have executed, then looks for what it left behind.
func (d *dispatch) doubt(ctx context.Context, cause *platform.Error) (int, error) {
	d.doubts++
	d.heard(cause.StatusCode)
	switch settled := time.Now().Add(d.Timing.Settle); {
	case cause == errInterrupted:
	case cause.StatusCode != 0, settled.After(d.row.SettleAt):
		// The platform did answer, or the request is over; only its effect has to settle.
		d.row.SettleAt = settled
	}
	res := d.result(ledger.DispatchInDoubt, verdict{message: cause.Error()})
	res.SettleAt = d.row.SettleAt
	if err := d.persist(ctx, "record doubt", func() error { return d.Ledger.Record(ctx, res) }); err != nil {
		return 1, err
	}
	d.event(d.log.Warn(), d.run).Str("task", d.row.Kind).Err(cause).Msg("request in doubt")
	return d.resolve(ctx)
}

// resolve asks the witness until it testifies or the settle time is over. An activity that is
// found is adopted. When nothing is found, the request is not repeated, unless the task is
// repeatable by nature or the cron asks for it.
func (d *dispatch) resolve(ctx context.Context) (int, error) {
	found, err := d.investigate(ctx)
	switch {
	case err != nil:
		return 1, err
	case found == nil:
		return d.unproven(ctx)
	case len(found.activities) == 0:
		d.Metrics.resolved("adopted")
		return d.end(ctx, verdict{ledger.Succeeded, "", "the environment is in the state that was asked for"})
	default:
		d.Metrics.resolved("adopted")
		d.event(d.log.Info(), d.run).Str("task", d.row.Kind).Str("activity", found.activities[0].ID).Msg("activity adopted")
		return d.follow(ctx, found.activities)
	}
}

// investigate returns the evidence that the request executed, or nil when it was looked for in
// vain until the settle time was over. It ends with errResolved when the run is closed by hand.
func (d *dispatch) investigate(ctx context.Context) (*evidence, error) {
	ctx, release := d.untilResolved(ctx, d.run.ID)
	defer release()
	for wait := d.backoff(); ; {
		seen, err := d.testimony(ctx)
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if errors.Is(err, ledger.ErrNotOwned) {
			return nil, err
		}
		if err != nil {
			d.event(d.log.Warn(), d.run).Err(err).Msg("witness not asked")
		}
		if seen != nil {
			return seen, nil
		}
		now := time.Now()
		settled := now.After(d.row.SettleAt.Add(d.clockDifference()))
		if settled && errors.Is(err, platform.ErrNotFound) {
			d.gone = true
			return nil, nil
		}
		if err == nil && settled || now.After(d.run.Deadline) {
			return nil, nil
		}
		if settled {
			wait.max = d.Timing.PollMax // the platform is away, perhaps for hours and for many
		}
		if err := d.pause(ctx, wait.step()); err != nil {
			return nil, err
		}
	}
}

// unproven ends a doubt for which no evidence turned up.
func (d *dispatch) unproven(ctx context.Context) (int, error) {
	if id := d.madeBackup(ctx); id != "" {
		d.Metrics.resolved("adopted")
		return d.end(ctx, verdict{ledger.Succeeded, "", "backup " + id + " was made since, and its activity is not shown"})
	}
	if d.redispatches() && !d.gone && d.late(time.Now(), verdict{}) == nil {
		d.Metrics.resolved("redispatched")
		if err := d.withdraw(ctx, "not found after its settle time, sent again"); err != nil {
			return 1, err
		}
		d.inLedger, d.waited = true, true
		return d.carry(ctx)
	}
	if d.row.StatusCode/100 == 2 {
		d.Metrics.resolved("accepted")
		return d.end(ctx, verdict{ledger.Succeeded, "", "the platform accepted it; its answer was unreadable and no activity is found"})
	}
	d.Metrics.resolved("unknown")
	return d.end(ctx, verdict{ledger.Unknown, ledger.InDoubt, "the answer was lost and no trace of the request is found; it was not sent again"})
}

// backupLasts is more than a backup takes.
const backupLasts = 6 * time.Hour

// madeBackup is the second witness of a backup: it returns the newest manual one that was made since the request was
// sent and is of no activity that the platform shows, "" when there is none or that cannot be known.
func (d *dispatch) madeBackup(ctx context.Context) (id string) {
	if d.row.Kind != backupKind {
		return ""
	}
	client, err := d.client(d.call.Project)
	if err != nil {
		return ""
	}
	backups, err := client.Backups(ctx, d.call.Project, d.call.Environment)
	if err != nil {
		return ""
	}
	since := d.row.SentAt.Add(client.ClockOffset())
	// After the backups, so that whatever made them is shown.
	shown, err := client.Activities(ctx, d.call.Project, d.call.Environment, platform.ActivityQuery{
		Types: []string{backupActivity}, Since: since.Add(-backupLasts), Count: 1 + others, MaxPages: 15,
	})
	if err != nil {
		return ""
	}
	made := map[string]bool{}
	for _, a := range shown {
		if !a.Done() || a.BackupName == "" && a.Result == "success" {
			return "" // it does not say which one is its
		}
		made[a.BackupName] = true
	}
	for _, b := range backups {
		if b.MadeByHand(since) && !made[b.ID] {
			return b.ID
		}
	}
	return ""
}

// doubtful returns how a dispatch ends. One whose request was to be sent again and could not be is still
// in doubt, whatever kept the repetition: the first request may have executed.
func (d *dispatch) doubtful(v verdict) verdict {
	j := d.run.job
	repeats := j != nil && (j.InDoubt == job.InDoubtRedispatch || d.call.Task.Kind().Repeatable)
	if d.doubts == 0 || !repeats || v.outcome == ledger.Succeeded || v.outcome == ledger.Unknown {
		return v
	}
	return verdict{ledger.Unknown, ledger.InDoubt, "the answer was lost and no trace of the request is found; it was not sent again: " + v.message}
}

// evidence is what a witness saw.
type evidence struct {
	activities []ledger.Activity // the adopted one; none when the state itself is the proof
}

// testimony asks the task's witness: an activity of its type by our user since the request was
// sent, or the state that it leads to, in which nothing is left to ask for. An activity counts only once it is adopted, for one that
// belongs to another dispatch, or may, proves nothing here.
func (d *dispatch) testimony(ctx context.Context) (*evidence, error) {
	client, err := d.client(d.call.Project)
	if err != nil {
		return nil, err
	}
	witness := tasks.WitnessOf(d.call.Task)
	if len(witness.Activities) > 0 {
		candidates, err := d.candidates(ctx, client, witness.Activities)
		if err != nil {
			return nil, err
		}
		for _, a := range candidates {
			activity := toLedger(a, d.call.Project)
			adopted, err := d.Ledger.Adopt(ctx, d.row.RunID, d.row.Ordinal, d.run.Owner, activity)
			if err != nil {
				return nil, err
			}
			if adopted {
				return &evidence{activities: []ledger.Activity{activity}}, nil
			}
		}
	}
	if witness.Status == "" && !witness.Done {
		return nil, nil
	}
	env, err := d.Inventory.Environment(ctx, d.call.Project, d.call.Environment)
	if errors.Is(err, platform.ErrNotFound) {
		return nil, nil // it has no state to testify
	}
	if err != nil {
		return nil, err
	}
	if witness.Status != "" && env.Status == witness.Status {
		return &evidence{}, nil
	}
	if witness.Done {
		_, err := tasks.Prepare(d.call.Task, env, d.look(ctx, client))
		if tasks.Done(d.call.Task, err) {
			return &evidence{}, nil
		}
		if _, ok := errors.AsType[*tasks.Refusal](err); !ok && err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// candidates lists the activities that may be the request's, oldest first: the request's own
// activity is the first that follows it.
func (d *dispatch) candidates(ctx context.Context, client *platform.Client, types []string) ([]platform.Activity, error) {
	// Before anything else, because without an answer of the platform its clock is not known.
	user, err := client.UserID(ctx)
	if err != nil {
		return nil, err
	}
	since := d.row.SentAt.Add(client.ClockOffset() - clockMargin)
	query := platform.ActivityQuery{Types: types, Since: since, Count: 1 + others, MaxPages: 15}
	listed, err := client.Activities(ctx, d.call.Project, scope(d.call), query)
	if errors.Is(err, platform.ErrNotFound) && scope(d.call) != "" {
		// The environment is gone, which may be what was asked for.
		listed, err = client.Activities(ctx, d.call.Project, "", query)
		listed = slices.DeleteFunc(listed, func(a platform.Activity) bool { return !slices.Contains(a.Environments, d.call.Environment) })
	}
	if err != nil {
		return nil, err
	}
	listed = slices.DeleteFunc(listed, func(a platform.Activity) bool {
		return !slices.Contains(types, a.Type) || !a.CreatedAt.IsZero() && a.CreatedAt.Before(since) ||
			(user != "" && a.UserID != "" && a.UserID != user)
	})
	slices.SortFunc(listed, func(a, b platform.Activity) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return listed, nil
}

func (d *dispatch) clockDifference() time.Duration {
	client, err := d.client(d.call.Project)
	if err != nil {
		return 0
	}
	return client.ClockOffset().Abs()
}
