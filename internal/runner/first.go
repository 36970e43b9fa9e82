package runner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// A declared cron's first request is known before its run is claimed, when it is due soon and the
// environment is known.
//
// As a rule the claim comes ahead of the scheduled time, and the dispatch is written with it. When it is due,
// the request takes its place at the limiter, its intent is written together with others', and it leaves. So
// all that waits for the disk at the scheduled second is one statement for many.
//
// One that is due already takes its place first, its intent is written together with the claim, and it
// leaves after one wait for the disk instead of two.
const (
	// foresight is how long before a request is due it may be made ready.
	foresight = 2 * time.Second
	// firstPatience is how long requests wait for their places whose intents are written together. The ramp
	// moves on sooner.
	firstPatience = 100 * time.Millisecond
)

// together bounds the requests whose intents are written together: half as many as may be under way, so
// that the next are written meanwhile.
func (r *Runner) together() int { return max(1, r.Limiter.Width()/2) }

// first is a run's first request, made ready before the run is claimed.
type first struct {
	dispatch *dispatch
	client   *platform.Client
	request  platform.Request
	slot     *platform.Slot // its place; with it, the intent is written. Nil: both in its turn

	tried    bool // it was sent, or taken back; this came of it:
	accepted *platform.Accepted
	end      *verdict
	err      error
}

// foresee makes a run's first request ready, or returns nil when that has to wait for its turn: it
// is a script's, or late, or something must be asked before it.
func (r *Runner) foresee(u *run) *first {
	if len(u.job.Tasks) == 0 || time.Until(u.due) > foresight || time.Since(u.ScheduledAt) > fireLag || u.target.Environment.Status == "" {
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

// early reports whether the run's first dispatch can be written with its claim. One that other runs
// of the fire may ask for too has to see theirs before.
func (u *run) early() bool { return u.first != nil && u.first.dispatch.row.Dedupe == "" }

// arm has the first dispatches of runs written with their claims. Those that are due take their places,
// and their intents are written too.
func (r *Runner) arm(ctx context.Context, claims []claim) {
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	places := r.together()
	for _, c := range claims {
		for i := range c.row.Runs {
			u := c.runs[c.row.Runs[i].Environment]
			if !u.early() {
				continue
			}
			if time.Until(u.due) > 0 {
				c.row.Runs[i].First = &u.first.dispatch.row
				continue
			}
			if places == 0 || r.isStopping() {
				continue
			}
			if u.first.slot = r.Limiter.AcquireSoon(ctx, u.Project); u.first.slot != nil {
				places--
				c.row.Runs[i].First = u.first.dispatch.intended(time.Now())
			}
		}
	}
}

// waits reports whether the run was claimed ahead and its first request only waits to be due.
func (u *run) waits() bool {
	return u.first != nil && u.first.dispatch.inLedger && u.first.slot == nil && time.Until(u.due) > 0
}

// armed says that the run was claimed, together with its first dispatch if that could be written.
func (u *run) armed() {
	if u.First != nil {
		u.first.dispatch.row, u.first.dispatch.inLedger = *u.First, true
		u.First = nil
	}
}

// launch lets the first requests of runs leave that were claimed ahead, when they are due. Runs of one fire
// and of those that were claimed with it are due together, but for a spread.
func (r *Runner) launch(ctx context.Context, runs []*run) {
	if r.awaitTurn(ctx, runs[0]) != nil {
		return // stopping: the next start adopts them
	}
	for group := range slices.Chunk(runs, r.together()) {
		if r.isStopping() {
			return
		}
		r.intendFirst(ctx, group)
		for _, u := range group {
			r.setOut(ctx, u)
		}
	}
}

// setOut has a run's calls made. A first request that is ready to leave does so before all else.
func (r *Runner) setOut(ctx context.Context, u *run) {
	if u.first == nil || u.first.slot == nil {
		r.spawn(func() { r.execute(ctx, u) })
		return
	}
	r.hand(func() {
		u.first.leave(ctx)
		r.spawn(func() { r.execute(ctx, u) })
	})
}

// leave sends the request, which has its place and its intent.
func (f *first) leave(ctx context.Context) {
	defer f.slot.Release()
	f.accepted, f.end, f.err = f.dispatch.leave(ctx, f.client, f.request, f.slot)
	f.tried = true
}

// intendFirst takes places for the first requests of runs and writes their intents. A request for which not
// both can be done keeps no place: its turn comes all the same, and tells why.
func (r *Runner) intendFirst(ctx context.Context, runs []*run) {
	placed, ids := r.place(ctx, runs)
	if len(placed) == 0 {
		return
	}
	may := make([]bool, len(ids))
	at := time.Now()
	err := r.persist(ctx, "record intents", func() (err error) {
		may, err = r.Ledger.IntendFirst(ctx, ids, runs[0].Owner, at, at.Add(r.Timing.Request+r.Timing.Settle))
		return err
	})
	for i, u := range placed {
		if err != nil || !may[i] {
			u.first.slot.Release()
			u.first.slot = nil
			continue
		}
		u.first.dispatch.intended(at)
		u.first.dispatch.row.Attempts++
	}
}

// place takes places for the first requests of runs, as far as there are any soon. It returns those that have
// one, and their ids.
func (r *Runner) place(ctx context.Context, runs []*run) (placed []*run, ids []string) {
	r.launching <- struct{}{} // else many groups would share out few places, and each write few intents
	defer func() { <-r.launching }()
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	for _, u := range runs {
		if u.first.slot = r.Limiter.AcquireSoon(ctx, u.Project); u.first.slot != nil {
			placed, ids = append(placed, u), append(ids, u.ID)
		}
	}
	return placed, ids
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
