package runner

import (
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// A declared cron's first request is known before its run is claimed, when it is due now and the
// environment is known. It then takes its place at the limiter first, its intent is written together
// with the claim, and it leaves after one wait for the disk instead of two.
const (
	// firstMost bounds the requests whose intents share one claim. They are fewer than the ramp has
	// places, so that the next are claimed while these are under way.
	firstMost = 64
	// firstPatience is how long a claim waits for their places. The ramp moves on sooner.
	firstPatience = 100 * time.Millisecond
)

// first is a run's first request, made ready before the run is claimed.
type first struct {
	dispatch *dispatch
	client   *platform.Client
	request  platform.Request
	slot     *platform.Slot // nil when there was none: it takes its place in its turn
}

// foresee makes a run's first request ready, or returns nil when that has to wait for its turn: it
// is a script's, or late, or something must be asked before it.
func (r *Runner) foresee(u *run) *first {
	if len(u.job.Tasks) == 0 || time.Until(u.due) > 0 || time.Since(u.ScheduledAt) > fireLag || u.target.Environment.Status == "" {
		return nil
	}
	client := r.Client(u.Project)
	if client == nil {
		return nil
	}
	call := plan.Step(u.job, 0, u.target)
	request, err := tasks.Prepare(call.Task, u.target.Environment, nothingLookedUp)
	if err != nil {
		return nil
	}
	d, err := r.newDispatch(u, call)
	if err != nil {
		return nil
	}
	return &first{dispatch: d, client: client, request: request}
}

// nothingLookedUp refuses a task that needs to know more than its environment.
func nothingLookedUp(string, string) (*platform.Resource, error) {
	return nil, errors.New("not before the run is claimed")
}

// early reports whether the run's first request can be written with its claim. One that other runs
// of the fire may ask for too has to see theirs before.
func (u *run) early() bool { return u.first != nil && u.first.dispatch.row.Dedupe == "" }

// arm takes places for the first requests of claims, and has their intents written with them.
func (r *Runner) arm(ctx context.Context, claims []claim) {
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	for _, c := range claims {
		for i := range c.row.Runs {
			u := c.runs[c.row.Runs[i].Environment]
			if !u.early() {
				continue
			}
			if u.first.slot = r.Limiter.AcquireSoon(ctx, u.Project); u.first.slot != nil {
				c.row.Runs[i].First = u.first.dispatch.intended(time.Now())
			}
		}
	}
}

// armed says that the run was claimed, together with its first request's intent if it had a place.
func (u *run) armed() {
	if u.First != nil {
		u.first.dispatch.row, u.first.dispatch.inLedger = *u.First, true
		u.First = nil
	}
}

// disarm gives back the places of requests that will not leave.
func (c claim) disarm(claimed []ledger.Run) {
	for _, row := range claimed {
		delete(c.runs, row.Environment)
	}
	for _, u := range c.runs {
		if u.first != nil {
			u.first.slot.Release()
		}
	}
}
