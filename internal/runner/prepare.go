package runner

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// fireLag is how long after the scheduled time a dispatch still counts as on time, so that the
// platform need not be asked what others did meanwhile.
const fireLag = 5 * time.Second

// prepare makes the request out of the environment's HAL links. A missing link is read with the
// environment's state: while it is dirty, prepare waits; anything else ends the dispatch. A state
// that would end it is read afresh first, as the vendor's CLI does.
func (d *dispatch) prepare(ctx context.Context) (platform.Request, *verdict, error) {
	// What was known at the fire holds for the first call only: the call itself changes the state. Of a run that was
	// adopted nothing is known.
	fresh := d.waited || d.row.Ordinal > 0 || time.Since(d.run.ScheduledAt) > fireLag || d.run.target.Environment.Status == ""
	looked := false // for a pending backup of somebody else, and was answered
	for wait := d.backoff(); ; fresh = true {
		env, end, err := d.environment(ctx, fresh)
		if err != nil || end != nil {
			return platform.Request{}, end, err
		}
		if fresh {
			if end := d.vetoed(env); end != nil {
				return platform.Request{}, end, nil
			}
		}
		request, err := tasks.Prepare(d.call.Task, env, d.lookup(ctx))
		if err == nil {
			end, err := d.superseded(ctx)
			return request, end, err
		}
		if u, ok := errors.AsType[*unanswered](err); ok {
			return platform.Request{}, u.end, u.err
		}
		var refusal *tasks.Refusal
		if !errors.As(err, &refusal) {
			return platform.Request{}, &verdict{ledger.Failed, ledger.Script, err.Error()}, nil
		}
		if !fresh && !d.call.Task.Kind().ReadOnly {
			continue
		}
		if refusal.Reason != tasks.RefusedDirty {
			return platform.Request{}, d.refused(ctx, refusal, env), nil
		}
		// The key is taken before the wait, else the one who asked first would be waited for.
		if err := d.begin(ctx); err != nil {
			return platform.Request{}, nil, err
		}
		if !looked {
			var pending bool
			if pending, looked = d.backupPending(ctx); pending {
				return platform.Request{}, &verdict{ledger.Skipped, ledger.Overlap, "another backup of this environment is pending"}, nil
			}
		}
		if end, err := d.awaitClean(ctx, wait.step(), refusal.Message); end != nil || err != nil {
			return platform.Request{}, end, err
		}
	}
}

// refused reads a missing link that no waiting brings back.
func (d *dispatch) refused(ctx context.Context, r *tasks.Refusal, env *platform.Environment) *verdict {
	switch {
	case r.Reason == tasks.RefusedAlready:
		return &verdict{ledger.Succeeded, "", r.Message}
	case r.Reason == tasks.RefusedInactive && d.ownTarget():
		return &verdict{ledger.Skipped, ledger.Inactive, r.Message}
	case r.Reason == tasks.RefusedInactive:
		return &verdict{ledger.Failed, ledger.Inactive, r.Message} // a script named it on purpose
	case r.Reason == tasks.RefusedMissing:
		return &verdict{ledger.Failed, ledger.NotFound, r.Message}
	case r.Reason == tasks.RefusedConflict:
		return &verdict{ledger.Failed, ledger.APIError, r.Message}
	default:
		return d.forbidden(ctx, r.Message, env)
	}
}

// forbidden ends a dispatch whose automation user may not do what it asks for, and says which role
// that user has, if it can be known and is the reason.
func (d *dispatch) forbidden(ctx context.Context, message string, env *platform.Environment) *verdict {
	end := &verdict{ledger.Failed, ledger.Forbidden, message}
	client, err := d.client(d.call.Project)
	if err != nil {
		return end
	}
	user, err := client.UserID(ctx)
	if err != nil || user == "" {
		return end
	}
	access, err := client.Access(ctx, d.call.Project, user)
	if err != nil {
		return end
	}
	if has := access.Role(tasks.Place(d.call.Task, env)); tasks.Rank(has) < tasks.Rank(d.call.Task.Kind().Role) {
		end.message += "; it has " + cmp.Or(has, "none")
	}
	return end
}

// ownTarget reports whether the call goes to the environment that the run is for.
func (d *dispatch) ownTarget() bool {
	return d.call.Project == d.run.Project && d.call.Environment == d.run.Environment
}

// awaitClean waits once for a dirty environment, or ends the dispatch if it would be too late
// afterwards.
func (d *dispatch) awaitClean(ctx context.Context, pause time.Duration, message string) (*verdict, error) {
	d.waited = true
	cause := verdict{ledger.Missed, ledger.Dirty, message}
	if d.run.started() {
		cause = verdict{ledger.Failed, ledger.Timeout, message}
	}
	if end := d.late(time.Now().Add(pause), cause); end != nil {
		return end, nil
	}
	d.Metrics.waiting("dirty", 1)
	defer d.Metrics.waiting("dirty", -1)
	return nil, d.pause(ctx, pause)
}

