package runner

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/ledgertest"
	"github.com/automatond/automatond/internal/logtest"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
	"github.com/automatond/automatond/internal/secret"
)

const (
	token    = "seed-token-that-must-never-be-seen"
	projectA = "aaaaaaaaaaaaa"
)

// world is a runner with a real ledger and a simulated platform, in virtual time.
type world struct {
	t       *testing.T
	dir     string
	sandbox *sandbox.Sandbox
	mu      sync.Mutex // guards jobs, which the runner asks for
	jobs    []*job.Job
	logs    *logtest.Log
	observe bool
	shared  bool   // other replicas may work on the ledger
	opened  func() // if there is one, called at a start before the runner runs
	token   secret.Source
	limits  platform.LimiterOptions

	ledger   *ledger.Ledger
	registry *prometheus.Registry
	runner   *Runner
	client   *platform.Client
	lease    *Lease
	down     func() // stops the runner and closes the ledger
}

// inWorld runs body in virtual time with one project that has master, staging and feature/x.
func inWorld(t *testing.T, yaml string, body func(*world)) {
	t.Helper()
	inPreparedWorld(t, yaml, func(*world) {}, body)
}

// inPreparedWorld is inWorld with something to do before the process starts.
func inPreparedWorld(t *testing.T, yaml string, prepare, body func(*world)) {
	t.Helper()
	dir := ledgertest.Dir(t, "data")
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, logs: &logtest.Log{}, token: secret.FromEnv("TOKEN", token)}
		w.simulate(sandbox.Options{ActivityDuration: 20 * time.Second})
		w.configure(yaml)
		prepare(w)
		w.start()
		body(w)
		w.stop()
		if strings.Contains(w.logs.String(), token) {
			t.Error("the API token is in the log")
		}
	})
}

// simulate puts a platform with the one project and the one user in the place of the former.
func (w *world) simulate(o sandbox.Options) {
	o.Projects = []sandbox.Project{{ID: projectA, DefaultBranch: "master", Environments: []sandbox.Environment{
		{Name: "master", Type: "production", Status: "active"},
		{Name: "staging", Type: "staging", Status: "active"},
		{Name: "feature/x", Type: "development", Status: "active"},
	}}}
	o.Users = []sandbox.User{{Token: token, ID: "automation-id", Name: "automation"}}
	w.sandbox = sandbox.New(o)
}

// configure loads crons as the daemon does.
func (w *world) configure(yaml string) {
	w.t.Helper()
	file := filepath.Join(w.dir, "automatond.yaml")
	yaml = "automation_users: {bot: {token_env: TOKEN}}\nprojects: {shop: {id: " + projectA + "}}\n" + yaml
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, LookupEnv: func(name string) (string, bool) {
		if name == "TOKEN" {
			return token, true
		}
		return "", false
	}})
	if cfg == nil {
		w.t.Fatalf("load: %v", diagnostics)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = cfg.Jobs
}

// start brings up a process: it opens the ledger, adopts what is open, and works.
func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	logger := zerolog.New(w.logs)
	store, err := ledger.Open(ctx, ledger.Options{Dir: filepath.Join(w.dir, "data"), Logger: logger})
	if err != nil {
		w.t.Fatal(err)
	}
	w.registry = prometheus.NewRegistry()
	limiter := platform.NewLimiter(w.limits)
	w.client, err = platform.New(platform.Options{
		APIURL: "http://sandbox.test", AuthURL: "http://sandbox.test", User: "bot", Token: w.token,
		Transport: w.sandbox.Transport(), Limiter: limiter, UserAgent: "automatond/test", Logger: logger,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	client := func(project string) *platform.Client { return w.client }
	w.lease, err = NewLease(ctx, LeaseOptions{Ledger: store, Replica: ledger.Replica{StartedAt: time.Now()}, Exclusive: !w.shared, Logger: logger})
	if err != nil {
		w.t.Fatal(err)
	}
	metrics := NewMetrics(w.registry)
	known, err := store.Targets(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	metrics.Load(w.jobs, w.observe, known)
	w.ledger = store
	w.runner = New(Options{
		Ledger: store, Lease: w.lease, Limiter: limiter, Client: client, Job: w.find,
		Inventory: inventory.New(inventory.Options{Client: client, Logger: logger}),
		Observe:   w.observe, Metrics: metrics, Logger: logger,
	})
	if w.opened != nil {
		w.opened()
	}
	done := make(chan error, 2)
	go func() { done <- w.runner.Run(ctx) }()
	go func() { done <- w.lease.Run(ctx) }()
	w.down = func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				w.t.Errorf("stopped with: %v", err)
			}
		}
		if err := store.Close(); err != nil {
			w.t.Errorf("close ledger: %v", err)
		}
	}
}

func (w *world) stop() { w.down() }

func (w *world) restart() {
	w.stop()
	w.start()
}

func (w *world) find(cron string) *job.Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.Name == cron {
			return j
		}
	}
	return nil
}

// fire lets every cron fire now.
func (w *world) fire() time.Time {
	at := time.Now().Truncate(time.Second)
	var batch []scheduler.Fire
	for _, j := range w.jobs {
		for _, p := range j.Projects {
			batch = append(batch, scheduler.Fire{Job: j, Project: p, ScheduledAt: at})
		}
	}
	w.runner.Fire(batch)
	return at
}

// wait lets virtual time pass.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// posts counts the state-changing requests that the platform saw, by the end of their path.
func (w *world) posts(suffix string) int { return len(w.sandbox.Posts(suffix)) }

// outcomes lists the ended runs and the fires without a run as "outcome/reason".
func (w *world) outcomes() []string {
	w.t.Helper()
	fires, err := w.ledger.Fires(context.Background(), ledger.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, f := range fires {
		list = append(list, string(f.Outcome)+"/"+string(f.Reason))
	}
	return list
}

// want holds the posts to a path and the outcome of the only fire against what must be.
func (w *world) want(suffix string, posts int, outcome string) {
	w.t.Helper()
	if got := w.posts(suffix); got != posts {
		w.t.Errorf("%d requests to …%s, want %d", got, suffix, posts)
	}
	if got := strings.Join(w.outcomes(), " "); got != outcome {
		w.t.Errorf("fires ended %q, want %q\n%s", got, outcome, w.logs)
	}
}

// logged looks for a text in the log.
func (w *world) logged(text string) {
	w.t.Helper()
	if !strings.Contains(w.logs.String(), text) {
		w.t.Errorf("the log does not have %s:\n%s", text, w.logs)
	}
}

// gauge returns the value of the only series of a family, -1 if there is none.
func (w *world) gauge(name string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name && len(f.Metric) == 1 {
			return f.Metric[0].GetGauge().GetValue()
		}
	}
	return -1
}
