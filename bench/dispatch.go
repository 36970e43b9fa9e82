package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

const (
	dispatchPrefix = "p"

	// The daemon fetches environments and tokens up to 20 s ahead; it must be ready before that.
	startAhead = 28 * time.Second
	readyAhead = 25 * time.Second

	windowLead  = 50 * time.Millisecond  // from the start of the measured window to the scheduled time
	windowTail  = 500 * time.Millisecond // from the last POST to the end of the window
	arriveLimit = 30 * time.Second       // after the scheduled time, a POST that has not arrived is missing
	followLimit = 20 * time.Second       // after which an activity that was not read is not tracked

	// A program fires again and again before it is stopped. The first time is a figure of its own: the
	// process has just started, and its memory is new.
	fires     = 3
	bareEvery = 3 * time.Second // between the bare program's
)

// dispatchFigures are one program's figures for one number of crons: medians over the fires of all
// rounds, but for each program's first.
type dispatchFigures struct {
	Fires int `json:"fires"`
	summary
	FirstP99   duration   `json:"first_fire_p99_seconds"` // after the program's start
	CPU        duration   `json:"cpu_per_dispatch_seconds"`
	CPUToEnd   duration   `json:"cpu_per_run_with_tracking_seconds,omitempty"` // the daemon's only
	APICPU     duration   `json:"api_cpu_per_dispatch_seconds"`                // of this process, which serves the API
	EachP99    []duration `json:"each_fire_p99_seconds"`
	EachCPU    []duration `json:"each_fire_cpu_per_dispatch_seconds"`
	Others     float64    `json:"others_share"`            // of the machine, used by anybody else; the worst fire's
	Unlisted   int64      `json:"projects_not_prefetched"` // the worst fire's
	Unfollowed int64      `json:"activities_not_followed"` // the worst fire's
}

// comparison is the daemon beside the bare program.
type comparison struct {
	Crons    int             `json:"crons"`
	Bare     dispatchFigures `json:"bare"`
	Daemon   dispatchFigures `json:"daemon"`
	RatioP99 float64         `json:"ratio_p99"`
	RatioCPU float64         `json:"ratio_cpu"`

	RatioFirstP99 float64 `json:"ratio_first_fire_p99"`

	Replicas         *dispatchFigures `json:"replicas,omitempty"` // several daemons that share the store
	RatioReplicasP99 float64          `json:"ratio_replicas_p99,omitempty"`
}

// program is what is measured: one process, or several.
type program interface {
	cpu() (time.Duration, error)
	gone() error
	explain(error) error
}

// sample is one fire.
type sample struct {
	first bool // of its process
	summary
	cpu, cpuToEnd, apiCPU time.Duration // per dispatch
	others                float64
	unlisted, unfollowed  int64
}

// brokenPromise is the one thing that must not be: not exactly one POST per cron.
type brokenPromise struct{ message string }

func (e *brokenPromise) Error() string { return "BROKEN PROMISE: " + e.message }

// dispatch compares the daemon with the bare program, in alternation, at n crons due together.
func (b *bench) dispatch(ctx context.Context, n, rounds int) (*comparison, error) {
	var bare, daemon, shared []sample
	for i := range rounds {
		b.progress("dispatch: %d crons, round %d of %d", n, i+1, rounds)
		samples, err := b.bareRound(ctx, n, time.Now().Add(2*time.Second))
		if err != nil {
			return nil, err
		}
		bare = append(bare, samples...)
		ids := projectIDs(dispatchPrefix, n)
		samples, err = b.daemonRound(ctx, 1, fires, ids, nil, nil)
		if err != nil {
			return nil, err
		}
		daemon = append(daemon, samples...)
		if b.replicas > 1 {
			b.progress("dispatch: %d crons, round %d of %d, %d replicas", n, i+1, rounds, b.replicas)
			if samples, err = b.daemonRound(ctx, b.replicas, fires, ids, nil, nil); err != nil {
				return nil, err
			}
			shared = append(shared, samples...)
		}
	}
	c := &comparison{Crons: n, Bare: condense(bare), Daemon: condense(daemon)}
	c.RatioP99 = ratio(c.Daemon.P99, c.Bare.P99)
	c.RatioCPU = ratio(c.Daemon.CPU, c.Bare.CPU)
	c.RatioFirstP99 = ratio(c.Daemon.FirstP99, c.Bare.FirstP99)
	if len(shared) > 0 {
		figures := condense(shared)
		c.Replicas, c.RatioReplicasP99 = &figures, ratio(figures.P99, c.Daemon.P99)
	}
	return c, nil
}

