package runner

import (
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
)

// event puts on a log line which run it is about.
func (r *Runner) event(e *zerolog.Event, u *run) *zerolog.Event {
	return e.Str("cron", u.Cron).Str("run", u.ID).Str("project", u.Project).Str("environment", u.Environment)
}

// level is how loud an outcome is: what needs a person is an error.
func (r *Runner) level(o ledger.Outcome) *zerolog.Event {
	switch o {
	case ledger.Failed, ledger.Unknown:
		return r.log.Error()
	case ledger.Missed, ledger.Canceled:
		return r.log.Warn()
	default:
		return r.log.Info()
	}
}

// logOutcome writes the one line of a run's end.
func (r *Runner) logOutcome(u *run, end ledger.Finish) {
	e := r.event(r.level(end.Outcome), u).Str("outcome", string(end.Outcome))
	if end.Reason != "" {
		e.Str("reason", string(end.Reason))
	}
	if end.Message != "" {
		e.Str("detail", end.Message)
	}
	e.Time("scheduled", u.ScheduledAt).Dur("duration", end.At.Sub(u.ScheduledAt)).Msg("run ended")
}

// logFire writes the one line of a fire that ended without a run.
func (r *Runner) logFire(c ledger.Claimed) {
	f := c.Fire
	e := r.level(f.Outcome).Str("cron", f.Cron).Str("project", f.Project).
		Str("outcome", string(f.Outcome)).Str("reason", string(f.Reason))
	if f.Message != "" {
		e.Str("detail", f.Message)
	}
	if f.MissedCount > 0 {
		e.Int("missed", f.MissedCount).Time("from", f.MissedFrom)
	}
	e.Int("targets", f.Targets).Time("scheduled", f.ScheduledAt).Msg("fire ended without a run")
}
