package platform

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// exposed are the samples that a scrape shows, sorted, of metrics whose names begin so.
func exposed(registry *prometheus.Registry, prefix string) []string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestMetrics_CountRequestsByRouteAndStatus(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newServer(t, status(202, acceptedBody))
	c := s.client(t, func(o *Options) { o.Metrics = NewMetrics(registry) })
	for range 3 {
		if _, err := c.Do(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
	}
	s.answer = status(403, "")
	_, _ = c.Environment(t.Context(), "shop", "feature/x")
	s.answer = reset
	_, _ = c.Do(t.Context(), backup)
	want := []string{
		`automatond_api_requests_total{code="200",endpoint="/oauth2/token"} 1`,
		`automatond_api_requests_total{code="202",endpoint="/projects/{project}/environments/{environment}/backup"} 3`,
		`automatond_api_requests_total{code="403",endpoint="/projects/{project}/environments/{environment}"} 1`,
		`automatond_api_requests_total{code="error",endpoint="/projects/{project}/environments/{environment}/backup"} 1`,
	}
	if got := exposed(registry, "automatond_api_requests_total"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	want = []string{
		`automatond_api_request_duration_seconds_count{endpoint="/oauth2/token"} 1`,
		`automatond_api_request_duration_seconds_count{endpoint="/projects/{project}/environments/{environment}"} 1`,
		`automatond_api_request_duration_seconds_count{endpoint="/projects/{project}/environments/{environment}/backup"} 4`,
	}
	slices.Sort(want)
	if got := exposed(registry, "automatond_api_request_duration_seconds_count"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestMetrics_TellOfTheToken(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newServer(t, nil)
	c := s.client(t, func(o *Options) { o.Metrics = NewMetrics(registry) })
	if got := exposed(registry, "automatond_auth_failures_total"); !slices.Equal(got, []string{`automatond_auth_failures_total{user="bot"} 0`}) {
		t.Errorf("before the first: %q", got)
	}
	if err := c.EnsureToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := exposed(registry, "automatond_token_valid"); !slices.Equal(got, []string{`automatond_token_valid{user="bot"} 1`}) {
		t.Errorf("after a grant: %q", got)
	}
	expiry := exposed(registry, "automatond_access_token_expiry_timestamp_seconds")
	at, err := strconv.ParseFloat(strings.Fields(strings.Join(expiry, " "))[1], 64)
	if in := time.Until(time.Unix(int64(at), 0)); err != nil || in < 890*time.Second || in > 900*time.Second {
		t.Errorf("expires in %s: %q, %v", in, expiry, err)
	}
	s.token = status(400, `{"error":"invalid_grant","error_description":"Invalid API token"}`)
	if _, err := c.tokens.replace(t.Context(), c.tokens.current); err == nil {
		t.Fatal("no error")
	}
	got := append(exposed(registry, "automatond_token_valid"), exposed(registry, "automatond_auth_failures_total")...)
	want := []string{`automatond_token_valid{user="bot"} 0`, `automatond_auth_failures_total{user="bot"} 1`}
	if !slices.Equal(got, want) {
		t.Errorf("after a rejection: %q, want %q", got, want)
	}
}
