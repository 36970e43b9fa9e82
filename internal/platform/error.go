package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// What an *Error can be, for errors.Is.
var (
	ErrTokenRejected = errors.New("API token rejected") // terminal until the token changes
	ErrForbidden     = errors.New("forbidden")
	ErrNotFound      = errors.New("not found")
	ErrConflict      = errors.New("conflict")
	ErrRateLimited   = errors.New("rate limited")
)

// Execution says whether a request that failed was executed.
type Execution int

const (
	// NotExecuted: nothing reached the server, so the request may be sent again.
	NotExecuted Execution = iota
	// Refused: the server answered that it did not do it.
	Refused
	// InDoubt: it may have been executed, and must not be repeated blindly.
	InDoubt
)

// Error is a request that failed.
type Error struct {
	Op         string // method and route, "POST /projects/{project}/environments/{environment}/backup"
	StatusCode int    // of the answer; 0 without one
	Code       string // the platform's machine word for it, "" if the body has none
	Title      string
	Message    string
	Detail     string        // compact JSON when it is an object
	RetryAfter time.Duration // zero if the answer does not say
	Sent       bool          // a connection was used: the request may have reached the server
	Rejected   bool          // the API token is not accepted
	TokenCode  int           // status of the token endpoint's answer, for want of which nothing was sent; 0 without one
	Err        error         // what went wrong without an answer, or with reading it
}

// Error says what was asked and what came back, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, ": %d %s", e.StatusCode, http.StatusText(e.StatusCode))
	}
	for _, part := range []string{e.Code, e.Title, e.Message, e.Detail} {
		if part != "" && part != http.StatusText(e.StatusCode) {
			b.WriteString(": " + part)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the underlying error, nil if the platform answered.
func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinels of this package by status.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrTokenRejected:
		return e.Rejected
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound
	case ErrConflict:
		return e.StatusCode == http.StatusConflict
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	default:
		return false
	}
}

// Execution says whether the request was executed. An answer of 408 or 5xx says nothing about it,
// nor does one that could not be read.
func (e *Error) Execution() Execution {
	switch {
	case e.StatusCode == 0 && !e.Sent:
		return NotExecuted
	case e.StatusCode == 0, e.StatusCode == http.StatusRequestTimeout, e.StatusCode >= 500, e.StatusCode < 300:
		return InDoubt
	default:
		return Refused
	}
}

// longestDetail bounds what of an answer gets into a message.
const longestDetail = 300

// answered makes the error of an answer that is not a success. The keys and their order are those
// that the vendor's CLI reads: message and detail, title and type, error and error_description.
//
// A 401 that demands step-up authentication (RFC 9470) counts as a rejected token, for no human is
// there to meet the demand.
//
// A server may repeat what it was sent: redact takes the secrets out of the body's texts, which are
// decoded by then, because JSON can write one text in many ways.
func answered(op string, response *http.Response, body []byte, redact func(string) string) *Error {
	e := &Error{
		Op: op, StatusCode: response.StatusCode, Sent: true,
		RetryAfter: retryAfter(response.Header, time.Now()), Rejected: demandsStepUp(response),
	}
	var wire struct {
		Message     json.RawMessage `json:"message"`
		Detail      json.RawMessage `json:"detail"`
		Title       json.RawMessage `json:"title"`
		Type        json.RawMessage `json:"type"`
		Error       json.RawMessage `json:"error"`
		Description json.RawMessage `json:"error_description"`
		Hint        json.RawMessage `json:"error_hint"`
	}
	if json.Unmarshal(body, &wire) != nil {
		if len(bytes.TrimSpace(body)) > 0 {
			e.Message = "the answer is not JSON"
		}
		return e
	}
	show := func(raw json.RawMessage) string { return oneLine(redact(text(raw))) }
	e.Message, e.Detail, e.Title, e.Code = show(wire.Message), show(wire.Detail), show(wire.Title), show(wire.Error)
	if e.Code == "" {
		e.Code = show(wire.Type)
	}
	if e.Message == "" {
		e.Message = show(wire.Description)
	}
	if e.Detail == "" {
		e.Detail = show(wire.Hint)
	}
	return e
}

func demandsStepUp(response *http.Response) bool {
	return response.StatusCode == http.StatusUnauthorized &&
		strings.Contains(response.Header.Get("WWW-Authenticate"), "insufficient_user_authentication")
}

// text returns a JSON string's value, "" for a value without content, and others as compact JSON:
// detail may be an object.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	switch s = compact(raw); s {
	case "null", "{}", "[]":
		return ""
	}
	return s
}

// compact writes JSON without white space, and without escapes that it does not need.
func compact(raw json.RawMessage) string {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	var value any
	if in.Decode(&value) != nil {
		return ""
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return ""
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// oneLine makes a text fit for logs: one line of bounded length, without control characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(s) > longestDetail {
		s = strings.ToValidUTF8(s[:longestDetail], "") + "…"
	}
	return s
}

// retryAfter reads seconds or an HTTP date. A date is taken relative to the answer's own Date, so
// that a difference between the clocks does not change the wait.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	const longest = 24 * time.Hour
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longest)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}
