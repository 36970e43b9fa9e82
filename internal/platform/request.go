package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/secret"
)

// Request is one state-changing request, as package tasks prepares it.
type Request struct {
	Method   string
	Path     string // path and query of a HAL link
	Endpoint string // route template, a label of metrics
	Body     []byte // JSON; nil sends none

	// Confidential are texts of the body that no error may repeat, though an answer may.
	Confidential []string
}

// op names the request in errors, without anything secret or long.
func (r *Request) op() string { return r.Method + " " + r.Endpoint }

// shortestSecret is the length from which a confidential text is taken out of messages, in bytes:
// shorter ones are parts of common words.
const shortestSecret = 4

// redact takes what is confidential out of a text, where it may stand as it is or within JSON.
func (r *Request) redact(text string) string {
	for _, c := range r.Confidential {
		if len(c) < shortestSecret {
			continue
		}
		quoted, _ := json.Marshal(c) // a string: cannot fail
		inner := strings.TrimSuffix(strings.TrimPrefix(compact(quoted), `"`), `"`)
		text = redact(redact(text, secret.New(c)), secret.New(inner))
	}
	return text
}

// Accepted is the platform's yes to a Request: work that goes on by itself.
type Accepted struct {
	StatusCode int
	Started    []Started // 0 to n
}

// Started is an activity of which the platform has only just told. What else it says of one is
// read when the activity is followed.
type Started struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	State  string `json:"state"`
	Result string `json:"result"` // "" until it is known
}

// Do sends one state-changing request, once. The caller holds a place of the Limiter. When the
// answer is 401, which says that nothing was executed, Do fetches a new access token and sends the
// same body once more. Every other failure comes back as an *Error whose Execution says whether
// the request may be sent again. All of it together takes no longer than Options.Timeout.
func (c *Client) Do(ctx context.Context, r Request) (*Accepted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, c.noAnswer)
	defer cancel()
	answer, failed := c.authorized(ctx, &r, largestAccepted)
	if failed != nil {
		return nil, failed
	}
	accepted := &Accepted{StatusCode: answer.status}
	if len(bytes.TrimSpace(answer.body)) == 0 {
		return accepted, nil
	}
	var wire struct {
		Embedded struct {
			Activities []Started `json:"activities"`
		} `json:"_embedded"`
	}
	if err := decode(answer.body, &wire); err != nil {
		return nil, unreadable(&r, answer.status, err)
	}
	nameless := func(s Started) bool { return s.ID == "" } // nobody could ask for it again
	accepted.Started = slices.DeleteFunc(wire.Embedded.Activities, nameless)
	return accepted, nil
}

// unreadable is the error of an answer that says yes and cannot be understood.
func unreadable(r *Request, status int, err error) *Error {
	return &Error{Op: r.op(), StatusCode: status, Sent: true, Err: fmt.Errorf("read the answer: %w", err)}
}

// answer is a success.
type answer struct {
	status int
	body   []byte
}

// authorized sends a request with an access token, and once more with a new one after a 401. A
// demand for step-up authentication is not mended by a new token.
func (c *Client) authorized(ctx context.Context, r *Request, limit int64) (answer, *Error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, tokenError(r.op(), err)
	}
	a, failed := c.send(ctx, r, token, limit)
	if failed == nil || failed.StatusCode != http.StatusUnauthorized || failed.Rejected {
		return a, failed
	}
	if token, err = c.tokens.replace(ctx, token); err != nil {
		return answer{}, tokenError(r.op(), err)
	}
	a, failed = c.send(ctx, r, token, limit)
	if failed != nil && failed.StatusCode == http.StatusUnauthorized {
		failed.Rejected = true
	}
	return a, failed
}

// Bounds on what is read of one answer, in bytes.
const (
	largestAccepted = 1 << 20
	largestListing  = 64 << 20
	largestRefusal  = 64 << 10
)

// send makes one HTTP request and reads its answer. It speaks to the transport directly, so no
// redirect is ever followed: it would take the bearer, or a body, to a place nobody configured.
func (c *Client) send(ctx context.Context, r *Request, token *access, limit int64) (answer, *Error) {
	if ctx.Err() != nil {
		return answer{}, &Error{Op: r.op(), Err: context.Cause(ctx)}
	}
	sent := false
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on bytes may be on their way. Before, there was nothing to send them on.
		GotConn: func(httptrace.GotConnInfo) { sent = true },
	})
	request, err := c.newRequest(traced, r, token)
	if err != nil {
		return answer{}, &Error{Op: r.op(), Err: err}
	}
	began := time.Now()
	response, err := c.options.Transport.RoundTrip(request)
	if err != nil {
		c.options.Metrics.observe(r.Endpoint, 0, time.Since(began))
		sent = sent || !c.traces && !dialing(err)
		return answer{}, &Error{Op: r.op(), Sent: sent, Err: cause(ctx, err)}
	}
	defer response.Body.Close()
	refused := response.StatusCode/100 != 2
	if refused {
		limit = largestRefusal
	}
	body, err := readBody(response, limit)
	ended := time.Now()
	c.options.Metrics.observe(r.Endpoint, response.StatusCode, ended.Sub(began))
	c.observeClock(response.Header, began, ended)
	switch {
	case refused:
		redact := func(text string) string { return r.redact(token.redact(text)) }
		return answer{}, answered(r.op(), response, body, redact)
	case err != nil:
		return answer{}, unreadable(r, response.StatusCode, cause(ctx, err))
	}
	return answer{status: response.StatusCode, body: body}, nil
}

func (c *Client) newRequest(ctx context.Context, r *Request, token *access) (*http.Request, error) {
	target, err := c.resolve(r.Path)
	if err != nil {
		return nil, err
	}
	request := (&http.Request{
		Method: r.Method, URL: target, Host: target.Host, Header: token.read,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case r.Body != nil:
		request.Header = token.write
		request.ContentLength = int64(len(r.Body))
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		// With GetBody the transport can move a request of which nothing was written to another
		// connection; a request of which anything was written it repeats only if that is a read.
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
	case r.Method != http.MethodGet:
		request.Body = http.NoBody
	}
	return request, nil
}

// resolve puts a path on the configured host.
func (c *Client) resolve(path string) (*url.URL, error) {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" || u.Opaque != "" || path == "" || path[0] != '/' {
		return nil, fmt.Errorf("%q is not a path", path)
	}
	u.Scheme, u.Host = c.api.Scheme, c.api.Host
	return u, nil
}

// readBody reads an answer of at most limit bytes.
func readBody(response *http.Response, limit int64) ([]byte, error) {
	if n := response.ContentLength; n > 0 && n <= limit {
		body := make([]byte, n)
		read, err := io.ReadFull(response.Body, body)
		return body[:read], err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		return body[:limit], fmt.Errorf("it is longer than %d bytes", limit)
	}
	return body, err
}

// dialing reports whether a transport failed before it had a connection. It is asked only of
// transports that do not tell when they get one.
func dialing(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// cause says why ctx ended, where that is what ended the request.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
