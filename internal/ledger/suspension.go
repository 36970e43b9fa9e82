package ledger

import (
	"context"
	"time"
)

// AllCrons stands for every cron in a Suspension. No cron has the empty name.
const AllCrons = ""

// Suspension says that nothing is sent for a cron, or for all of them, from Since until Until.
type Suspension struct {
	Cron  string // or AllCrons
	Since time.Time
	Until time.Time // zero: until it is resumed
	Note  string    // why, in the words of who suspended it
}

// Covers reports whether a scheduled time falls under the suspension, or would have while it was
// in force. A time before Since does: what was due and has not been dealt with is not sent either.
func (s Suspension) Covers(at time.Time) bool { return s.Until.IsZero() || at.Before(s.Until) }

// inForce is the condition under which a suspension is not over at a time.
const inForce = `(suspensions.ends_at IS NULL OR suspensions.ends_at > ?)`

const (
	// suspend writes nothing over a suspension that would end earlier by it.
	suspend = `INSERT INTO suspensions (cron, suspended_at, ends_at, note) VALUES (?, ?, ?, ?)
		ON CONFLICT (cron) DO UPDATE SET suspended_at = excluded.suspended_at, ends_at = excluded.ends_at,
			note = CASE WHEN excluded.note = '' AND ` + inForce + ` THEN suspensions.note ELSE excluded.note END
		WHERE NOT ` + inForce + ` OR excluded.ends_at IS NULL OR suspensions.ends_at <= excluded.ends_at`

	resume = `UPDATE suspensions SET ends_at = ? WHERE cron = ? AND ` + inForce

	selectSuspension = `SELECT cron, suspended_at, ends_at, note FROM suspensions WHERE cron = ?`
)

// Suspend writes a suspension in place of the cron's former one, whose note it keeps when it has none of its
// own and that one is in force. It lets none end earlier: somebody relies on that. It returns the one that holds
// now, and whether that is the new one. The statement decides, so of two replicas that suspend at the same
// time neither cuts the other's short.
func (l *Ledger) Suspend(ctx context.Context, v Suspension) (holds Suspension, written bool, err error) {
	err = l.write(ctx, opSuspend, "record suspension", 1, func(s *session) error {
		since := micros(v.Since)
		n, err := s.exec(suspend, v.Cron, since, nullMicros(v.Until), v.Note, since, since)
		if err != nil {
			return err
		}
		written = n == 1
		holds, err = scanSuspension(s.row(selectSuspension, v.Cron))
		return err
	})
	return holds, written, err
}

// Resume ends the cron's suspension at a time, which remains a baseline (see Schedules). It returns false when none was in
// force, else the suspension as it is now.
func (l *Ledger) Resume(ctx context.Context, cron string, at time.Time) (ended Suspension, was bool, err error) {
	err = l.write(ctx, opSuspend, "record the end of a suspension", 1, func(s *session) error {
		n, err := s.exec(resume, micros(at), cron, micros(at))
		if was = n == 1; !was || err != nil {
			return err
		}
		ended, err = scanSuspension(s.row(selectSuspension, cron))
		return err
	})
	return ended, was, err
}

// Suspensions returns all suspensions, those that have ended too, by the crons' names.
func (r *Reader) Suspensions(ctx context.Context) ([]Suspension, error) {
	all, err := collect(ctx, r.reader, scanSuspension, selectSuspensions)
	return all, r.judge(ctx, opQuery, "read suspensions", err)
}

const selectSuspensions = `SELECT cron, suspended_at, ends_at, note FROM suspensions ORDER BY cron`

func scanSuspension(row scanner) (Suspension, error) {
	var v Suspension
	var since, until stamp
	err := row.Scan(&v.Cron, &since, &until, &v.Note)
	v.Since, v.Until = since.Time, until.Time
	return v, err
}
