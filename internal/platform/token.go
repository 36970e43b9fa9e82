package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	// earlyRefresh is how long before its end an access token is replaced: longer than a request
	// and its prefetch take, so that none leaves with a token that ends on the way.
	earlyRefresh = 2 * time.Minute

	// recheckRejected is how often an API token that was rejected is tried again unchanged.
	recheckRejected = 5 * time.Minute

	// lookAgain is how often the source of a rejected token is read to see whether it changed.
	lookAgain = time.Second

	// pauseAfterFailure is how long a failed exchange answers for the ones that would follow, so
	// that a thousand waiting requests do not ask a sick token endpoint a thousand times.
	pauseAfterFailure = time.Second

	// assumedLife is how long an access token lives when the platform does not say; it is what
	// the API's description documents.
	assumedLife = 15 * time.Minute
)

// tokens exchanges one user's API token for access tokens, which live in memory only.
type tokens struct {
	options Options
	http    *http.Client
	url     string
	log     zerolog.Logger

	mu       sync.Mutex
	access   string
	expires  time.Time
	refresh  time.Time // when to replace it ahead of its end
	flight   *flight   // the exchange under way, nil if none
	rejected rejection
	failed   error // of the last exchange, nil after a success
	failedAt time.Time
}

// flight is one exchange that any number of callers wait for.
type flight struct {
	done chan struct{} // closed when err is set and the access token, if any, is in place
	err  error
}

// rejection remembers an API token that was not accepted, so that it is not tried at every call.
type rejection struct {
	token  string // "" = none is remembered
	at     time.Time
	looked time.Time
	err    error
}

func newTokens(o Options, client *http.Client, auth *url.URL) *tokens {
	o.Metrics.user(o.User)
	return &tokens{
		options: o, http: client, url: auth.String() + "/oauth2/token",
		log: o.Logger.With().Str("component", "platform").Str("user", o.User).Logger(),
	}
}

// get returns an access token. One that ends soon is replaced in the background while it is still
// good, so that nobody waits; without a good one, callers wait together for one exchange.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	now := time.Now()
	if t.access != "" && now.Before(t.refresh) {
		defer t.mu.Unlock()
		return t.access, nil
	}
	f, err := t.join(now)
	if t.access != "" && now.Before(t.expires) {
		defer t.mu.Unlock()
		return t.access, nil
	}
	t.mu.Unlock()
	if err != nil {
		return "", err
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if f.err != nil {
		return "", f.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.access, nil
}

// replace returns another access token than the given one, which the platform did not accept.
func (t *tokens) replace(ctx context.Context, used string) (string, error) {
	t.mu.Lock()
	if t.access == used {
		t.access = ""
	}
	t.mu.Unlock()
	return t.get(ctx)
}

// join returns the exchange under way, or starts one unless the API token is known to be rejected.
// The caller holds t.mu.
func (t *tokens) join(now time.Time) (*flight, error) {
	if t.flight != nil {
		return t.flight, nil
	}
	if t.failed != nil && now.Sub(t.failedAt) < pauseAfterFailure {
		return nil, t.failed
	}
	r := &t.rejected
	if r.token != "" && now.Sub(r.at) < recheckRejected {
		if now.Sub(r.looked) < lookAgain {
			return nil, r.err
		}
		r.looked = now
		if current, err := t.options.Token.Read(); err == nil && current.Reveal() == r.token {
			return nil, r.err
		}
	}
	f := &flight{done: make(chan struct{})}
	t.flight = f
	// The exchange serves all who wait, so it does not end with the first one's context.
	go t.fly(f)
	return f, nil
}

// fly makes one exchange and publishes what came of it.
func (t *tokens) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), t.options.Timeout)
	defer cancel()
	began := time.Now()
	granted, token, err := t.exchange(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(f.done)
	t.flight, f.err = nil, err
	t.failed, t.failedAt = err, time.Now()
	if err != nil {
		t.options.Metrics.authFailed(t.options.User)
		if errors.Is(err, ErrTokenRejected) {
			t.rejected = rejection{token: token, at: time.Now(), looked: time.Now(), err: err}
			t.options.Metrics.tokenValid(t.options.User, false)
			t.log.Error().Err(err).Msg("API token rejected")
			return
		}
		t.log.Warn().Err(err).Msg("access token not renewed")
		return
	}
	t.rejected = rejection{}
	life := time.Duration(granted.ExpiresIn * float64(time.Second))
	if life <= 0 || life > 24*time.Hour {
		life = assumedLife
	}
	t.access, t.expires = granted.AccessToken, began.Add(life)
	t.refresh = t.expires.Add(-min(earlyRefresh, life/4))
	t.options.Metrics.tokenValid(t.options.User, true)
	t.options.Metrics.tokenExpires(t.options.User, t.expires)
}

// grant is the token endpoint's answer.
type grant struct {
	AccessToken string  `json:"access_token"`
	ExpiresIn   float64 `json:"expires_in"` // seconds
}

const tokenEndpoint = "/oauth2/token"

// exchange asks the token endpoint, in the form that the API's description documents: HTTP Basic
// with the client platform-api-user and no password. It also returns the API token it used.
func (t *tokens) exchange(ctx context.Context) (grant, string, error) {
	token, err := t.options.Token.Read()
	if err != nil {
		return grant{}, "", err
	}
	form := url.Values{"grant_type": {"api_token"}, "api_token": {token.Reveal()}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(form.Encode()))
	if err != nil {
		return grant{}, "", err
	}
	request.SetBasicAuth("platform-api-user", "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", t.options.UserAgent)
	began := time.Now()
	response, err := t.http.Do(request)
	if err != nil {
		t.options.Metrics.observe(tokenEndpoint, 0, time.Since(began))
		return grant{}, "", fmt.Errorf("POST %s: %w", tokenEndpoint, cause(ctx, err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	t.options.Metrics.observe(tokenEndpoint, response.StatusCode, time.Since(began))
	if response.StatusCode/100 != 2 {
		refused := answered("POST "+tokenEndpoint, response.StatusCode, response.Header, bytes.ReplaceAll(body, []byte(token.Reveal()), []byte("<redacted>")))
		refused.Rejected = rejects(response, refused)
		return grant{}, token.Reveal(), refused
	}
	if err != nil {
		return grant{}, "", fmt.Errorf("POST %s: read the answer: %w", tokenEndpoint, cause(ctx, err))
	}
	var g grant
	if err := json.Unmarshal(body, &g); err != nil || g.AccessToken == "" {
		return grant{}, "", fmt.Errorf("POST %s: the answer holds no access token", tokenEndpoint)
	}
	return g, token.Reveal(), nil
}

// rejects tells an answer that means "this API token is not accepted" from a passing failure, by
// the test of the vendor's CLI; a demand for step-up authentication (RFC 9470) is one too, for no
// human is there to meet it.
func rejects(response *http.Response, e *Error) bool {
	if response.StatusCode != http.StatusBadRequest && response.StatusCode != http.StatusUnauthorized {
		return false
	}
	if strings.Contains(response.Header.Get("WWW-Authenticate"), "insufficient_user_authentication") {
		return true
	}
	return e.Code == "invalid_grant" || e.Code == "request_unauthorized" || e.Code == "invalid_client" ||
		e.Code == "insufficient_user_authentication"
}
