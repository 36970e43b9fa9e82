// Package inventory knows the projects' environments: it lists them ahead of the fires that need
// them, keeps them, and reads one afresh when its state matters.
//
// It judges nothing. How old a listing may be is the caller's to say.
package inventory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/platform"
)

// Options are what New needs.
type Options struct {
	// Client returns the API client for a platform project id, or nil when nobody may ask for it.
	Client func(project string) *platform.Client
	// Links are the HAL links to keep of an environment. Nil keeps all operations, which are the
	// links that begin with '#'. A large installation keeps a hundred thousand environments.
	Links   []string
	Metrics *Metrics // nil counts nothing
	Logger  zerolog.Logger
}

// Listing is what is known of a project. It is shared between its readers, who must not change it.
type Listing struct {
	DefaultBranch string // "" if it could not be read
	Environments  []*platform.Environment
	FetchedAt     time.Time
}

// Inventory keeps the listings. It may be used concurrently.
type Inventory struct {
	options Options
	log     zerolog.Logger

	mu       sync.RWMutex
	kept     map[string]bool    // projects whose listings are kept; nil is all
	listings map[string]Listing // by project
	branches map[string]branch

	lists  flights[Listing]
	single flights[*platform.Environment]
}

// branch is a project's default branch, which changes so rarely that it is kept longer.
type branch struct {
	name string
	due  time.Time // when to read it again
}

const (
	// branchAge is how long a default branch is believed.
	branchAge = 10 * time.Minute
	// branchPause is how long after a failure it is not read again.
	branchPause = time.Minute
	// branchTimeout is how long a listing waits for it.
	branchTimeout = 5 * time.Second
)

// New returns an empty inventory.
func New(o Options) *Inventory {
	return &Inventory{
		options:  o,
		log:      o.Logger.With().Str("component", "inventory").Logger(),
		listings: map[string]Listing{}, branches: map[string]branch{},
	}
}

// Cached returns the known listing if it is not older than maxAge. It never waits.
func (i *Inventory) Cached(project string, maxAge time.Duration) (Listing, bool) {
	listing, ok := i.Last(project)
	return listing, ok && time.Since(listing.FetchedAt) <= maxAge
}

// Last returns the known listing, however old.
func (i *Inventory) Last(project string) (Listing, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	listing, ok := i.listings[project]
	return listing, ok
}

// Environments returns a listing not older than maxAge, and asks the platform if there is none.
// Callers who ask at the same time share one request.
func (i *Inventory) Environments(ctx context.Context, project string, maxAge time.Duration) (Listing, error) {
	if listing, ok := i.Cached(project, maxAge); ok {
		return listing, nil
	}
	return i.lists.do(ctx, project, func(ctx context.Context) (Listing, error) { return i.list(ctx, project) })
}

func (i *Inventory) list(ctx context.Context, project string) (Listing, error) {
	client := i.options.Client(project)
	if client == nil {
		return Listing{}, unknownProject(project)
	}
	environments, err := client.Environments(ctx, project)
	if err != nil {
		return Listing{}, err
	}
	listing := Listing{
		DefaultBranch: i.defaultBranch(ctx, client, project),
		Environments:  environments, FetchedAt: time.Now(),
	}
	for _, e := range environments {
		e.Links = i.compact(e.Links)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.kept == nil || i.kept[project] {
		i.listings[project] = listing
		i.options.Metrics.listed(project, listing.FetchedAt)
	}
	return listing, nil
}

// Keep names the projects whose listings are kept from now on, and forgets the others. Their
// series exist, at zero until they are listed.
func (i *Inventory) Keep(projects []string) {
	kept := make(map[string]bool, len(projects))
	for _, project := range projects {
		kept[project] = true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.options.Metrics.keep(i.kept, kept)
	i.kept = kept
	maps.DeleteFunc(i.listings, func(project string, _ Listing) bool { return !kept[project] })
	maps.DeleteFunc(i.branches, func(project string, _ branch) bool { return !kept[project] })
}

// defaultBranch reads the project's default branch. A listing is useful without it, so a failure
// is only logged, and a slow answer is not waited for long.
func (i *Inventory) defaultBranch(ctx context.Context, client *platform.Client, project string) string {
	i.mu.RLock()
	known := i.branches[project]
	i.mu.RUnlock()
	if time.Now().Before(known.due) {
		return known.name
	}
	ctx, cancel := context.WithTimeout(ctx, branchTimeout)
	defer cancel()
	p, err := client.Project(ctx, project)
	if err != nil {
		i.log.Warn().Err(err).Str("project", project).Msg("default branch not read")
		known.due = time.Now().Add(branchPause)
	} else {
		known = branch{p.DefaultBranch, time.Now().Add(branchAge)}
	}
	i.mu.Lock()
	i.branches[project] = known
	i.mu.Unlock()
	return known.name
}

// Environment reads one environment afresh, and puts it into the known listing. Callers who ask
// at the same time share one request.
func (i *Inventory) Environment(ctx context.Context, project, id string) (*platform.Environment, error) {
	return i.single.do(ctx, project+"\x00"+id, func(ctx context.Context) (*platform.Environment, error) {
		client := i.options.Client(project)
		if client == nil {
			return nil, unknownProject(project)
		}
		env, err := client.Environment(ctx, project, id)
		if err != nil {
			return nil, err
		}
		env.Links = i.compact(env.Links)
		i.replace(project, env)
		return env, nil
	})
}

// replace publishes a copy of the listing that holds the newly read environment.
func (i *Inventory) replace(project string, env *platform.Environment) {
	i.mu.Lock()
	defer i.mu.Unlock()
	listing, ok := i.listings[project]
	if !ok {
		return
	}
	at := slices.IndexFunc(listing.Environments, func(e *platform.Environment) bool { return e.ID == env.ID })
	if at < 0 {
		return
	}
	listing.Environments = slices.Clone(listing.Environments)
	listing.Environments[at] = env
	i.listings[project] = listing
}

// compact returns the links to keep, in a map of their size.
func (i *Inventory) compact(links platform.Links) platform.Links {
	kept := platform.Links{}
	for _, name := range i.options.Links {
		if path, ok := links[name]; ok {
			kept[name] = path // under the option's name, one string for all environments
		}
	}
	if i.options.Links != nil {
		return kept
	}
	for name, path := range links {
		if strings.HasPrefix(name, "#") {
			kept[name] = path
		}
	}
	return kept
}

type unknownProject string

func (p unknownProject) Error() string {
	return "no automation user is configured for project " + string(p)
}

// Is makes it match what waiting does not mend.
func (p unknownProject) Is(target error) bool { return target == platform.ErrForbidden }

// Metrics tell how fresh the listings are. A nil *Metrics counts nothing.
type Metrics struct {
	success *prometheus.GaugeVec
}

// NewMetrics registers the inventory's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "automatond_inventory_last_success_timestamp_seconds",
		Help: "When the project's environments were last listed with success; 0 before that.",
	}, []string{"project"})}
	reg.MustRegister(m.success)
	return m
}

// keep makes the series of the kept projects exist, and ends those of the ones that were.
func (m *Metrics) keep(before, now map[string]bool) {
	if m == nil {
		return
	}
	for project := range before {
		if !now[project] {
			m.success.DeleteLabelValues(project)
		}
	}
	for project := range now {
		m.success.WithLabelValues(project)
	}
}

func (m *Metrics) listed(project string, at time.Time) {
	if m != nil {
		m.success.WithLabelValues(project).Set(float64(at.UnixMicro()) / 1e6)
	}
}