// environment returns the environment the call goes to, read afresh if asked, or how the dispatch
// ends because it cannot be read. Reads are repeated until the dispatch is late.
func (d *dispatch) environment(ctx context.Context, fresh bool) (*platform.Environment, *verdict, error) {
	if d.ownTarget() && !fresh {
		return d.run.target.Environment, nil, nil
	}
	if d.call.Environment == "" {
		return nil, &verdict{ledger.Failed, ledger.NotFound, "the project's default branch is not known"}, nil
	}
	var env *platform.Environment
	end, err := d.read(ctx, func(*platform.Client) (err error) {
		env, err = d.Inventory.Environment(ctx, d.call.Project, d.call.Environment)
		return err
	})
	if end == nil && err == nil {
		d.run.refresh(env)
	}
	return env, end, err
}

// read asks the platform for something that the dispatch cannot go on without, until it answers or
// the dispatch ends because it would be late.
func (d *dispatch) read(ctx context.Context, ask func(*platform.Client) error) (*verdict, error) {
	client, err := d.client(d.call.Project)
	if err != nil {
		return &verdict{ledger.Failed, ledger.Auth, err.Error()}, nil
	}
	for wait := d.backoff(); ; {
		err := ask(client)
		if err == nil {
			return nil, nil
		}
		if isFinal(err) {
			return &verdict{ledger.Failed, reasonOf(err), err.Error()}, nil
		}
		pause := wait.step()
		if end := d.late(time.Now().Add(pause), verdict{ledger.Failed, ledger.APIError, err.Error()}); end != nil {
			return end, nil
		}
		if err := d.pause(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// unanswered says why something that a request depends on is not known.
type unanswered struct {
	end *verdict // how the dispatch ends because of it, or nil
	err error    // else: the daemon stopped meanwhile
}

func (u *unanswered) Error() string {
	if u.end != nil {
		return u.end.message
	}
	return u.err.Error()
}

// lookup reads what a task's request depends on besides the environment. Its errors are *unanswered.
func (d *dispatch) lookup(ctx context.Context) tasks.Lookup {
	return func(route, name string) (found *platform.Resource, err error) {
		end, err := d.read(ctx, func(client *platform.Client) (err error) {
			found, err = d.look(ctx, client)(route, name)
			return err
		})
		if end != nil || err != nil {
			return nil, &unanswered{end, err}
		}
		return found, nil
	}
}

// look is a Lookup that asks once.
func (d *dispatch) look(ctx context.Context, client *platform.Client) tasks.Lookup {
	return func(route, name string) (*platform.Resource, error) {
		return client.Resource(ctx, route, d.call.Project, d.call.Environment, name)
	}
}

// vetoed asks the declared guard again, of an environment that was read since it was asked: it may have changed.
func (d *dispatch) vetoed(env *platform.Environment) *verdict {
	if d.run.job == nil || !d.ownTarget() {
		return nil
	}
	target := plan.NewTarget(d.run.target.Project, d.run.target.DefaultBranch, env)
	if pass, message := plan.Allows(d.run.job, target); !pass {
		return &verdict{ledger.Skipped, ledger.Guard, message}
	}
	return nil
}

// superseded reports how a backup that is late ends when somebody made a manual one since its
// scheduled time: one more would only push out an older, good one. On time, nobody can have. Without
// an answer nothing is asked for.
func (d *dispatch) superseded(ctx context.Context) (*verdict, error) {
	if d.row.Kind != backupKind || time.Since(d.run.ScheduledAt) <= fireLag || d.row.Ordinal > 0 {
		return nil, nil
	}
	var backups []platform.Backup
	var offset time.Duration
	end, err := d.read(ctx, func(client *platform.Client) (err error) {
		offset = client.ClockOffset()
		backups, err = client.Backups(ctx, d.call.Project, d.call.Environment)
		return err
	})
	if end != nil || err != nil {
		return end, err
	}
	since := d.run.ScheduledAt.Add(offset)
	for _, b := range backups {
		if b.MadeByHand(since) {
			return &verdict{ledger.Skipped, ledger.Overlap, "backup " + b.ID + " was made since the scheduled time"}, nil
		}
	}
	return nil, nil
}

// backupPending reports whether a backup that is not this run's own keeps the environment busy, and
// whether that is known.
func (d *dispatch) backupPending(ctx context.Context) (pending, known bool) {
	if d.row.Kind != backupKind {
		return false, true
	}
	client, err := d.client(d.call.Project)
	if err != nil {
		return false, true
	}
	activities, err := client.Activities(ctx, d.call.Project, d.call.Environment, platform.ActivityQuery{
		Types: []string{backupActivity}, States: []string{"pending", "in_progress"}, Count: 1 + others, MaxPages: 1,
	})
	if err != nil {
		return false, false // while it waits, the environment's link alone decides
	}
	for _, a := range activities {
		if !a.Done() && !d.run.ownsActivity(a.ID) {
			return true, true
		}
	}
	return false, true
}

const (
	backupKind     = "backup"             // the task's name in the catalogue
	backupActivity = "environment.backup" // the activity's type in the platform's activity reference
)
