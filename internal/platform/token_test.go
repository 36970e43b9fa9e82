package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/secret"
)

// grants is a token endpoint in memory, and an API that accepts every bearer. It uses no sockets,
// so that time can be the bubble's.
type grants struct {
	mu     sync.Mutex
	forms  []url.Values
	life   any           // expires_in; nil is 900
	takes  time.Duration // to answer
	answer func(form url.Values) *http.Response
	api    func(bearer string) int // status of the API's answer; nil is 200
}

func (g *grants) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/oauth2/token" {
		code := 200
		if g.api != nil {
			code = g.api(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		}
		return reply(code, `{"id":"u"}`), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.forms = append(g.forms, form)
	n, life, takes, answer := len(g.forms), g.life, g.takes, g.answer
	g.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	if answer != nil {
		if response := answer(form); response != nil {
			return response, nil
		}
	}
	if life == nil {
		life = 900
	}
	return reply(200, fmt.Sprintf(`{"access_token":"access-%d","expires_in":%v,"token_type":"bearer"}`, n, life)), nil
}

func (g *grants) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.forms)
}

func (g *grants) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

func reply(code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func (g *grants) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	return newClient(t, append([]func(*Options){inMemory(g), func(o *Options) { o.Timeout = 30 * time.Second }}, change...)...)
}

// bearer is the access token that a request would carry now.
func bearer(t *testing.T, c *Client) string {
	t.Helper()
	token, err := c.tokens.get(t.Context())
	if err != nil {
		t.Fatalf("no access token: %v", err)
	}
	return token.bearer.Reveal()
}

func TestToken_IsAskedForAsDocumented(t *testing.T) {
	s := newServer(t, status(200, `{"id":"u"}`))
	if err := s.client(t).EnsureToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := s.tokenRequests()[0]
	for name, want := range map[string]string{
		"Authorization": "Basic cGxhdGZvcm0tYXBpLXVzZXI6", // platform-api-user and an empty password
		"Content-Type":  "application/x-www-form-urlencoded",
		"User-Agent":    "automatond/test",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if want := "api_token=" + apiToken + "&grant_type=api_token"; r.method != "POST" || r.body != want {
		t.Errorf("%s with %q, want POST with %q", r.method, r.body, want)
	}
}

func TestToken_ManyCallersShareOneExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{takes: time.Second}
		c := g.client(t)
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if _, err := c.Me(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if got := g.count(); got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	})
}

func TestToken_ACallerThatGivesUpDoesNotEndTheExchangeOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{takes: 10 * time.Second}
		c := g.client(t)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() {
			if err := c.EnsureToken(hasty); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the hasty one got %v", err)
			}
		})
		synctest.Wait()
		callers.Go(func() {
			if err := c.EnsureToken(t.Context()); err != nil {
				t.Error(err)
			}
		})
		callers.Wait()
		if got := g.count(); got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	})
}

func TestToken_IsReplacedAheadOfItsEndWhileNobodyWaits(t *testing.T) {
	for _, tt := range []struct {
		life  any
		until time.Duration // the first token serves that long alone
	}{
		{900, 780 * time.Second}, {`"900"`, 780 * time.Second}, {900.0, 780 * time.Second},
		{60, 45 * time.Second}, {2, 1500 * time.Millisecond},
		{"null", 780 * time.Second}, {0, 780 * time.Second}, {-5, 780 * time.Second}, {`"soon"`, 780 * time.Second}, {"{}", 780 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := &grants{life: tt.life}
			c := g.client(t)
			if got := bearer(t, c); got != "access-1" {
				t.Fatalf("life %v: bearer %s", tt.life, got)
			}
			time.Sleep(tt.until - time.Millisecond)
			bearer(t, c)
			synctest.Wait()
			if got := g.count(); got != 1 {
				t.Errorf("life %v: replaced before %s", tt.life, tt.until)
			}
			g.set(func() { g.takes = 300 * time.Millisecond })
			time.Sleep(2 * time.Millisecond)
			before := time.Now()
			if got := bearer(t, c); got != "access-1" || time.Since(before) != 0 {
				t.Errorf("life %v: got %s after waiting %s, want the old one at once", tt.life, got, time.Since(before))
			}
			time.Sleep(400 * time.Millisecond)
			if got := bearer(t, c); got != "access-2" {
				t.Errorf("life %v: bearer %s after the exchange, want access-2", tt.life, got)
			}
		})
	}
}

