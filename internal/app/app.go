// Package app puts the daemon together: it opens the store, makes the parts, starts them in an
// order in which each finds what it needs, and stops them in the reverse order. It is the only
// package that knows all others, and decides nothing that belongs to one of them.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/runner"
	"github.com/automatond/automatond/internal/scheduler"
	"github.com/automatond/automatond/internal/web"
)

// Options are what Run needs.
type Options struct {
	Paths  []string                    // configuration files and directories
	Lookup func(string) (string, bool) // the process's environment, as os.LookupEnv
	Data   string                      // data directory; "" = the default, or a temporary one with Sandbox
	Store  string                      // postgres:// URL of a store that replicas share; "" = a file in Data
	Web    WebOptions

	Sandbox bool // a simulated platform instead of the real one
	Observe bool // decide and record, but send nothing

	AdoptLedger string // id of another environment's installation whose ledger may be gone on with

	Hangup <-chan os.Signal // asks for a reload; nil never does

	Timing  runner.Timing // zero for the real platform; tests shorten it
	Every   time.Duration // see scheduler.Options
	Version Version
	Logger  zerolog.Logger
}

// WebOptions say where the daemon listens.
type WebOptions struct {
	ListenAddress string // pages and metrics
	ConfigFile    string // exporter-toolkit's web configuration
	ProbeAddress  string // probes
}

// app is the daemon while it is being put together and while it runs.
type app struct {
	Options
	registry   *prometheus.Registry
	configured fixed // the settings of the first configuration that a reload does not change
	fixed      fixed // the same, as they are in force
	transport  http.RoundTripper
	limiter    *platform.Limiter
	requests   *platform.Metrics
	loads      *configMetrics
	outcomes   *runner.Metrics
	store      *ledger.Ledger
	lease      *runner.Lease
	inventory  *inventory.Inventory
	discovery  *inventory.Discovery
	discovered *inventory.DiscoveryMetrics
	runner     *runner.Runner
	scheduler  *scheduler.Scheduler
	web        *web.Server
	control    *control.Server // nil when there is no socket
	aside      bool            // carries out one command line and is no daemon
	started    time.Time
	ready      chan struct{}  // closed when the configuration is loaded and the store is open
	parts      errgroup.Group // what runs until the end
	cleanups   []func() error

	current     atomic.Pointer[setup]
	swapping    sync.RWMutex // write-locked while a setup comes into force
	reloading   sync.Mutex   // held by the one reload at a time
	suspensions suspensions
}

// Run is the daemon: it returns when ctx ends and everything is down, or with what went wrong. An
// invalid configuration is a *ConfigError.
func Run(ctx context.Context, o Options) (err error) {
	a := newApp(o)
	defer func() { err = errors.Join(err, a.cleanup()) }()
	a.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if err := a.load(); err != nil {
		return err
	}
	// The parsed text of ten thousand crons is several times their own size, and not needed again.
	debug.FreeOSMemory()
	if err := a.listen(); err != nil {
		return err
	}
	return a.serve(ctx)
}

func newApp(o Options) *app {
	return &app{Options: o, started: time.Now(), registry: prometheus.NewRegistry(), ready: make(chan struct{})}
}

// load reads the configuration and makes the clients.
func (a *app) load() error {
	cfg, _, err := a.read(config.Input{})
	if err != nil {
		return err
	}
	a.loads = newConfigMetrics(a.registry, a.Version)
	a.loads.record(true)
	return a.connect(cfg)
}

// serve runs the web server from before the store is open until after everything else is down, so
// that a probe always gets an answer.
func (a *app) serve(ctx context.Context) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	web := make(chan error, 1)
	working, stopWorking := context.WithCancelCause(ctx)
	go func() {
		err := a.web.Run(serving)
		if err != nil {
			stopWorking(err)
		}
		web <- err
	}()
	err := a.work(working)
	stopWorking(nil)
	stopServing()
	return errors.Join(err, <-web)
}

