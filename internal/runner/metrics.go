package runner

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
)

// Metrics counts what the runner does. The series of a configured cron exist from Load on, and go
// when the cron goes. A nil *Metrics counts nothing.
type Metrics struct {
	delay      prometheus.Histogram
	activityN  prometheus.Gauge
	waitingN   *prometheus.GaugeVec
	resolution *prometheus.CounterVec

	mu    sync.Mutex
	crons map[string]*cronSeries
}

// cronSeries are the series of one cron. They are kept as plain numbers, most of them made when
// they are first counted, and turned into metrics at a scrape: an installation may have ten
// thousand crons with two dozen series each, nearly all of them zero.
type cronSeries struct {
	pairs    []ledger.Pair // the outcome and reason pairs this cron can have; shared
	counts   []uint64      // runs by pair; nil while all are zero
	duration *durations    // nil before the first run ended
	projects map[string]*projectSeries
}

// projectSeries are a cron's series of one project. A project has few targets, a cron may have thousands.
type projectSeries struct {
	passing int // environments that passed the guard at the latest fire
	targets []*targetSeries
}

// durations is a histogram of how long runs took.
type durations struct {
	count   uint64
	sum     float64
	buckets [len(durationBounds)]uint64 // not cumulative
}

type targetSeries struct {
	environment                string
	lastScheduled, lastSuccess time.Time
	open                       []openRun
}

type openRun struct {
	id          string
	scheduledAt time.Time
}

// delayBuckets reach from a punctual dispatch to the default start deadline, in seconds.
var delayBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 600}

// durationBounds reach from a quick operation to the longest timeout, in seconds.
var durationBounds = [...]float64{5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400}

// NewMetrics registers the runner's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		crons: map[string]*cronSeries{},
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "automatond_dispatch_delay_seconds", Help: "Time from a run's scheduled time, and its offset within the cron's spread, until its request was sent.",
			Buckets: delayBuckets, NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
		activityN: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_activities_open", Help: "Activities that are followed and have not ended.",
		}),
		waitingN: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_dispatches_waiting", Help: "Dispatches that wait before they can be sent, by what they wait for.",
		}, []string{"reason"}),
		resolution: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "automatond_in_doubt_total", Help: "Requests that were in doubt, by how the doubt ended.",
		}, []string{"resolution"}),
	}
	for _, reason := range []string{"dirty", "rate_limit", "connection", "retry"} {
		m.waitingN.WithLabelValues(reason)
	}
	for _, resolution := range []string{"adopted", "redispatched", "accepted", "unknown", "by_hand"} {
		m.resolution.WithLabelValues(resolution)
	}
	reg.MustRegister(m, m.delay, m.activityN, m.waitingN, m.resolution)
	return m
}

// Load makes the series of the configured crons exist. A cron's projects that had none have the state of
// their targets from the ledger. Series of what is not configured any more go.
func (m *Metrics) Load(jobs []*job.Job, observe bool, known []ledger.Target) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	crons := make(map[string]*cronSeries, len(jobs))
	var variants pairVariants
	for _, j := range jobs {
		if j.Left != nil {
			continue
		}
		series := m.crons[j.Name]
		if series == nil {
			series = &cronSeries{}
		}
		series.admit(variants.of(j, observe))
		crons[j.Name] = series
	}
	m.crons = crons
	joined := map[*projectSeries]bool{}
	for _, t := range known {
		series := crons[t.Cron]
		if series == nil {
			continue
		}
		if series.projects[t.Project] == nil {
			joined[series.project(t.Project)] = true
		}
		if p := series.project(t.Project); joined[p] {
			s := p.target(t.Environment)
			s.lastScheduled, s.lastSuccess = t.LastScheduled, t.LastSuccess
		}
	}
	for _, j := range jobs {
		if series := crons[j.Name]; series != nil {
			series.limit(j.Projects)
		}
	}
}

// limit drops what is known of projects that the cron does not run on, or not any more.
func (s *cronSeries) limit(projects []*job.Project) {
	kept := 0
	for _, p := range projects {
		if s.projects[p.ID] != nil {
			kept++
		}
	}
	if kept == len(s.projects) {
		return
	}
	before := s.projects
	s.projects = make(map[string]*projectSeries, kept)
	for _, p := range projects {
		if known := before[p.ID]; known != nil {
			s.projects[p.ID] = known
		}
	}
}

// pairVariants shares the pairs of crons that can have the same ones.
type pairVariants map[[2]bool][]ledger.Pair

// of lists the outcome and reason pairs that runs of a cron can have.
func (v *pairVariants) of(j *job.Job, observe bool) []ledger.Pair {
	key := [2]bool{observe, j.Script != nil}
	if pairs, ok := (*v)[key]; ok {
		return pairs
	}
	var pairs []ledger.Pair
	for _, p := range ledger.Pairs() {
		switch {
		case p.Reason == ledger.Observe && !observe,
			(p.Reason == ledger.Script || p.Reason == ledger.Duplicate) && j.Script == nil:
		default:
			pairs = append(pairs, p)
		}
	}
	if *v == nil {
		*v = pairVariants{}
	}
	(*v)[key] = pairs
	return pairs
}

// admit gives the series the pairs of a newly loaded configuration. What was counted stays.
func (s *cronSeries) admit(pairs []ledger.Pair) {
	before, counts := s.pairs, s.counts
	s.pairs, s.counts = pairs, nil
	for i, n := range counts {
		if n > 0 {
			s.count(before[i].Outcome, before[i].Reason, int(n))
		}
	}
}

