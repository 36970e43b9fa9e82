// Package runner carries a fire to its outcome: it finds the targets, claims the runs, sends each
// request at most once, follows the activities and records what happened.
//
// It decides nothing about time (package scheduler) and nothing about guards (package plan), and
// it is the only package that sends state-changing requests. The order in which one request is
// claimed, sent and recorded is what keeps the promise; it stands in dispatch.go, and for what is made
// ready ahead of its time in first.go. The states that runs and dispatches pass through are described in docs/run-states.md.
package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/scheduler"
)

// Options are what a Runner needs. All fields without a default are required.
type Options struct {
	Ledger    *ledger.Ledger
	Inventory *inventory.Inventory
	Lease     *Lease
	Limiter   *platform.Limiter

	// Client returns the API client for a platform project id, or nil when no automation user
	// is configured for it.
	Client func(project string) *platform.Client
	// Job returns the configured cron of a name, or nil when it is none, or left the configuration.
	Job func(cron string) *job.Job
	// Suspended says why a cron may not run what was due at a time, "" when it may. Nil is never.
	Suspended func(cron string, at time.Time) string

	Observe bool          // decide and record, but send nothing
	Aside   bool          // leave the runs that a former process left open to the next one
	Grace   time.Duration // how long requests in flight may take after a stop; default 8 s
	Timing  Timing        // zero fields take their defaults
	Metrics *Metrics
	Logger  zerolog.Logger
}

// Timing holds the waits of a Runner. The defaults suit the real platform; tests shorten them.
type Timing struct {
	Settle    time.Duration // after a request's own deadline, until its absence is believed; default 30 s
	Request   time.Duration // the client's deadline for one request; default 30 s
	PollFirst time.Duration // from an accepted request to the first look at its activity; default 5 s
	PollMax   time.Duration // longest time between two looks; default 60 s
	Retry     time.Duration // first wait before something is tried again; default 1 s
	RetryMax  time.Duration // longest such wait; default 15 s
	Lease     time.Duration // life of a lease that is not renewed; default 30 s
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.Settle, 30*time.Second)
	set(&t.Request, 30*time.Second)
	set(&t.PollFirst, 5*time.Second)
	set(&t.PollMax, time.Minute)
	set(&t.Retry, time.Second)
	set(&t.RetryMax, 15*time.Second)
	set(&t.Lease, 30*time.Second)
	return t
}

// Runner is made by New and works while its Run is running.
type Runner struct {
	Options
	log     zerolog.Logger
	tracker *tracker

	mu    sync.Mutex
	inbox []scheduler.Fire
	held  map[ledger.CronKey]int      // fires that are left to other replicas for now
	left  []scheduler.Fire            // what was held for long enough
	late  map[string][]scheduler.Fire // by project: fires that wait for its listing, in order
	wake  chan struct{}               // holds one token when inbox or left is not empty

	doubts map[string]context.CancelCauseFunc // by run: what ends the search for its request

	launching chan struct{} // has an element while one group of first requests takes its places

	stopping chan struct{} // closed when no new request may leave
	work     sync.WaitGroup
	idle     chan func()   // to goroutines that have nothing to do
	parked   chan struct{} // one token for each of these
}

// New returns a Runner that has not started.
func New(o Options) *Runner {
	o.Timing = o.Timing.withDefaults()
	if o.Grace == 0 {
		o.Grace = 8 * time.Second
	}
	r := &Runner{
		Options:   o,
		log:       o.Logger.With().Str("component", "runner").Logger(),
		wake:      make(chan struct{}, 1),
		stopping:  make(chan struct{}),
		launching: make(chan struct{}, 1),
		idle:      make(chan func()),
		parked:    make(chan struct{}, parkedMost),
		held:      map[ledger.CronKey]int{},
		late:      map[string][]scheduler.Fire{},
		doubts:    map[string]context.CancelCauseFunc{},
	}
	r.tracker = newTracker(r)
	return r
}

// Fire hands over a batch of fires. It never blocks, so the scheduler's loop may call it.
func (r *Runner) Fire(batch []scheduler.Fire) {
	r.mu.Lock()
	own, held := r.share(batch)
	r.inbox = append(r.inbox, own...)
	r.mu.Unlock()
	if len(held) > 0 {
		// After a stop nobody takes them: the next start finds owed what is not claimed.
		time.AfterFunc(shareGrace, func() { r.release(held) })
	}
	r.rouse()
}

// Trigger is Fire for runs by hand. It takes none once the daemon is stopping, and reports that. What it
// took and cannot begin any more has a record when Run returns.
func (r *Runner) Trigger(batch []scheduler.Fire) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isStopping() {
		return false
	}
	r.inbox = append(r.inbox, batch...)
	r.rouse()
	return true
}

func (r *Runner) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run adopts the runs that a former process left open, unless told to leave them, then works until
// ctx ends. Where replicas share the store it also adopts those of replicas that die meanwhile. After
// that no new request leaves; those in flight get the grace, are recorded, and Run returns. What could
// not finish stays open in the ledger and is taken up at the next start.
func (r *Runner) Run(ctx context.Context) error {
	// Work outlives ctx by the grace: ctx says "stop sending", work says "give up".
	work, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)

	// What waits for the store in accept must hear of the end too, so it is said beside the loop.
	ended := make(chan struct{})
	context.AfterFunc(ctx, func() {
		close(r.stopping)
		grace := time.AfterFunc(r.Grace, func() { giveUp(errGraceOver) })
		<-ended
		grace.Stop()
	})
	defer close(ended)
	if !r.Aside {
		// The error can only be that the daemon stops: then the loop does not begin.
		_ = r.persist(work, "take over open runs", func() error { return r.adopt(work) })
	}
	r.spawn(func() { r.tracker.run(work) })
	adoptions, stop := r.adoptions()
	defer stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.wake:
			r.accept(work, append(r.takeLeft(work), r.take()...))
		case <-adoptions:
			r.adoptFromDead(work)
		}
	}
	r.work.Wait()
	r.recordTriggers(work)
	return nil
}

func (r *Runner) take() []scheduler.Fire {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch := r.inbox
	r.inbox = nil
	return batch
}

var (
	errStopping  = errors.New("the daemon is stopping")
	errGraceOver = errors.New("the shutdown grace is over")
)

// spawn runs f in a goroutine that Run waits for.
func (r *Runner) spawn(f func()) { r.work.Go(f) }

// parkedMost is how many goroutines wait for requests: more than a burst to a fast platform keeps busy.
const parkedMost = 128

// hand has f, which makes a request, run by a goroutine of the few that have grown the stack which that takes.
// What follows on an answer waits for the store, in a burst for much longer, and belongs in another one.
func (r *Runner) hand(f func()) {
	select {
	case r.idle <- f:
	default:
		r.spawn(func() { r.serve(f) })
	}
}

// serve runs f, and then what is handed over, until the daemon stops or enough others wait.
func (r *Runner) serve(f func()) {
	for {
		f()
		select {
		case r.parked <- struct{}{}:
		default:
			return
		}
		select {
		case f = <-r.idle:
			<-r.parked
		case <-r.stopping:
			return
		}
	}
}

// pause waits for d, unless the daemon stops first.
func (r *Runner) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.stopping:
		return errStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Runner) isStopping() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}

// backoff yields the growing waits between tries of one thing.
type backoff struct {
	next, max time.Duration
}

func (r *Runner) backoff() backoff {
	return backoff{next: r.Timing.Retry, max: r.Timing.RetryMax}
}

func (b *backoff) step() time.Duration {
	d := b.next
	b.next = min(b.next*3/2, b.max)
	return jitter(d)
}
