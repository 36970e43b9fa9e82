package inventory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/platform"
)

// Source is a list of projects that is asked for again and again.
type Source struct {
	Name         string // tells it from the others, and is a label of metrics
	Key          string // says what is asked for, and by whom
	Organization string // whose projects they are, by id or name; "" = all that the client's user can see
	Client       *platform.Client
}

// DiscoveryOptions are what NewDiscovery needs.
type DiscoveryOptions struct {
	// Sources returns the lists to ask for as of now, and how often.
	Sources func() (sources []Source, every time.Duration)
	// Listed returns when a list was last got, by whomever, and brings that one into force.
	Listed func(ctx context.Context, s Source) (time.Time, error)
	// Found takes a whole list, got at a time.
	Found   func(ctx context.Context, s Source, projects []platform.ListedProject, at time.Time) error
	Metrics *DiscoveryMetrics // nil counts nothing
	Logger  zerolog.Logger
}

// Discovery asks for lists of projects. Each is asked for by itself, so that one which is slow or fails
// holds up nobody else's.
type Discovery struct {
	options DiscoveryOptions
	log     zerolog.Logger
	again   chan struct{} // has an element when every list is due

	mu     sync.Mutex
	states map[string]discoveryState
}

// discoveryState is what becomes of one list.
type discoveryState struct {
	next     time.Time // when it is due; zero is now, whoever may have got it lately
	at       time.Time // when the one that is known was got
	underWay bool
	again    bool // it is due again when what is under way has ended
}

const (
	// lookEvery is how often it is looked which lists are due.
	lookEvery = 5 * time.Second
	// listTimeout is how long a whole list may take.
	listTimeout = 5 * time.Minute
	// secondTry is how long after a failure a list is asked for again.
	secondTry = time.Minute
)

// NewDiscovery returns a Discovery that waits for Run.
func NewDiscovery(o DiscoveryOptions) *Discovery {
	return &Discovery{
		options: o, log: o.Logger.With().Str("component", "inventory").Logger(),
		again: make(chan struct{}, 1), states: map[string]discoveryState{},
	}
}

// Run asks for every list at once, and then whenever it is due, until ctx ends.
func (d *Discovery) Run(ctx context.Context) error {
	var attempts sync.WaitGroup
	defer attempts.Wait()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		sources, every := d.options.Sources()
		for _, s := range sources {
			if state, due := d.begin(s.Name); due {
				attempts.Go(func() { d.end(s.Name, d.attempt(ctx, s, state, every)) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.again:
			d.forget()
		case <-ticker.C:
		}
	}
}

// Again makes every list due.
func (d *Discovery) Again() {
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// forget makes every list due that is not being asked for, and the others when that has ended.
func (d *Discovery) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for source, state := range d.states {
		d.states[source] = discoveryState{underWay: state.underWay, again: state.underWay}
	}
}

// begin takes a list up if it is due and not being asked for.
func (d *Discovery) begin(source string) (state discoveryState, due bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	state = d.states[source]
	if state.underWay || time.Now().Before(state.next) {
		return state, false
	}
	d.states[source] = discoveryState{underWay: true}
	return state, true
}

func (d *Discovery) end(source string, state discoveryState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.states[source].again {
		state = discoveryState{}
	}
	d.states[source] = state
}

// attempt asks for a list, unless somebody else has since it was last known, and says what to do next.
func (d *Discovery) attempt(ctx context.Context, s Source, state discoveryState, every time.Duration) discoveryState {
	began := time.Now()
	if !state.next.IsZero() {
		if at, err := d.options.Listed(ctx, s); err == nil && at.After(state.at) && !at.After(began) {
			return listedAt(at, every)
		}
	}
	err := d.ask(ctx, s, began)
	if err == nil || ctx.Err() != nil {
		return listedAt(began, every)
	}
	d.options.Metrics.failed(s.Name)
	d.log.Warn().Err(err).Str("discovery", s.Name).Msg("projects not discovered, the ones known stay")
	return discoveryState{next: began.Add(min(secondTry, every)), at: state.at}
}

func (d *Discovery) ask(ctx context.Context, s Source, at time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, listTimeout, fmt.Errorf("no whole list within %s", listTimeout))
	defer cancel()
	projects, err := s.Client.Projects(ctx, s.Organization)
	if err != nil {
		return err
	}
	return d.options.Found(ctx, s, projects, at)
}

// listedAt is the state of a list that was got at a time. It is due a little before its age is every, so
// that of several replicas one asks and the others take what it got.
func listedAt(at time.Time, every time.Duration) discoveryState {
	return discoveryState{next: at.Add(every - rand.N(every/10)), at: at}
}

// DiscoveryMetrics tell what was discovered. A nil *DiscoveryMetrics counts nothing.
type DiscoveryMetrics struct {
	success  *prometheus.GaugeVec
	projects *prometheus.GaugeVec
	failures *prometheus.CounterVec
}

// NewDiscoveryMetrics registers them.
func NewDiscoveryMetrics(reg prometheus.Registerer) *DiscoveryMetrics {
	labels := []string{"discovery"}
	m := &DiscoveryMetrics{
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_discovery_last_success_timestamp_seconds",
			Help: "When the projects of the entry were last listed with success; 0 before that.",
		}, labels),
		projects: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "automatond_discovery_projects",
			Help: "Projects that the entry stands for.",
		}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "automatond_discovery_failures_total",
			Help: "Attempts to list the projects of the entry that failed.",
		}, labels),
	}
	reg.MustRegister(m.success, m.projects, m.failures)
	return m
}

// Listed tells what a list has and when it was got, zero for never.
func (m *DiscoveryMetrics) Listed(source string, at time.Time, projects int) {
	if m == nil {
		return
	}
	m.failures.WithLabelValues(source)
	m.projects.WithLabelValues(source).Set(float64(projects))
	seconds := 0.0
	if !at.IsZero() {
		seconds = float64(at.UnixMicro()) / 1e6
	}
	m.success.WithLabelValues(source).Set(seconds)
}

// Drop ends the series of a list that is not kept any more.
func (m *DiscoveryMetrics) Drop(source string) {
	if m == nil {
		return
	}
	m.failures.DeleteLabelValues(source)
	m.projects.DeleteLabelValues(source)
	m.success.DeleteLabelValues(source)
}

func (m *DiscoveryMetrics) failed(source string) {
	if m != nil {
		m.failures.WithLabelValues(source).Inc()
	}
}
