package app

import (
	"slices"
	"time"

	"github.com/automatond/automatond/internal/control"
)

// history is what was done to the daemon, which the promise depends on.
type history struct {
	specs       map[*cron][]since
	down        []span                // without a process
	moved       map[*cron][]time.Time // from when on a cron owes nothing before
	suspensions []suspension
	calm        time.Time // nothing is wrong from here on
	over        time.Time // nothing is asked for any more
}

type span struct{ from, to time.Time }

func (p span) contains(t time.Time) bool { return !t.Before(p.from) && !t.After(p.to) }

type suspension struct {
	cron string // or control.AllCrons
	span        // to is far away while nobody knows
}

var farAway = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

func newHistory(crons []*cron, now time.Time) history {
	h := history{specs: map[*cron][]since{}, moved: map[*cron][]time.Time{}}
	for _, c := range crons {
		h.specs[c] = []since{{now, c.spec}}
	}
	return h
}

// spec is a cron's present one, "" while it is not configured.
func (h *history) spec(c *cron) string { return h.specs[c][len(h.specs[c])-1].spec }

func (h *history) set(c *cron, spec string, now time.Time) {
	if spec != h.spec(c) {
		h.specs[c] = append(h.specs[c], since{now, spec})
		h.moved[c] = append(h.moved[c], now)
	}
}

func (h *history) stopped(now time.Time) { h.down = append(h.down, span{now, farAway}) }

func (h *history) started(now time.Time) {
	if n := len(h.down); n > 0 {
		h.down[n-1].to = now
	}
}

// suspended begins a suspension, in the place of the cron's former one.
func (h *history) suspended(cron string, now, until time.Time) {
	h.cut(cron, now)
	if until.IsZero() {
		until = farAway
	}
	h.suspensions = append(h.suspensions, suspension{cron, span{now, until}})
}

// resumed ends the suspension of one cron, or the one of all.
func (h *history) resumed(cron string, now time.Time) { h.cut(cron, now) }

func (h *history) cut(cron string, now time.Time) {
	for i := range h.suspensions {
		if v := &h.suspensions[i]; v.cron == cron && v.to.After(now) {
			v.to = now
		}
	}
}

func (h *history) isSuspended(cron string) bool {
	now := time.Now()
	return slices.ContainsFunc(h.suspensions, func(v suspension) bool { return v.cron == cron && v.to.After(now) })
}

// quiet reports whether nothing may be asked for on behalf of a cron at a time. What had left the
// daemon just before may still arrive within the deadline of a request.
func (h *history) quiet(c *cron, at time.Time) bool {
	return slices.ContainsFunc(h.suspensions, func(v suspension) bool {
		return v.concerns(c) && at.After(v.from.Add(requestDeadline)) && at.Before(v.to)
	})
}

func (v suspension) concerns(c *cron) bool { return v.cron == c.name || v.cron == control.AllCrons }

// forgiven reports whether a time needs no record: it had none when a process ended, and before the
// next one began the cron was edited, came back, or was resumed, from when on it owes what is due.
func (h *history) forgiven(c *cron, due time.Time) bool {
	moved := slices.Clone(h.moved[c])
	for _, v := range h.suspensions {
		if v.concerns(c) {
			moved = append(moved, v.to)
		}
	}
	return slices.ContainsFunc(h.down, func(down span) bool {
		open := span{down.from.Add(-startDeadline - requestDeadline), down.to}
		return open.contains(due) && slices.ContainsFunc(moved, span{due, down.to}.contains)
	})
}
