package runner

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	runsDesc = prometheus.NewDesc("automatond_runs_total",
		"Runs and targets that were not run, by outcome and reason.", []string{"cron", "outcome", "reason"}, nil)
	durationDesc = prometheus.NewDesc("automatond_run_duration_seconds",
		"Time from a run's scheduled time until its outcome.", []string{"cron"}, nil)
	targetsDesc = prometheus.NewDesc("automatond_targets",
		"Environments that passed the cron's guard at its latest fire.", []string{"cron"}, nil)
	lastScheduledDesc = targetDesc("last_scheduled_timestamp_seconds", "Scheduled time of the target's latest run.")
	lastSuccessDesc   = targetDesc("last_success_timestamp_seconds", "When the target's latest successful run ended; 0 if none is known.")
	runOpenDesc       = targetDesc("run_open", "Runs of the target that have no outcome yet.")
	runOpenSinceDesc  = targetDesc("run_open_since_timestamp_seconds", "Scheduled time of the target's oldest open run; 0 if none is open.")
)

func targetDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("automatond_"+name, help, []string{"cron", "project", "environment"}, nil)
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		runsDesc, durationDesc, targetsDesc, lastScheduledDesc, lastSuccessDesc, runOpenDesc, runOpenSinceDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for cron, series := range m.crons {
		for i, p := range series.pairs {
			n := uint64(0)
			if i < len(series.counts) {
				n = series.counts[i]
			}
			ch <- prometheus.MustNewConstMetric(runsDesc, prometheus.CounterValue,
				float64(n), cron, string(p.Outcome), string(p.Reason))
		}
		ch <- series.duration.histogram(cron)
		passing := 0
		for project, p := range series.projects {
			passing += p.passing
			for _, t := range p.targets {
				t.collect(ch, cron, project)
			}
		}
		ch <- gauge(targetsDesc, float64(passing), cron)
	}
}

func (t *targetSeries) collect(ch chan<- prometheus.Metric, cron, project string) {
	var since time.Time
	for _, u := range t.open {
		if since.IsZero() || u.scheduledAt.Before(since) {
			since = u.scheduledAt
		}
	}
	ch <- gauge(lastScheduledDesc, seconds(t.lastScheduled), cron, project, t.environment)
	ch <- gauge(lastSuccessDesc, seconds(t.lastSuccess), cron, project, t.environment)
	ch <- gauge(runOpenDesc, float64(len(t.open)), cron, project, t.environment)
	ch <- gauge(runOpenSinceDesc, seconds(since), cron, project, t.environment)
}

// histogram turns the durations into a metric; nil ones are none.
func (d *durations) histogram(cron string) prometheus.Metric {
	if d == nil {
		d = &durations{}
	}
	cumulative := make(map[float64]uint64, len(durationBounds))
	n := uint64(0)
	for i, bound := range durationBounds {
		n += d.buckets[i]
		cumulative[bound] = n
	}
	return prometheus.MustNewConstHistogram(durationDesc, d.count, d.sum, cumulative, cron)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}
