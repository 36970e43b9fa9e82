package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/secret"
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
	url     string
	log     zerolog.Logger

	mu       sync.Mutex
	current  *access   // nil if there is none
	looked   time.Time // when the source of its API token was last compared
	flight   *flight   // the exchange under way, nil if none
	rejected rejection
	failed   error     // of the last exchange, nil after a success
	failing  time.Time // until then the failure answers for further exchanges
}

// access is one access token. Its headers are shared by all requests, which do not change them.
type access struct {
	bearer      secret.Secret
	read, write http.Header   // of requests without and with a body
	api         secret.Secret // the API token it was granted for
	expires     time.Time
	refresh     time.Time // when to replace it ahead of its end
}

func newAccess(userAgent string, bearer, api secret.Secret) *access {
	header := http.Header{
		"Authorization": {"Bearer " + bearer.Reveal()},
		"Accept":        {"application/json"},
		"User-Agent":    {userAgent},
	}
	write := header.Clone()
	write["Content-Type"] = []string{"application/json"}
	return &access{bearer: bearer, read: header, write: write, api: api}
}

// redact takes the tokens out of a text that may be shown.
func (a *access) redact(text string) string { return redact(redact(text, a.bearer), a.api) }

func redact(text string, s secret.Secret) string {
	if s.IsZero() {
		return text
	}
	return strings.ReplaceAll(text, s.Reveal(), s.String())
}

// flight is one exchange that any number of callers wait for.
type flight struct {
	done    chan struct{} // closed when the other fields are set
	granted *access
	err     error
}

// rejection remembers an API token that was not accepted, so that it is not tried at every call.
type rejection struct {
	token  secret.Secret
	at     time.Time
	looked time.Time // when the source was last compared
	err    error     // nil = none is remembered
}

func newTokens(o Options, auth *url.URL) *tokens {
	o.Metrics.user(o.User)
	return &tokens{
		options: o, url: auth.String() + "/oauth2/token",
		log: o.Logger.With().Str("component", "platform").Str("user", o.User).Logger(),
	}
}

