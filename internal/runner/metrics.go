package runner

import (
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
	duration   *prometheus.HistogramVec
	activityN  prometheus.Gauge
	waitingN   *prometheus.GaugeVec
	doubtN     prometheus.Gauge
	resolution *prometheus.CounterVec

	mu    sync.Mutex
	crons map[string]*cronSeries
}

// cronSeries are the series of one cron. They are kept as plain numbers and turned into metrics
// at a scrape, because an installation may have ten thousand crons with two dozen series each.
type cronSeries struct {
	pairs   []ledger.Pair // the outcome and reason pairs this cron can have
	counts  []uint64      // runs by pair
	passing map[string]int
	targets map[targetKey]*targetSeries
}

type targetKey struct{ project, environment string }

type targetSeries struct {
	lastScheduled, lastSuccess time.Time
	open                       int
	openSince                  time.Time
}

// buckets reach from a punctual dispatch to the default start deadline, in seconds.
var delayBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 600}

// durationBuckets reach from a quick operation to the longest timeout, in seconds.
var durationBuckets = []float64{5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400}

// NewMetrics registers the runner's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		crons: map[string]*cronSeries{},
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "automatond_dispatch_delay_seconds", Help: "Time from a run's scheduled time until its request was sent.",
			Buckets: delayBuckets, NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "automatond_run_duration_seconds", Help: "Time from a run's scheduled time until its outcome.",
			Buckets: durationBuckets, NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"cron"}),
		activityN: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_activities_open", Help: "Activities that are followed and have not ended.",
		}),
		waitingN: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_dispatches_waiting", Help: "Dispatches that wait before they can be sent, by what they wait for.",
		}, []string{"reason"}),
		doubtN: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_in_doubt_open", Help: "Requests of which it is not known whether they executed.",
		}),
		resolution: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "automatond_in_doubt_total", Help: "Requests that were in doubt, by how the doubt ended.",
		}, []string{"resolution"}),
	}
	for _, reason := range []string{"dirty", "rate_limit", "connection"} {
		m.waitingN.WithLabelValues(reason)
	}
	for _, resolution := range []string{"adopted", "redispatched", "accepted", "unknown"} {
		m.resolution.WithLabelValues(resolution)
	}
	reg.MustRegister(m, m.delay, m.duration, m.activityN, m.waitingN, m.doubtN, m.resolution)
	return m
}

// Load makes the series of the configured crons exist and seeds their state from the ledger.
// Series of crons that are not configured any more go.
func (m *Metrics) Load(jobs []*job.Job, observe bool, known []ledger.Target) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	crons := make(map[string]*cronSeries, len(jobs))
	projects := make(map[string]map[string]bool, len(jobs))
	for _, j := range jobs {
		if j.Left != nil {
			continue
		}
		series := m.crons[j.Name]
		if series == nil {
			series = &cronSeries{}
		}
		series.admit(possible(j, observe))
		crons[j.Name] = series
		m.duration.WithLabelValues(j.Name)
		projects[j.Name] = projectIDs(j)
	}
	for name := range m.crons {
		if crons[name] == nil {
			m.duration.DeleteLabelValues(name)
		}
	}
	m.crons = crons
	for _, t := range known {
		if projects[t.Cron][t.Project] {
			s := crons[t.Cron].target(t.Project, t.Environment)
			s.lastScheduled, s.lastSuccess = t.LastScheduled, t.LastSuccess
		}
	}
}

func projectIDs(j *job.Job) map[string]bool {
	ids := make(map[string]bool, len(j.Projects))
	for _, p := range j.Projects {
		ids[p.ID] = true
	}
	return ids
}

// possible lists the outcome and reason pairs that runs of a cron can have.
func possible(j *job.Job, observe bool) []ledger.Pair {
	var pairs []ledger.Pair
	for _, p := range ledger.Pairs() {
		switch {
		case p.Reason == ledger.Observe && !observe,
			p.Reason == ledger.Suspended && !j.Suspended,
			(p.Reason == ledger.Script || p.Reason == ledger.Duplicate) && j.Script == nil:
		default:
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// admit extends the series to the given pairs, keeping what was counted.
func (s *cronSeries) admit(pairs []ledger.Pair) {
	for _, p := range pairs {
		s.count(p.Outcome, p.Reason, 0)
	}
}

func (s *cronSeries) count(outcome ledger.Outcome, reason ledger.Reason, n int) {
	for i, p := range s.pairs {
		if p.Outcome == outcome && p.Reason == reason {
			s.counts[i] += uint64(n)
			return
		}
	}
	s.pairs = append(s.pairs, ledger.Pair{Outcome: outcome, Reason: reason})
	s.counts = append(s.counts, uint64(n))
}

func (s *cronSeries) target(project, environment string) *targetSeries {
	key := targetKey{project, environment}
	t := s.targets[key]
	if t == nil {
		if s.targets == nil {
			s.targets = map[targetKey]*targetSeries{}
		}
		t = &targetSeries{}
		s.targets[key] = t
	}
	return t
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
	if series.passing == nil {
		series.passing = map[string]int{}
	}
	series.passing[c.Fire.Project] = len(c.Runs) + len(c.Overlapped)
	for _, u := range c.Runs {
		series.target(u.Project, u.Environment).opened(u)
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
		series.target(u.Project, u.Environment).opened(u.Run)
	}
}

func (t *targetSeries) opened(u ledger.Run) {
	if u.ScheduledAt.After(t.lastScheduled) {
		t.lastScheduled = u.ScheduledAt
	}
	if t.open == 0 {
		t.openSince = u.ScheduledAt
	}
	t.open++
}

// finished counts a run's outcome.
func (m *Metrics) finished(u *run, end ledger.Finish) {
	if m == nil {
		return
	}
	m.mu.Lock()
	series := m.crons[u.Cron]
	if series != nil {
		series.count(end.Outcome, end.Reason, 1)
		t := series.target(u.Project, u.Environment)
		t.open = max(t.open-1, 0)
		if end.Outcome == ledger.Succeeded {
			t.lastSuccess = end.At
		}
	}
	m.mu.Unlock()
	if series != nil {
		m.duration.WithLabelValues(u.Cron).Observe(end.At.Sub(u.ScheduledAt).Seconds())
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

func (m *Metrics) doubt(n int) {
	if m != nil {
		m.doubtN.Add(float64(n))
	}
}

func (m *Metrics) resolved(how string) {
	if m != nil {
		m.resolution.WithLabelValues(how).Inc()
	}
}
