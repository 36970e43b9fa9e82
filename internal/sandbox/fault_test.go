package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// anyway runs a test in memory in virtual time, then over a socket. The wait is
// long in the first case and short in the second.
func anyway(t *testing.T, body func(t *testing.T, s *Sandbox, v *visitor, wait time.Duration)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := New(options())
			body(t, s, visit(t, s), time.Minute)
		})
	})
	t.Run("over a socket", func(t *testing.T) {
		server, err := Start(options(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		v := visit(t, server.Sandbox)
		v.base, v.http.Transport = server.URL, &http.Transport{}
		defer v.http.CloseIdleConnections()
		body(t, server.Sandbox, v, 250*time.Millisecond)
	})
}

func TestFault_Strikes(t *testing.T) {
	for name, c := range map[string]struct {
		fault    Fault
		err      error  // of the request or of its body
		status   int    // that the client saw
		holds    string // part of the answer
		executed bool
	}{
		"reset before":    {Fault{Kind: ResetBefore}, syscall.ECONNRESET, 0, "", false},
		"reset after":     {Fault{Kind: ResetAfter}, syscall.ECONNRESET, 0, "", true},
		"conflict":        {Fault{Kind: Status, Status: 409}, nil, 409, `"code":409`, false},
		"expired token":   {Fault{Kind: Status, Status: 401}, nil, 401, "", false},
		"unavailable":     {Fault{Kind: Status}, nil, 503, `"code":503`, false},
		"bad after":       {Fault{Kind: Status, Status: 502, Executed: true}, nil, 502, "", true},
		"own body":        {Fault{Kind: Status, Status: 400, Body: `{"detail":{"error":"no"}}`}, nil, 400, `{"detail":{"error":"no"}}`, false},
		"page":            {Fault{Kind: HTML}, nil, 502, "<title>502 Bad Gateway", false},
		"page of success": {Fault{Kind: HTML, Status: 200, Executed: true}, nil, 200, "<title>200 OK", true},
		"truncated":       {Fault{Kind: Truncated}, nil, 202, `{"status":"Accepted"`, true},
		"no activities":   {Fault{Kind: NoActivities}, nil, 202, `{"status":"Accepted","code":202}`, true},
		"delay":           {Fault{Kind: Delay}, nil, 202, "environment.backup", true},
		"without a kind":  {Fault{Status: 500}, nil, 202, "environment.backup", true},
	} {
		t.Run(name, func(t *testing.T) {
			anyway(t, func(t *testing.T, s *Sandbox, v *visitor, _ time.Duration) {
				v.login()
				c.fault.PathSuffix = "/backup"
				s.Inject(c.fault)
				r, err := v.try("POST", staging+"/backup", `{"safe":true}`)
				if !errors.Is(err, c.err) {
					t.Errorf("error %v, want %v", err, c.err)
				}
				if r.status != c.status || !strings.Contains(r.text, c.holds) {
					t.Errorf("%d %s, want %d with %s", r.status, r.text, c.status, c.holds)
				}
				if c.fault.Kind == Truncated && r.object != nil {
					t.Errorf("the answer can be decoded: %s", r.text)
				}
				posts := s.Posts("/backup")
				if len(posts) != 1 || posts[0].Executed != c.executed || posts[0].Status != c.status || posts[0].Fault == "" || posts[0].User != "user-1" {
					t.Errorf("journal %+v", posts)
				}
				if got := len(s.Activities("shop")) == 1; got != c.executed {
					t.Errorf("an activity was started: %v", got)
				}
				if r := v.get("/users/me"); r.status != 200 {
					t.Errorf("the next request: %d", r.status)
				}
			})
		})
	}
}

func TestFault_RefusedConnectionNeverArrives(t *testing.T) {
	anyway(t, func(t *testing.T, s *Sandbox, v *visitor, _ time.Duration) {
		v.login()
		s.Inject(Fault{Kind: Refuse})
		_, err := v.try("POST", staging+"/backup", "")
		want := syscall.ECONNREFUSED
		if v.base != "http://platform.test" {
			want = syscall.ECONNRESET
		}
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if posts := s.Posts("/backup"); len(posts) != 0 {
			t.Errorf("journal %+v", posts)
		}
	})
}

func TestFault_TellsWhenToComeBack(t *testing.T) {
	anyway(t, func(t *testing.T, s *Sandbox, v *visitor, _ time.Duration) {
		s.Inject(Fault{Match: "/environments/", Kind: Status, Status: 429, RetryAfter: 1500 * time.Millisecond})
		s.Inject(Fault{Match: "/environments/", Kind: Status, Status: 401, Header: http.Header{"www-authenticate": {"Bearer error=x"}}})
		if r := v.post(staging+"/backup", ""); r.status != 429 || r.header.Get("Retry-After") != "2" {
			t.Errorf("%d with Retry-After %q, want 429 with 2", r.status, r.header.Get("Retry-After"))
		}
		if r := v.post(staging+"/backup", ""); r.status != 401 || r.header.Get("WWW-Authenticate") != "Bearer error=x" {
			t.Errorf("%d with WWW-Authenticate %q", r.status, r.header.Get("WWW-Authenticate"))
		}
		v.accepted(staging+"/backup", "")
	})
}

func TestFault_StrikesTheRequestsItIsMeantFor(t *testing.T) {
	s := New(options())
	v := visit(t, s)
	v.login()
	s.Inject(Fault{Method: "GET", PathSuffix: "/main", Skip: 2, Times: 2, Kind: Status, Status: 500})
	s.Inject(Fault{Method: "POST", Match: "/feature%2Fx/", Times: -1, Kind: Status, Status: 501})
	for i, want := range []int{200, 200, 500, 500, 200} {
		if got := v.get(staging).status; got != 200 {
			t.Errorf("request %d of staging: %d", i, got)
		}
		if got := v.get("/projects/shop/environments/main").status; got != want {
			t.Errorf("request %d of main: %d, want %d", i, got, want)
		}
		if got := v.post("/projects/shop/environments/feature%2Fx/redeploy", "").status; got != 501 {
			t.Errorf("request %d of feature/x: %d, want 501", i, got)
		}
	}
	s.ClearFaults()
	v.accepted("/projects/shop/environments/feature%2Fx/redeploy", "")
}

func TestFault_StrikesTheTokenEndpoint(t *testing.T) {
	s := New(options())
	s.Inject(Fault{PathSuffix: "/oauth2/token", Kind: HTML, Status: 503})
	v := visit(t, s)
	if r := v.exchange(apiToken); r.status != 503 {
		t.Errorf("%d, want 503", r.status)
	}
	v.login()
	if got := s.Journal()[0]; strings.Contains(got.Body, apiToken) || got.Fault != "html" {
		t.Errorf("journal %+v", got)
	}
}

func TestFault_LatencyIsOverBeforeTheAnswer(t *testing.T) {
	anyway(t, func(t *testing.T, s *Sandbox, v *visitor, wait time.Duration) {
		v.login()
		for _, f := range []Fault{
			{Kind: Delay},
			{Kind: Delay, Executed: true},
			{Kind: Status, Status: 503},
			{Kind: SlowBody},
		} {
			f.Latency = wait
			s.Inject(f)
			start := time.Now()
			r := v.get(staging)
			if took := time.Since(start); took < wait {
				t.Errorf("%s: answered after %s, want at least %s", f.Kind, took, wait)
			}
			if f.Kind != Status && r.object["id"] != "staging" {
				t.Errorf("%s: %d %s", f.Kind, r.status, r.text)
			}
		}
	})
}

func TestFault_ClientThatDoesNotWaitLearnsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fault    Fault
		executed bool
		status   int // that the client saw before it gave up
	}{
		"before":  {Fault{Kind: Delay}, false, 0},
		"after":   {Fault{Kind: Delay, Executed: true}, true, 0},
		"in body": {Fault{Kind: SlowBody}, true, 202},
	} {
		t.Run(name, func(t *testing.T) {
			anyway(t, func(t *testing.T, s *Sandbox, v *visitor, wait time.Duration) {
				v.login()
				c.fault.Latency = 600 * wait
				s.Inject(c.fault)
				v.http.Timeout = wait
				start := time.Now()
				r, err := v.try("POST", staging+"/backup", "")
				if r.status != c.status || r.object != nil {
					t.Errorf("%d %s, want %d without a whole body", r.status, r.text, c.status)
				}
				if !errors.Is(err, context.DeadlineExceeded) && (err == nil || !strings.Contains(err.Error(), "Client.Timeout")) {
					t.Errorf("error %v, want a timeout", err)
				}
				if took := time.Since(start); took > 20*wait {
					t.Errorf("gave up after %s, want %s", took, wait)
				}
				if got := len(s.Activities("shop")) == 1; got != c.executed {
					t.Errorf("an activity was started: %v", got)
				}
				if got := s.Posts("/backup")[0]; got.Status != c.status {
					t.Errorf("journal %+v, want status %d", got, c.status)
				}
			})
		})
	}
}