func (s *cronSeries) count(outcome ledger.Outcome, reason ledger.Reason, n int) {
	i := slices.IndexFunc(s.pairs, func(p ledger.Pair) bool { return p.Outcome == outcome && p.Reason == reason })
	if i < 0 {
		s.pairs = append(slices.Clip(s.pairs), ledger.Pair{Outcome: outcome, Reason: reason})
		i = len(s.pairs) - 1
	}
	if len(s.counts) < len(s.pairs) {
		s.counts = append(s.counts, make([]uint64, len(s.pairs)-len(s.counts))...)
	}
	s.counts[i] += uint64(n)
}

func (s *cronSeries) took(d time.Duration) {
	if s.duration == nil {
		s.duration = &durations{}
	}
	s.duration.count++
	s.duration.sum += d.Seconds()
	if i, _ := slices.BinarySearch(durationBounds[:], d.Seconds()); i < len(durationBounds) {
		s.duration.buckets[i]++
	}
}

func (s *cronSeries) project(id string) *projectSeries {
	p := s.projects[id]
	if p == nil {
		if s.projects == nil {
			s.projects = map[string]*projectSeries{}
		}
		p = &projectSeries{}
		s.projects[id] = p
	}
	return p
}

func (p *projectSeries) target(environment string) *targetSeries {
	t := p.known(environment)
	if t == nil {
		t = &targetSeries{environment: environment}
		p.targets = append(p.targets, t)
	}
	return t
}

// known returns nil for a target that has no series, or has none any more.
func (p *projectSeries) known(environment string) *targetSeries {
	for _, t := range p.targets {
		if t.environment == environment {
			return t
		}
	}
	return nil
}

// claimed counts what a claim decided: the targets that were not run, and the runs that opened.
func (m *Metrics) claimed(c ledger.Claimed) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	series := m.crons[c.Fire.Cron]
	if series == nil {
		return
	}
	for reason, n := range c.Fire.NotRun {
		series.count(ledger.Skipped, reason, n)
	}
	if c.Fire.Outcome != "" && len(c.Fire.NotRun) == 0 {
		series.count(c.Fire.Outcome, c.Fire.Reason, max(c.Fire.MissedCount, 1))
	}
	p := series.project(c.Fire.Project)
	if c.Fire.Targets > 0 && !c.Fire.Manual() { // one by hand may be for a single environment
		p.passing = len(c.Runs) + len(c.Overlapped) + c.Fire.NotRun[ledger.Observe]
		if c.Fire.NotRun[ledger.Observe] == 0 {
			p.keep(c)
		}
	}
	for _, u := range c.Runs {
		p.target(u.Environment).opened(u)
	}
}

// opened notes a run that was adopted.
func (m *Metrics) opened(u *run) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if series := m.crons[u.Cron]; series != nil {
		series.project(u.Project).target(u.Environment).opened(u.Run)
	}
}

// keep drops the targets that did not pass the guard this time, or are not there any more, once they
// have no open run.
func (p *projectSeries) keep(c ledger.Claimed) {
	p.targets = slices.DeleteFunc(p.targets, func(t *targetSeries) bool {
		passed := slices.Contains(c.Overlapped, t.environment) ||
			slices.ContainsFunc(c.Runs, func(u ledger.Run) bool { return u.Environment == t.environment })
		return !passed && len(t.open) == 0
	})
}

func (t *targetSeries) opened(u ledger.Run) {
	if u.ScheduledAt.After(t.lastScheduled) {
		t.lastScheduled = u.ScheduledAt
	}
	t.closed(u.ID) // it is open once, however often it is adopted
	t.open = append(t.open, openRun{u.ID, u.ScheduledAt})
}

func (t *targetSeries) closed(id string) {
	t.open = slices.DeleteFunc(t.open, func(u openRun) bool { return u.id == id })
}

// finished counts a run's outcome.
func (m *Metrics) finished(u *ledger.Run, end ledger.Finish) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	series := m.crons[u.Cron]
	if series == nil {
		return
	}
	series.count(end.Outcome, end.Reason, 1)
	series.took(end.At.Sub(u.ScheduledAt))
	p := series.projects[u.Project]
	if p == nil {
		return // it has left, and has its state from the ledger when it comes back
	}
	t := p.target(u.Environment)
	t.closed(u.ID)
	if end.Outcome == ledger.Succeeded {
		t.lastSuccess = end.At
	}
}

// lost takes a run out that is another replica's now.
func (m *Metrics) lost(u *run) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if series := m.crons[u.Cron]; series != nil && series.projects[u.Project] != nil {
		series.projects[u.Project].target(u.Environment).closed(u.ID)
	}
}

func (m *Metrics) sent(delay time.Duration) {
	if m != nil {
		m.delay.Observe(delay.Seconds())
	}
}

func (m *Metrics) activities(n int) {
	if m != nil {
		m.activityN.Add(float64(n))
	}
}

func (m *Metrics) waiting(reason string, n int) {
	if m != nil {
		m.waitingN.WithLabelValues(reason).Add(float64(n))
	}
}

func (m *Metrics) resolved(how string) {
	if m != nil {
		m.resolution.WithLabelValues(how).Inc()
	}
}
