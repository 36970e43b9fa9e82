package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/logtest"
	"github.com/automatond/automatond/internal/sandbox"
)

// apiToken is looked for in everything the daemon writes.
const apiToken = "3d9f1c-api-token-that-must-never-be-seen"

// site is a simulated platform on loopback, a configuration, and a data directory.
type site struct {
	t      *testing.T
	dir    string
	server *sandbox.Server
	env    []string
	store  string // of the ledger; "" for a file in the data directory
}

// newSite starts a platform. What is not said in o makes every project exist, with one user.
func newSite(t *testing.T, o sandbox.Options, yaml string) *site {
	t.Helper()
	o.Users = []sandbox.User{{Token: apiToken, ID: "automation-id", Name: "automation"}}
	server, err := sandbox.Start(o, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	s := &site{t: t, dir: t.TempDir(), server: server, env: []string{
		"PATH=/nowhere", // no program may be needed
		"PLATFORMSH_CLI_TOKEN=" + apiToken,
		"PLATFORMSH_CLI_API_URL=" + server.URL, "PLATFORMSH_CLI_AUTH_URL=" + server.URL,
	}}
	s.write("automatond.yaml", yaml)
	return s
}

func (s *site) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) data() string { return filepath.Join(s.dir, "data") }

// owe makes every cron look as if it had been known since a time in the past, so that the daemon
// finds its latest fire owed and runs it at once.
func (s *site) owe(since time.Time) {
	s.t.Helper()
	cfg, diagnostics := config.Load(config.Input{Paths: []string{filepath.Join(s.dir, "automatond.yaml")}, LookupEnv: s.lookup})
	if cfg == nil {
		s.t.Fatal(diagnostics)
	}
	ctx := context.Background()
	store, err := ledger.Open(ctx, ledger.Options{Dir: s.data(), Store: s.store})
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	var keys []ledger.ScheduleKey
	for _, j := range cfg.Jobs {
		for _, p := range j.Projects {
			keys = append(keys, ledger.ScheduleKey{Cron: j.Name, Project: p.ID, Hash: j.Hash})
		}
	}
	if _, _, err := store.Schedules(ctx, since, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) lookup(name string) (string, bool) {
	for _, pair := range s.env {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value, true
		}
	}
	return "", false
}

// daemon is the real command as a process of its own.
type daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *logtest.Log
	done chan struct{} // closed when the process is gone
}

// start runs the daemon. It is killed at the end of the test if it still runs then.
func (s *site) start(args ...string) *daemon {
	s.t.Helper()
	return s.startIn("data", args...)
}

// startIn runs a daemon in a data directory of its own.
func (s *site) startIn(data string, args ...string) *daemon {
	s.t.Helper()
	d := &daemon{t: s.t, log: &logtest.Log{}, done: make(chan struct{})}
	d.cmd = exec.Command(os.Args[0], append([]string{
		"run", "--config", filepath.Join(s.dir, "automatond.yaml"), "--data", filepath.Join(s.dir, data),
		"--web.listen-address", "127.0.0.1:0", "--probe.listen-address", "127.0.0.1:0",
	}, args...)...)
	d.cmd.Env = append(s.env, beTheDaemon+"=1")
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		d.cmd.Wait()
		close(d.done)
	}()
	s.t.Cleanup(func() {
		d.kill()
		if strings.Contains(d.log.String(), apiToken) {
			s.t.Error("the API token is in the daemon's output")
		}
		if s.t.Failed() {
			s.t.Logf("the end of the daemon's output:\n%s", tail(d.log.String(), 6000))
		}
	})
	return d
}

// kill ends the process as a power cut would.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	<-d.done
}

// stop ends the process as a container runtime does, and holds it to exit status 0 in time.
func (d *daemon) stop() {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		d.t.Error("did not stop within 10 s of SIGTERM")
		d.kill()
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
}

// refuses holds the process to ending by itself with exit status 1.
func (d *daemon) refuses() {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(30 * time.Second):
		d.t.Fatal("it runs")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 1 {
		d.t.Errorf("exit status %d, want 1", code)
	}
}

var listening = regexp.MustCompile(`"address":"([^"]+)","probes":"([^"]+)"`)

// addresses waits for the daemon to listen.
func (d *daemon) addresses() (web, probes string) {
	d.t.Helper()
	var found []string
	d.eventually("listening", func() bool {
		found = listening.FindStringSubmatch(d.log.String())
		return found != nil
	})
	return "http://" + found[1], "http://" + found[2]
}

// get returns the status and the body of a page of the daemon.
func (d *daemon) get(url string) (int, string) {
	d.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if strings.Contains(string(body), apiToken) {
		d.t.Errorf("the API token is on %s", url)
	}
	return response.StatusCode, string(body)
}

// metric returns the value of a series, as it stands on the page.
func (d *daemon) metric(series string) string {
	d.t.Helper()
	web, _ := d.addresses()
	_, page := d.get(web + "/metrics")
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// patience is for machines that are busy with other things.
var patience = flag.Duration("patience", 90*time.Second, "how long the daemon is waited for at most")

// eventually waits until something holds.
func (d *daemon) eventually(what string, holds func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(*patience)
	for !holds() {
		select {
		case <-d.done:
			d.t.Fatalf("waiting for %q: the daemon ended", what)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

// records returns all fires of the ledger, on which daemons may be working.
func (s *site) records() []ledger.Fire {
	s.t.Helper()
	reader, err := ledger.OpenReader(context.Background(), cmp.Or(s.store, s.data()))
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	fires, err := reader.Fires(context.Background(), ledger.Filter{Limit: 1 << 20})
	if err != nil {
		s.t.Fatal(err)
	}
	return fires
}

// posts are the state-changing requests that arrived.
func (s *site) posts() []sandbox.Entry {
	var posts []sandbox.Entry
	for _, e := range s.server.Posts("") {
		if strings.Contains(e.Path, "/environments/") {
			posts = append(posts, e)
		}
	}
	return posts
}

// asked counts the state-changing requests that arrived, by path.
func (s *site) asked() map[string]int {
	count := map[string]int{}
	for _, e := range s.posts() {
		count[e.Path]++
	}
	return count
}

// lines returns the log's lines with a message, decoded.
func (d *daemon) lines(message string) []map[string]any {
	var list []map[string]any
	for line := range strings.Lines(d.log.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["message"] == message {
			list = append(list, fields)
		}
	}
	return list
}

// justNow is a minute of the last two, in UTC. What is due at it in each hour is not due again during a
// test.
func justNow() time.Time { return time.Now().UTC().Truncate(time.Minute).Add(-time.Minute) }

// hourly is a configuration of n crons on n projects, due in each hour at the minute of a time.
func hourly(n int, at time.Time) string {
	var yaml strings.Builder
	yaml.WriteString("defaults: {start_deadline: 3h}\nprojects:\n")
	for i := range n {
		fmt.Fprintf(&yaml, "  p%04d: {id: project%04d}\n", i, i)
	}
	yaml.WriteString("crons:\n")
	for i := range n {
		fmt.Fprintf(&yaml, "  backup%04d: {spec: '%d * * * *', projects: [p%04d], only: {branches: [main]}, task: {backup: {}}}\n", i, at.Minute(), i)
	}
	return yaml.String()
}
