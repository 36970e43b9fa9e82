package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/shell"
)

// run is one run in this process, from its claim (or its adoption) to its outcome.
type run struct {
	ledger.Run
	job       *job.Job  // nil when the cron has left the configuration
	due       time.Time // when its requests may leave: its scheduled time and its offset
	target    plan.Target
	variables map[string]string // what a script reads; nil for declared tasks
	recorded  []ledger.Dispatch // what an earlier process recorded, by ordinal
	replayed  int               // recorded calls that were made again alike
	diverged  bool              // it asked for something else than its record has
	seen      map[string]int    // how often this run has asked for each operation
	first     *first            // its first request, if it was made ready before the claim

	// mu guards what the tracker and the run's own goroutine share.
	mu         sync.Mutex
	calls      int             // dispatches begun
	open       int             // dispatches whose activities are not over
	begun      bool            // something of it was accepted, or may have been
	complete   bool            // no further dispatch will come
	ended      []ledger.Result // dispatches that end together with the run
	outcome    ledger.Outcome  // the worst so far, "" before the first
	reason     ledger.Reason   //
	message    string          //
	activities []string        // ids of this run's own activities
}

// note folds an outcome of one dispatch, or of the script, into the run's.
func (u *run) note(outcome ledger.Outcome, reason ledger.Reason, message string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.noteLocked(outcome, reason, message)
}

func (u *run) noteLocked(outcome ledger.Outcome, reason ledger.Reason, message string) {
	if u.outcome == "" || ledger.Worse(outcome, u.outcome) {
		u.outcome, u.reason, u.message = outcome, reason, message
	}
}

// refresh takes over a newly read state of the run's own environment.
func (u *run) refresh(env *platform.Environment) {
	if env.ID == u.Environment && env.Project == u.Project {
		u.target = plan.NewTarget(u.target.Project, u.target.DefaultBranch, env)
	}
}

// begin says that something the run asks for was accepted, or may have been: it has met its start
// deadline, and from now on its timeout holds.
func (u *run) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.begun = true
}

func (u *run) started() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.begun
}

// close says that one dispatch less is open, and reports whether the run is over with it.
func (u *run) close() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open--
	return u.open == 0 && u.complete
}

// ownsActivity reports whether the activity followed from one of this run's own dispatches.
func (u *run) ownsActivity(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Contains(u.activities, id)
}

// record returns what an earlier process recorded of the call with this ordinal.
func (u *run) record(ordinal int) *ledger.Dispatch {
	for i := range u.recorded {
		if u.recorded[i].Ordinal == ordinal {
			return &u.recorded[i]
		}
	}
	return nil
}

// execute makes the calls of a run in order and hands what is still going on to the tracker.
func (r *Runner) execute(ctx context.Context, u *run) {
	var err error
	if u.first == nil || !u.first.tried { // else its answer is to be recorded, whatever the clock does
		err = r.awaitTurn(ctx, u)
	}
	switch {
	case err != nil:
	case u.job == nil: // what it sent is followed, and nothing else
	case u.variables != nil:
		err = r.interpret(ctx, u)
	default:
		err = r.callInOrder(ctx, u)
	}
	if err == nil {
		err = r.followRest(ctx, u)
	}
	r.leaveOr(ctx, u, err, r.completeRun)
}

// callInOrder makes a declared cron's calls, each when the one before it is over. One that did not
// succeed is the last, unless the cron says otherwise.
func (r *Runner) callInOrder(ctx context.Context, u *run) error {
	for i := range u.job.Tasks {
		status, err := r.step(ctx, u, i)
		if err != nil {
			return err
		}
		left := len(u.job.Tasks) - 1 - i
		if status != 0 && left > 0 && u.job.OnFailure != job.OnFailureContinue {
			r.event(r.log.Warn(), u).Int("step", i+1).Int("left", left).Msg("step did not succeed, those after it were not asked for")
			return nil
		}
	}
	return nil
}

