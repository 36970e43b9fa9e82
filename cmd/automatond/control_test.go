package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// yearly is a cron that does not fire during a test, and one more.
const yearly = `
projects: {shop: {id: shopid}}
crons:
  backup: {spec: '0 5 29 2 *', only: {branches: [main]}, task: {backup: {}}}
`

// command runs a command of automatond beside a daemon, as docker exec does, and returns its output
// and exit status.
func (s *site) command(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env, cmd.Dir = append(s.env, beTheDaemon+"=1", "STATE_DIRECTORY="+s.data()), s.dir
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if strings.Contains(out.String()+messages.String(), apiToken) {
		s.t.Errorf("the API token is in the output of %q", args)
	}
	return out.String(), messages.String(), cmd.ProcessState.ExitCode()
}

// mustCommand runs a command that is to succeed and returns what it printed.
func (s *site) mustCommand(args ...string) string {
	s.t.Helper()
	stdout, stderr, code := s.command(args...)
	if code != 0 {
		s.t.Fatalf("%q: exit status %d, stdout %q, stderr %q", args, code, stdout, stderr)
	}
	return stdout
}

// failing runs a command that is to fail with a code and a text in its messages.
func (s *site) failing(code int, text string, args ...string) {
	s.t.Helper()
	stdout, stderr, got := s.command(args...)
	if got != code || !strings.Contains(stdout+stderr, text) {
		s.t.Errorf("%q: exit status %d, stdout %q, stderr %q; want %d and %q", args, got, stdout, stderr, code, text)
	}
}

func contains(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("output %q does not contain %q", text, want)
	}
}

func (s *site) socket() string { return filepath.Join(s.data(), "control.sock") }

func TestControl_TriggersAndShowsRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 500 * time.Millisecond}, yearly)
	s.failing(1, "no daemon is running", "trigger", "backup")
	s.failing(1, "there is no ledger", "runs")
	d := s.start()
	d.eventually("ready", d.ready)
	info, err := os.Stat(s.socket())
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode of the socket %v (%v), want a socket with 0600", info.Mode(), err)
	}

	contains(t, s.mustCommand("trigger", "backup", "--id", "release", "--wait"), "on main: succeeded")
	contains(t, s.mustCommand("trigger", "backup", "--id", "release", "--wait"), "already asked for under this id")
	if n := len(s.posts()); n != 1 {
		t.Errorf("%d requests for two triggers with one id, want 1", n)
	}
	s.failing(1, "skipped (guard)", "trigger", "backup", "-e", "staging", "--wait")
	s.failing(1, `no cron "nightly"`, "trigger", "nightly")
	s.failing(1, `does not run on a project "blog"`, "trigger", "backup", "-p", "blog")
	s.failing(2, "name one cron, or give --all", "suspend")
	s.failing(2, "name one cron, or give --all", "resume", "backup", "--all")
	s.failing(2, "neither a time", "suspend", "--all", "--until", "tomorrow")

	contains(t, s.mustCommand("suspend", "--all", "--note", "incident 17"), "suspended: all crons")
	s.failing(1, "skipped (suspended): all crons are suspended: incident 17", "trigger", "backup", "--wait")
	contains(t, s.mustCommand("resume", "--all"), "resumed: all crons")

	contains(t, s.mustCommand("platform", "environment:redeploy", "-e", "main", "--yes", "--wait"), "succeeded")
	s.failing(2, "no environment is named", "platform", "backup")
	s.failing(2, "option --hard does not exist", "platform", "backup", "--hard")

	d.stop()
	// The history is there without a daemon.
	var records []struct{ ID, Cron, Environment, Outcome, Reason, Manual string }
	if err := json.Unmarshal([]byte(s.mustCommand("runs", "-o", "json")), &records); err != nil || len(records) != 4 {
		t.Fatalf("%d records (%v), want 4: %+v", len(records), err, records)
	}
	if first := records[3]; first.Manual != "release" || first.Outcome != "succeeded" || first.Environment != "main" {
		t.Errorf("the first record is %+v", first)
	}
	contains(t, s.mustCommand("runs", records[3].ID), "environment.backup complete success")
	contains(t, s.mustCommand("runs", "--outcome", "skipped", "--reason", "suspended"), records[1].ID)
	contains(t, s.mustCommand("runs"), "  shop  ")
	if out := s.mustCommand("runs", "--outcome", "failed"); strings.Count(out, "\n") != 1 {
		t.Errorf("runs that failed: %q, want the heading only", out)
	}
	for project, want := range map[string]int{"shop": 4, "shopid": 4, "blog": 0} {
		if err := json.Unmarshal([]byte(s.mustCommand("runs", "--project", project, "-o", "json")), &records); err != nil || len(records) != want {
			t.Errorf("%d records of project %s (%v), want %d", len(records), project, err, want)
		}
	}
	if _, stderr, code := s.command("runs", "--cron", "nope"); code != 0 || !strings.Contains(stderr, "no run matches") {
		t.Errorf("runs of a cron that has none: exit status %d, stderr %q", code, stderr)
	}
	s.failing(2, "no such file", "runs", "--project", "shop", "--config", "none.yaml")
	s.failing(1, "has no run nonsense", "runs", "nonsense")
	if _, err := os.Stat(s.socket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	s.failing(1, "no daemon is running", "reload")
}

