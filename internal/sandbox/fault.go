package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is something that goes wrong with matching requests, to the token
// endpoint too. The oldest fault that matches and is not used up strikes.
type Fault struct {
	Method     string // "" is any
	PathSuffix string // end of the path, as sent; "" is any
	Match      string // part of the path, as sent; "" is any

	Skip  int // matching requests that pass before
	Times int // requests that it strikes; 0 is one, negative is all

	Kind    FaultKind
	Latency time.Duration // before it strikes; the pause within the body of SlowBody

	Status     int           // of Status (default 503) and HTML (default 502)
	RetryAfter time.Duration // header of Status and HTML in whole seconds; 0 = none
	Header     http.Header   // of Status and HTML, in addition
	Body       string        // of Status and HTML; "" is a fitting one

	// Executed lets the request take effect before Delay, Status or HTML strike.
	// The others say by their kind.
	Executed bool
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	Delay        FaultKind = "delay"         // nothing but Latency; by default before the request takes effect
	Refuse       FaultKind = "refuse"        // connection refused; over sockets a reset. Does not reach the journal
	ResetBefore  FaultKind = "reset before"  // connection reset; the request has no effect
	ResetAfter   FaultKind = "reset after"   // connection reset; the request has taken effect
	Status       FaultKind = "status"        // an error in the API's form
	HTML         FaultKind = "html"          // a page of something between client and platform
	Truncated    FaultKind = "truncated"     // took effect; the first half of the answer's JSON
	SlowBody     FaultKind = "slow body"     // took effect; the answer pauses for Latency half way
	NoActivities FaultKind = "no activities" // took effect; the accepted envelope names no activities
)

// Inject makes requests fail from now on.
func (s *Sandbox) Inject(f Fault) { s.faults.add(f) }

// ClearFaults takes back every fault.
func (s *Sandbox) ClearFaults() { s.faults.clear() }

// executesFirst reports whether the request takes effect before the fault strikes.
func (f Fault) executesFirst() bool {
	switch f.Kind {
	case ResetAfter, Truncated, SlowBody, NoActivities:
		return true
	case Delay, Status, HTML:
		return f.Executed
	}
	return false
}

func (f Fault) matches(method, path string) bool {
	return (f.Method == "" || f.Method == method) &&
		strings.HasSuffix(path, f.PathSuffix) && strings.Contains(path, f.Match)
}

// faults are those that are not used up.
type faults struct {
	count atomic.Int32 // spares those who have none the lock
	mu    sync.Mutex
	list  []*Fault
}

func (s *faults) add(f Fault) {
	if f.Kind == "" {
		f.Kind = Delay
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, &f)
	s.count.Store(int32(len(s.list)))
}

func (s *faults) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
	s.count.Store(0)
}

// strike returns the fault for a request; its Kind is "" when there is none.
func (s *faults) strike(method, path string) Fault {
	if s.count.Load() == 0 {
		return Fault{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.list {
		if !f.matches(method, path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		struck := *f
		if f.Times--; f.Times == 0 {
			s.list = slices.Delete(s.list, i, i+1)
			s.count.Store(int32(len(s.list)))
		}
		return struck
	}
	return Fault{}
}
