package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// tokenAnswer is what the token endpoint gives for an API token. The type is in
// lower case there.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	TokenType   string `json:"token_type"`
}

// tokenFailure is an error in the form of OAuth 2. The newer provider writes a
// hint, the older one a description only.
type tokenFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Hint        string `json:"error_hint,omitempty"`
}

// clients are the OAuth 2 clients without a secret that the vendor's
// documentation and its CLI use.
func clients() []string { return []string{"platform-api-user", "platform-cli", "upsun-cli"} }

// postToken exchanges an API token for an access token.
func (s *Sandbox) postToken(c *call) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		c.json(400, tokenFailure{Error: "invalid_request", Description: "The form cannot be read"})
		return
	}
	if !authenticClient(c, form) {
		c.Header().Set("WWW-Authenticate", "Basic")
		c.json(401, tokenFailure{Error: "invalid_client", Description: "Client authentication failed"})
		return
	}
	if form.Get("grant_type") != "api_token" {
		c.json(400, tokenFailure{Error: "unsupported_grant_type", Description: "The sandbox knows the grant api_token only"})
		return
	}
	expires := c.now.Add(s.options.TokenLifetime)
	access := newAccessToken(expires)
	u, ok := s.accounts.login(form.Get("api_token"), access, c.now, expires)
	if !ok {
		s.refuseToken(c)
		return
	}
	s.journal.change(func() { c.entry.User = u.ID })
	c.Header().Set("Cache-Control", "no-store")
	c.json(200, tokenAnswer{access, int(s.options.TokenLifetime / time.Second), "bearer"})
}

// refuseToken answers in one of the forms that the vendor's CLI takes for an
// invalid API token.
func (s *Sandbox) refuseToken(c *call) {
	if s.options.InvalidToken == RequestUnauthorized {
		c.json(401, tokenFailure{
			Error:       "request_unauthorized",
			Description: "The request could not be authorized",
			Hint:        "The API token is not valid",
		})
		return
	}
	c.json(400, tokenFailure{Error: "invalid_grant", Description: "Invalid API token"})
}

// postRevoke ends the life of an access token. As in RFC 7009, one that is not
// known is no error.
func (s *Sandbox) postRevoke(c *call) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || !authenticClient(c, form) {
		c.json(401, tokenFailure{Error: "invalid_client", Description: "Client authentication failed"})
		return
	}
	s.accounts.logout(form.Get("token"))
	c.WriteHeader(200)
}

// authenticClient reports whether a known client asks: by HTTP Basic with an
// empty password, or by client_id in the form.
func authenticClient(c *call, form url.Values) bool {
	if id, password, ok := c.BasicAuth(); ok {
		return password == "" && slices.Contains(clients(), id)
	}
	return slices.Contains(clients(), form.Get("client_id")) && form.Get("client_secret") == ""
}

// newAccessToken looks like a JSON Web Token, from which the vendor's CLI reads
// the expiry, but its signature is noise.
func newAccessToken(expires time.Time) string {
	claims, _ := json.Marshal(map[string]int64{"exp": expires.Unix()}) // a map of numbers
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims) + "." + rand.Text()
}