func (b *bench) bareRound(ctx context.Context, n int, at time.Time) (samples []sample, err error) {
	dir, err := os.MkdirTemp(b.dir, "bare-")
	if err != nil {
		return nil, err
	}
	ids := projectIDs(dispatchPrefix, n)
	b.api.load(newRound(ids, at, nil))
	p, err := b.startBare(ctx, dir, n, at)
	if err != nil {
		return nil, err
	}
	for i := range fires {
		s, _, err := b.fire(ctx, p, newRound(ids, at, nil), at, nil)
		if err != nil {
			return nil, errors.Join(err, p.kill())
		}
		s.first = i == 0
		samples = append(samples, s)
		at = at.Add(bareEvery)
	}
	return samples, p.stop()
}

// fire measures one fire of a program: the POSTs of a round.
func (b *bench) fire(ctx context.Context, p program, r *round, at time.Time, choose func(i int) bool) (s sample, before time.Duration, err error) {
	b.api.load(r)
	s, before, err = b.measure(ctx, p, r, at)
	s.summary = r.delays(at, choose).summary()
	return s, before, err
}

// daemonRound starts so many daemons with one cron per project, lets them fire so many times, at each
// minute's start, and follows it until every activity was read. Delay says how long a project's POST
// takes; the delays of the chosen projects are the samples'.
func (b *bench) daemonRound(ctx context.Context, count, times int, ids []string, delay func(i int) time.Duration, choose func(i int) bool) ([]sample, error) {
	at, err := nextMinute(ctx)
	if err != nil {
		return nil, err
	}
	return b.daemonRoundAt(ctx, at, count, times, ids, delay, choose)
}

func (b *bench) daemonRoundAt(ctx context.Context, at time.Time, count, times int, ids []string, delay func(i int) time.Duration, choose func(i int) bool) (samples []sample, err error) {
	dir, err := os.MkdirTemp(b.dir, "dispatch-")
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(dir, ids, everyMinute(ids))
	if err != nil {
		return nil, err
	}
	r := newRound(ids, at, delay)
	b.api.load(r)
	d, err := b.startReplicas(ctx, dir, config, count)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.dropLedger(ctx, dir)) }()
	if ahead := time.Until(at); ahead < readyAhead {
		b.progress("the daemon was ready only %s before the minute; its prefetch may be late", ahead.Round(time.Second))
	}
	for i := range times {
		s, err := b.followed(ctx, d, r, at, choose)
		if err != nil {
			return nil, errors.Join(err, d.kill())
		}
		s.first = i == 0
		samples = append(samples, s)
		at = at.Add(time.Minute)
		r = newRound(ids, at, delay)
		b.api.load(r)
	}
	return samples, d.stop()
}

// followed measures one fire of the daemon, until every activity was read.
func (b *bench) followed(ctx context.Context, d replicas, r *round, at time.Time, choose func(i int) bool) (sample, error) {
	s, before, err := b.fire(ctx, d, r, at, choose)
	if err != nil {
		return s, err
	}
	if await(ctx, r.ended, at.Add(followLimit)) {
		err = sleep(ctx, windowTail)
	}
	n := int64(len(r.projects))
	s.unfollowed = n - r.followed.Load()
	after, cpuErr := d.cpu()
	s.cpuToEnd = (after - before) / time.Duration(n)
	return s, errors.Join(err, cpuErr, r.promise())
}