func TestToken_ServesUntilItsEndWhenItCannotBeReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{}
		c := g.client(t)
		bearer(t, c)
		g.set(func() { g.answer = func(url.Values) *http.Response { return reply(503, "") } })
		for range 30 {
			time.Sleep(29 * time.Second)
			if got := bearer(t, c); got != "access-1" {
				t.Fatalf("bearer %s", got)
			}
		}
		time.Sleep(31 * time.Second)
		if err := c.EnsureToken(t.Context()); err == nil || errors.Is(err, ErrTokenRejected) {
			t.Errorf("after its end: %v", err)
		}
		g.set(func() { g.answer = nil })
		time.Sleep(2 * time.Second)
		if err := c.EnsureToken(t.Context()); err != nil {
			t.Errorf("after the endpoint recovered: %v", err)
		}
	})
}

func TestToken_RejectionIsRememberedAndCheckedSlowly(t *testing.T) {
	for name, body := range map[string]string{
		"400 of the older provider": `{"error":"invalid_grant","error_description":"Invalid API token"}`,
		"401 of the newer provider": `{"error":"request_unauthorized","error_hint":"The API token is not valid"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			rejecting := true
			g := &grants{}
			g.answer = func(url.Values) *http.Response {
				if !rejecting {
					return nil
				}
				code := 400
				if strings.HasPrefix(name, "401") {
					code = 401
				}
				return reply(code, body)
			}
			c := g.client(t)
			for range 299 {
				_, err := c.Me(t.Context())
				if !errors.Is(err, ErrTokenRejected) {
					t.Fatalf("%s: %v, want ErrTokenRejected", name, err)
				}
				time.Sleep(time.Second)
			}
			if got := g.count(); got != 1 {
				t.Errorf("%s: %d exchanges in five minutes, want 1", name, got)
			}
			time.Sleep(time.Second)
			g.set(func() { rejecting = false })
			if _, err := c.Me(t.Context()); err != nil {
				t.Errorf("%s: after five minutes: %v", name, err)
			}
		})
	}
}

func TestToken_OtherAnswersAreNoRejection(t *testing.T) {
	for code, body := range map[int]string{
		400: `{"error":"invalid_request"}`, 401: `{"error":"invalid_client"}`, 403: `{"error":"invalid_grant"}`,
		404: "", 429: `{}`, 500: "<html>", 503: "",
	} {
		synctest.Test(t, func(t *testing.T) {
			g := &grants{answer: func(url.Values) *http.Response { return reply(code, body) }}
			if err := g.client(t).EnsureToken(t.Context()); err == nil || errors.Is(err, ErrTokenRejected) {
				t.Errorf("%d %s: %v, want a failure that may pass", code, body, err)
			}
		})
	}
}

func TestToken_DemandForStepUpIsARejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{answer: func(url.Values) *http.Response {
			r := reply(401, `{"amr":["mfa"],"max_age":1}`)
			r.Header.Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication"`)
			return r
		}}
		if err := g.client(t).EnsureToken(t.Context()); !errors.Is(err, ErrTokenRejected) {
			t.Errorf("%v, want ErrTokenRejected", err)
		}
	})
}

func TestToken_FailingEndpointIsNotAskedByEveryoneInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{answer: func(url.Values) *http.Response {
			r := reply(429, "")
			r.Header.Set("Retry-After", "30")
			return r
		}}
		c := g.client(t)
		for range 1000 {
			if err := c.EnsureToken(t.Context()); err == nil {
				t.Fatal("no error")
			}
		}
		time.Sleep(29 * time.Second)
		_ = c.EnsureToken(t.Context())
		if got := g.count(); got != 1 {
			t.Errorf("%d exchanges before Retry-After was over, want 1", got)
		}
		time.Sleep(2 * time.Second)
		_ = c.EnsureToken(t.Context())
		if got := g.count(); got != 2 {
			t.Errorf("%d exchanges afterwards, want 2", got)
		}
	})
}

