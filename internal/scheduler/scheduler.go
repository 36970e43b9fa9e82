// Package scheduler says when. It keeps one entry per cron and project, waits for the earliest
// fire, and hands all fires that are due together to one function as one batch. It knows nothing
// of tasks, targets or the platform, and it does no I/O: what a fire leads to is the affair of
// package runner, and what was dealt with before a restart that of the ledger, which says so in
// each entry's baseline.
//
// Scheduled times are times on the wall. The loop therefore computes its wait from the wall clock
// and never sleeps longer than half a minute, so that a clock which was stepped, or a machine that
// was asleep, is noticed. Every scheduled time leaves exactly once: as a fire to run, or, when the
// loop comes too late for it, counted in a fire that is only a record (see Missed). A fire's
// successor is computed from its scheduled time, so nothing drifts.
package scheduler

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

// longestWait bounds the time until a step of the clock is noticed.
const longestWait = 30 * time.Second

// Options are what a Scheduler is made of.
type Options struct {
	Logger  zerolog.Logger
	Metrics *Metrics // nil counts nothing

	// Every, in tests, lets each entry fire so often whatever its schedule says, one after the other. It is
	// in whole seconds.
	Every time.Duration

	// Ahead is how long before its scheduled time a fire leaves, so that what has to be done before its
	// requests can is done by then. It is in whole seconds.
	Ahead time.Duration

	// Emit takes the fires that are due together, earliest first. It owns the slice. It is called
	// from one goroutine and must not block, for meanwhile nothing fires.
	Emit func([]Fire)
}

// Scheduler is the loop. Its methods may be called from any goroutine.
type Scheduler struct {
	logger  zerolog.Logger
	metrics *Metrics
	emit    func([]Fire)
	every   uint16 // seconds; see Options.Every
	ahead   time.Duration

	wake     chan struct{} // has an element when the entries were swapped
	lastTick atomic.Int64  // Unix nanoseconds

	mu      sync.Mutex
	queue   queue
	byJob   map[*job.Job]int32 // its first entry; the others follow by sibling
	history history
	longest time.Duration // how late a fire of any entry may still run
	last    reading       // of the clocks, at the previous tick or load
	skew    time.Duration // added to the wall clock; only tests step it
}

// New makes a scheduler without entries.
func New(o Options) *Scheduler {
	s := &Scheduler{logger: o.Logger, metrics: o.Metrics, emit: o.Emit, ahead: o.Ahead, every: uint16(o.Every / time.Second), wake: make(chan struct{}, 1)}
	s.last = s.read()
	s.ticked(s.last)
	return s
}

// Run fires what is due until ctx ends, and then returns nil. The batch in flight has left by
// then. It may be called once.
func (s *Scheduler) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		}
		if ctx.Err() != nil {
			return nil
		}
		if batch := s.tick(); len(batch) > 0 {
			s.emit(batch)
		}
		timer.Reset(s.wait())
	}
}

// tick takes every fire that is due, or will be as soon as that fires leave ahead.
func (s *Scheduler) tick() []Fire {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.observe()
	s.ticked(now)
	var batch []Fire
	for s.queue.Len() > 0 {
		e := s.queue.first()
		if e.next > now.wall.Add(s.ahead).Unix() {
			break
		}
		batch = s.fire(batch, e, now.wall)
		heap.Fix(&s.queue, 0)
	}
	s.history.live(now.wall.Add(s.ahead), s.longest)
	return batch
}

// wait is the time until the next tick. The timer may run a little ahead of the wall clock; the
// loop then comes round once more.
func (s *Scheduler) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.Len() == 0 || s.queue.first().next == never {
		return longestWait
	}
	until := time.Unix(s.queue.first().next, 0).Add(-s.ahead).Sub(s.read().wall)
	return min(max(until, 0), longestWait)
}

func (s *Scheduler) ticked(now reading) {
	s.lastTick.Store(now.wall.UnixNano())
	s.metrics.tick(now.wall)
}