// step makes one of a declared cron's calls. The first may have been made ready before the run was claimed.
func (r *Runner) step(ctx context.Context, u *run, i int) (int, error) {
	if f := u.first; f != nil {
		u.first = nil
		f.dispatch.first = f
		return f.dispatch.carry(ctx)
	}
	return r.dispatch(ctx, u, plan.Step(u.job, i, u.target))
}

// interpret runs a cron's script. What a call answers decides how the script goes on, so a call
// returns only when its request was accepted, refused, or looked for in vain.
func (r *Runner) interpret(ctx context.Context, u *run) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stopped error
	call := func(ctx context.Context, c shell.Call) int {
		if stopped != nil {
			return 1
		}
		status, err := r.dispatch(ctx, u, plan.Resolve(c, u.target))
		if err != nil {
			stopped = err
			cancel() // nothing after this call may be taken for a decision of the script
			return 1
		}
		return status
	}
	res := u.job.Script.Run(ctx, u.variables, call)
	switch {
	case stopped != nil:
		return stopped
	case res.Err != nil:
		u.note(ledger.Failed, ledger.Script, res.Err.Error())
	case res.Calls < len(u.recorded):
		u.note(ledger.Failed, ledger.Script, fmt.Sprintf(
			"the script made %d calls where its record has %d", res.Calls, len(u.recorded)))
	case res.Calls == 0:
		u.note(ledger.Skipped, ledger.Guard, "the script ended without a call")
	}
	return nil
}

// completeRun says that no further dispatch will come. The run ends now, or with its last activity.
func (r *Runner) completeRun(ctx context.Context, u *run) {
	u.mu.Lock()
	u.complete = true
	over := u.open == 0
	u.mu.Unlock()
	if over {
		r.finish(ctx, u)
		return
	}
	if u.calls > 1 || u.variables != nil {
		// The state is for people and for the tables; a failure to write it loses nothing.
		err := r.Ledger.Track(ctx, u.ID, u.Owner)
		if err != nil && !errors.Is(err, ledger.ErrNotOwned) { // it may have ended meanwhile
			r.log.Warn().Err(err).Str("run", u.ID).Msg("run state not recorded")
		}
	}
}

// endDispatch takes the outcome of a dispatch that the tracker followed, and ends the run with
// the last one.
func (r *Runner) endDispatch(ctx context.Context, u *run, res ledger.Result) error {
	u.mu.Lock()
	u.noteLocked(res.Outcome, res.Reason, res.Message)
	u.open--
	last := u.open == 0 && u.complete
	u.ended = append(u.ended, res) // also if it is recorded by itself: the run's end may come first
	u.mu.Unlock()
	if last {
		r.finish(ctx, u)
		return nil
	}
	return r.persist(ctx, "record dispatch", func() error { return r.Ledger.Record(ctx, res) })
}

// finish writes a run's outcome and tells the world, once.
func (r *Runner) finish(ctx context.Context, u *run) {
	u.mu.Lock()
	if u.outcome == "" {
		u.outcome, u.reason, u.message = ledger.Skipped, ledger.Guard, "nothing was asked for"
	}
	end := ledger.Finish{
		RunID: u.ID, Owner: u.Owner, Outcome: u.outcome, Reason: u.reason, Message: u.message,
		At: time.Now(), Dispatches: u.ended,
	}
	u.mu.Unlock()
	err := r.persist(ctx, "record outcome", func() error {
		_, err := r.Ledger.Finish(ctx, end)
		return err
	})
	if errors.Is(err, ledger.ErrNotOwned) {
		r.lost(u)
		return
	}
	if err != nil {
		return // stopping: the run is still open in the store and is adopted at the next start
	}
	r.Metrics.finished(&u.Run, end)
	r.logOutcome(u, end)
}

// lost forgets a run that is another replica's now, because this one's lease was over meanwhile, or
// that ended meanwhile: by hand, or because the next fire came before its retry.
func (r *Runner) lost(u *run) {
	r.Metrics.lost(u)
	r.event(r.log.Warn(), u).Msg("run was ended by hand or by the next fire, or taken over by another replica")
}

// client returns the API client for a project that a call of this run goes to.
func (r *Runner) client(project string) (*platform.Client, error) {
	if c := r.Client(project); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no automation user is configured for project %q", project)
}
