package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
)

// Lease keeps this replica's row in the ledger alive. While it is not valid, nothing may be sent:
// another replica may have taken this one's runs.
type Lease struct {
	ledger    *ledger.Ledger
	ttl       time.Duration
	exclusive bool
	log       zerolog.Logger

	mu      sync.Mutex
	replica ledger.Replica
	live    []string      // the replicas that had a lease then, this one always
	renewed time.Time     // local reading, wall and monotonic, from before the last renewal was asked for
	changed chan struct{} // closed and replaced at each renewal
}

// LeaseOptions are what NewLease needs.
type LeaseOptions struct {
	Ledger    *ledger.Ledger
	Replica   ledger.Replica // without an id: the lease gives it one
	TTL       time.Duration  // default 30 s
	Exclusive bool           // the store is this process's alone, so no run can be taken away
	Logger    zerolog.Logger
}

// NewLease registers the replica. Keep it alive with Run.
func NewLease(ctx context.Context, o LeaseOptions) (*Lease, error) {
	if o.TTL == 0 {
		o.TTL = 30 * time.Second
	}
	o.Replica.ID = ledger.NewID()
	l := &Lease{
		ledger: o.Ledger, replica: o.Replica, ttl: o.TTL, exclusive: o.Exclusive,
		log: o.Logger.With().Str("component", "lease").Logger(), changed: make(chan struct{}),
	}
	asked := time.Now()
	if _, err := o.Ledger.Register(ctx, o.Replica, o.TTL); err != nil {
		return nil, fmt.Errorf("register replica: %w", err)
	}
	l.renewed, l.live = asked, l.readLive(ctx)
	return l, nil
}

// Owner is the id under which this replica claims and takes over runs. It is another one after the
// lease was lost: what the replica had before may be in other hands, or come back to it from there,
// and must not be written by those here that have had it all along.
func (l *Lease) Owner() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.replica.ID
}

// Exclusive reports whether the store is this process's alone.
func (l *Lease) Exclusive() bool { return l.exclusive }

// Valid reports whether the lease holds by the wall clock and by the monotonic clock, and the two
// have run alike since it was renewed: the monotonic one stands still while a machine sleeps.
func (l *Lease) Valid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return holds(l.renewed, time.Now(), l.ttl)
}

// Live returns the ids of the replicas that had a lease when this one was last renewed, this one's
// among them. The slice is not to be changed.
func (l *Lease) Live() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

// readLive asks who has a lease. A replica that cannot read it leaves nothing to others.
func (l *Lease) readLive(ctx context.Context) []string {
	owner := l.Owner()
	live := []string{owner}
	if l.exclusive {
		return live
	}
	replicas, err := l.ledger.Replicas(ctx)
	if err != nil {
		l.log.Warn().Err(err).Msg("other replicas not read")
	}
	for _, r := range replicas {
		if r.ID != owner {
			live = append(live, r.ID)
		}
	}
	return live
}

// Reconfigured says with which configuration this replica works from now on. Others hear of it with
// the next renewal.
func (l *Lease) Reconfigured(hash string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replica.ConfigHash = hash
}

func holds(renewed, now time.Time, ttl time.Duration) bool {
	monotonic := now.Sub(renewed)
	wall := now.Round(0).Sub(renewed.Round(0))
	const tolerance = 2 * time.Second // more than a smoothed clock correction, less than a step
	return monotonic < ttl && wall < ttl && (wall-monotonic).Abs() < tolerance
}

// Await returns when the lease is valid. It returns an error when stop is closed or ctx ends first.
func (l *Lease) Await(ctx context.Context, stop <-chan struct{}) error {
	for {
		if l.Valid() {
			return nil
		}
		l.mu.Lock()
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-stop:
			return errStopping
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Run renews the lease at a third of its life, until ctx ends, then gives it back.
func (l *Lease) Run(ctx context.Context) error {
	interval := l.ttl / 3
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			if err := l.ledger.Release(release, l.Owner()); err != nil {
				l.log.Warn().Err(err).Msg("lease not given back; it ends by itself")
			}
			return nil
		case <-timer.C:
		}
		next := interval
		if err := l.renew(ctx); err != nil && ctx.Err() == nil {
			l.log.Error().Err(err).Msg("lease not renewed")
			next = time.Second
		}
		timer.Reset(next)
	}
}

func (l *Lease) renew(ctx context.Context) error {
	l.mu.Lock()
	replica := l.replica
	l.mu.Unlock()
	asked := time.Now()
	_, err := l.ledger.Renew(ctx, replica, l.ttl)
	if errors.Is(err, ledger.ErrLeaseLost) {
		if !l.exclusive {
			replica.ID = ledger.NewID()
		}
		_, err = l.ledger.Register(ctx, replica, l.ttl)
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.replica.ID = replica.ID
	l.renewed = asked
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	live := l.readLive(ctx)
	l.mu.Lock()
	l.live = live
	l.mu.Unlock()
	return nil
}
