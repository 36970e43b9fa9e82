package app

import (
	"net/http"
	"sync"
	"syscall"
)

// gate is one process's way to the platform. When the process is killed nothing passes any more in
// either direction: what was on its way may have arrived, and its answer is never heard.
type gate struct {
	next http.RoundTripper
	dead chan struct{} // closed when the process was killed
	gone chan struct{} // closed when what is left of the process has ended

	mu   sync.Mutex
	trap *trap // nil: none
}

// trap kills the process at one of its requests.
type trap struct {
	changes bool // count those only that change something
	left    int  // how many pass before
	after   bool // the request itself arrives, and its answer does not
}

func newGate(next http.RoundTripper) *gate {
	return &gate{next: next, dead: make(chan struct{}), gone: make(chan struct{})}
}

// set lays a trap.
func (g *gate) set(t trap) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trap = &t
}

// kill closes the gate.
func (g *gate) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.close()
}

func (g *gate) close() {
	select {
	case <-g.dead:
	default:
		close(g.dead)
	}
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.admits(r) {
		return g.hang(r)
	}
	response, err := g.next.RoundTrip(r)
	select {
	case <-g.dead:
		return g.hang(r)
	default:
		return response, err
	}
}

// admits reports whether a request arrives, and lets the trap snap.
func (g *gate) admits(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.dead:
		return false
	default:
	}
	if g.trap == nil || g.trap.changes && r.Method == http.MethodGet {
		return true
	}
	if g.trap.left--; g.trap.left >= 0 {
		return true
	}
	g.close()
	return g.trap.after
}

// hang waits as for an answer that never comes.
func (g *gate) hang(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
	case <-g.gone:
	}
	return nil, syscall.ECONNRESET
}
