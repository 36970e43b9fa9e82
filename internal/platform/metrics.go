package platform

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count the requests to the platform. A nil *Metrics counts nothing.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	valid    *prometheus.GaugeVec
	expiry   *prometheus.GaugeVec
	failures *prometheus.CounterVec

	known sync.Map // request -> requestSeries, so that a label look-up is made once for each
}

type request struct {
	endpoint string
	status   int // 0 without an answer
}

type requestSeries struct {
	count    prometheus.Counter
	duration prometheus.Observer
}

// NewMetrics registers the client's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "automatond_api_requests_total",
			Help: "Requests to the platform, by route template and status; code is \"error\" without an answer.",
		}, []string{"endpoint", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "automatond_api_request_duration_seconds", Help: "Time from a request to the end of its answer.",
			Buckets:                     []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"endpoint"}),
		valid: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_token_valid", Help: "Whether the API token was accepted when it was last used; 0 before that.",
		}, []string{"user"}),
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_access_token_expiry_timestamp_seconds", Help: "When the access token ends; 0 if there is none.",
		}, []string{"user"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "automatond_auth_failures_total", Help: "Failed attempts to get an access token.",
		}, []string{"user"}),
	}
	reg.MustRegister(m.requests, m.duration, m.valid, m.expiry, m.failures)
	return m
}

// user makes the series of an automation user exist.
func (m *Metrics) user(name string) {
	if m == nil {
		return
	}
	m.valid.WithLabelValues(name)
	m.expiry.WithLabelValues(name)
	m.failures.WithLabelValues(name)
}

// Forget ends the series of an automation user that is not configured any more.
func (m *Metrics) Forget(user string) {
	if m == nil {
		return
	}
	m.valid.DeleteLabelValues(user)
	m.expiry.DeleteLabelValues(user)
	m.failures.DeleteLabelValues(user)
}

func (m *Metrics) observe(endpoint string, status int, took time.Duration) {
	if m == nil {
		return
	}
	key := request{endpoint, status}
	found, ok := m.known.Load(key)
	if !ok {
		code := "error"
		if status != 0 {
			code = strconv.Itoa(status)
		}
		found, _ = m.known.LoadOrStore(key, requestSeries{
			m.requests.WithLabelValues(endpoint, code), m.duration.WithLabelValues(endpoint),
		})
	}
	series := found.(requestSeries)
	series.count.Inc()
	series.duration.Observe(took.Seconds())
}

func (m *Metrics) tokenValid(user string, valid bool) {
	if m == nil {
		return
	}
	value := 0.0
	if valid {
		value = 1
	}
	m.valid.WithLabelValues(user).Set(value)
}

func (m *Metrics) tokenExpires(user string, at time.Time) {
	if m != nil {
		m.expiry.WithLabelValues(user).Set(float64(at.Unix()))
	}
}

func (m *Metrics) authFailed(user string) {
	if m != nil {
		m.failures.WithLabelValues(user).Inc()
	}
}
