package scheduler

import (
	"math"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

const (
	never       = math.MaxInt64 // the next fire of a schedule that has none
	none  int32 = -1
)

// entry is one cron on one project in the queue. It is kept small, for there may be tens of
// thousands; times are Unix seconds.
type entry struct {
	job      *job.Job
	project  *job.Project
	schedule cronspec.Schedule
	position int64 // all scheduled times up to here are dealt with
	next     int64 // the first one after position, or never
	sibling  int32 // the next entry of the same job, or none
}

// fireAt makes the entry's fire for a scheduled time.
func (e *entry) fireAt(t time.Time) Fire {
	return Fire{Job: e.job, Project: e.project, ScheduledAt: t.UTC()}
}

// key is what makes an entry the same across loads.
type key struct{ application, cron, project string }

func (e *entry) key() key { return key{e.job.Application, e.job.Name, e.project.ID} }

// queue is a min-heap of entries by next fire, and by the order of loading among equals. It
// implements heap.Interface for Init and Fix; entries never come or go one by one.
type queue struct {
	entries []entry
	order   []int32 // the heap, of indexes into entries
}

func newQueue(size int) queue {
	return queue{entries: make([]entry, 0, size), order: make([]int32, 0, size)}
}

// add appends an entry without keeping the heap's order, and returns its index.
func (q *queue) add(e entry) int32 {
	i := int32(len(q.entries))
	q.entries = append(q.entries, e)
	q.order = append(q.order, i)
	return i
}

// first is the entry that fires next. The queue must not be empty.
func (q *queue) first() *entry { return &q.entries[q.order[0]] }

// index finds entries by their key.
func (q *queue) index() map[key]*entry {
	found := make(map[key]*entry, len(q.entries))
	for i := range q.entries {
		found[q.entries[i].key()] = &q.entries[i]
	}
	return found
}

// until visits every entry whose next fire is not after a time, without disturbing the heap.
func (q *queue) until(last int64, visit func(*entry)) {
	stack := []int{0}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i >= len(q.order) {
			continue
		}
		e := &q.entries[q.order[i]]
		if e.next > last || e.next == never {
			continue // its children are no earlier
		}
		visit(e)
		stack = append(stack, 2*i+1, 2*i+2)
	}
}

// Len, Less, Swap, Push and Pop are for package heap.
func (q *queue) Len() int { return len(q.order) }

// Less orders by next fire.
func (q *queue) Less(i, j int) bool {
	a, b := q.order[i], q.order[j]
	if q.entries[a].next != q.entries[b].next {
		return q.entries[a].next < q.entries[b].next
	}
	return a < b
}

// Swap exchanges two places of the heap.
func (q *queue) Swap(i, j int) { q.order[i], q.order[j] = q.order[j], q.order[i] }

// Push does nothing: entries come with Load only.
func (q *queue) Push(any) {}

// Pop does nothing: entries go with Load only.
func (q *queue) Pop() any { return nil }
