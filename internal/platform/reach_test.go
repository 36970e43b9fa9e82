package platform

import (
	"io"
	"net/http"
	"testing"
	"time"
)

func TestReach_TakesAnyAnswerButAServersError(t *testing.T) {
	for code, ok := range map[int]bool{200: true, 302: true, 401: true, 404: true, 405: true, 500: false, 503: false} {
		s := newServer(t, status(code, "x"))
		s.token = s.answer
		c := s.client(t)
		if err := c.ReachAPI(t.Context()); (err == nil) != ok {
			t.Errorf("API, %d: %v", code, err)
		}
		if err := c.ReachAuth(t.Context()); (err == nil) != ok {
			t.Errorf("token endpoint, %d: %v", code, err)
		}
		for _, r := range append(s.asked(), s.tokenRequests()...) {
			if r.method != http.MethodGet || r.header.Get("Authorization") != "" {
				t.Errorf("it asked %s %s with %v", r.method, r.uri, r.header)
			}
		}
	}
}

func TestReach_ASilentEndpointIsAnErrorThatNamesIt(t *testing.T) {
	s := newServer(t, nil)
	c := s.client(t)
	s.Close()
	const want = "GET "
	if err := c.ReachAPI(t.Context()); err == nil || err.Error()[:len(want+s.URL)] != want+s.URL {
		t.Errorf("got %v, want an error of %s", err, s.URL)
	}
}

func TestReach_MeasuresTheClock(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, "x")
	})
	c := s.client(t)
	if err := c.ReachAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.ClockOffset().Round(time.Minute); got != time.Hour {
		t.Errorf("offset %s, want 1h", got)
	}
}