// work opens the store and runs the daemon's parts until ctx ends.
func (a *app) work(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := a.begin(ctx); err != nil {
		return err
	}
	a.openControl()
	close(a.ready)
	s := a.current.Load()
	a.Logger.Info().Str("version", a.Version.Version).Int("crons", len(s.config.Jobs)).
		Int("projects", len(s.config.Projects)).Stringer("store", a.store).Bool("observe", a.Observe).Msg("started")
	a.announce(s.config.Jobs)
	err := a.run(ctx)
	a.Logger.Info().Msg("stopped")
	return err
}

// begin gives the scheduler its entries.
func (a *app) begin(ctx context.Context) error {
	entries, err := a.entries(ctx, a.current.Load().config)
	if err != nil {
		return err
	}
	a.scheduler.Load(entries)
	if len(entries) == 0 && len(a.current.Load().config.Discoveries) == 0 {
		a.Logger.Warn().Msg("no cron will ever fire: all are left to the app container, or have no project")
	}
	return nil
}

// announce says when something will first be heard of a cron, which may be days from now, and with a
// sandbox how not to wait for it.
func (a *app) announce(jobs []*job.Job) {
	var first *job.Job
	var at time.Time
	for _, j := range jobs {
		next := a.scheduler.Next(j)
		if next.IsZero() || j.Suspended || a.suspensions.why(j.Name, next) != "" {
			continue
		}
		if first == nil || next.Before(at) {
			first, at = j, next
		}
	}
	if first == nil {
		return
	}
	e := a.Logger.Info().Str("cron", first.Name).Time("scheduled", at).Stringer("in", time.Until(at).Round(time.Second))
	if a.Sandbox {
		e.Str("now", fmt.Sprintf("automatond trigger %s --data %s", first.Name, a.Data))
	}
	e.Msg("first fire scheduled")
}

// run runs the parts until ctx ends. All hear of the end together. The runner finishes what is in
// flight; then the lease goes back.
func (a *app) run(ctx context.Context) error {
	leasing, stopLeasing := context.WithCancel(context.WithoutCancel(ctx))
	leased := make(chan error, 1)
	go func() { leased <- a.lease.Run(leasing) }()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	part := func(run func(context.Context) error) {
		a.parts.Go(func() error {
			err := run(ctx)
			if err != nil {
				stop()
			}
			return err
		})
	}
	a.greet(ctx, nil, a.current.Load())
	part(a.keepHistory)
	part(a.heedReplicas)
	part(a.obeySignals)
	part(func(ctx context.Context) error { return a.inventory.Run(ctx, a.upcoming) })
	if !a.aside {
		part(a.discovery.Run)
	}
	part(a.runner.Run)
	part(a.scheduler.Run)
	if a.control != nil {
		part(a.control.Run)
	}
	err := a.parts.Wait()
	stopLeasing()
	return errors.Join(ignoreCanceled(err), <-leased)
}

