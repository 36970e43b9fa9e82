package platform

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/automatond/automatond/internal/secret"
)

// acceptedBody is a typical answer to a request for a backup.
const acceptedBody = `{"status":"Accepted","code":202,"_embedded":{"activities":[{"id":"w7q2l4tnbw6zo",
"type":"environment.backup","state":"pending","result":null,"completion_percent":0,"project":"k3qz7p2m5nwya",
"environments":["main"],"created_at":"2026-08-02T05:00:03.417000+00:00","started_at":null,"completed_at":null,
"text":"Automation created a backup of Main","payload":{"user":{"id":"u1","display_name":"Automation"}},
"_links":{"self":{"href":"https://eu-5.platform.sh/api/projects/k3qz7p2m5nwya/activities/w7q2l4tnbw6zo"},
"log":{"href":"/api/projects/k3qz7p2m5nwya/activities/w7q2l4tnbw6zo/log"}}}]}}`

// instant answers in memory, so that a benchmark measures this package and not the network.
type instant struct{ token, answer []byte }

func (i instant) RoundTrip(r *http.Request) (*http.Response, error) {
	body, status := i.answer, http.StatusAccepted
	if r.URL.Path == "/oauth2/token" {
		body, status = i.token, http.StatusOK
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Date": {"Sun, 02 Aug 2026 05:00:00 GMT"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

var instantly = instant{token: []byte(`{"access_token":"a","expires_in":900,"token_type":"bearer"}`), answer: []byte(acceptedBody)}

func benchClient(b *testing.B, url string, transport http.RoundTripper) *Client {
	c, err := New(Options{
		APIURL: url, AuthURL: url, User: "bot", Token: secret.FromEnv("TOKEN", "t"), Transport: transport,
		UserAgent: "automatond/bench", Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var backup = Request{
	Method: http.MethodPost, Path: "/api/projects/p/environments/main/backup",
	Endpoint: "/projects/{project}/environments/{environment}/backup", Body: []byte(`{"safe":true}`),
}

// BenchmarkDo is what one request costs above the transport; compare with BenchmarkBarePost.
func BenchmarkDo(b *testing.B) {
	c := benchClient(b, "http://api.test", instantly)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), backup); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBarePost is the same exchange by http.Client alone, with its answer read.
func BenchmarkBarePost(b *testing.B) {
	c := &http.Client{Transport: instantly}
	b.ReportAllocs()
	for b.Loop() {
		r, err := c.Post("http://api.test"+backup.Path, "application/json", bytes.NewReader(backup.Body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			b.Fatal(err)
		}
		r.Body.Close()
	}
}

// BenchmarkDo_Loopback is one request over a warm connection, server included.
func BenchmarkDo_Loopback(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, _ := instantly.RoundTrip(r)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	defer server.Close()
	transport, err := NewTransport(TransportOptions{})
	if err != nil {
		b.Fatal(err)
	}
	c := benchClient(b, server.URL, transport)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), backup); err != nil {
			b.Fatal(err)
		}
	}
}
