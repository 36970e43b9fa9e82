package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
)

// configMetrics tell whether the configuration that runs is the one in the files.
type configMetrics struct {
	successful prometheus.Gauge
	at         prometheus.Gauge
}

func newConfigMetrics(reg prometheus.Registerer, v Version) *configMetrics {
	m := &configMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_config_last_reload_successful", Help: "Whether the last load of the configuration succeeded.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last loaded with success.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "automatond_build_info", Help: "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": v.Version, "revision": v.Revision, "goversion": v.Go},
	})
	build.Set(1)
	reg.MustRegister(m.successful, m.at, build)
	return m
}

func (m *configMetrics) record(loaded bool) {
	if !loaded {
		m.successful.Set(0)
		return
	}
	m.successful.Set(1)
	m.at.Set(float64(time.Now().UnixMilli()) / 1e3)
}

// newInDoubt counts at each scrape. A store that does not answer counts none.
func newInDoubt(store *ledger.Ledger) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "automatond_in_doubt_open", Help: "Requests of which it is not known whether they executed, until somebody says so.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := store.InDoubt(ctx)
		if err != nil {
			return 0
		}
		return float64(n)
	})
}

// cronMetrics describe the configured crons.
type cronMetrics struct {
	app *app

	mu        sync.Mutex
	of        *setup                     // whose intervals are known
	intervals map[*job.Job]time.Duration // made when first asked for: ten thousand take a while
}

var (
	cronInfoDesc = prometheus.NewDesc("automatond_cron_info",
		"Always 1; the labels say when the cron fires.", []string{"cron", "spec", "timezone"}, nil)
	nextFireDesc = prometheus.NewDesc("automatond_cron_next_fire_timestamp_seconds",
		"Scheduled time of the cron's next fire, the earliest over its projects.", []string{"cron"}, nil)
	intervalDesc = prometheus.NewDesc("automatond_cron_expected_interval_seconds",
		"Longest time between two of the cron's coming fires.", []string{"cron"}, nil)
	maxAgeDesc = prometheus.NewDesc("automatond_cron_max_success_age_seconds",
		"How old the cron's last success may become, where max_success_age is configured.", []string{"cron"}, nil)
	suspendedDesc = prometheus.NewDesc("automatond_cron_suspended",
		"Whether the cron is suspended.", []string{"cron"}, nil)
)

func newCronMetrics(a *app) *cronMetrics { return &cronMetrics{app: a} }

// Describe implements prometheus.Collector.
func (m *cronMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- cronInfoDesc
	ch <- nextFireDesc
	ch <- intervalDesc
	ch <- suspendedDesc
	ch <- maxAgeDesc
}

// Collect implements prometheus.Collector.
func (m *cronMetrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.app.swapping.RLock()
	defer m.app.swapping.RUnlock()
	if s := m.app.current.Load(); s != m.of {
		m.of, m.intervals = s, make(map[*job.Job]time.Duration, len(s.jobs))
	}
	now := time.Now()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, j := range m.of.jobs {
		gauge(cronInfoDesc, 1, j.Name, j.Spec.String(), j.Location.String())
		next := 0.0
		if at := m.app.scheduler.Next(j); !at.IsZero() {
			next = float64(at.Unix())
		}
		gauge(nextFireDesc, next, j.Name)
		gauge(intervalDesc, m.interval(j).Seconds(), j.Name)
		suspended := 0.0
		if j.Suspended || m.app.suspensions.why(j.Name, now) != "" {
			suspended = 1
		}
		gauge(suspendedDesc, suspended, j.Name)
		if j.MaxSuccessAge > 0 {
			gauge(maxAgeDesc, j.MaxSuccessAge.Seconds(), j.Name)
		}
	}
}

// interval is the longest gap between the next fires of a cron: what an alert on a missing
// success has to wait for.
func (m *cronMetrics) interval(j *job.Job) time.Duration {
	if d, ok := m.intervals[j]; ok {
		return d
	}
	const looked = 16 // more than the fires of a working week, so that the weekend is among them
	var longest time.Duration
	schedule := j.FirstSchedule()
	at := schedule.Next(time.Now())
	for range looked {
		next := schedule.Next(at)
		longest = max(longest, next.Sub(at))
		at = next
	}
	m.intervals[j] = longest
	return longest
}
