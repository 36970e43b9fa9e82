package platform

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// scripted answers reads in memory with one status after the other, the last one for ever.
type scripted struct {
	statuses []int
	header   http.Header
	body     string
	at       []time.Time
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/oauth2/token" {
		return instantly.RoundTrip(r)
	}
	code := s.statuses[min(len(s.at), len(s.statuses)-1)]
	s.at = append(s.at, time.Now())
	if code == 0 {
		return nil, errors.New("connection reset")
	}
	response := reply(code, s.body)
	for name, values := range s.header {
		response.Header[name] = values
	}
	return response, nil
}

func (s *scripted) client(t *testing.T) *Client {
	return newClient(t, inMemory(s))
}

func TestRead_RepeatsWhatMayPass(t *testing.T) {
	for _, tt := range []struct {
		statuses []int
		body     string
		tries    int
		ok       bool
	}{
		{[]int{200}, `{"id":"u"}`, 1, true},
		{[]int{500, 200}, `{"id":"u"}`, 2, true},
		{[]int{0, 503, 200}, `{"id":"u"}`, 3, true},
		{[]int{429, 408, 502, 200}, `{"id":"u"}`, 4, true},
		{[]int{500}, "", 4, false},
		{[]int{0}, "", 4, false},
		{[]int{200}, `<html>`, 4, false},
		{[]int{200}, `{}`, 1, false},
		{[]int{400}, "", 1, false}, {[]int{403}, "", 1, false}, {[]int{404}, "", 1, false}, {[]int{302}, "", 1, false},
		{[]int{401}, "", 2, false}, {[]int{401, 200}, `{"id":"u"}`, 2, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{statuses: tt.statuses, body: tt.body}
			u, err := s.client(t).Me(t.Context())
			if (err == nil) != tt.ok || len(s.at) != tt.tries || (err == nil) != (u != nil) {
				t.Errorf("%v %s: %v after %d tries, want ok=%v after %d", tt.statuses, tt.body, err, len(s.at), tt.ok, tt.tries)
			}
			if err != nil && !errors.As(err, new(*Error)) {
				t.Errorf("%v: %T, want *Error", tt.statuses, err)
			}
		})
	}
}

func TestRead_PausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{statuses: []int{500}}
		_, _ = s.client(t).Me(t.Context())
		for i, base := 1, firstPause; i < len(s.at); i, base = i+1, base*2 {
			if got := s.at[i].Sub(s.at[i-1]); got < base/2 || got > base*3/2 {
				t.Errorf("pause %d = %s, want around %s", i, got, base)
			}
		}
	})
}

func TestRead_WaitsAsRetryAfterSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{statuses: []int{429, 200}, header: http.Header{"Retry-After": {"7"}}, body: `{"id":"u"}`}
		if _, err := s.client(t).Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.at[1].Sub(s.at[0]); got != 7*time.Second {
			t.Errorf("asked again after %s, want 7s", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{statuses: []int{429}, header: http.Header{"Retry-After": {"3600"}}}
		_, err := s.client(t).Me(t.Context())
		var e *Error
		if !errors.As(err, &e) || e.RetryAfter != time.Hour || len(s.at) != 1 {
			t.Errorf("%v after %d tries, want the hour told to the caller at once", err, len(s.at))
		}
	})
}

func TestRead_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{statuses: []int{500}}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := s.client(t).Me(ctx); err == nil || time.Since(began) > time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestRead_HoldsAPlaceOfTheLimiterOnlyWhileItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{InFlight: 1, PerProject: 1})
		api := &grants{api: func(string) int {
			if len(l.overall) != 1 {
				t.Error("asked without a place")
			}
			return 500
		}}
		c := api.client(t, func(o *Options) { o.Limiter = l })
		go func() {
			time.Sleep(100 * time.Millisecond) // the first pause
			if len(l.overall) != 0 {
				t.Error("its place is held during a pause")
			}
		}()
		if _, err := c.Environments(t.Context(), "p"); err == nil {
			t.Fatal("no error")
		}
		if len(l.overall) != 0 {
			t.Error("its place was not given back")
		}
	})
}
