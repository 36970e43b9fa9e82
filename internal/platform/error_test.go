package platform

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestError_ReadsEveryFormOfBody(t *testing.T) {
	for _, tt := range []struct {
		body string
		want Error
	}{
		{`{"status":"error","code":400,"title":"Bad Request","message":"The activity cannot be cancelled in its current state","detail":{}}`,
			Error{Title: "Bad Request", Message: "The activity cannot be cancelled in its current state"}},
		{`{"message":"no","detail":"because"}`, Error{Message: "no", Detail: "because"}},
		{`{"message":"no","detail":{"error":"nothing to synchronize"}}`, Error{Message: "no", Detail: `{"error":"nothing to synchronize"}`}},
		{`{"detail":{"a":{"b":[1,2]}}}`, Error{Detail: `{"a":{"b":[1,2]}}`}},
		{`{"title":"Forbidden","type":"https://tools.ietf.org/x"}`, Error{Title: "Forbidden", Code: "https://tools.ietf.org/x"}},
		{`{"error":"invalid_grant","error_description":"Invalid API token"}`, Error{Code: "invalid_grant", Message: "Invalid API token"}},
		{`{"error":"request_unauthorized","error_hint":"API token"}`, Error{Code: "request_unauthorized", Detail: "API token"}},
		{`{"error":"You have no access"}`, Error{Code: "You have no access"}},
		{`{"error":{"code":1}}`, Error{Code: `{"code":1}`}},
		{`{"message":null,"detail":[],"title":5}`, Error{Title: "5"}},
		{``, Error{}}, {"  \n", Error{}}, {`{}`, Error{}}, {`null`, Error{}},
		{`<html><title>502 Bad Gateway</title></html>`, Error{Message: "the answer is not JSON"}},
		{`Bad Gateway`, Error{Message: "the answer is not JSON"}},
		{`[]`, Error{Message: "the answer is not JSON"}},
		{`{"message":"a\nb\u0000c"}`, Error{Message: "a b c"}},
	} {
		_, err := newServer(t, status(400, tt.body)).client(t).Do(context.Background(), backup)
		var got *Error
		if !errors.As(err, &got) {
			t.Fatalf("%s: %v", tt.body, err)
		}
		if got.Code != tt.want.Code || got.Title != tt.want.Title || got.Message != tt.want.Message || got.Detail != tt.want.Detail || got.StatusCode != 400 {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.body, *got, tt.want)
		}
	}
}

func TestError_ReadsAsOneShortLine(t *testing.T) {
	body := `{"message":"` + strings.Repeat("long ", 1<<16) + `","detail":"` + strings.Repeat("é", 1000) + `"}`
	_, err := newServer(t, status(409, body[:largestRefusal/2]+`"}`)).client(t).Do(context.Background(), backup)
	if got := err.Error(); len(got) > 1200 || strings.ContainsAny(got, "\n\r\x00") {
		t.Errorf("error of %d bytes: %.200q", len(got), got)
	}
	_, err = newServer(t, status(403, `{"message":"You need the role admin"}`)).client(t).Do(context.Background(), backup)
	want := "POST /projects/{project}/environments/{environment}/backup: 403 Forbidden: You need the role admin"
	if got := err.Error(); got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}

func TestError_ReadsRetryAfter(t *testing.T) {
	now := time.Date(2026, 8, 1, 5, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0}, {"0", "", 0}, {"7", "", 7 * time.Second}, {" 7 ", "", 7 * time.Second}, {"-1", "", 0}, {"1.5", "", 0},
		{"soon", "", 0}, {"99999999999", "", 0}, {"999999", "", 24 * time.Hour},
		{date(90 * time.Second), "", 90 * time.Second}, {date(-time.Hour), "", 0},
		{date(time.Hour + 5*time.Second), date(time.Hour), 5 * time.Second}, // a platform whose clock is ahead
	} {
		header := http.Header{}
		header.Set("Retry-After", tt.value)
		if tt.date != "" {
			header.Set("Date", tt.date)
		}
		if got := retryAfter(header, now); got != tt.want {
			t.Errorf("Retry-After %q at %q = %s, want %s", tt.value, tt.date, got, tt.want)
		}
	}
}

func TestError_AndLogNeverHoldASecret(t *testing.T) {
	var log bytes.Buffer
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":"invalid_grant","message":"%s","detail":{"sent":"%s","form":"%s"}}`,
			r.Header.Get("Authorization"), r.Header.Get("Authorization"), apiToken)
	}
	var told []string
	tell := func(err error) {
		var e *Error
		errors.As(err, &e)
		told = append(told, fmt.Sprintf("%v %+v %#v %q", err, err, e, errors.Unwrap(err)))
	}
	withLog := func(o *Options) { o.Logger = zerolog.New(&log).Level(zerolog.TraceLevel) }

	refusing := newServer(t, echo)
	_, err := refusing.client(t, withLog).Do(context.Background(), backup)
	tell(err)
	_, err = refusing.client(t, withLog).Me(context.Background())
	tell(err)

	rejecting := newServer(t, echo)
	rejecting.token = echo
	tell(rejecting.client(t, withLog).EnsureToken(context.Background()))
	_, err = rejecting.client(t, withLog).Do(context.Background(), backup)
	tell(err)

	unreadable := newServer(t, status(202, "access-1 "+apiToken))
	_, err = unreadable.client(t, withLog).Do(context.Background(), backup)
	tell(err)
	unreadable.token = status(200, `{"access_token":"access-1","expires_in":"`)
	tell(unreadable.client(t, withLog).EnsureToken(context.Background()))

	c := refusing.client(t, withLog)
	_ = c.EnsureToken(context.Background())
	told = append(told, fmt.Sprintf("%+v %+v", c.options, c.tokens.current.bearer), log.String())

	all := strings.Join(told, "\n")
	for _, s := range []string{apiToken, "access-1", base64.StdEncoding.EncodeToString([]byte(apiToken))} {
		if strings.Contains(all, s) {
			t.Errorf("%q shows in:\n%s", s, all)
		}
	}
	if !strings.Contains(all, "<redacted>") {
		t.Errorf("nothing was redacted, so nothing was tested:\n%s", all)
	}
}
