package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func execution(t *testing.T, err error) Execution {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want *Error", err, err)
	}
	return e.Execution()
}

func (e Execution) String() string { return [...]string{"NotExecuted", "Refused", "InDoubt"}[e] }

// reset ends the connection without an answer, as a crash of the server does.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func TestDo_TellsFromTheAnswerWhetherItExecuted(t *testing.T) {
	for _, tt := range []struct {
		status int
		want   Execution
		is     error
	}{
		{301, Refused, nil}, {304, Refused, nil},
		{400, Refused, nil}, {401, Refused, ErrTokenRejected}, {402, Refused, nil}, {403, Refused, ErrForbidden},
		{404, Refused, ErrNotFound}, {405, Refused, nil}, {409, Refused, ErrConflict}, {422, Refused, nil},
		{429, Refused, ErrRateLimited},
		{408, InDoubt, nil}, {500, InDoubt, nil}, {501, InDoubt, nil}, {502, InDoubt, nil}, {503, InDoubt, nil},
		{504, InDoubt, nil}, {599, InDoubt, nil},
	} {
		s := newServer(t, status(tt.status, `{"message":"no"}`))
		_, err := s.client(t).Do(context.Background(), backup)
		if got := execution(t, err); got != tt.want {
			t.Errorf("%d: execution %v, want %v", tt.status, got, tt.want)
		}
		for _, sentinel := range []error{ErrTokenRejected, ErrForbidden, ErrNotFound, ErrConflict, ErrRateLimited} {
			if got := errors.Is(err, sentinel); got != (sentinel == tt.is) {
				t.Errorf("%d: errors.Is(%v) = %v", tt.status, sentinel, got)
			}
		}
		wantRequests := 1
		if tt.status == 401 {
			wantRequests = 2
		}
		if got := len(s.asked()); got != wantRequests {
			t.Errorf("%d: %d requests, want %d: a state-changing request is not repeated", tt.status, got, wantRequests)
		}
	}
}

func TestDo_IsInDoubtWhenTheYesIsUnreadable(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"html":     status(202, "<html><body>Accepted</body></html>"),
		"text":     status(200, "OK"),
		"list":     status(202, "[]"),
		"string":   status(202, `"accepted"`),
		"null":     status(202, "null"),
		"half":     status(202, acceptedBody[:len(acceptedBody)/2]),
		"too long": status(202, `{"x":"`+strings.Repeat("x", largestAccepted)+`"}`),
		"cut short": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(202)
			reset(w, r)
		},
	} {
		s := newServer(t, answer)
		_, err := s.client(t).Do(context.Background(), backup)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if got := execution(t, err); got != InDoubt {
			t.Errorf("%s: execution %v, want InDoubt", name, got)
		}
		if got := len(s.asked()); got != 1 {
			t.Errorf("%s: %d requests", name, got)
		}
	}
}

func TestDo_AcceptsAYesWithNoneToManyActivities(t *testing.T) {
	for body, want := range map[string]int{
		"":                                  0,
		"{}":                                0,
		`{"status":"Accepted","code":202}`:  0,
		`{"_embedded":null}`:                0,
		`{"_embedded":[]}`:                  0,
		`{"_embedded":{"entity":{"id":1}}}`: 0,
		`{"_embedded":{"activities":null}}`: 0,
		`{"_embedded":{"activities":[]}}`:   0,
		acceptedBody:                        1,
		`{"_embedded":{"activities":[{"id":"a"},{"id":"b"},{}]}}`:                                                    2,
		`{"code":{},"_embedded":{"activities":[{"id":"a","result":{},"commands":7,"payload":[],"parameters":"x"}]}}`: 1,
	} {
		accepted, err := newServer(t, status(202, body)).client(t).Do(context.Background(), backup)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if len(accepted.Started) != want || accepted.StatusCode != 202 {
			t.Errorf("%s: %+v, want %d activities", body, accepted, want)
		}
	}
	accepted, err := newServer(t, status(204, "")).client(t).Do(context.Background(), backup)
	if err != nil || accepted.StatusCode != 204 {
		t.Errorf("204: %+v, %v", accepted, err)
	}
}

