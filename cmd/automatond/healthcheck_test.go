package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// healthcheck runs the real command without any environment, and returns its exit status and what
// it wrote.
func healthcheck(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"healthcheck"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{beTheDaemon + "=1"}
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(failed)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// TestHealthcheck_AsksTheDaemonOfThisHost asks a daemon while it waits for its data directory, while
// it works with a token that is not accepted, and when it is gone.
func TestHealthcheck_AsksTheDaemonOfThisHost(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, hourly(1, justNow()))
	s.server.RevokeToken(apiToken)
	d := s.start()
	d.eventually("ready", d.ready)
	waiting := s.start()
	for name, daemon := range map[string]*daemon{"works": d, "waits": waiting} {
		_, probes := daemon.addresses()
		status, stdout, stderr := healthcheck(t, "--probe.listen-address", strings.TrimPrefix(probes, "http://"))
		if status != 0 || stdout != "healthy\n" || stderr != "" {
			t.Errorf("a daemon that %s: exit status %d, stdout %q, stderr %q", name, status, stdout, stderr)
		}
	}
	_, probes := d.addresses()
	waiting.stop()
	d.stop()
	status, stdout, stderr := healthcheck(t, "--probe.listen-address", strings.TrimPrefix(probes, "http://"))
	if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "automatond: healthcheck: "+probes+"/-/healthy: ") ||
		!strings.HasSuffix(stderr, "connection refused\n") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a daemon that is gone: exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestHealthcheck_TellsWhatTheAnswerWas(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		want   string // the end of stderr
	}{
		"healthy":      {answer(200, "healthy\n"), 0, ""},
		"not healthy":  {answer(503, "not healthy: the scheduler's loop has not ticked for 95s\nmore\n"), 1, ": not healthy: the scheduler's loop has not ticked for 95s\n"},
		"no reason":    {answer(503, "\n"), 1, ": not healthy, without a reason\n"},
		"long reason":  {answer(503, strings.Repeat("x", 1<<20)), 1, strings.Repeat("x", 1<<10) + "\n"},
		"another port": {answer(404, "404 page not found\n"), 1, ": 404 Not Found, which is no answer of automatond\n"},
		"a redirection": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
			1, ": 302 Found, which is no answer of automatond\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/-/healthy" {
					answer(200, "")(w, r)
					return
				}
				c.answer(w, r)
			}))
			defer server.Close()
			status, _, stderr := healthcheck(t, "--probe.listen-address", server.Listener.Addr().String())
			if status != c.status || !strings.HasSuffix(stderr, c.want) || strings.Count(stderr, "\n") != c.status {
				t.Errorf("exit status %d and stderr %q, want %d and %q", status, stderr, c.status, c.want)
			}
		})
	}
}

func TestHealthcheck_GivesUpOnADaemonThatHangs(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepted by the kernel, answered by nobody
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	began := time.Now()
	status, _, stderr := healthcheck(t, "--probe.listen-address", silent.Addr().String())
	if status != 1 || !strings.HasSuffix(stderr, ": no answer within 3s\n") {
		t.Errorf("exit status %d and stderr %q, want 1 and that there was no answer", status, stderr)
	}
	if took := time.Since(began); took > healthcheckTimeout+2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestProbeURL_IsWhereTheDaemonListens(t *testing.T) {
	for address, want := range map[string]string{
		":8633":          "http://127.0.0.1:8633/-/healthy",
		"0.0.0.0:8633":   "http://127.0.0.1:8633/-/healthy",
		"[::]:8633":      "http://[::1]:8633/-/healthy",
		"localhost:8633": "http://localhost:8633/-/healthy",
		"[fe80::1]:1":    "http://[fe80::1]:1/-/healthy",
	} {
		if got, err := probeURL(address); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
	for _, address := range []string{"", ":", "8633", "localhost", "::1"} {
		if got, err := probeURL(address); err == nil {
			t.Errorf("%q: %q, want an error", address, got)
		}
	}
}
