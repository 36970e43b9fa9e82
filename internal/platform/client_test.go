package platform

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/secret"
)

const apiToken = "api-token-0123456789"

// server is a platform on 127.0.0.1 that answers as a test says and keeps what it was asked.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
	answer   http.HandlerFunc // of the API
	token    http.HandlerFunc // of the token endpoint; nil grants access-1, access-2, ...
	grants   int
}

// seen is one request as the server got it.
type seen struct {
	method, uri, body string
	header            http.Header
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, seen{r.Method, r.RequestURI, string(body), r.Header.Clone()})
	isToken, token := r.URL.Path == "/oauth2/token", s.token
	if isToken && token == nil {
		s.grants++
		n := s.grants
		token = func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"access_token":"access-%d","expires_in":900,"token_type":"bearer"}`, n)
		}
	}
	s.mu.Unlock()
	if isToken {
		token(w, r)
		return
	}
	s.answer(w, r)
}

// asked returns the API requests, without those for tokens.
func (s *server) asked() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r seen) bool { return r.uri == "/oauth2/token" })
}

func (s *server) tokenRequests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r seen) bool { return r.uri != "/oauth2/token" })
}

func (s *server) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	return newClient(t, append([]func(*Options){func(o *Options) { o.APIURL, o.AuthURL = s.URL, s.URL }}, change...)...)
}

func newClient(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{
		User: "bot", Token: secret.FromEnv("TOKEN", apiToken), UserAgent: "automatond/test",
		Timeout: 5 * time.Second, Logger: zerolog.Nop(),
	}
	for _, f := range change {
		f(&o)
	}
	if o.Transport == nil {
		transport, err := NewTransport(TransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(transport.CloseIdleConnections)
		o.Transport = transport
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inMemory makes a client ask a transport without sockets.
func inMemory(transport http.RoundTripper) func(*Options) {
	return func(o *Options) { o.APIURL, o.AuthURL, o.Transport = "http://api.test", "http://api.test", transport }
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func TestClient_SendsBearerAndUserAgentOnly(t *testing.T) {
	s := newServer(t, status(202, acceptedBody))
	if _, err := s.client(t).Do(context.Background(), backup); err != nil {
		t.Fatal(err)
	}
	r := s.asked()[0]
	want := map[string]string{
		"Authorization": "Bearer access-1", "User-Agent": "automatond/test",
		"Accept": "application/json", "Content-Type": "application/json",
	}
	for name, value := range want {
		if got := r.header.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	if r.method != "POST" || r.body != `{"safe":true}` || strings.Contains(fmt.Sprint(r), apiToken) {
		t.Errorf("request = %+v", r)
	}
}

func TestClient_FollowsHALLinksOnTheConfiguredHostOnly(t *testing.T) {
	elsewhere := newServer(t, status(202, acceptedBody))
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			status(202, acceptedBody)(w, r)
			return
		}
		fmt.Fprintf(w, `{"id":"a/b","_links":{"#backup":{"href":"%s/api/projects/p/environments/a%%2Fb/backup?x=1"}}}`, elsewhere.URL)
	})
	c := s.client(t)
	env, err := c.Environment(context.Background(), "p", "a/b")
	if err != nil {
		t.Fatal(err)
	}
	path, ok := env.Links.Path("#backup")
	if !ok {
		t.Fatalf("no #backup in %v", env.Links)
	}
	if _, err := c.Do(context.Background(), Request{Method: "POST", Path: path, Endpoint: "/backup"}); err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, r := range s.asked() {
		uris = append(uris, r.uri)
	}
	want := []string{"/projects/p/environments/a%2Fb", "/api/projects/p/environments/a%2Fb/backup?x=1"}
	if !slices.Equal(uris, want) {
		t.Errorf("asked %q, want %q", uris, want)
	}
	if got := elsewhere.asked(); len(got) != 0 {
		t.Errorf("the other host was asked: %+v", got)
	}
}

func TestClient_RefusesPathsThatNameAHost(t *testing.T) {
	elsewhere := newServer(t, status(202, acceptedBody))
	s := newServer(t, status(202, acceptedBody))
	host := strings.TrimPrefix(elsewhere.URL, "http:")
	for _, path := range []string{host + "/x", elsewhere.URL + "/x", "", "x", "mailto:x", "/a\x00b", "@" + host} {
		_, err := s.client(t).Do(context.Background(), Request{Method: "POST", Path: path, Endpoint: "/x"})
		if got := execution(t, err); got != NotExecuted {
			t.Errorf("%q: execution %v, want NotExecuted", path, got)
		}
	}
	if n := len(elsewhere.asked()) + len(s.asked()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestClient_DoesNotFollowRedirects(t *testing.T) {
	elsewhere := newServer(t, status(200, acceptedBody))
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL+"/x", code) })
		c := s.client(t)
		_, err := c.Do(context.Background(), backup)
		if got := execution(t, err); got != Refused {
			t.Errorf("POST answered %d: execution %v, want Refused", code, got)
		}
		if _, err := c.Me(context.Background()); err == nil {
			t.Errorf("GET answered %d: no error", code)
		}
		if got := len(s.asked()); got != 2 {
			t.Errorf("%d: %d requests, want 2", code, got)
		}
	}
	if got := elsewhere.asked(); len(got) != 0 {
		t.Errorf("the other host was asked: %+v", got)
	}
}

func TestClient_KeepsThePrefixOfItsBaseForItsOwnPaths(t *testing.T) {
	s := newServer(t, status(200, `{"id":"u"}`))
	c := s.client(t, func(o *Options) { o.APIURL = s.URL + "/api/" })
	if _, err := c.Me(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := s.asked()[0].uri; got != "/api/users/me" {
		t.Errorf("asked %s, want /api/users/me", got)
	}
}

func TestNew_RefusesBasesThatAreNone(t *testing.T) {
	for _, base := range []string{"", "api.upsun.com", "ftp://x", "https://", "http://u:hunter2@x", "http://u:hunter2@[", "https://x?y", "https://x#y"} {
		_, err := New(Options{APIURL: base, AuthURL: "https://auth.test", Transport: instantly})
		if err == nil {
			t.Errorf("%q was taken", base)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the password shows in %q", base, err)
		}
	}
}

func TestClient_MeasuresTheClockByTheDateHeader(t *testing.T) {
	for _, tt := range []struct {
		ahead, least, most time.Duration
	}{
		{0, 0, 0},
		{time.Hour, time.Hour - 2*time.Second, time.Hour + 2*time.Second},
		{-time.Minute, -time.Minute - 2*time.Second, -time.Minute + 2*time.Second},
		{100 * 365 * 24 * time.Hour, 24 * time.Hour, 24 * time.Hour}, // nothing waits for longer than a day
	} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(tt.ahead).UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, `{"id":"u"}`)
		})
		c := s.client(t)
		if got := c.ClockOffset(); got != 0 {
			t.Errorf("offset before any answer = %s", got)
		}
		if _, err := c.Me(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := c.ClockOffset(); got < tt.least || got > tt.most {
			t.Errorf("offset = %s, want %s to %s", got, tt.least, tt.most)
		}
	}
}