// obeySignals reloads the configuration at each hangup.
func (a *app) obeySignals(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.Hangup:
			_, _ = a.reload(ctx) // it has been logged
		}
	}
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// upcoming names the projects with a fire due within d that is this replica's to claim, each once.
func (a *app) upcoming(d time.Duration) []string {
	var ids []string
	seen := map[string]bool{}
	for _, f := range a.scheduler.Upcoming(d) {
		if id := f.Project.ID; !seen[id] && a.runner.Mine(f) {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// open opens the store and makes the parts that need it.
func (a *app) open(ctx context.Context) error {
	dir, err := a.dataDir()
	if err != nil {
		return err
	}
	a.Data = dir
	wait := time.Minute
	if a.aside {
		wait = 0
	}
	a.store, err = ledger.Open(ctx, ledger.Options{
		Dir: dir, Store: a.Store, LockWait: wait, Logger: a.Logger, Metrics: a.registry,
	})
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	a.cleanups = append(a.cleanups, a.store.Close)
	if err := a.install(ctx); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	a.lease, err = runner.NewLease(ctx, runner.LeaseOptions{
		Ledger:    a.store,
		Replica:   ledger.Replica{Host: host, ConfigHash: a.current.Load().config.Hash, StartedAt: a.started},
		TTL:       a.Timing.Lease,
		Exclusive: !a.shared(),
		Logger:    a.Logger,
	})
	if err != nil {
		return err
	}
	if err := a.recall(ctx); err != nil {
		return err
	}
	return a.build(ctx)
}

func (a *app) build(ctx context.Context) error {
	cfg := a.current.Load().config
	known, err := a.store.Targets(ctx)
	if err != nil {
		return fmt.Errorf("read targets: %w", err)
	}
	if err := a.suspensions.load(ctx, a.store); err != nil {
		return err
	}
	a.tellSuspensions()
	a.outcomes = runner.NewMetrics(a.registry)
	a.outcomes.Load(cfg.Jobs, a.Observe, known)
	a.runner = runner.New(runner.Options{
		Ledger: a.store, Inventory: a.inventory, Lease: a.lease, Limiter: a.limiter,
		Client: a.client, Job: a.job, Suspended: a.suspensions.why, Observe: a.Observe, Grace: cfg.ShutdownGrace,
		Timing: a.Timing, Metrics: a.outcomes, Logger: a.Logger, Aside: a.aside,
	})
	a.scheduler = scheduler.New(scheduler.Options{
		Logger: a.Logger, Metrics: scheduler.NewMetrics(a.registry), Emit: a.runner.Fire, Every: a.Every, Ahead: fireAhead,
	})
	a.registry.MustRegister(newCronMetrics(a), newReplicaMetrics(a), newInDoubt(a.store))
	return nil
}

// fireAhead is how long before their scheduled time fires are judged and claimed. It is what a burst of
// thousands takes, and too short for anybody to notice that a change came after it.
const fireAhead = time.Second

// scheduleHash changes when a cron's fires, what they do, or whether they do it, is edited: being
// suspended in the configuration and then not any more is an edit too, so that nothing is owed.
func scheduleHash(j *job.Job) string {
	if j.Suspended {
		return j.Hash + " suspended"
	}
	return j.Hash
}

// entries are the schedules to keep, each with the time from which on its fires are owed.
func (a *app) entries(ctx context.Context, cfg *config.Config) ([]scheduler.Entry, error) {
	var entries []scheduler.Entry
	var keys []ledger.ScheduleKey
	for _, j := range cfg.Jobs {
		if j.Left != nil {
			continue
		}
		for _, p := range j.Projects {
			entries = append(entries, scheduler.Entry{Job: j, Project: p})
			keys = append(keys, ledger.ScheduleKey{Cron: j.Name, Project: p.ID, Hash: scheduleHash(j)})
		}
	}
	baselines, fresh, err := a.store.Schedules(ctx, time.Now(), keys)
	if err != nil {
		return nil, fmt.Errorf("read baselines: %w", err)
	}
	if fresh && len(keys) > 0 {
		a.Logger.Warn().Msg("the store is empty: nothing is owed from before this start")
	}
	for i, b := range baselines {
		entries[i].Baseline = b.At
		if b.WatermarkAhead {
			a.Logger.Warn().Str("cron", b.Cron).Str("project", b.Project).
				Msg("a recorded fire lies in the future and is not counted on: was the clock wrong?")
		}
	}
	return entries, nil
}

// dataDir is where the ledger lives.
func (a *app) dataDir() (string, error) {
	if a.Data != "" {
		return a.Data, nil
	}
	if a.Sandbox {
		dir, err := os.MkdirTemp("", "automatond-sandbox-")
		if err != nil {
			return "", fmt.Errorf("make a temporary data directory: %w", err)
		}
		a.cleanups = append(a.cleanups, func() error { return os.RemoveAll(dir) })
		return dir, nil
	}
	return DefaultDataDir(a.Lookup)
}

// DefaultDataDir is $STATE_DIRECTORY (systemd's), else automatond below $XDG_STATE_HOME, else
// .local/state/automatond below $HOME.
func DefaultDataDir(lookup func(string) (string, bool)) (string, error) {
	if dir, _ := lookup("STATE_DIRECTORY"); dir != "" {
		return dir, nil
	}
	if dir, _ := lookup("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "automatond"), nil
	}
	if home, _ := lookup("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "automatond"), nil
	}
	return "", errors.New("no data directory: name one with --data")
}

// cleanup undoes what the start did, last thing first.
func (a *app) cleanup() error {
	var err error
	for i := len(a.cleanups) - 1; i >= 0; i-- {
		err = errors.Join(err, a.cleanups[i]())
	}
	return err
}
