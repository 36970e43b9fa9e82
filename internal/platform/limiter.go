package platform

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// LimiterOptions bound the requests under way. Zero fields take their defaults.
type LimiterOptions struct {
	InFlight          int     // overall; default 4096
	PerProject        int     // of one project; default 4
	RequestsPerSecond float64 // overall; default unlimited

	// Owner names the automation user whose requests those of a project are, and how many of that user's
	// may be under way. Zero is no bound of its own, and so is a nil Owner. A bound that changes holds
	// from when none of the user's requests is under way or waits.
	Owner func(project string) (user string, most int)
}

// Limiter bounds the requests under way, overall, per project and per automation user.
//
// A burst to a fast platform goes over few warm connections: at most 128 requests that have not
// left, or left less than 5 ms ago, are under way at once. A request that takes longer, while no
// other is answered either, stops counting towards these 128 and counts towards the overall bound
// only. So slow projects cannot hold up fast ones, however many there are, and nobody has to guess
// how slow the platform is. While answers come in, a late one says that this machine is busy, and
// more requests at once would make it busier.
//
// Where fewer may be under way, the ramp has places for four times as many, so that the next are made ready
// meanwhile.
type Limiter struct {
	rate     *rate.Limiter // nil is unlimited
	overall  chan struct{}
	ramp     *ramp
	perLimit int
	owner    func(project string) (user string, most int)

	mu       sync.Mutex
	projects map[string]*slots
	users    map[string]*slots
}

// slots are the places of one project or user. Nobody holds or awaits one when users is zero.
type slots struct {
	free  chan struct{}
	users int
}

// NewLimiter returns a limiter.
func NewLimiter(o LimiterOptions) *Limiter {
	if o.InFlight == 0 {
		o.InFlight = 4096
	}
	if o.PerProject == 0 {
		o.PerProject = 4
	}
	l := &Limiter{
		overall: make(chan struct{}, o.InFlight), ramp: newRamp(min(rampWidth, 4*o.InFlight)),
		perLimit: o.PerProject, owner: o.Owner, projects: map[string]*slots{}, users: map[string]*slots{},
	}
	if o.RequestsPerSecond > 0 {
		l.rate = rate.NewLimiter(rate.Limit(o.RequestsPerSecond), max(1, int(o.RequestsPerSecond)))
	}
	return l
}

// Slot is a place for one request. The methods of a nil Slot do nothing.
type Slot struct {
	limiter *Limiter
	project place
	user    place // none when its requests have no bound of their own
	young   *young
	joined  bool // it has a place among all requests under way

	released atomic.Bool
}

// Acquire waits for a place for one request of a project. Say Start when the request leaves, and
// Release when its answer was read. A nil Limiter always has a place.
func (l *Limiter) Acquire(ctx context.Context, project string) (*Slot, error) {
	if l == nil {
		return nil, nil
	}
	s, err := l.acquire(ctx, project, func(slots chan struct{}) error { return take(ctx, slots) })
	if err != nil {
		return nil, err
	}
	if err := s.join(ctx); err != nil {
		s.Release()
		return nil, err
	}
	return s, nil
}

// AcquireSoon is Acquire for one who has something else to do when there is no place: it waits, until
// ctx ends, for the ramp, which moves on as others are answered, and not for the places of the project and its
// user. It returns nil without a place. Before the request leaves, it has to Join those under way.
func (l *Limiter) AcquireSoon(ctx context.Context, project string) *Slot {
	if l == nil || l.rate != nil {
		return nil
	}
	slot, err := l.acquire(ctx, project, func(slots chan struct{}) error {
		if !takeNow(slots) {
			return errNoPlace
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return slot
}

var errNoPlace = errors.New("no place is free")

// Width is how many places the ramp has.
func (l *Limiter) Width() int {
	if l == nil {
		return rampWidth
	}
	return cap(l.ramp.places)
}

// acquire takes a place in each of the bounds but the overall one. Take takes one of those of the project and
// its user.
func (l *Limiter) acquire(ctx context.Context, project string, take func(chan struct{}) error) (*Slot, error) {
	s := &Slot{limiter: l}
	var err error
	if s.project, err = l.takeOne(l.projects, project, l.perLimit, take); err != nil {
		return nil, err
	}
	if l.owner != nil {
		if user, most := l.owner(project); most > 0 {
			s.user, err = l.takeOne(l.users, user, most, take)
		}
	}
	if err == nil {
		s.young, err = l.acquireYoung(ctx)
	}
	if err != nil {
		l.giveBack(s.user)
		l.giveBack(s.project)
		return nil, err
	}
	return s, nil
}

// acquireYoung takes a place on the ramp, when the rate allows it.
func (l *Limiter) acquireYoung(ctx context.Context) (*young, error) {
	if l.rate != nil {
		if err := l.rate.Wait(ctx); err != nil {
			return nil, err
		}
	}
	return l.ramp.enter(ctx)
}

// Join waits, until a time at most, for a place among all requests under way, if the slot has none yet.
func (s *Slot) Join(ctx context.Context, until time.Time) error {
	if s == nil || s.joined {
		return nil
	}
	if s.joined = takeNow(s.limiter.overall); s.joined {
		return nil // as a rule, and without a timer
	}
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	select {
	case s.limiter.overall <- struct{}{}:
		s.joined = true
		return nil
	case <-late.C:
		return errNoPlace
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Slot) join(ctx context.Context) error {
	err := take(ctx, s.limiter.overall)
	s.joined = err == nil
	return err
}

// Start says that the request leaves now: its age counts from here.
func (s *Slot) Start() {
	if s != nil {
		s.limiter.ramp.start(s.young)
	}
}

// Release gives the place back. Further calls do nothing.
func (s *Slot) Release() {
	if s == nil || s.released.Swap(true) {
		return
	}
	s.limiter.ramp.exit(s.young)
	if s.joined {
		<-s.limiter.overall
	}
	s.limiter.giveBack(s.user)
	s.limiter.giveBack(s.project)
}

func takeNow(slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func take(ctx context.Context, slots chan struct{}) error {
	if takeNow(slots) {
		return nil
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// place is one of a project's or a user's places. The zero place is none.
type place struct {
	of    map[string]*slots
	name  string
	slots *slots
}

func (l *Limiter) takeOne(of map[string]*slots, name string, most int, take func(chan struct{}) error) (place, error) {
	p := l.enter(of, name, most)
	if err := take(p.slots.free); err != nil {
		l.leave(p)
		return place{}, err
	}
	return p, nil
}

func (l *Limiter) giveBack(p place) {
	if p.slots != nil {
		<-p.slots.free
		l.leave(p)
	}
}

func (l *Limiter) enter(of map[string]*slots, name string, most int) place {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := of[name]
	if s == nil {
		s = &slots{free: make(chan struct{}, most)}
		of[name] = s
	}
	s.users++
	return place{of, name, s}
}

func (l *Limiter) leave(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.slots.users--; p.slots.users == 0 {
		delete(p.of, p.name)
	}
}
