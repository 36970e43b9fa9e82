package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

const (
	retryFirst = time.Minute      // the pause before a cron's first retry; each further one doubles it
	retryMost  = 15 * time.Minute // the longest pause
)

// retry makes one more attempt of a dispatch that would end with v, if its cron has one left and
// repeating breaks no promise. It returns false when the dispatch ends.
func (d *dispatch) retry(ctx context.Context, v verdict, activities []ledger.Activity) (bool, error) {
	at := time.Now().Add(retryPause(len(d.row.Earlier)))
	if !d.repeats(v, len(activities) > 0) {
		return false, nil
	}
	attempt := ledger.Attempt{
		SentAt: d.row.SentAt, AnsweredAt: d.row.AnsweredAt, EndedAt: time.Now().UTC(), StatusCode: d.row.StatusCode,
		Outcome: v.outcome, Reason: v.reason, Message: v.message, Activities: activities,
	}
	next := *d
	next.row.Earlier = append(slices.Clip(d.row.Earlier), attempt)
	if next.late(at, verdict{}) != nil {
		return false, nil
	}
	if err := d.begin(ctx); err != nil {
		return false, err
	}
	err := d.persist(ctx, "record attempt", func() error {
		return d.Ledger.Retry(ctx, ledger.Retry{
			RunID: d.row.RunID, Ordinal: d.row.Ordinal, Owner: d.run.Owner, Earlier: next.row.Earlier, At: at,
		})
	})
	if err != nil {
		return false, err
	}
	d.row.Earlier, d.row.RetryAt = next.row.Earlier, at
	d.row.SentAt, d.row.SettleAt, d.row.AnsweredAt = time.Time{}, time.Time{}, time.Time{}
	d.row.StatusCode, d.row.Attempts = 0, 0
	d.row.Activities, d.doubts = nil, 0
	d.event(d.log.Warn(), d.run).Str("task", d.row.Kind).Int("attempt", len(d.row.Earlier)).
		Str("outcome", string(v.outcome)).Str("reason", string(v.reason)).Str("detail", v.message).
		Time("retry_at", at).Msg("attempt failed, to be retried")
	return true, nil
}

// repeats reports whether an attempt that ended with v may be followed by another: it certainly did
// not execute, or doing it twice does no harm.
func (d *dispatch) repeats(v verdict, executed bool) bool {
	if d.run.job == nil || d.call.Task == nil || v.outcome != ledger.Failed || len(d.row.Earlier) >= d.run.job.Retries {
		return false
	}
	repeatable := d.call.Task.Kind().Repeatable
	switch v.reason {
	case ledger.ActivityFailed:
		return repeatable
	case ledger.APIError, ledger.Auth, ledger.Forbidden, ledger.NotFound, ledger.Inactive:
		return !executed && (repeatable || d.doubts == 0)
	default:
		return false
	}
}

// retryPause is the pause before a retry that has so many before it: between half and all of what
// the doubling gives, so that many that failed together do not come together.
func retryPause(before int) time.Duration {
	d := min(retryFirst<<min(before, 10), retryMost)
	return d/2 + rand.N(d/2+1)
}

// awaitRetry waits until an attempt that was put off is due.
func (d *dispatch) awaitRetry(ctx context.Context) error {
	if len(d.row.Earlier) == 0 {
		return nil
	}
	d.waited = true
	pause := time.Until(d.row.RetryAt)
	if pause <= 0 {
		return nil
	}
	d.Metrics.waiting("retry", 1)
	defer d.Metrics.waiting("retry", -1)
	return d.pause(ctx, pause)
}

// retryFailed makes one more attempt of a dispatch whose activity failed, beside the tracker. The run
// stays open meanwhile, as if the activity were not over.
func (d *dispatch) retryFailed(ctx context.Context, v verdict, activities []ledger.Activity) bool {
	again, err := d.retry(ctx, v, activities)
	if err == nil && !again {
		return false
	}
	d.spawn(func() {
		if err == nil {
			_, err = d.carry(ctx)
		}
		d.leaveOr(ctx, d.run, err, d.handBack)
	})
	return true
}

// handBack says that a retry has ended, or is followed by the tracker again.
func (d *dispatch) handBack(ctx context.Context, u *run) {
	if u.close() {
		d.finish(ctx, u)
	}
}

// numbered says at which attempt a dispatch has ended, if not at its first.
func (d *dispatch) numbered(v verdict) verdict {
	if n := len(d.row.Earlier); n > 0 && v.message != "" {
		v.message = fmt.Sprintf("%s (attempt %d)", v.message, n+1)
	}
	return v
}

// concluded is how a dispatch ends that has no activity to follow. Where its last attempt was not
// made after all, what came of the one before stands.
func (d *dispatch) concluded(v verdict) verdict {
	made := v.outcome == ledger.Succeeded || v.outcome == ledger.Unknown || v.outcome == ledger.Failed && v.reason != ledger.Timeout
	n := len(d.row.Earlier)
	if n == 0 || made {
		return d.numbered(v)
	}
	last := d.row.Earlier[n-1]
	return verdict{last.Outcome, last.Reason, fmt.Sprintf("%s (attempt %d; another was not made: %s)", last.Message, n, v.message)}
}

// leaveOr goes on with a run unless an error says why it cannot.
func (r *Runner) leaveOr(ctx context.Context, u *run, err error, goOn func(context.Context, *run)) {
	switch {
	case errors.Is(err, errResolved): // and it has been said
	case errors.Is(err, ledger.ErrNotOwned):
		r.lost(u)
	case err != nil:
		// The store has the run as it stands; the next process to own it goes on from there.
		r.event(r.log.Info(), u).Err(err).Msg("run left open")
	default:
		goOn(ctx, u)
	}
}

// displaced says how a run ended that only waited for a retry when the next fire came. Whoever waits
// finds out by itself.
func (r *Runner) displaced(u *ledger.Run) {
	end := ledger.Finish{Outcome: u.Outcome, Reason: u.Reason, Message: u.Message, At: u.FinishedAt}
	r.Metrics.finished(u, end)
	r.logOutcome(&run{Run: *u}, end)
}
