package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// dispatch is one call of a run on its way: what it asks for, and how far it has come.
type dispatch struct {
	*Runner
	run  *run
	call plan.Call
	row  ledger.Dispatch

	first    *first // what was made ready of it before its run was claimed
	inLedger bool   // the row exists and is in state claimed
	waited   bool   // the environment was waited for, so what was known of it is old
	doubts   int    // tries that may have executed
	gone     bool   // its project was not found any more when the witness was asked
}

// verdict ends a dispatch.
type verdict struct {
	outcome ledger.Outcome
	reason  ledger.Reason
	message string
}

// dispatch asks the platform for one operation, at most once, and returns the exit status that
// the vendor's CLI would give: 0 when the platform accepted it (or had been asked already), else
// 1. An error means that the daemon stopped, or lost the run, before that was known; the ledger
// then holds all there is to know.
func (r *Runner) dispatch(ctx context.Context, u *run, call plan.Call) (int, error) {
	if u.diverged {
		return 1, nil
	}
	d, err := r.newDispatch(u, call)
	if err != nil {
		u.note(ledger.Failed, ledger.Script, err.Error())
		return 1, nil
	}
	if old := u.record(d.row.Ordinal); old != nil {
		return d.replay(ctx, *old)
	}
	return d.carry(ctx)
}

func (r *Runner) newDispatch(u *run, call plan.Call) (*dispatch, error) {
	kind, params, err := tasks.Encode(call.Task)
	if err != nil {
		return nil, fmt.Errorf("encode task: %w", err)
	}
	u.mu.Lock()
	ordinal := u.calls
	u.calls++
	u.mu.Unlock()
	return &dispatch{Runner: r, run: u, call: call, row: ledger.Dispatch{
		RunID: u.ID, Ordinal: ordinal, Kind: kind, Params: params,
		Project: call.Project, Environment: call.Environment,
		Dedupe:      u.dedupe(call),
		CommandLine: call.Args,
	}}, nil
}

// scope is the environment that a call changes, "" when it changes the project: then the runs of
// all its environments ask for the same.
func scope(call plan.Call) string {
	if tasks.ProjectWide(call.Task) {
		return ""
	}
	return call.Environment
}

