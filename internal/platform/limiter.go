package platform

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The ramp: at most rampWidth requests younger than rampAge are under way at once.
const (
	rampWidth = 48
	rampAge   = 5 * time.Millisecond
)

// LimiterOptions bound the requests under way. Zero fields take their defaults.
type LimiterOptions struct {
	InFlight          int     // overall; default 4096
	PerProject        int     // of one project; default 4
	RequestsPerSecond float64 // overall; default unlimited
}

// Limiter bounds the requests under way, overall and per project.
//
// A burst to a fast platform goes over few warm connections: at most 48 requests that have not
// left, or left less than 5 ms ago, are under way at once. A request that takes longer stops
// counting towards these 48 and counts towards the overall bound only. So slow projects cannot hold
// up fast ones, however many there are, and nobody has to guess how slow the platform is.
type Limiter struct {
	rate     *rate.Limiter // nil is unlimited
	overall  chan struct{}
	ramp     chan struct{}
	perLimit int

	mu       sync.Mutex
	projects map[string]*slots
}

// slots are the places of one project. Nobody holds or awaits one when users is zero.
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
		overall: make(chan struct{}, o.InFlight), ramp: make(chan struct{}, rampWidth),
		perLimit: o.PerProject, projects: map[string]*slots{},
	}
	if o.RequestsPerSecond > 0 {
		l.rate = rate.NewLimiter(rate.Limit(o.RequestsPerSecond), max(1, int(o.RequestsPerSecond)))
	}
	return l
}

// Slot is a place for one request. The methods of a nil Slot do nothing.
type Slot struct {
	limiter *Limiter
	project string
	places  *slots
	aged    *time.Timer

	mu       sync.Mutex
	onRamp   bool
	released bool
}

// Acquire waits for a place for one request of a project. Say Start when the request leaves, and
// Release when its answer was read. A nil Limiter always has a place.
func (l *Limiter) Acquire(ctx context.Context, project string) (*Slot, error) {
	if l == nil {
		return nil, nil
	}
	p := l.enter(project)
	if err := take(ctx, p.free); err != nil {
		l.leave(project, p)
		return nil, err
	}
	if err := l.acquireShared(ctx); err != nil {
		<-p.free
		l.leave(project, p)
		return nil, err
	}
	return &Slot{limiter: l, project: project, places: p, onRamp: true}, nil
}

// acquireShared waits for what all projects share.
func (l *Limiter) acquireShared(ctx context.Context) error {
	if l.rate != nil {
		if err := l.rate.Wait(ctx); err != nil {
			return err
		}
	}
	if err := take(ctx, l.overall); err != nil {
		return err
	}
	if err := take(ctx, l.ramp); err != nil {
		<-l.overall
		return err
	}
	return nil
}

// Start says that the request leaves now: its age counts from here.
func (s *Slot) Start() {
	if s != nil {
		s.aged = time.AfterFunc(rampAge, s.leaveRamp)
	}
}

func (s *Slot) leaveRamp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onRamp {
		s.onRamp = false
		<-s.limiter.ramp
	}
}

// Release gives the place back. Further calls do nothing.
func (s *Slot) Release() {
	if s == nil {
		return
	}
	if s.aged != nil {
		s.aged.Stop()
	}
	s.leaveRamp()
	s.mu.Lock()
	released := s.released
	s.released = true
	s.mu.Unlock()
	if !released {
		<-s.limiter.overall
		<-s.places.free
		s.limiter.leave(s.project, s.places)
	}
}

func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Limiter) enter(project string) *slots {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.projects[project]
	if p == nil {
		p = &slots{free: make(chan struct{}, l.perLimit)}
		l.projects[project] = p
	}
	p.users++
	return p
}

func (l *Limiter) leave(project string, p *slots) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(l.projects, project)
	}
}
