package platform

import (
	"net/http"
	"testing"
)

func TestUserID_IsAskedForOnce(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"u1": status(200, `{"id":"u1"}`),
		"":   status(403, `{}`), // it is not to be known
	} {
		s := newServer(t, answer)
		c := s.client(t)
		for range 2 {
			if got, err := c.UserID(t.Context()); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		if n := len(s.asked()); n != 1 {
			t.Errorf("%q: asked %d times, want once", want, n)
		}
	}
}
