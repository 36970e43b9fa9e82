// Package app puts the daemon together: it opens the store, makes the parts, starts them in an
// order in which each finds what it needs, and stops them in the reverse order. It is the only
// package that knows all others, and decides nothing that belongs to one of them.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/automatond/automatond/internal/config"
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
	Web    WebOptions

	Sandbox bool // a simulated platform instead of the real one
	Observe bool // decide and record, but send nothing

	Timing  runner.Timing // zero for the real platform; tests shorten it
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
	config    *config.Config
	registry  *prometheus.Registry
	clients   map[string]*platform.Client // by platform project id
	users     map[string]*platform.Client // by name of the automation user
	fallback  *platform.Client            // for projects a script names; nil when several users are configured
	limiter   *platform.Limiter
	store     *ledger.Ledger
	lease     *runner.Lease
	inventory *inventory.Inventory
	runner    *runner.Runner
	scheduler *scheduler.Scheduler
	web       *web.Server
	started   time.Time
	ready     chan struct{} // closed when the configuration is loaded and the store is open
	cleanups  []func() error
}

// Run is the daemon: it returns when ctx ends and everything is down, or with what went wrong. An
// invalid configuration is a *ConfigError.
func Run(ctx context.Context, o Options) (err error) {
	a := &app{Options: o, started: time.Now(), registry: prometheus.NewRegistry(), ready: make(chan struct{})}
	defer func() { err = errors.Join(err, a.cleanup()) }()
	a.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if err := a.load(); err != nil {
		return err
	}
	if err := a.connect(); err != nil {
		return err
	}
	if err := a.listen(); err != nil {
		return err
	}
	return a.serve(ctx)
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
	entries, err := a.entries(ctx)
	if err != nil {
		return err
	}
	a.scheduler.Load(entries)
	if len(entries) == 0 {
		a.Logger.Warn().Msg("no cron will ever fire: all are left to the app container, or have no project")
	}
	close(a.ready)
	a.Logger.Info().Str("version", a.Version.Version).Int("crons", len(a.config.Jobs)).
		Int("projects", len(a.config.Projects)).Bool("observe", a.Observe).Msg("started")

	// All parts hear of the end together. The runner finishes what is in flight; then the lease goes
	// back, and the web server stops last.
	leasing, stopLeasing := context.WithCancel(context.WithoutCancel(ctx))
	leased := make(chan error, 1)
	go func() { leased <- a.lease.Run(leasing) }()

	parts, partsCtx := errgroup.WithContext(ctx)
	for _, client := range a.users {
		// A token that is not accepted is told now, by log and metric, not at the first fire.
		parts.Go(func() error { _ = client.EnsureToken(partsCtx); return nil })
	}
	parts.Go(func() error { return a.keepHistory(partsCtx) })
	parts.Go(func() error { return a.inventory.Run(partsCtx, a.upcoming) })
	parts.Go(func() error { return a.runner.Run(partsCtx) })
	parts.Go(func() error { return a.scheduler.Run(partsCtx) })
	err = parts.Wait()
	stopLeasing()
	err = errors.Join(ignoreCanceled(err), <-leased)
	a.Logger.Info().Msg("stopped")
	return err
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// upcoming names the projects with a fire due within d.
func (a *app) upcoming(d time.Duration) []string {
	fires := a.scheduler.Upcoming(d)
	ids := make([]string, len(fires))
	for i, f := range fires {
		ids[i] = f.Project.ID
	}
	return ids
}

// open opens the store and makes the parts that need it.
func (a *app) open(ctx context.Context) error {
	dir, err := a.dataDir()
	if err != nil {
		return err
	}
	a.store, err = ledger.Open(ctx, ledger.Options{
		Dir: dir, LockWait: time.Minute, Logger: a.Logger, Metrics: a.registry,
	})
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	a.cleanups = append(a.cleanups, a.store.Close)
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	owner := ledger.NewID()
	a.lease, err = runner.NewLease(ctx, runner.LeaseOptions{
		Ledger:    a.store,
		Replica:   ledger.Replica{ID: owner, Host: host, ConfigHash: a.config.Hash, StartedAt: a.started},
		Exclusive: true,
		Logger:    a.Logger,
	})
	if err != nil {
		return err
	}
	return a.build(ctx, owner)
}

func (a *app) build(ctx context.Context, owner string) error {
	metrics := runner.NewMetrics(a.registry)
	known, err := a.store.Targets(ctx)
	if err != nil {
		return fmt.Errorf("read targets: %w", err)
	}
	metrics.Load(a.config.Jobs, a.Observe, known)
	index := indexJobs(a.config.Jobs)
	a.runner = runner.New(runner.Options{
		Owner: owner, Ledger: a.store, Inventory: a.inventory, Lease: a.lease, Limiter: a.limiter,
		Client: a.client, Job: index.find, Observe: a.Observe, Grace: a.config.ShutdownGrace,
		Timing: a.Timing, Metrics: metrics, Logger: a.Logger,
	})
	a.scheduler = scheduler.New(scheduler.Options{
		Logger: a.Logger, Metrics: scheduler.NewMetrics(a.registry), Emit: a.runner.Fire,
	})
	a.registry.MustRegister(newCronMetrics(a.config.Jobs, a.scheduler), newReplicas(a.store))
	return nil
}

// jobIndex finds a configured cron and one of its projects.
type jobIndex map[string]*job.Job

func indexJobs(jobs []*job.Job) jobIndex {
	index := make(jobIndex, len(jobs))
	for _, j := range jobs {
		if j.Left == nil {
			index[j.Name] = j
		}
	}
	return index
}

func (i jobIndex) find(cron, project string) (*job.Job, *job.Project) {
	j := i[cron]
	if j == nil {
		return nil, nil
	}
	for _, p := range j.Projects {
		if p.ID == project {
			return j, p
		}
	}
	return nil, nil
}

// entries are the schedules to keep, each with the time from which on its fires are owed.
func (a *app) entries(ctx context.Context) ([]scheduler.Entry, error) {
	var entries []scheduler.Entry
	var keys []ledger.ScheduleKey
	for _, j := range a.config.Jobs {
		if j.Left != nil {
			continue
		}
		for _, p := range j.Projects {
			entries = append(entries, scheduler.Entry{Job: j, Project: p})
			keys = append(keys, ledger.ScheduleKey{Cron: j.Name, Project: p.ID, Hash: j.Hash})
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