// tokenFile is a file whose token a test changes.
func tokenFile(t *testing.T, token string) (path string, write func(string)) {
	path = filepath.Join(t.TempDir(), "token")
	write = func(s string) {
		if err := os.WriteFile(path, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(token)
	return path, write
}

func fromFile(path string) func(*Options) {
	return func(o *Options) { o.Token = secret.FromFile(path) }
}

func TestToken_ChangedFileEndsARejection(t *testing.T) {
	path, write := tokenFile(t, "old")
	synctest.Test(t, func(t *testing.T) {
		g := &grants{answer: func(form url.Values) *http.Response {
			if form.Get("api_token") == "new" {
				return nil
			}
			return reply(400, `{"error":"invalid_grant","error_description":"Invalid API token"}`)
		}}
		c := g.client(t, fromFile(path))
		if err := c.EnsureToken(t.Context()); !errors.Is(err, ErrTokenRejected) {
			t.Fatalf("%v, want ErrTokenRejected", err)
		}
		write("new")
		time.Sleep(2 * time.Second)
		if err := c.EnsureToken(t.Context()); err != nil {
			t.Errorf("after the change: %v", err)
		}
	})
}

func TestToken_ChangedFileIsSeenWhileTheAccessTokenIsGood(t *testing.T) {
	path, write := tokenFile(t, "old")
	synctest.Test(t, func(t *testing.T) {
		g := &grants{}
		c := g.client(t, fromFile(path))
		bearer(t, c)
		write("new")
		time.Sleep(2 * time.Second)
		if err := c.EnsureToken(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := bearer(t, c); got != "access-2" || g.forms[1].Get("api_token") != "new" {
			t.Errorf("bearer %s by %v, want access-2 by the new API token", got, g.forms)
		}
		time.Sleep(2 * time.Second)
		_ = c.EnsureToken(t.Context())
		synctest.Wait()
		if got := g.count(); got != 2 {
			t.Errorf("%d exchanges, want 2: the file has not changed again", got)
		}
	})
}

func TestToken_FileIsReadAgainAfter401(t *testing.T) {
	path, write := tokenFile(t, "old")
	synctest.Test(t, func(t *testing.T) {
		g := &grants{}
		c := g.client(t, fromFile(path))
		bearer(t, c)
		write("new")
		g.api = func(bearer string) int {
			if bearer == "access-1" {
				return 401
			}
			return 200
		}
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := g.forms[1].Get("api_token"); got != "new" {
			t.Errorf("second exchange with %q, want new", got)
		}
	})
}

func TestToken_MissingFileIsAnErrorThatNamesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent")
	synctest.Test(t, func(t *testing.T) {
		err := (&grants{}).client(t, fromFile(path)).EnsureToken(t.Context())
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"bot"`) {
			t.Errorf("error %v, want one with the user and the path", err)
		}
	})
}

func TestToken_ManyRequestsAnswered401ShareOneNewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{takes: time.Second}
		g.api = func(bearer string) int {
			if bearer == "access-1" {
				return 401
			}
			return 200
		}
		c := g.client(t)
		bearer(t, c)
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if _, err := c.Me(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if got := g.count(); got != 2 {
			t.Errorf("%d exchanges, want 2", got)
		}
	})
}

func TestToken_LateRefusalOfAnOldOneKeepsTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &grants{}
		c := g.client(t)
		old, err := c.tokens.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			token, err := c.tokens.replace(t.Context(), old)
			if err != nil || token.bearer.Reveal() != "access-2" {
				t.Fatalf("%v, %v; want access-2", token, err)
			}
		}
		if got := g.count(); got != 2 {
			t.Errorf("%d exchanges, want 2", got)
		}
	})
}
