package platform

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// At most rampWidth young requests are under way at once. A request is young until rampAge after it left,
// and as long as answers to others come in less than that apart, but for longestYouth at most.
const (
	rampWidth    = 128
	rampAge      = 5 * time.Millisecond
	longestYouth = 50 * time.Millisecond
)

// ramp has a place for each request that is young. A place is taken from one that is not young any more
// when somebody else waits for it.
type ramp struct {
	places chan struct{}
	turn   chan struct{} // of the one who waits for a place, and looks who is young

	mu       sync.Mutex
	left     list.List // of *young, in the order in which they left
	answered time.Time // when the latest place was given back
}

// young is one request on the ramp.
type young struct {
	left    time.Time
	element *list.Element // in ramp.left; nil before the request left
	off     bool          // it has no place any more
}

func newRamp(width int) *ramp {
	return &ramp{places: make(chan struct{}, width), turn: make(chan struct{}, 1)}
}

// enter waits for a place. The request counts as young until start says that it left.
func (r *ramp) enter(ctx context.Context) (*young, error) {
	if err := take(ctx, r.turn); err != nil {
		return nil, err
	}
	defer func() { <-r.turn }()
	for !takeNow(r.places) {
		wait := time.NewTimer(r.age())
		select {
		case r.places <- struct{}{}:
			wait.Stop()
			return &young{}, nil
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, context.Cause(ctx)
		}
	}
	return &young{}, nil
}

// start says that the request leaves now. Only the first time counts.
func (r *ramp) start(y *young) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if y.off || y.element != nil {
		return
	}
	y.left = time.Now()
	y.element = r.left.PushBack(y)
}

// exit gives the place back, if it was not taken before: the request was answered.
func (r *ramp) exit(y *young) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = time.Now()
	r.remove(y)
}

// age takes their places from the requests that are young no more, and returns when to look again.
func (r *ramp) age() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for e := r.left.Front(); e != nil; e = r.left.Front() {
		y := e.Value.(*young)
		if left := y.youth(r.answered).Sub(now); left > 0 {
			return left
		}
		r.remove(y)
	}
	return rampAge
}

// youth is when a request that left is young no more, if no answer comes after the given time.
func (y *young) youth(answered time.Time) time.Time {
	end := y.left
	if answered.After(end) {
		end = answered
	}
	end = end.Add(rampAge)
	if longest := y.left.Add(longestYouth); longest.Before(end) {
		return longest
	}
	return end
}

// remove takes the request off the ramp. The caller holds r.mu.
func (r *ramp) remove(y *young) {
	if y.off {
		return
	}
	y.off = true
	if y.element != nil {
		r.left.Remove(y.element)
	}
	<-r.places
}