// get returns an access token. One that ends soon is replaced in the background while it is still
// good, so that nobody waits; without a good one, callers wait together for one exchange.
func (t *tokens) get(ctx context.Context) (*access, error) {
	now := time.Now()
	t.mu.Lock()
	current := t.current
	if current != nil && now.Before(current.refresh) {
		t.mu.Unlock()
		return current, nil
	}
	f, err := t.join(now)
	t.mu.Unlock()
	if current != nil && now.Before(current.expires) {
		return current, nil
	}
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
		return f.granted, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// replace returns another access token than the given one, which the platform did not accept.
func (t *tokens) replace(ctx context.Context, used *access) (*access, error) {
	t.mu.Lock()
	if t.current != nil && t.current.bearer == used.bearer {
		t.current = nil
	}
	t.mu.Unlock()
	return t.get(ctx)
}

// look lets the next get replace the access token if its API token was changed in the source.
func (t *tokens) look() {
	now := time.Now()
	t.mu.Lock()
	current := t.current
	due := t.options.Token.File != "" && current != nil && now.Sub(t.looked) >= lookAgain
	if due {
		t.looked = now
	}
	t.mu.Unlock()
	if !due {
		return
	}
	token, err := t.options.Token.Read()
	if err != nil || token.Reveal() == current.api.Reveal() {
		return // an unreadable file is reported when an access token is needed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == current {
		changed := *current
		changed.refresh = now
		t.current = &changed
	}
}

// join returns the exchange under way, or starts one unless the API token is known to be rejected.
// The caller holds t.mu.
func (t *tokens) join(now time.Time) (*flight, error) {
	if t.flight != nil {
		return t.flight, nil
	}
	if t.failed != nil && now.Before(t.failing) {
		return nil, t.failed
	}
	r := &t.rejected
	if r.err != nil && now.Sub(r.at) < recheckRejected {
		if now.Sub(r.looked) < lookAgain {
			return nil, r.err
		}
		r.looked = now
		if current, err := t.options.Token.Read(); err == nil && current.Reveal() == r.token.Reveal() {
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
	ctx, cancel := context.WithTimeoutCause(context.Background(), t.options.Timeout,
		fmt.Errorf("no answer within %s", t.options.Timeout))
	defer cancel()
	token, granted, err := t.exchange(ctx)
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(f.done)
	repeated := err != nil && t.failed != nil && err.Error() == t.failed.Error()
	t.flight, f.granted, f.err = nil, granted, err
	t.failed, t.failing = err, now.Add(pauseAfterFailure)
	if err != nil {
		t.options.Metrics.authFailed(t.options.User)
		refused, _ := errors.AsType[*Error](err)
		switch {
		case refused != nil && refused.Rejected:
			t.rejected = rejection{token: token, at: now, looked: now, err: err}
			t.options.Metrics.tokenValid(t.options.User, false)
			t.log.Error().Err(err).Msg("API token rejected")
			return
		case refused != nil:
			t.failing = now.Add(min(max(pauseAfterFailure, refused.RetryAfter), recheckRejected))
		}
		level := zerolog.WarnLevel
		if repeated {
			level = zerolog.DebugLevel // an outage is told once, and counted in a metric
		}
		t.log.WithLevel(level).Err(err).Msg("access token not renewed")
		return
	}
	t.rejected, t.current, t.looked = rejection{}, granted, now
	t.options.Metrics.tokenValid(t.options.User, true)
	t.options.Metrics.tokenExpires(t.options.User, granted.expires)
}

const tokenEndpoint = "/oauth2/token"

// exchange asks the token endpoint, in the form that the API's description documents: HTTP Basic
// with the client platform-api-user and no password. It also returns the API token it used.
func (t *tokens) exchange(ctx context.Context) (secret.Secret, *access, error) {
	token, err := t.options.Token.Read()
	if err != nil {
		return token, nil, err
	}
	const op = "POST " + tokenEndpoint
	form := url.Values{"grant_type": {"api_token"}, "api_token": {token.Reveal()}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(form.Encode()))
	if err != nil {
		return token, nil, err
	}
	request.SetBasicAuth("platform-api-user", "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", t.options.UserAgent)
	began := time.Now()
	response, err := t.options.Transport.RoundTrip(request)
	if err != nil {
		t.options.Metrics.observe(tokenEndpoint, 0, time.Since(began))
		return token, nil, &Error{Op: op, Err: cause(ctx, err)}
	}
	defer response.Body.Close()
	body, err := readBody(response, largestRefusal)
	t.options.Metrics.observe(tokenEndpoint, response.StatusCode, time.Since(began))
	if response.StatusCode/100 != 2 {
		refused := answered(op, response, body, func(text string) string { return redact(text, token) })
		refused.Rejected = rejects(refused)
		return token, nil, refused
	}
	if err != nil {
		return token, nil, &Error{Op: op, Err: cause(ctx, err)}
	}
	var grant struct {
		AccessToken string          `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"` // seconds, as a number or a string
	}
	if err := decode(body, &grant); err != nil || grant.AccessToken == "" {
		return token, nil, &Error{Op: op, StatusCode: response.StatusCode, Err: errors.New("the answer holds no access token")}
	}
	seconds, _ := strconv.ParseFloat(strings.Trim(string(grant.ExpiresIn), `"`), 64) // not a number: as if it were missing
	granted := newAccess(t.options.UserAgent, secret.New(grant.AccessToken), token)
	granted.live(began, seconds)
	return token, granted, nil
}

// live sets when the token ends and when to replace it. A short-lived one is replaced after three
// quarters of its life.
func (a *access) live(from time.Time, seconds float64) {
	life := assumedLife
	if seconds > 0 && seconds <= (24*time.Hour).Seconds() {
		life = time.Duration(seconds * float64(time.Second))
	}
	a.expires = from.Add(life)
	a.refresh = a.expires.Add(-min(earlyRefresh, life/4))
}

// rejects tells an answer that means "this API token is not accepted" from a passing failure, by
// the test of the vendor's CLI.
func rejects(e *Error) bool {
	if e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusUnauthorized {
		return false
	}
	switch e.Code {
	case "invalid_grant", "request_unauthorized":
		return true
	default:
		return e.Rejected
	}
}

// tokenError is the error of a request that was not sent for want of an access token. What the
// token endpoint answered is told in words only: its status says nothing about the resource that
// was asked for.
func tokenError(op string, err error) *Error {
	e := &Error{Op: op, Err: fmt.Errorf("get access token: %w", err)}
	if refused, ok := errors.AsType[*Error](err); ok {
		e.Rejected, e.RetryAfter, e.TokenCode = refused.Rejected, refused.RetryAfter, refused.StatusCode
		e.Err = errors.New("get access token: " + err.Error())
	}
	return e
}
