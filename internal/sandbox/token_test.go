package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestToken_LivesAsLongAsItSays(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		r := v.exchange(apiToken)
		if r.object["expires_in"] != 900.0 || r.object["token_type"] != "bearer" {
			t.Fatalf("token answer: %s", r.text)
		}
		v.access = r.object["access_token"].(string)
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(v.access, ".")[1])
		var exp struct{ Exp int64 }
		if err != nil || json.Unmarshal(claims, &exp) != nil || exp.Exp != time.Now().Add(900*time.Second).Unix() {
			t.Errorf("the access token's claims are %s, want exp in 900 s", claims)
		}
		time.Sleep(899 * time.Second)
		if r := v.get("/users/me"); r.status != 200 {
			t.Errorf("after 899 s: %d", r.status)
		}
		time.Sleep(time.Second)
		r = v.get("/users/me")
		if r.status != 401 || r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("after 900 s: %d %v, want 401 with a challenge", r.status, r.header)
		}
	})
}

func TestToken_OutlivesItsRevokedAPIToken(t *testing.T) {
	for form, want := range map[InvalidToken]struct {
		status       int
		word         string
		field, holds string
	}{
		InvalidGrant:        {400, "invalid_grant", "error_description", "Invalid API token"},
		RequestUnauthorized: {401, "request_unauthorized", "error_hint", "API token"},
	} {
		o := options()
		o.InvalidToken = form
		s := New(o)
		v := visit(t, s)
		v.login()
		s.RevokeToken(apiToken)
		if r := v.get("/users/me"); r.status != 200 || r.object["id"] != "user-1" || r.object["username"] != "bot" {
			t.Errorf("access token after the revocation: %d %s", r.status, r.text)
		}
		r := v.exchange(apiToken)
		if text, _ := r.object[want.field].(string); r.status != want.status || r.object["error"] != want.word || !strings.Contains(text, want.holds) {
			t.Errorf("revoked API token: %d %s, want %d %s", r.status, r.text, want.status, want.word)
		}
		s.AddToken(User{Token: apiToken, ID: "user-2"})
		if r := v.exchange(apiToken); r.status != 200 {
			t.Errorf("API token that was added again: %d %s", r.status, r.text)
		}
		s.ExpireAccessTokens()
		if r := v.get("/users/me"); r.status != 401 {
			t.Errorf("expired access token: %d", r.status)
		}
	}
}

func TestToken_WantsAKnownClientAndGrant(t *testing.T) {
	v := visit(t, New(options()))
	for name, c := range map[string]struct {
		form, user, password string
		status               int
	}{
		"basic":              {"grant_type=api_token&api_token=" + apiToken, "platform-api-user", "", 200},
		"in the body":        {"grant_type=api_token&client_id=platform-cli&api_token=" + apiToken, "", "", 200},
		"no client":          {"grant_type=api_token&api_token=" + apiToken, "", "", 401},
		"unknown client":     {"grant_type=api_token&client_id=me&api_token=" + apiToken, "", "", 401},
		"password":           {"grant_type=api_token&api_token=" + apiToken, "platform-api-user", "x", 401},
		"other grant":        {"grant_type=password&api_token=" + apiToken, "platform-api-user", "", 400},
		"no token":           {"grant_type=api_token", "platform-api-user", "", 400},
		"form with nonsense": {"%zz", "platform-api-user", "", 400},
	} {
		r, _ := http.NewRequest("POST", v.base+"/oauth2/token", strings.NewReader(c.form))
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		if got := v.must(v.send(r)); got.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.text, c.status)
		}
	}
}

func TestToken_OfAnybodyIsGoodWithoutUsers(t *testing.T) {
	s := New(Options{Open: true})
	v := visit(t, s)
	v.token = "made-up"
	v.accepted("/projects/p/environments/main/backup", `{"safe":true}`)
	s.RevokeToken("made-up")
	if r := v.exchange("made-up"); r.status != 400 {
		t.Errorf("revoked token: %d", r.status)
	}
}

func TestToken_IsRevokedOnRequest(t *testing.T) {
	v := visit(t, New(options()))
	v.login()
	r, _ := http.NewRequest("POST", v.base+"/oauth2/revoke", strings.NewReader("client_id=platform-cli&client_secret=&token="+v.access))
	if got := v.must(v.send(r)); got.status != 200 {
		t.Fatalf("revoke: %d %s", got.status, got.text)
	}
	if got := v.get("/users/me"); got.status != 401 {
		t.Errorf("revoked access token: %d, want 401", got.status)
	}
}