func TestDo_NotExecutedWhenNobodyListens(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	s := newServer(t, nil)
	_, err := s.client(t, func(o *Options) { o.APIURL = gone.URL }).Do(context.Background(), backup)
	if got := execution(t, err); got != NotExecuted {
		t.Errorf("execution %v of %v, want NotExecuted", got, err)
	}
}

func TestDo_NotExecutedWhenTLSFails(t *testing.T) {
	asked := false
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.StartTLS()
	defer api.Close()
	s := newServer(t, nil)
	_, err := s.client(t, func(o *Options) { o.APIURL = api.URL }).Do(context.Background(), backup)
	if got := execution(t, err); got != NotExecuted || asked {
		t.Errorf("execution %v of %v (asked %v), want NotExecuted", got, err, asked)
	}
}

func TestDo_InDoubtAfterAReset(t *testing.T) {
	t.Run("first connection", func(t *testing.T) {
		s := newServer(t, reset)
		_, err := s.client(t).Do(context.Background(), backup)
		if got := execution(t, err); got != InDoubt || len(s.asked()) != 1 {
			t.Errorf("execution %v of %v after %d requests, want InDoubt after 1", got, err, len(s.asked()))
		}
	})
	// On a kept connection net/http repeats what it may; it must not think that this one may be.
	t.Run("warm connection", func(t *testing.T) {
		posts := 0
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if posts++; posts > 1 {
				reset(w, r)
				return
			}
			status(202, acceptedBody)(w, r)
		})
		c := s.client(t)
		if _, err := c.Do(context.Background(), backup); err != nil {
			t.Fatal(err)
		}
		_, err := c.Do(context.Background(), backup)
		if got := execution(t, err); got != InDoubt || len(s.asked()) != 2 {
			t.Errorf("execution %v of %v after %d requests, want InDoubt after 2", got, err, len(s.asked()))
		}
	})
}

func TestDo_InDoubtAfterATimeout(t *testing.T) {
	block := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { <-block })
	defer close(block)
	_, err := s.client(t, func(o *Options) { o.Timeout = 200 * time.Millisecond }).Do(context.Background(), backup)
	if got := execution(t, err); got != InDoubt {
		t.Errorf("execution %v of %v, want InDoubt", got, err)
	}
	if !strings.Contains(err.Error(), "no answer within 200ms") {
		t.Errorf("error %q does not say how long it waited", err)
	}
}

func TestDo_TimeoutCoversTheBodyOfTheAnswer(t *testing.T) {
	block := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(202)
		_, _ = io.WriteString(w, acceptedBody[:40])
		w.(http.Flusher).Flush()
		<-block
	})
	defer close(block)
	_, err := s.client(t, func(o *Options) { o.Timeout = 200 * time.Millisecond }).Do(context.Background(), backup)
	if got := execution(t, err); got != InDoubt {
		t.Errorf("execution %v of %v, want InDoubt", got, err)
	}
}

func TestDo_CanceledBeforeAndAfterSending(t *testing.T) {
	arrived := make(chan struct{}, 1)
	block := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-block })
	defer close(block)
	c := s.client(t)
	if err := c.EnsureToken(context.Background()); err != nil {
		t.Fatal(err)
	}
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stopping)
	_, err := c.Do(ctx, backup)
	if got := execution(t, err); got != NotExecuted || !errors.Is(err, stopping) || len(s.asked()) != 0 {
		t.Errorf("before: execution %v of %v", got, err)
	}
	ctx, cancel = context.WithCancelCause(context.Background())
	go func() { <-arrived; cancel(stopping) }()
	_, err = c.Do(ctx, backup)
	if got := execution(t, err); got != InDoubt || !errors.Is(err, stopping) {
		t.Errorf("after: execution %v of %v", got, err)
	}
}