func TestControl_SuspensionOutlivesAKill(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, yearly)
	d := s.start()
	d.eventually("ready", d.ready)
	s.mustCommand("suspend", "backup", "--until", "2h", "--note", "migration")
	d.kill()
	if _, err := os.Stat(s.socket()); err != nil {
		t.Fatalf("a killed daemon leaves its socket behind: %v", err)
	}
	s.failing(1, "no daemon is running", "trigger", "backup")

	d = s.start()
	d.eventually("ready", d.ready)
	if got := d.metric(`automatond_cron_suspended{cron="backup"}`); got != "1" {
		t.Errorf("cron_suspended is %s, want 1", got)
	}
	s.failing(1, "skipped (suspended)", "trigger", "backup", "--wait")
	s.mustCommand("resume", "backup")
	contains(t, s.mustCommand("trigger", "backup"), "1 run")
	d.stop()
}

func TestControl_ReloadsBySocketAndSignal(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, yearly)
	d := s.start()
	d.eventually("ready", d.ready)
	const more = yearly + "  redeploy: {spec: '0 5 29 2 *', task: {redeploy: {}}}\n"
	s.write("automatond.yaml", more)
	contains(t, s.mustCommand("reload"), "added: redeploy")

	s.write("automatond.yaml", more+"  broken: {spec: 'soon', task: {backup: {}}}\n")
	s.failing(2, `cron "broken"`, "reload")
	s.failing(2, `"diagnostics"`, "reload", "-o", "json")
	if got := d.metric("automatond_config_last_reload_successful"); got != "0" {
		t.Errorf("config_last_reload_successful is %s after a bad file, want 0", got)
	}
	contains(t, s.mustCommand("trigger", "redeploy", "-e", "main"), "1 run")

	s.write("automatond.yaml", yearly)
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.eventually("the reload", func() bool { return d.metric("automatond_config_last_reload_successful") == "1" })
	s.failing(1, `no cron "redeploy"`, "trigger", "redeploy")
	d.stop()
}

func TestControl_ReachesADeepDataDirectory(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, yearly)
	s.dir = filepath.Join(s.dir, strings.Repeat("deep/", 25))
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("automatond.yaml", yearly)
	d := s.start()
	d.eventually("ready", d.ready)
	contains(t, s.mustCommand("reload"), "1 cron")
	d.stop()
}

// TestPlatform_WorksWithoutADaemon carries out a command line with the data directory to itself, and
// lets a daemon follow what it left open.
func TestPlatform_WorksWithoutADaemon(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 2 * time.Second}, yearly)
	contains(t, s.mustCommand("platform", "backup:create", "-e", "main", "--yes"), "on main: tracking")
	if n := s.asked()["/api/projects/shopid/environments/main/backup"]; n != 1 {
		t.Errorf("%d requests for a backup, want 1: %v", n, s.asked())
	}
	d := s.start()
	d.eventually("the outcome", func() bool {
		out, _, _ := s.command("runs")
		return strings.Contains(out, "succeeded")
	})
	d.stop()
	contains(t, s.mustCommand("platform", "environment:redeploy", "-e", "main", "--yes", "--wait"), "succeeded")
	s.failing(2, "not valid", "platform", "--config", "nowhere.yaml", "backup:create", "-e", "main")
}