// dedupe is the key by which the runs of one fire ask for an operation once between them. The
// occurrence keeps a script's second identical call apart from its first: dash would make both.
// A declared task goes to the run's own environment, where the fire has no other run: it needs no
// key unless it changes the project.
func (u *run) dedupe(call plan.Call) string {
	if call.Args == nil && !tasks.ProjectWide(call.Task) {
		return ""
	}
	operation := call.Project + "\x00" + scope(call) + "\x00" + tasks.Hash(call.Task)
	if u.seen == nil {
		u.seen = make(map[string]int, 1)
	}
	u.seen[operation]++
	sum := sha256.Sum256([]byte(u.Cron + "\x00" + u.Slot + "\x00" + operation + "\x00" + strconv.Itoa(u.seen[operation])))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// replay goes on from what an earlier process recorded of this call.
func (d *dispatch) replay(ctx context.Context, old ledger.Dispatch) (int, error) {
	if old.Kind != d.row.Kind || old.Project != d.row.Project || old.Environment != d.row.Environment ||
		!bytes.Equal(old.Params, d.row.Params) {
		d.run.diverged = true
		d.run.note(ledger.Failed, ledger.Script, fmt.Sprintf(
			"call %d is not the one recorded before the restart; nothing further was sent", old.Ordinal+1))
		return 1, nil
	}
	d.run.replayed++
	d.row = old
	return d.resume(ctx)
}

// resume goes on from the state in which the dispatch's row is.
func (d *dispatch) resume(ctx context.Context) (int, error) {
	d.doubts = max(d.row.Attempts-1, 0) // which of its tries were in doubt is not recorded
	if began(d.row) {
		d.run.begin()
	}
	switch d.row.State {
	case ledger.DispatchDone:
		d.run.note(d.row.Outcome, d.row.Reason, d.row.Message)
		if len(d.row.Activities) > 0 && !d.call.Wait {
			return 0, nil // its script was answered when it was accepted, not when it ended
		}
		return d.row.ExitStatus, nil
	case ledger.DispatchTracking:
		return d.follow(ctx, d.row.Activities)
	case ledger.DispatchDispatching:
		return d.doubt(ctx, errInterrupted)
	case ledger.DispatchInDoubt:
		d.doubts++
		return d.resolve(ctx)
	default:
		d.inLedger = true
		return d.carry(ctx)
	}
}

// began reports whether a recorded dispatch was accepted, or may have been.
func began(row ledger.Dispatch) bool {
	accepted := func(a ledger.Attempt) bool { return len(a.Activities) > 0 }
	return len(row.Activities) > 0 || slices.ContainsFunc(row.Earlier, accepted) ||
		row.State == ledger.DispatchDone && (row.ExitStatus == 0 || row.Outcome == ledger.Unknown)
}

// carry takes the call from "to be sent" to an answer. One turn of the loop is one try; a try is
// repeated only when the request certainly did not execute.
func (d *dispatch) carry(ctx context.Context) (int, error) {
	for wait := d.backoff(); ; {
		if err := d.awaitRetry(ctx); err != nil {
			return 1, err
		}
		accepted, end, err := d.try(ctx)
		var refused *platform.Error
		pause := time.Duration(0)
		if errors.As(err, &refused) && refused.Execution() != platform.InDoubt {
			end, pause = d.answered(ctx, refused, wait.step())
		}
		if end != nil {
			again, err := d.retry(ctx, *end, nil)
			switch {
			case errors.Is(err, errDuplicate):
				return d.duplicate()
			case err != nil:
				return 1, err
			case again:
				continue
			default:
				return d.end(ctx, *end)
			}
		}
		switch {
		case errors.Is(err, errDuplicate):
			return d.duplicate()
		case errors.Is(err, errWithdrawn):
			d.waited = true
			continue
		case err == nil:
			return d.accepted(ctx, accepted)
		case refused == nil:
			return 1, err // stopping, or the run is not ours any more
		case refused.Execution() == platform.InDoubt:
			return d.doubt(ctx, refused)
		}
		if err := d.withdraw(ctx, refused.Error()); err != nil {
			return 1, err
		}
		if end := d.late(time.Now().Add(pause), verdict{ledger.Failed, ledger.APIError, refused.Error()}); end != nil {
			return d.end(ctx, *end)
		}
		d.Metrics.waiting(waitingFor(refused), 1)
		err = d.pause(ctx, pause)
		d.Metrics.waiting(waitingFor(refused), -1)
		if err != nil {
			return 1, err
		}
		d.waited = true
	}
}

var (
	errDuplicate = errors.New("duplicate")
	errWithdrawn = errors.New("withdrawn before it was sent")

	errInterrupted = &platform.Error{Op: "the request", Sent: true, Err: errors.New("the daemon ended before its answer was recorded")}
)

// try makes one try: the request, its place and its intent; then it leaves. What was made ready with the claim
// is not made again, and a first request may have been tried already. It returns a verdict when the dispatch
// ends without another try. Errors of the platform are *platform.Error.
func (d *dispatch) try(ctx context.Context) (*platform.Accepted, *verdict, error) {
	f := d.first
	d.first = nil
	switch {
	case f == nil:
		request, end, err := d.prepare(ctx)
		if end != nil || err != nil {
			return nil, end, err
		}
		return d.send(ctx, request)
	case !f.tried: // there was no place for it yet
		return d.send(ctx, f.request)
	default:
		return f.accepted, f.end, f.err
	}
}

// send takes a place at the limiter, commits the intent and lets the request leave.
func (d *dispatch) send(ctx context.Context, request platform.Request) (*platform.Accepted, *verdict, error) {
	client, err := d.client(d.call.Project)
	if err != nil {
		return nil, &verdict{ledger.Failed, ledger.Auth, err.Error()}, nil
	}
	slot, err := d.Limiter.Acquire(ctx, d.call.Project)
	if err != nil {
		return nil, nil, err
	}
	defer slot.Release()
	if d.isStopping() {
		return nil, nil, errStopping
	}
	if err := d.Lease.Await(ctx, d.stopping); err != nil {
		return nil, nil, err
	}
	if end := d.late(time.Now(), verdict{}); end != nil {
		return nil, end, nil
	}
	if err := d.intend(ctx); err != nil {
		return nil, nil, err
	}
	return d.leave(ctx, client, request, slot)
}

// staleIntent is how old an intent may be when its request leaves. When the store took longer, what
// the intent says of the time at which a trace must be there is wrong.
const staleIntent = 5 * time.Second

// leave sends a request whose intent is durable. What happened while that was written decides
// whether it still holds; else it is taken back.
func (d *dispatch) leave(
	ctx context.Context, client *platform.Client, request platform.Request, slot *platform.Slot,
) (*platform.Accepted, *verdict, error) {
	joined := slot.Join(ctx, d.row.SentAt.Add(staleIntent)) == nil
	leaves := time.Now()
	end, stopping := d.late(leaves, verdict{}), d.isStopping()
	if end != nil || stopping || !joined || !d.Lease.Valid() || leaves.Sub(d.row.SentAt) > staleIntent {
		if err := d.withdraw(ctx, errWithdrawn.Error()); err != nil {
			return nil, nil, err
		}
		switch {
		case end != nil:
			return nil, end, nil
		case stopping:
			return nil, nil, errStopping
		default:
			return nil, nil, errWithdrawn
		}
	}
	slot.Start()
	accepted, err := client.Do(ctx, request)
	var refused *platform.Error
	if d.row.Ordinal == 0 && !d.run.started() && !(errors.As(err, &refused) && refused.Execution() == platform.NotExecuted) {
		d.Metrics.sent(leaves.Sub(d.run.due))
	}
	return accepted, nil, err
}

// intend commits the intent to send: after it, this dispatch may have left.
func (d *dispatch) intend(ctx context.Context) error {
	d.intended(time.Now())
	at, settle := d.row.SentAt, d.row.SettleAt
	duplicate, owned := false, true
	err := d.persist(ctx, "record intent", func() (err error) {
		if d.inLedger {
			owned, err = d.Ledger.Intend(ctx, d.row.RunID, d.row.Ordinal, d.run.Owner, at, settle)
			return err
		}
		var res ledger.BeginResult
		res, err = d.Ledger.BeginAndIntend(ctx, d.row, d.run.Owner, at, settle)
		duplicate = res.Duplicate
		return err
	})
	switch {
	case err != nil:
		return err
	case duplicate:
		return errDuplicate
	case !owned:
		return ledger.ErrNotOwned
	}
	d.inLedger = true
	d.row.Attempts++
	return nil
}

// intended says in the row, which it returns, that the request leaves at a time, and when its trace
// must be there.
func (d *dispatch) intended(at time.Time) *ledger.Dispatch {
	d.row.SentAt, d.row.SettleAt = at, at.Add(d.Timing.Request+d.Timing.Settle)
	d.row.AnsweredAt = time.Time{}
	return &d.row
}

// begin writes the dispatch, in state claimed, if it is not in the ledger.
func (d *dispatch) begin(ctx context.Context) error {
	if d.inLedger {
		return nil
	}
	var begun ledger.BeginResult
	err := d.persist(ctx, "begin dispatch", func() (err error) {
		begun, err = d.Ledger.Begin(ctx, d.row, d.run.Owner)
		return err
	})
	if err == nil && begun.Duplicate {
		err = errDuplicate
	}
	d.inLedger = err == nil
	return err
}

func (d *dispatch) duplicate() (int, error) {
	d.run.begin()
	d.run.note(ledger.Skipped, ledger.Duplicate, "another run of this fire asked for the same operation")
	return 0, nil
}

// withdraw takes the intent back: the request certainly did not execute.
func (d *dispatch) withdraw(ctx context.Context, message string) error {
	return d.persist(ctx, "withdraw intent", func() error {
		return d.Ledger.Return(ctx, d.row.RunID, d.row.Ordinal, d.run.Owner, message)
	})
}

// late returns how the dispatch ends if it cannot leave at the given time any more: the start
// deadline holds until a run's first dispatch was accepted, then its timeout; and its cron must still
// be there and not suspended. A given cause says why it has not left yet. Who observes lets nothing leave
// of what another process had begun either.
func (d *dispatch) late(at time.Time, cause verdict) *verdict {
	if d.Observe {
		return &verdict{ledger.Skipped, ledger.Observe, "observing: nothing was sent"}
	}
	if end := d.revoked(d.run.job, d.run.Project, at); end != nil {
		return end
	}
	deadline, end := d.run.StartDeadline, verdict{ledger.Missed, ledger.Deadline, "its start deadline passed before it could be sent"}
	if d.run.started() {
		deadline, end = d.run.Deadline, verdict{ledger.Failed, ledger.Timeout, "the run's timeout passed before it could be sent"}
	}
	if d.run.Deadline.Before(deadline) {
		deadline, end = d.run.Deadline, verdict{ledger.Failed, ledger.Timeout, "the run's timeout passed before it could be sent"}
	}
	if !at.After(deadline) {
		return nil
	}
	if cause.outcome != "" {
		end = cause
	}
	return &end
}

// heard notes the status of an answer that has just come; 0 is none.
func (d *dispatch) heard(status int) {
	if d.row.StatusCode = status; status != 0 {
		d.row.AnsweredAt = time.Now()
	}
}

// accepted records the platform's yes.
func (d *dispatch) accepted(ctx context.Context, a *platform.Accepted) (int, error) {
	d.heard(a.StatusCode)
	res := d.result(ledger.DispatchTracking, verdict{})
	started := a.Started
	if d.call.Task.Kind().Unfollowed {
		started = nil
	}
	for _, s := range started {
		res.Activities = append(res.Activities, ledger.Activity{
			ID: s.ID, Project: d.call.Project, Type: s.Type, State: s.State, Result: s.Result,
		})
	}
	if len(started) == 0 {
		return d.end(ctx, verdict{ledger.Succeeded, "", "the platform accepted it without an activity to follow"})
	}
	res.RunTracking = d.run.variables == nil && !d.call.Wait // nothing comes after a declared cron's last step
	if err := d.persist(ctx, "record answer", func() error { return d.Ledger.Record(ctx, res) }); err != nil {
		return 1, err
	}
	d.event(d.log.Info(), d.run).Str("task", d.row.Kind).Str("activity", started[0].ID).Msg("task dispatched")
	return d.follow(ctx, res.Activities)
}

// follow hands the activities to the tracker. Only a call that is waited for stays until they are
// over, and then goes on with another attempt, or ends.
func (d *dispatch) follow(ctx context.Context, activities []ledger.Activity) (int, error) {
	d.run.begin()
	t := d.tracker.follow(d, activities)
	if !d.call.Wait {
		return 0, nil
	}
	select {
	case <-t.done:
	case <-d.stopping:
		return 1, errStopping
	case <-ctx.Done():
		return 1, context.Cause(ctx)
	}
	again, err := d.retry(ctx, t.ended, t.activities)
	switch {
	case err != nil:
		return 1, err
	case again:
		d.run.close()
		return d.carry(ctx)
	default:
		return d.conclude(ctx, t.ended, t.activities)
	}
}

// conclude ends a dispatch whose activities are over.
func (d *dispatch) conclude(ctx context.Context, v verdict, activities []ledger.Activity) (int, error) {
	res := d.result(ledger.DispatchDone, d.numbered(v))
	res.Activities = activities
	return res.ExitStatus, d.endDispatch(ctx, d.run, res)
}

// end gives the dispatch its outcome. A dispatch that was never written is written as done.
func (d *dispatch) end(ctx context.Context, v verdict) (int, error) {
	v = d.concluded(d.doubtful(v))
	if v.outcome == ledger.Succeeded || v.outcome == ledger.Unknown {
		d.run.begin()
	}
	d.run.note(v.outcome, v.reason, v.message)
	res := d.result(ledger.DispatchDone, v)
	err := d.begin(ctx)
	switch {
	case errors.Is(err, errDuplicate):
		return res.ExitStatus, nil // its row has ended already
	case err != nil:
		return res.ExitStatus, err
	}
	err = d.persist(ctx, "record dispatch", func() error { return d.Ledger.Record(ctx, res) })
	return res.ExitStatus, err
}

func (d *dispatch) result(state ledger.DispatchState, v verdict) ledger.Result {
	status := 0
	if state == ledger.DispatchDone && v.outcome != ledger.Succeeded {
		status = 1
	}
	return ledger.Result{
		RunID: d.row.RunID, Ordinal: d.row.Ordinal, Owner: d.run.Owner,
		AnsweredAt: d.row.AnsweredAt, StatusCode: d.row.StatusCode,
		State: state, Outcome: v.outcome, Reason: v.reason, Message: v.message, ExitStatus: status,
	}
}

// answered reads a refusal: how the dispatch ends, or how long to wait before the next try. After
// an answer about the environment's state, the environment is read again by prepare.
func (d *dispatch) answered(ctx context.Context, refused *platform.Error, pause time.Duration) (*verdict, time.Duration) {
	end := func(o ledger.Outcome, why ledger.Reason) (*verdict, time.Duration) {
		return &verdict{o, why, refused.Error()}, 0
	}
	switch {
	case errors.Is(refused, platform.ErrTokenRejected):
		return end(ledger.Failed, ledger.Auth)
	case refused.Execution() == platform.NotExecuted:
		return nil, pause
	}
	d.heard(refused.StatusCode)
	switch refused.StatusCode {
	case 401:
		return end(ledger.Failed, ledger.Auth)
	case 429:
		return nil, max(refused.RetryAfter, pause)
	case 400, 403, 404, 409:
		return d.refusedByState(ctx, refused, max(refused.RetryAfter, pause))
	default:
		return end(ledger.Failed, ledger.APIError)
	}
}

// refusedByState tells a refusal that the environment's new state explains, which prepare will
// wait for or end with, from one that stays.
func (d *dispatch) refusedByState(ctx context.Context, refused *platform.Error, pause time.Duration) (*verdict, time.Duration) {
	env, err := d.Inventory.Environment(ctx, d.call.Project, d.call.Environment)
	switch {
	case errors.Is(err, platform.ErrNotFound):
		return &verdict{ledger.Failed, ledger.NotFound, err.Error()}, 0
	case err != nil:
		return nil, pause
	}
	d.run.refresh(env)
	if _, err := tasks.Prepare(d.call.Task, env, d.lookup(ctx)); err != nil {
		return nil, 0
	}
	switch refused.StatusCode {
	case 409:
		return nil, pause // busy, whatever its state says
	case 403:
		message := refused.Error()
		if role := d.call.Task.Kind().Role; role != "" {
			message += "; the automation user needs the role " + role + " there"
		}
		return d.forbidden(ctx, message, env), 0
	case 404:
		return &verdict{ledger.Failed, ledger.NotFound, refused.Error()}, 0
	default:
		return &verdict{ledger.Failed, ledger.APIError, refused.Error()}, 0
	}
}

func waitingFor(e *platform.Error) string {
	switch {
	case e.StatusCode == 429:
		return "rate_limit"
	case e.StatusCode == 0:
		return "connection"
	default:
		return "dirty"
	}
}

// isFinal tells errors that waiting does not mend.
func isFinal(err error) bool {
	return errors.Is(err, platform.ErrTokenRejected) || errors.Is(err, platform.ErrForbidden) ||
		errors.Is(err, platform.ErrNotFound)
}

// reasonOf is the reason of an outcome that an API error caused.
func reasonOf(err error) ledger.Reason {
	switch {
	case errors.Is(err, platform.ErrTokenRejected):
		return ledger.Auth
	case errors.Is(err, platform.ErrForbidden):
		return ledger.Forbidden
	case errors.Is(err, platform.ErrNotFound):
		return ledger.NotFound
	default:
		return ledger.APIError
	}
}

func toLedger(a platform.Activity, project string) ledger.Activity {
	return ledger.Activity{ID: a.ID, Project: project, Type: a.Type, State: a.State, Result: a.Result}
}

// redispatches reports whether a request that was looked for in vain may be sent once more.
func (d *dispatch) redispatches() bool {
	switch {
	case d.row.StatusCode/100 == 2:
		return false // accepted, only its answer was unreadable
	case d.run.job == nil || d.run.diverged:
		return false // the cron that asked for it is not there any more
	case d.call.Task.Kind().Repeatable:
		return d.doubts < 5
	default:
		return d.run.job.InDoubt == job.InDoubtRedispatch && d.doubts < 2
	}
}