func TestDo_RepeatsOnceWithNewTokenAndSameBodyAfter401(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer access-1" {
			status(401, `{"error":"invalid_token"}`)(w, r)
			return
		}
		status(202, acceptedBody)(w, r)
	})
	accepted, err := s.client(t).Do(context.Background(), backup)
	if err != nil {
		t.Fatal(err)
	}
	if len(accepted.Started) != 1 || accepted.Started[0].ID != "w7q2l4tnbw6zo" {
		t.Errorf("accepted %+v", accepted)
	}
	asked := s.asked()
	if len(asked) != 2 || asked[0].body != `{"safe":true}` || asked[1].body != asked[0].body {
		t.Errorf("asked %+v, want the same body twice", asked)
	}
}

func TestDo_StepUpIsTerminal(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", max_age=3600`)
		status(401, `{"amr":["mfa"],"max_age":3600}`)(w, r)
	})
	_, err := s.client(t).Do(context.Background(), backup)
	if !errors.Is(err, ErrTokenRejected) || execution(t, err) != Refused {
		t.Errorf("error %v, want ErrTokenRejected and Refused", err)
	}
	if got, tokens := len(s.asked()), len(s.tokenRequests()); got != 1 || tokens != 1 {
		t.Errorf("%d requests and %d tokens, want 1 and 1: another token does not help", got, tokens)
	}
}

func TestDo_NotExecutedWithoutAnAccessToken(t *testing.T) {
	for name, token := range map[string]http.HandlerFunc{
		"down": reset, "503": status(503, ""), "404": status(404, ""), "403": status(403, "<html>"), "html": status(200, "<html>"),
		"empty": status(200, "{}"),
	} {
		s := newServer(t, status(202, acceptedBody))
		s.token = token
		_, err := s.client(t).Do(context.Background(), backup)
		if got := execution(t, err); got != NotExecuted {
			t.Errorf("%s: execution %v of %v, want NotExecuted", name, got, err)
		}
		for _, sentinel := range []error{ErrTokenRejected, ErrForbidden, ErrNotFound} {
			if errors.Is(err, sentinel) {
				t.Errorf("%s: %v matches %v, which says something of the environment", name, err, sentinel)
			}
		}
		if len(s.asked()) != 0 {
			t.Errorf("%s: the API was asked", name)
		}
	}
}

func TestDo_RepeatAfter401ThatIsRefusedAConnectionDidNotExecute(t *testing.T) {
	var s *server
	s = newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		s.Listener.Close()
		status(401, "")(w, r)
	})
	auth := newServer(t, nil)
	_, err := s.client(t, func(o *Options) { o.AuthURL = auth.URL }).Do(context.Background(), backup)
	if got := execution(t, err); got != NotExecuted {
		t.Errorf("execution %v of %v, want NotExecuted", got, err)
	}
}

// silent is a transport that does not say when it has a connection.
type silent struct{ err error }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/oauth2/token" {
		return instantly.RoundTrip(r)
	}
	return nil, s.err
}

func TestDo_ErrsOnTheSideOfDoubtWithATransportThatDoesNotTell(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Execution
	}{
		{io.ErrUnexpectedEOF, InDoubt},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, InDoubt},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, NotExecuted},
		{fmt.Errorf("look up: %w", &net.DNSError{Err: "no such host"}), NotExecuted},
	} {
		c := newClient(t, func(o *Options) {
			o.APIURL, o.AuthURL, o.Transport = "http://api.test", "http://api.test", silent{tt.err}
		})
		_, err := c.Do(context.Background(), backup)
		if got := execution(t, err); got != tt.want {
			t.Errorf("%v: execution %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestDo_NotExecutedWithAnEndedContextWhateverTheTransport(t *testing.T) {
	c := newClient(t, inMemory(silent{io.ErrUnexpectedEOF}))
	if err := c.EnsureToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Do(ctx, backup)
	if got := execution(t, err); got != NotExecuted {
		t.Errorf("execution %v of %v, want NotExecuted", got, err)
	}
}