// TestReload_UnderLoad reloads again and again, in the real process, while requests are on their way.
func TestReload_UnderLoad(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 100 * time.Millisecond}, yearly)
	d := s.start()
	d.eventually("ready", d.ready)
	const reloads = 40
	for i := range reloads {
		s.write("automatond.yaml", yearly+fmt.Sprintf("  other%d: {spec: '0 5 29 2 *', task: {redeploy: {}}}\n", i))
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		// Each on a project of its own, which no configuration has.
		s.mustCommand("platform", "environment:redeploy", "-p", fmt.Sprint("elsewhere", i), "-e", "main", "--yes")
	}
	d.stop()
	if got := s.asked(); len(got) != reloads || len(s.posts()) != reloads {
		t.Errorf("%d requests to %d environments, want %d", len(s.posts()), len(got), reloads)
	}
}

func TestLedger_IsCopiedAndCheckedWithAndWithoutADaemon(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 500 * time.Millisecond}, yearly)
	s.failing(1, "there is no ledger", "ledger", "backup", "copy.db")
	s.failing(1, "there is no ledger", "ledger", "check")
	s.failing(2, "an argument is missing", "ledger", "backup")
	d := s.start()
	d.eventually("ready", d.ready)
	contains(t, s.mustCommand("ledger", "check"), "is sound")
	contains(t, s.mustCommand("ledger", "backup", "copy.db", "-o", "json"), `"file": "copy.db"`)
	s.failing(1, "no such file or directory", "ledger", "backup", "missing/copy.db")
	s.failing(1, "file already exists: name another, or move it away", "ledger", "backup", "copy.db")
	d.stop()
	contains(t, s.mustCommand("ledger", "check", "-o", "json"), `"sound": true`)
	s.mustCommand("ledger", "backup", "another.db")

	s.write("another.db", "this is no ledger")
	s.failing(1, "another.db is not sound:\n  ", "ledger", "check", "another.db")
	s.failing(1, "What to do: stop automatond, restore the file from a backup", "ledger", "check", "another.db")
}

func TestResolve_ClosesARunWithAndWithoutADaemon(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 500 * time.Millisecond}, yearly)
	s.failing(1, "there is no ledger", "runs", "resolve", "cl2n4t8s5v6a0b1c2d3e", "failed")
	s.failing(2, "not as \"good\"", "runs", "resolve", "cl2n4t8s5v6a0b1c2d3e", "good")
	d := s.start("--test.settle", "100ms", "--test.request-timeout", "2s")
	d.eventually("ready", d.ready)
	lose := func() string {
		s.server.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		s.failing(1, "unknown (in_doubt)", "trigger", "backup", "--wait")
		var records []struct{ ID string }
		if err := json.Unmarshal([]byte(s.mustCommand("runs", "--in-doubt", "-o", "json")), &records); err != nil || len(records) != 1 {
			t.Fatalf("%d runs in doubt (%v), want 1", len(records), err)
		}
		return records[0].ID
	}
	first := lose()
	d.eventually("a request in doubt", func() bool { return d.metric("automatond_in_doubt_open") == "1" })
	s.failing(1, "the ledger has no run nothing", "runs", "resolve", "nothing", "failed")
	contains(t, s.mustCommand("runs", "resolve", first, "succeeded", "--note", "it is there"), first+" on main: succeeded: closed by hand by ")
	s.failing(1, "it is not in doubt: it ended as succeeded; nothing was changed", "runs", "resolve", first, "failed")
	contains(t, s.mustCommand("runs", first), ": it is there")
	for series, want := range map[string]string{
		"automatond_in_doubt_open": "0", `automatond_in_doubt_total{resolution="by_hand"}`: "1",
	} {
		if got := d.metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}

	second := lose()
	posts := len(s.posts())
	d.stop()
	contains(t, s.mustCommand("runs", "resolve", second, "failed", "-o", "json"), `"reason": "in_doubt"`)
	contains(t, s.mustCommand("runs", second, "-o", "json"), `"resolution": {`)
	if n := len(s.posts()); n != posts {
		t.Errorf("%d requests, want the %d from before", n, posts)
	}
}
