package scheduler

import (
	"slices"
	"time"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

// history remembers which stretches of wall time the loop has been through. Without steps of the
// clock there is one stretch, and it lies before every coming fire. When the clock was set back
// the wall repeats some of it, and what is scheduled there has been dealt with.
type history struct {
	past    []stretch // disjoint, ascending, at most stretchLimit
	present stretch
}

// stretch is a piece of wall time in Unix seconds, both ends included.
type stretch struct{ from, to int64 }

func (p stretch) contains(t time.Time) bool { return p.from <= t.Unix() && t.Unix() <= p.to }

// stretchLimit bounds the memory of a machine whose clock is stepped all the time.
const stretchLimit = 64

// live extends the present stretch. The first one reaches back by the start deadline, because
// what was due before the start may have run late.
func (h *history) live(now time.Time, deadline time.Duration) {
	if h.present == (stretch{}) {
		h.present.from = now.Add(-deadline).Unix()
	}
	h.present.to = max(h.present.to, now.Unix())
}

// leap notes a step forward. Times up to deadline before now may still have run late, so they
// count as lived through; those before were only recorded as missed.
func (h *history) leap(now time.Time, deadline time.Duration) {
	from := now.Add(-deadline).Unix()
	if h.present == (stretch{}) || from <= h.present.to {
		return
	}
	h.close()
	h.present = stretch{from, now.Unix()}
}

// turnBack notes a step back.
func (h *history) turnBack(now time.Time) {
	if h.present != (stretch{}) {
		h.close()
	}
	h.present = stretch{now.Unix(), now.Unix()}
}

// close moves the present stretch to the past, merging what overlaps.
func (h *history) close() {
	h.past = append(h.past, h.present)
	slices.SortFunc(h.past, func(a, b stretch) int { return int(a.from - b.from) })
	merged := h.past[:1]
	for _, p := range h.past[1:] {
		if end := &merged[len(merged)-1]; p.from <= end.to+1 {
			end.to = max(end.to, p.to)
		} else {
			merged = append(merged, p)
		}
	}
	h.past = merged[max(0, len(merged)-stretchLimit):]
}

// next returns the first fire after an instant that has not been dealt with.
func (h *history) next(s cronspec.Schedule, after time.Time) time.Time {
	t := s.Next(after)
	for _, p := range h.past {
		if p.contains(t) {
			t = s.Next(time.Unix(p.to, 0))
		}
	}
	return t
}

// latest returns the last fire up to and including now that has not been dealt with.
func (h *history) latest(s cronspec.Schedule, now time.Time) time.Time {
	t := s.Prev(time.Unix(now.Unix()+1, 0))
	for _, p := range slices.Backward(h.past) {
		if p.contains(t) {
			t = s.Prev(time.Unix(p.from, 0))
		}
	}
	return t
}

// rest returns what finds the first fire after an instant and how many there are from it to last, by what
// had been dealt with when rest was called.
func (h *history) rest(s cronspec.Schedule, last time.Time) func(time.Time) (time.Time, int) {
	then := history{past: slices.Clone(h.past)}
	return func(after time.Time) (time.Time, int) {
		from := then.next(s, after)
		if from.IsZero() || from.After(last) {
			return time.Time{}, 0
		}
		return from.UTC(), then.count(s, from, last)
	}
}

// count returns the number of fires from first to last, both included, that have not been dealt
// with.
func (h *history) count(s cronspec.Schedule, first, last time.Time) int {
	within := func(from, to int64) int { return s.Count(time.Unix(from-1, 0), time.Unix(to, 0)) }
	n := within(first.Unix(), last.Unix())
	for _, p := range h.past {
		n -= within(max(p.from, first.Unix()), min(p.to, last.Unix()))
	}
	return n
}
