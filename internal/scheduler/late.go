package scheduler

import (
	"time"

	"github.com/automatond/automatond/internal/job"
)

const (
	// onTime is how late a fire may be without being one that the daemon was down for.
	onTime = time.Minute

	// punctual is what waking up may take; a start deadline is never taken for less.
	punctual = time.Second
)

// fire appends what is due of an entry and moves the entry on. Of several scheduled times only
// the latest may still run; the others become one record.
func (s *Scheduler) fire(batch []Fire, e *entry, now time.Time) []Fire {
	first := time.Unix(e.next, 0)
	latest := first
	e.position = latest.Unix()
	s.plan(e)
	if e.next <= now.Unix() {
		latest = s.history.latest(e.schedule, now)
		e.position = latest.Unix()
		s.plan(e)
	}
	runs := mayRun(e.job, now.Sub(latest))
	if latest.Equal(first) && runs {
		return append(batch, e.fireAt(latest))
	}
	missed := s.history.count(e.schedule, first, latest)
	last := latest
	if runs {
		missed--
		last = s.history.latest(e.schedule, latest.Add(-time.Second))
	}
	record := e.fireAt(last)
	record.Missed = &Missed{From: first.UTC(), Count: missed, Rest: s.history.rest(e.schedule, last)}
	batch = append(batch, record)
	if runs {
		batch = append(batch, e.fireAt(latest))
	}
	return batch
}

// mayRun decides whether a fire that is late by so much may still run.
func mayRun(j *job.Job, late time.Duration) bool {
	if late > max(j.LatestStart(), punctual) {
		return false
	}
	return late <= onTime || j.CatchUp != job.CatchUpNone
}
