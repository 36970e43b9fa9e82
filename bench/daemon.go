package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// daemon is a running automatond with its own data directory, as a user would start it.
type daemon struct {
	*process
	probe, web string // base URLs
	ready      time.Duration
}

// buildDaemon compiles the daemon of this module into dir.
func buildDaemon(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "automatond")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/automatond/automatond/cmd/automatond")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the daemon: %w\n%s", err, output)
	}
	return binary, nil
}

// startDaemon starts the daemon on a configuration file and waits until it is ready. The data
// directory is dir/data and may exist. More arguments may say where the ledger is.
func (b *bench) startDaemon(ctx context.Context, dir, config string, more ...string) (*daemon, error) {
	web, err := freeAddress()
	if err != nil {
		return nil, err
	}
	probe, err := freeAddress()
	if err != nil {
		return nil, err
	}
	d := &daemon{web: "http://" + web, probe: "http://" + probe}
	args := append([]string{"run", "--config", config, "--data", filepath.Join(dir, "data"),
		"--web.listen-address", web, "--probe.listen-address", probe}, more...)
	d.process, err = start(ctx, "daemon", filepath.Join(dir, "daemon.log"), b.environment(), b.binary, args...)
	if err != nil {
		return nil, err
	}
	if err := d.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, d.kill())
	}
	return d, nil
}

// environment is what the daemon gets from its environment: a token, where the API is, and
// nothing that would change what it does.
func (b *bench) environment() []string {
	env := []string{
		"BENCH_TOKEN=" + apiToken,
		"PLATFORMSH_CLI_API_URL=" + b.api.URL,
		"PLATFORMSH_CLI_AUTH_URL=" + b.api.URL,
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// freeAddress finds a port on loopback that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

const (
	readyPoll  = 10 * time.Millisecond
	readyLimit = 60 * time.Second
)

// awaitReady polls the readiness probe and notes how long after the start it first said yes.
func (d *daemon) awaitReady(ctx context.Context) error {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for {
		response, err := client.Get(d.probe + "/readyz")
		if err == nil {
			io.Copy(io.Discard, response.Body) // only the status counts
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				d.ready = time.Since(d.started)
				return nil
			}
		}
		if err := d.gone(); err != nil {
			return err
		}
		if time.Since(d.started) > readyLimit {
			return d.explain(fmt.Errorf("it was not ready within %s", readyLimit))
		}
		if err := sleep(ctx, readyPoll); err != nil {
			return err
		}
	}
}

// scrape reads the metrics once, as a Prometheus server does, and returns their size (before
// compression) and how long that took.
func (d *daemon) scrape(ctx context.Context) (size int64, took time.Duration, err error) {
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.web+"/metrics", nil)
	if err != nil {
		return 0, 0, err
	}
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, fmt.Errorf("scrape: %w", err)
	}
	defer response.Body.Close()
	size, err = io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("scrape: %w", err)
	}
	return size, time.Since(began), nil
}

// kill ends a daemon whose measurement went wrong.
func (p *process) kill() error {
	if p.gone() != nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.exited
	return err
}

// cron is one declared cron of a generated configuration.
type cron struct {
	name, spec, project string
}

// writeConfig writes a configuration of declared backup crons into dir.
func writeConfig(dir string, projects []string, crons []cron) (string, error) {
	var text strings.Builder
	text.WriteString("automation_users:\n    bench-bot: {token_env: BENCH_TOKEN}\nprojects:\n")
	for _, id := range projects {
		fmt.Fprintf(&text, "    %s: {id: %s, automation_user: bench-bot}\n", id, id)
	}
	text.WriteString("crons:\n")
	for _, c := range crons {
		fmt.Fprintf(&text, "    %s:\n        spec: '%s'\n        projects: [%s]\n        task: {backup: {}}\n",
			c.name, c.spec, c.project)
	}
	path := filepath.Join(dir, "automatond.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return path, nil
}

// projectIDs returns n project ids that begin with a prefix.
func projectIDs(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%05d", prefix, i)
	}
	return ids
}

// everyMinute returns one cron per project, all due at every minute's start.
func everyMinute(projects []string) []cron {
	crons := make([]cron, len(projects))
	for i, id := range projects {
		crons[i] = cron{name: "backup-" + id, spec: "* * * * *", project: id}
	}
	return crons
}

// overTheDay returns n daily crons, spread evenly over the day and over the projects. The quarter
// of an hour from now on stays free, so that nothing fires while something else is measured.
func overTheDay(n int, projects []string, now time.Time) []cron {
	const day, free = 24 * 60, 15
	first := now.UTC().Hour()*60 + now.UTC().Minute() + free
	crons := make([]cron, n)
	for i := range crons {
		minute := (first + i*(day-free)/n) % day
		crons[i] = cron{
			name:    fmt.Sprintf("backup-%05d", i),
			spec:    fmt.Sprintf("%d %d * * *", minute%60, minute/60),
			project: projects[i%len(projects)],
		}
	}
	return crons
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
