package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"
)

// accessToken is what the platform of these tests grants.
const accessToken = "access-token-9876543210"

// twoPart is a platform in memory whose two parts answer with a status and a body each.
type twoPart struct{ token, api answer }

func (s twoPart) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.api
	if r.URL.Path == "/oauth2/token" {
		a = s.token
	}
	w := httptest.NewRecorder()
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
	return w.Result(), nil
}

var granted = answer{200, []byte(`{"access_token":"` + accessToken + `","expires_in":900}`)}

// answering is an API that answers everything with one body.
func answering(body string) http.RoundTripper { return twoPart{granted, answer{200, []byte(body)}} }

// repeating writes the tokens into an answer where it says so, plainly or as JSON can escape them:
// so a fuzzer can move them, although it would not find them.
func repeating(body string) string {
	return strings.NewReplacer(
		"API!", apiToken, "ACCESS!", accessToken, "api?", escaped(apiToken), "access?", escaped(accessToken),
	).Replace(body)
}

func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

// checkText holds the text of an error to one line of bounded length that shows no token.
func checkText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	for _, token := range []string{apiToken, accessToken, escaped(apiToken), escaped(accessToken)} {
		if strings.Contains(text, token) {
			t.Errorf("a token shows in %q", text)
		}
	}
	if len(text) > 5*longestDetail || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("error of %d bytes: %q", len(text), text)
	}
}