// nextMinute returns a minute's start that leaves the daemon time to get ready and to prefetch.
// It waits when the coming one is too near, so that the daemon does not fire for that one.
func nextMinute(ctx context.Context) (time.Time, error) {
	at := time.Now().Truncate(time.Minute).Add(time.Minute)
	if time.Until(at) >= startAhead {
		return at, nil
	}
	err := sleep(ctx, time.Until(at)+100*time.Millisecond)
	return at.Add(time.Minute), err
}

// measure takes the processor time that a process needs from just before the scheduled time until
// every POST of the round has arrived and half a second has passed. It also returns the process's
// time at the start of that window.
func (b *bench) measure(ctx context.Context, p program, r *round, at time.Time) (s sample, before time.Duration, err error) {
	if err := sleep(ctx, time.Until(at)-windowLead); err != nil {
		return s, 0, err
	}
	if err := p.gone(); err != nil {
		return s, 0, err
	}
	if early := r.arrived.Load(); early != 0 {
		return s, 0, &brokenPromise{fmt.Sprintf("%d POSTs arrived before the scheduled time", early)}
	}
	s.unlisted = max(0, int64(len(r.projects))-r.listed.Load())
	before, err = p.cpu()
	if err != nil {
		return s, 0, err
	}
	own, busy, began := ownCPU(), busyTime(), time.Now()
	if !await(ctx, r.all, at.Add(b.patience)) && ctx.Err() == nil {
		return s, 0, p.explain(&brokenPromise{fmt.Sprintf("%d of %d POSTs arrived within %s of the scheduled time",
			r.arrived.Load(), len(r.projects), b.patience)})
	}
	if err := sleep(ctx, windowTail); err != nil {
		return s, 0, err
	}
	after, err := p.cpu()
	used, served := after-before, ownCPU()-own
	n := time.Duration(len(r.projects))
	s.cpu, s.apiCPU = used/n, served/n
	s.others = share(busyTime()-busy-used-served, time.Since(began))
	return s, before, errors.Join(err, r.promise())
}

// share is how much of the machine was used, 1 being all cores all the time.
func share(used, window time.Duration) float64 {
	return max(0, used.Seconds()/window.Seconds()/float64(runtime.NumCPU()))
}

// promise returns an error unless no more than one right POST per project arrived, none of them
// before its time.
func (r *round) promise() error {
	if n := r.repeated.Load(); n != 0 {
		return &brokenPromise{fmt.Sprintf("%d POSTs beyond one per cron", n)}
	}
	if n := r.wrong.Load(); n != 0 {
		return &brokenPromise{fmt.Sprintf("%d POSTs to a wrong path or with a wrong body", n)}
	}
	return nil
}

// ownCPU is the processor time of this process, in which the API runs.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func condense(samples []sample) dispatchFigures {
	var (
		f               dispatchFigures
		sums, first     []summary
		cpus, ends, own []duration
	)
	for _, s := range samples {
		f.Others = max(f.Others, s.others)
		f.Unlisted, f.Unfollowed = max(f.Unlisted, s.unlisted), max(f.Unfollowed, s.unfollowed)
		if s.first {
			first = append(first, s.summary)
			continue
		}
		sums = append(sums, s.summary)
		cpus, ends, own = append(cpus, duration(s.cpu)), append(ends, duration(s.cpuToEnd)), append(own, duration(s.apiCPU))
		f.EachP99 = append(f.EachP99, s.P99)
	}
	f.Fires, f.summary, f.EachCPU = len(sums), medians(sums), cpus
	f.FirstP99 = medians(first).P99
	f.CPU, f.CPUToEnd, f.APICPU = median(cpus), median(ends), median(own)
	return f
}

func ratio(a, b duration) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