// Load replaces all entries, also while Run is running. Nothing fires because of it, except what
// the baselines say is owed. An entry that was there before, by application, cron and project,
// goes on from where it was, unless its new baseline is later.
func (s *Scheduler) Load(entries []Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.observe().wall
	before := s.queue.index()
	next := newQueue(len(entries))
	byJob := make(map[*job.Job]int32, len(entries))
	ahead := 0
	s.longest = 0
	for i, loaded := range entries {
		if loaded.Job.Left != nil {
			continue
		}
		e := entry{job: loaded.Job, project: loaded.Project, schedule: loaded.Job.Schedule(loaded.Project)}
		if s.every > 0 {
			e.schedule = cronspec.Every(s.every, uint16(i))
		}
		e.position = now.Unix()
		old, known := before[e.key()]
		switch {
		case loaded.Baseline.After(now.Add(s.ahead)):
			ahead++
		case !loaded.Baseline.IsZero():
			e.position = loaded.Baseline.Unix()
		case known && old.job.Hash == e.job.Hash:
			e.position = old.position
		}
		if known {
			e.position = max(e.position, old.position)
		}
		s.plan(&e)
		e.sibling = none
		if first, ok := byJob[e.job]; ok {
			e.sibling = first
		}
		byJob[e.job] = next.add(e)
		s.longest = max(s.longest, e.job.LatestStart())
	}
	heap.Init(&next)
	s.queue, s.byJob = next, byJob
	if ahead > 0 {
		s.logger.Warn().Int("crons", ahead).
			Msg("baselines lay ahead of the clock and were taken for now: the clock was set back")
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// plan sets the entry's next fire from its position.
func (s *Scheduler) plan(e *entry) {
	e.next = never
	if t := s.history.next(e.schedule, time.Unix(e.position, 0)); !t.IsZero() {
		e.next = t.Unix()
	}
}

// observe reads the clocks and deals with a step since the last time. After a step forward the
// times in between are simply late. After a step back the wall repeats itself: what the loop has
// been through does not fire again, and what it had jumped over is not waited for.
func (s *Scheduler) observe() reading {
	now := s.read()
	step := clockStep(s.last, now)
	s.last = now
	if step == 0 {
		return now
	}
	s.metrics.step()
	s.logger.Warn().Dur("step", step).Time("now", now.wall).Msg("the wall clock was stepped")
	if step > 0 {
		s.history.leap(now.wall, max(s.longest, punctual))
		return now
	}
	s.history.turnBack(now.wall)
	for i := range s.queue.entries {
		if e := &s.queue.entries[i]; e.position > now.wall.Unix() {
			e.position = now.wall.Unix()
			s.plan(e)
		}
	}
	heap.Init(&s.queue)
	return now
}

// Upcoming returns the next fire of every entry that is due within the given time, in no order.
// It is for fetching ahead; a fire listed here may still be called off by a Load.
func (s *Scheduler) Upcoming(within time.Duration) []Fire {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fires []Fire
	s.queue.until(s.read().wall.Add(within).Unix(), func(e *entry) {
		fires = append(fires, e.fireAt(time.Unix(e.next, 0)))
	})
	return fires
}

// Next returns the earliest coming fire of a job over its projects, in UTC, or the zero time for a
// job that is not loaded or never fires again.
func (s *Scheduler) Next(j *job.Job) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.byJob[j]
	if !ok {
		return time.Time{}
	}
	next := int64(math.MaxInt64)
	for ; i != none; i = s.queue.entries[i].sibling {
		next = min(next, s.queue.entries[i].next)
	}
	if next == never {
		return time.Time{}
	}
	return time.Unix(next, 0).UTC()
}

// LastTick returns when the loop last came round, or when the scheduler was made. While Run is
// healthy it is at most about half a minute ago.
func (s *Scheduler) LastTick() time.Time { return time.Unix(0, s.lastTick.Load()).UTC() }
