package scheduler

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tells whether the loop is alive and its clock sound. A nil *Metrics counts nothing.
type Metrics struct {
	steps    prometheus.Counter
	lastTick prometheus.Gauge
}

// NewMetrics registers the scheduler's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "automatond_scheduler_clock_steps_total",
			Help: "Steps of the wall clock, forward or back; a machine that slept counts as one.",
		}),
		lastTick: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "automatond_scheduler_last_tick_timestamp_seconds",
			Help: "When the scheduler's loop last came round; at most half a minute ago while it is healthy.",
		}),
	}
	reg.MustRegister(m.steps, m.lastTick)
	return m
}

func (m *Metrics) step() {
	if m != nil {
		m.steps.Inc()
	}
}

func (m *Metrics) tick(now time.Time) {
	if m != nil {
		m.lastTick.Set(float64(now.UnixNano()) / 1e9)
	}
}
