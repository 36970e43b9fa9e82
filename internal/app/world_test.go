package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/ledgertest"
	"github.com/automatond/automatond/internal/logtest"
	"github.com/automatond/automatond/internal/sandbox"
)

const (
	apiToken = "app-token-that-must-never-be-seen"

	// preamble is the part of the configuration that says whom to ask.
	preamble = `
api: {url: http://sandbox.test, auth_url: http://sandbox.test}
automation_users: {bot: {token_env: TOKEN}}
`
	shop = `
projects: {shop: {id: shopid}}
`
	// backup is due every five minutes on main.
	backup = `
crons:
  backup: {spec: '*/5 * * * *', only: {branches: [main]}, task: {backup: {}}}
`
	// twice is due as often, and its second call waits until the first one's activity has ended.
	twice = `
crons:
  twice:
    spec: '*/5 * * * *'
    cmd: |
      [ "$PLATFORM_BRANCH" = main ] || exit 0
      platform redeploy --yes --no-wait
      platform backup --yes --no-wait
`
	period = 5 * time.Minute
)

// world is the daemon without its sockets, with a real ledger and a simulated platform, in virtual
// time. Virtual time begins at midnight.
type world struct {
	t       *testing.T
	dir     string
	sandbox *sandbox.Sandbox
	logs    *logtest.Log
	app     *app
	down    func()
}

// inWorld runs body beside a daemon with the configuration.
func inWorld(t *testing.T, yaml string, body func(*world)) {
	t.Helper()
	inSandboxed(t, sandbox.Options{Open: true}, yaml, body)
}

// inSandboxed is inWorld with a platform of its own kind.
func inSandboxed(t *testing.T, platform sandbox.Options, yaml string, body func(*world)) {
	t.Helper()
	dir := ledgertest.Dir(t, "data")
	platform.Users = []sandbox.User{{Token: apiToken, ID: "automation-id", Name: "automation"}}
	platform.ActivityDuration, platform.JournalLimit = 20*time.Second, 100_000
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, logs: &logtest.Log{}, sandbox: sandbox.New(platform)}
		w.configure(yaml)
		w.start()
		body(w)
		w.down()
		if strings.Contains(w.logs.String(), apiToken) {
			t.Error("the API token is in the log")
		}
		if t.Failed() {
			log := w.logs.String()
			t.Logf("the end of the log:\n%s", log[max(0, len(log)-4000):])
		}
	})
}

// configure writes the configuration's file.
func (w *world) configure(yaml string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "automatond.yaml"), []byte(preamble+yaml), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.app = newApp(Options{
		Paths: []string{filepath.Join(w.dir, "automatond.yaml")}, Data: filepath.Join(w.dir, "data"),
		Lookup: func(name string) (string, bool) {
			if name == "TOKEN" {
				return apiToken, true
			}
			return "", false
		},
		Logger: zerolog.New(w.logs).With().Timestamp().Logger(),
	})
	w.app.transport = w.sandbox.Transport()
	w.must(w.app.load())
	w.must(w.app.open(ctx))
	w.must(w.app.begin(ctx))
	ended := make(chan error, 1)
	go func() { ended <- w.app.run(ctx) }()
	w.down = func() {
		cancel()
		w.must(<-ended)
		w.must(w.app.cleanup())
	}
}

// logged looks for a line of the log that has all of the texts.
func (w *world) logged(texts ...string) {
	w.t.Helper()
	for line := range strings.Lines(w.logs.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return
		}
	}
	w.t.Errorf("no line of the log has all of %q", texts)
}

func (w *world) restart() {
	w.down()
	w.start()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// reload writes a configuration and loads it.
func (w *world) reload(yaml string) *reloaded {
	w.t.Helper()
	w.configure(yaml)
	res, err := w.app.reload(context.Background())
	w.must(err)
	return res
}

// wait lets virtual time pass.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// posts counts the state-changing requests that the platform saw.
func (w *world) posts() int {
	n := 0
	for _, e := range w.sandbox.Posts("") {
		if strings.Contains(e.Path, "/environments/") {
			n++
		}
	}
	return n
}

// fires lists the fires in their order, as "cron 15:04 outcome/reason".
func (w *world) fires() []string {
	w.t.Helper()
	fires, err := w.app.store.Fires(context.Background(), ledger.Filter{Limit: 1 << 20})
	w.must(err)
	list := []string{}
	for _, f := range slices.Backward(fires) {
		list = append(list, fmt.Sprintf("%s %s %s/%s", f.Cron, f.ScheduledAt.Format("15:04"), f.Outcome, f.Reason))
	}
	return list
}

// want holds the fires and the number of requests against what must be.
func (w *world) want(posts int, fires ...string) {
	w.t.Helper()
	if got := w.fires(); !slices.Equal(got, fires) {
		w.t.Errorf("fires %q, want %q", got, fires)
	}
	if got := w.posts(); got != posts {
		w.t.Errorf("%d requests, want %d", got, posts)
	}
}

// metric returns the value of a gauge, -1 if there is no such series. Labels are pairs of name and
// value, joined by "=".
func (w *world) metric(name string, labels ...string) float64 {
	w.t.Helper()
	families, err := w.app.registry.Gather()
	w.must(err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.Metric {
			var have []string
			for _, l := range m.Label {
				have = append(have, l.GetName()+"="+l.GetValue())
			}
			if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) }) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

// exchanges counts how often an access token was fetched.
func (w *world) exchanges() int {
	n := 0
	for _, e := range w.sandbox.Journal() {
		if strings.HasSuffix(e.Path, "/oauth2/token") {
			n++
		}
	}
	return n
}
