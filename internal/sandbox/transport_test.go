package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTransport_CallsTheHooksOfAConnection(t *testing.T) {
	for kind, want := range map[FaultKind]string{
		"":          "get got headers request byte",
		Refuse:      "get",
		ResetBefore: "get got headers request",
		ResetAfter:  "get got headers request",
	} {
		s := New(options())
		if kind != "" {
			s.Inject(Fault{Kind: kind})
		}
		var calls []string
		note := func(name string) { calls = append(calls, name) }
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GetConn:              func(string) { note("get") },
			GotConn:              func(httptrace.GotConnInfo) { note("got") },
			WroteHeaders:         func() { note("headers") },
			WroteRequest:         func(httptrace.WroteRequestInfo) { note("request") },
			GotFirstResponseByte: func() { note("byte") },
		})
		r, _ := http.NewRequestWithContext(ctx, "POST", "http://platform.test/oauth2/token", strings.NewReader("x"))
		if answer, err := s.Transport().RoundTrip(r); err == nil {
			answer.Body.Close()
		}
		if got := strings.Join(calls, " "); got != want {
			t.Errorf("%q: hooks %q, want %q", kind, got, want)
		}
	}
}

func TestTransport_SaysThatTheRequestWasSentBeforeItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(options())
		s.Inject(Fault{Kind: Delay, Latency: time.Hour})
		start, sent := time.Now(), time.Time{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { sent = time.Now() },
		})
		r, _ := http.NewRequestWithContext(ctx, "GET", "http://platform.test/", nil)
		_, err := s.Transport().RoundTrip(r)
		if !errors.Is(err, context.DeadlineExceeded) || !sent.Equal(start) {
			t.Errorf("error %v, sent at %s, want %s", err, sent, start)
		}
	})
}

func TestTransport_ReturnsTheCauseOfAnEndedContext(t *testing.T) {
	s := New(options())
	cause := errors.New("the daemon is stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	r, _ := http.NewRequestWithContext(ctx, "GET", "http://platform.test/", nil)
	if _, err := s.Transport().RoundTrip(r); !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
	if got := len(s.Journal()); got != 0 {
		t.Errorf("%d requests arrived", got)
	}
	if _, err := s.Transport().RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without a URL is answered")
	}
}

func TestTransport_AnswersAsAServerDoes(t *testing.T) {
	inBubble(t, Options{Users: options().Users, Open: true, ClockSkew: 90 * time.Second}, func(t *testing.T, s *Sandbox, v *visitor) {
		v.login()
		r, _ := http.NewRequest("HEAD", v.base+"/projects/p", nil)
		r.Header.Set("Authorization", "Bearer "+v.access)
		if got := v.must(v.send(r)); got.status != 200 || got.text != "" {
			t.Errorf("HEAD: %d %q", got.status, got.text)
		}
		got := v.get("/projects/p")
		date, err := http.ParseTime(got.header.Get("Date"))
		if err != nil || time.Until(date) != 90*time.Second {
			t.Errorf("Date %q, want 90 s ahead", got.header.Get("Date"))
		}
		if want := fmt.Sprint(len(got.text)); got.header.Get("Content-Length") != want {
			t.Errorf("Content-Length %q, want %s", got.header.Get("Content-Length"), want)
		}
		created, err := time.Parse(time.RFC3339, got.object["created_at"].(string))
		if err != nil || !created.Equal(date) {
			t.Errorf("created_at %v, want it on the platform's clock, %v", got.object["created_at"], date)
		}
	})
}

func TestServer_ServesThisMachineOnly(t *testing.T) {
	if server, err := Start(Options{}, "0.0.0.0:0"); err == nil {
		server.Close()
		t.Error("a sandbox listens on every address")
	}
	if _, err := Start(Options{}, "nowhere"); err == nil {
		t.Error("a sandbox listens on nonsense")
	}
	server, err := Start(options(), "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != 200 || len(text) == 0 {
		t.Errorf("landing page: %d %q", answer.StatusCode, text)
	}
	for range 2 {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := http.Get(server.URL); err == nil {
		t.Error("a closed sandbox answers")
	}
}