func FuzzActivity(f *testing.F) {
	f.Add([]byte(`{"id":"w7q","type":"environment.backup","state":"complete","result":"success","completion_percent":100,
		"environments":["main"],"created_at":"2026-08-02T05:00:03.417000+00:00","completed_at":"2026-08-02T07:00:04+02:00",
		"payload":{"user":{"id":"u1"},"backup_name":"b"},"commands":[{"app":"app","type":"web","exit_code":3}]}`))
	f.Add([]byte(`{"id":"a","completion_percent":1e300,"created_at":1e9,"started_at":"","completed_at":[],"parameters":{"user":"u2"}}`))
	f.Add([]byte(`{"id":"a","environments":"main","payload":[],"commands":{},"completion_percent":"50","state":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var wire activityJSON
		if decode(body, &wire) != nil {
			return
		}
		a := wire.activity()
		if a.CompletionPercent < 0 || a.CompletionPercent > 100 {
			t.Errorf("%d %% complete", a.CompletionPercent)
		}
		for _, at := range []time.Time{a.CreatedAt, a.StartedAt, a.CompletedAt} {
			if at.Location() != time.UTC || at.Year() > 9999 {
				t.Errorf("time %s", at)
			}
		}
		if again := sent(t, a); !reflect.DeepEqual(again, a) {
			t.Errorf("read again:\n got %+v\nwant %+v", again, a)
		}
	})
}

// sent is the activity as it is read from what the platform would send of it.
func sent(t *testing.T, a Activity) Activity {
	t.Helper()
	stamp := func(at time.Time) *time.Time {
		if at.IsZero() {
			return nil
		}
		return &at
	}
	body, err := json.Marshal(map[string]any{
		"id": a.ID, "type": a.Type, "state": a.State, "result": a.Result, "completion_percent": a.CompletionPercent,
		"project": a.Project, "environments": a.Environments, "failure_reason": a.FailureReason, "text": a.Text,
		"created_at": stamp(a.CreatedAt), "started_at": stamp(a.StartedAt), "completed_at": stamp(a.CompletedAt),
		"commands": a.Commands, "payload": map[string]any{"user": map[string]string{"id": a.UserID}, "backup_name": a.BackupName},
	})
	if err != nil {
		t.Fatal(err)
	}
	var wire activityJSON
	if err := json.Unmarshal(body, &wire); err != nil {
		t.Fatal(err)
	}
	return wire.activity()
}

func FuzzEnvironment(f *testing.F) {
	f.Add([]byte(environmentBody))
	f.Add([]byte(`{"id":"main","_links":[]}`))
	f.Add([]byte(`{"id":"main","_links":{"#backup":{"href":"http://[::1]:x/%zz"}}}`))
	f.Add([]byte(`{"id":"main","_links":{"#backup":{"href":"https://evil.test/../a?b=c#d"},"#two":{"href":"/\\evil.test/x"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var wire environmentJSON
		if decode(body, &wire) != nil {
			return
		}
		e := wire.environment("p")
		if e.Project == "" || e.Name == "" && e.ID != "" {
			t.Errorf("project %q, name %q, id %q", e.Project, e.Name, e.ID)
		}
		c := newClient(t, inMemory(answering(acceptedBody)))
		for name, path := range e.Links {
			if again, ok := pathOf(path); !ok || again != path {
				t.Errorf("link %q is %q, and %q when it is read again", name, path, again)
			}
			u, err := c.resolve(path)
			if err != nil {
				continue // a request is refused before anything is sent
			}
			if u.Scheme != "http" || u.Host != "api.test" || u.User != nil || path[0] != '/' {
				t.Errorf("link %q leads to %s", name, u)
			}
			if _, err := c.Do(t.Context(), Request{Method: "POST", Path: path, Endpoint: "/x"}); err != nil {
				t.Errorf("link %q: %v", name, err)
			}
		}
	})
}

func FuzzAccepted(f *testing.F) {
	f.Add([]byte(acceptedBody))
	f.Add([]byte(`{"_embedded":{"activities":[{"id":"a","payload":[],"created_at":1,"commands":[{}]},null,{}]}}`))
	f.Add([]byte(`{"status":"ACCESS!","_embedded":{"activities":{}}}`))
	f.Add([]byte(`ACCESS! API!`))
	f.Add([]byte(`[]`))
	f.Add([]byte(" \n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		accepted, err := newClient(t, inMemory(answering(repeating(string(body))))).Do(t.Context(), backup)
		if err != nil {
			if got := execution(t, err); got != InDoubt {
				t.Errorf("execution %v of %v, want InDoubt: the platform said yes", got, err)
			}
			checkText(t, err)
			return
		}
		for _, a := range accepted.Started {
			if a.ID == "" {
				t.Errorf("%+v", a)
			}
		}
	})
}

func FuzzRefusal(f *testing.F) {
	for _, body := range []string{
		`{"status":"error","code":400,"title":"Bad Request","message":"no","detail":{}}`,
		`{"message":"API! ACCESS!","detail":{"sent":"ACCESS!","escaped":"access?"}}`,
		`{"message":"api? access?","title":["access?"],"type":"API!"}`,
		`{"error":"invalid_grant","error_description":"a\u0000b\r\nc\u2028","error_hint":"api?"}`,
		`{"detail":{"access?":1e999},"message":null,"title":12345678901234567890}`,
		`<html>ACCESS!</html>`, `[`, `null`, ``,
	} {
		for _, status := range []uint16{302, 400, 401, 403, 404, 409, 429, 500, 503} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status uint16, body string) {
		status = 300 + (status-300)%300
		_, err := newClient(t, inMemory(twoPart{granted, answer{int(status), []byte(repeating(body))}})).Do(t.Context(), backup)
		refused, ok := errors.AsType[*Error](err)
		if !ok || refused.StatusCode != int(status) || !refused.Sent {
			t.Fatalf("error %#v", err)
		}
		checkText(t, err)
		want := Refused
		if status == http.StatusRequestTimeout || status >= 500 {
			want = InDoubt
		}
		if got := refused.Execution(); got != want {
			t.Errorf("execution of %d is %v, want %v", status, got, want)
		}
		if refused.Rejected != (status == http.StatusUnauthorized) {
			t.Errorf("%d: the token counts as rejected: %v", status, refused.Rejected)
		}
	})
}

func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"ACCESS!","expires_in":900,"token_type":"bearer"}`,
		`{"access_token":"ACCESS!","expires_in":"7.5"}`, `{"access_token":"ACCESS!","expires_in":1e-300}`,
		`{"access_token":"ACCESS!","expires_in":"NaN"}`, `{"access_token":"access?","expires_in":-1}`,
		`{"access_token":"ACCESS!","expires_in":"`, `{"access_token":["ACCESS!"]}`, `"ACCESS!"`, `null`, ``,
		`{"error":"invalid_grant","error_description":"Invalid API token api?"}`,
		`{"error":"request_unauthorized","error_hint":"API!"}`,
	} {
		for _, status := range []uint16{200, 302, 400, 401, 403, 429, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status uint16, body string) {
		status = 200 + (status-200)%400
		var log strings.Builder
		c := newClient(t, inMemory(twoPart{token: answer{int(status), []byte(repeating(body))}}), func(o *Options) { o.Logger = zerolog.New(&log) })
		began := time.Now()
		err := c.EnsureToken(t.Context())
		ended := time.Now()
		if strings.Contains(log.String(), apiToken) || strings.Contains(log.String(), accessToken) {
			t.Errorf("a token shows in the log: %s", log.String())
		}
		if err != nil {
			checkText(t, err)
			rejects := status == http.StatusBadRequest || status == http.StatusUnauthorized
			if got := execution(t, err); got != NotExecuted || errors.Is(err, ErrTokenRejected) && !rejects {
				t.Errorf("%d: execution %v, rejected %v", status, got, errors.Is(err, ErrTokenRejected))
			}
			return
		}
		a := c.tokens.current
		if status >= 300 || a.bearer.IsZero() {
			t.Errorf("%d %q granted a token", status, body)
		}
		if a.refresh.Before(began) || a.expires.Before(a.refresh) || a.expires.After(ended.Add(24*time.Hour)) {
			t.Errorf("granted at %s, to be renewed at %s, ends at %s", began, a.refresh, a.expires)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	const date = "Sun, 02 Aug 2026 05:00:00 GMT"
	for _, value := range []string{"", "0", "7", " 120 ", "-1", "1.5", "4294967296", "soon", date, "Sun, 06 Nov 9994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Mon, 01 Jan 0001 00:00:00 GMT"} {
		f.Add(value, date, int64(1785646800))
		f.Add(date, value, int64(-1<<40))
	}
	f.Fuzz(func(t *testing.T, value, date string, unix int64) {
		now := time.Unix(unix, 0)
		header := http.Header{"Retry-After": {value}, "Date": {date}}
		got := retryAfter(header, now)
		if got < 0 || got > 24*time.Hour {
			t.Errorf("Retry-After %q at %q = %s", value, date, got)
		}
		_, err := http.ParseTime(date)
		if err == nil && retryAfter(header, now.Add(time.Hour)) != got {
			t.Errorf("Retry-After %q at %q depends on this machine's clock", value, date)
		}
		c := newClient(t, inMemory(answering("")))
		c.observeClock(header, now, now.Add(time.Second))
		if offset := c.ClockOffset(); offset.Abs() > 24*time.Hour || err != nil && offset != 0 {
			t.Errorf("Date %q at %s: the clocks differ by %s", date, now, offset)
		}
	})
}
