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

// Suspend writes suspensions, each in place of the cron's former one. A cron is resumed by one
// whose Until is now: the time at which it ended remains a baseline (see Schedules).
func (l *Ledger) Suspend(ctx context.Context, suspensions ...Suspension) error {
	return l.write(ctx, opSuspend, "record suspension", len(suspensions), func(s *session) error {
		for _, v := range suspensions {
			_, err := s.exec(`INSERT INTO suspensions (cron, suspended_at, ends_at, note) VALUES (?, ?, ?, ?)
				ON CONFLICT (cron) DO UPDATE SET suspended_at = excluded.suspended_at,
					ends_at = excluded.ends_at, note = excluded.note`,
				v.Cron, micros(v.Since), nullMicros(v.Until), v.Note)
			if err != nil {
				return err
			}
		}
		return nil
	})
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
