package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// newTestServer is a server on free ports of a daemon whose health is as given.
func newTestServer(t *testing.T, healthy, ready error, page Page) *Server {
	t.Helper()
	registry := prometheus.NewRegistry()
	s, err := New(Options{
		ListenAddress: "127.0.0.1:0", ProbeAddress: "127.0.0.1:0", Gatherer: registry, Registry: registry,
		Healthy: func() error { return healthy }, Ready: func(context.Context) error { return ready },
		Page: func() Page { return page }, Logger: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs a server until the test ends.
func serve(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func get(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

func TestServer_AnswersProbesOnBothListeners(t *testing.T) {
	s := newTestServer(t, nil, errors.New("the store is read-only"), Page{})
	serve(t, s)
	for _, base := range []string{"http://" + s.Address(), "http://" + s.ProbeAddress()} {
		for path, want := range map[string]struct {
			status int
			body   string
		}{
			"/-/healthy": {http.StatusOK, "healthy\n"},
			"/healthz":   {http.StatusOK, "healthy\n"},
			"/-/ready":   {http.StatusServiceUnavailable, "not ready: the store is read-only\n"},
			"/readyz":    {http.StatusServiceUnavailable, "not ready: the store is read-only\n"},
		} {
			status, header, body := get(t, base+path)
			if status != want.status || body != want.body || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s%s: %d %q %v, want %d %q", base, path, status, body, header, want.status, want.body)
			}
		}
	}
}

func TestServer_ProbeListenerHasNothingElse(t *testing.T) {
	s := newTestServer(t, nil, nil, Page{})
	serve(t, s)
	for _, path := range []string{"/", "/metrics", "/style.css"} {
		if status, _, _ := get(t, "http://"+s.ProbeAddress()+path); status != http.StatusNotFound {
			t.Errorf("%s on the probe listener: status %d, want 404", path, status)
		}
		if status, _, _ := get(t, "http://"+s.Address()+path); status != http.StatusOK {
			t.Errorf("%s: status %d, want 200", path, status)
		}
	}
}

func TestNew_RefusesAnAddressInUse(t *testing.T) {
	first := newTestServer(t, nil, nil, Page{})
	serve(t, first)
	_, err := New(Options{ListenAddress: "127.0.0.1:0", ProbeAddress: first.ProbeAddress(), Logger: zerolog.Nop()})
	if err == nil || !strings.HasPrefix(err.Error(), "listen for probes: ") {
		t.Errorf("New on a port in use: %v", err)
	}
}

func TestPage_ShowsNamesAsTextAndLoadsNothing(t *testing.T) {
	s := newTestServer(t, nil, nil, Page{
		Version: "v1.2.3", Notices: []string{"Observing."},
		Crons: []CronRow{
			{Name: "<script>alert(1)</script>", Spec: "0 5 * * *", Timezone: "UTC", Next: time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)},
			{Name: "drush", Note: "left to the app container"},
		},
	})
	serve(t, s)
	status, header, body := get(t, "http://"+s.Address()+"/")
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("status %d, headers %v", status, header)
	}
	if strings.Contains(body, "<script>") {
		t.Errorf("a cron's name is markup in the page:\n%s", body)
	}
	for _, text := range []string{"v1.2.3", "Observing.", "&lt;script&gt;", "2026-03-01 05:00:00 UTC", "left to the app container"} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not show %q:\n%s", text, body)
		}
	}
}

func TestReady_RemembersAGoodAnswerForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, broken := 0, false
		check := remembered(func(context.Context) error {
			asked++
			if broken {
				return errors.New("read-only")
			}
			return nil
		})
		probe := func(wantAsked int, wantReady bool) {
			t.Helper()
			if err := check(t.Context()); asked != wantAsked || (err == nil) != wantReady {
				t.Errorf("asked %d times, %v; want %d times, ready %v", asked, err, wantAsked, wantReady)
			}
		}
		probe(1, true)
		broken = true
		time.Sleep(readyFor - time.Millisecond)
		probe(1, true)
		time.Sleep(time.Millisecond)
		probe(2, false)
		probe(3, false) // a bad answer is not remembered
		broken = false
		probe(4, true)
	})
}
