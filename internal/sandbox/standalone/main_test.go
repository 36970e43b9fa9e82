package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/sandbox"
)

func TestControls_ShowRequestsAndRevokeTokens(t *testing.T) {
	platform := sandbox.New(sandbox.Options{Open: true})
	control := controls(platform)
	login := func() int {
		r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader("grant_type=api_token&api_token=secret"))
		r.SetBasicAuth("platform-api-user", "")
		return answer(platform, r).Code
	}
	if got := login(); got != 200 {
		t.Fatalf("the token is answered %d, want 200", got)
	}
	answer(control, httptest.NewRequest("POST", "/revoke?token=secret", nil))
	if got := login(); got != 400 {
		t.Errorf("the revoked token is answered %d, want 400", got)
	}
	journal := answer(control, httptest.NewRequest("GET", "/journal", nil)).Body.String()
	want := regexp.MustCompile(`^\S+Z POST /oauth2/token 200\n\S+Z POST /oauth2/token 400\n$`)
	if !want.MatchString(journal) {
		t.Errorf("journal:\n%s", journal)
	}
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
