package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

// Request is one state-changing request, as package tasks prepares it.
type Request struct {
	Method   string
	Path     string // path and query of a HAL link
	Endpoint string // route template, a label of metrics
	Body     []byte // JSON; nil sends none
}

// Accepted is the platform's yes to a Request: work that goes on by itself.
type Accepted struct {
	StatusCode int
	Activities []Activity // 0 to n
}

// Do sends one state-changing request, once. The caller holds a place of the Limiter. When the
// answer is 401, which says that nothing was executed, Do fetches a new access token and sends the
// same body once more. Every other failure comes back as an *Error whose Execution says whether
// the request may be sent again.
func (c *Client) Do(ctx context.Context, r Request) (*Accepted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no answer within %s", c.options.Timeout))
	defer cancel()
	answer, err := c.authorized(ctx, r)
	if err != nil {
		return nil, err
	}
	accepted := &Accepted{StatusCode: answer.status}
	if len(bytes.TrimSpace(answer.body)) == 0 {
		return accepted, nil
	}
	var envelope struct {
		Embedded struct {
			Activities []Activity `json:"activities"`
		} `json:"_embedded"`
	}
	if err := json.Unmarshal(answer.body, &envelope); err != nil {
		return nil, &Error{
			Op: r.Method + " " + r.Endpoint, StatusCode: answer.status, Sent: true,
			Err: fmt.Errorf("read the accepted answer: %w", err),
		}
	}
	for _, a := range envelope.Embedded.Activities {
		if a.ID != "" {
			accepted.Activities = append(accepted.Activities, a)
		}
	}
	return accepted, nil
}

// answer is a success.
type answer struct {
	status int
	body   []byte
}

// authorized sends a request with an access token, and once more with a new one after a 401.
func (c *Client) authorized(ctx context.Context, r Request) (*answer, error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return nil, tokenError(r, err)
	}
	a, err := c.send(ctx, r, token)
	var failed *Error
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusUnauthorized {
		return a, err
	}
	if token, err = c.tokens.replace(ctx, token); err != nil {
		return nil, tokenError(r, err)
	}
	return c.send(ctx, r, token)
}

// tokenError is the error of a request that was not sent for want of an access token.
func tokenError(r Request, err error) *Error {
	return &Error{
		Op: r.Method + " " + r.Endpoint, Rejected: errors.Is(err, ErrTokenRejected),
		Err: fmt.Errorf("get an access token: %w", err),
	}
}

// largestAnswer bounds what is read of one answer.
const largestAnswer = 64 << 20

// send makes one HTTP request and reads its answer.
func (c *Client) send(ctx context.Context, r Request, bearer string) (*answer, error) {
	op := r.Method + " " + r.Endpoint
	sent := false
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on bytes may be on their way. Before, there was nothing to send them on.
		GotConn: func(httptrace.GotConnInfo) { sent = true },
	})
	request, err := c.newRequest(traced, r, bearer)
	if err != nil {
		return nil, &Error{Op: op, Err: err}
	}
	began := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		c.options.Metrics.observe(r.Endpoint, 0, time.Since(began))
		return nil, &Error{Op: op, Sent: sent, Err: cause(ctx, err)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	ended := time.Now()
	c.options.Metrics.observe(r.Endpoint, response.StatusCode, ended.Sub(began))
	c.observeClock(response.Header, began, ended)
	if response.StatusCode/100 != 2 {
		return nil, answered(op, response.StatusCode, response.Header, body)
	}
	if err != nil {
		return nil, &Error{Op: op, StatusCode: response.StatusCode, Sent: true, Err: fmt.Errorf("read the answer: %w", cause(ctx, err))}
	}
	return &answer{status: response.StatusCode, body: body}, nil
}

func (c *Client) newRequest(ctx context.Context, r Request, bearer string) (*http.Request, error) {
	target, err := c.resolve(r.Path)
	if err != nil {
		return nil, err
	}
	header := http.Header{
		"Authorization": {"Bearer " + bearer},
		"Accept":        {"application/json"},
		"User-Agent":    {c.options.UserAgent},
	}
	request := (&http.Request{
		Method: r.Method, URL: target, Header: header, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if r.Body != nil {
		header["Content-Type"] = []string{"application/json"}
		request.ContentLength = int64(len(r.Body))
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
	} else if r.Method != http.MethodGet {
		request.Body = http.NoBody
	}
	return request, nil
}

// resolve puts a path on the configured host.
func (c *Client) resolve(path string) (*url.URL, error) {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return nil, fmt.Errorf("%q is not a path", path)
	}
	u.Scheme, u.Host = c.api.Scheme, c.api.Host
	return u, nil
}

// cause says why ctx ended, where that is what ended the request.
func cause(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the URL is said by the route already
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// readTries is how often a read is tried.
const readTries = 3

// read asks for a resource and decodes it. A read changes nothing, so one that fails for a reason
// that may pass is repeated, with pauses that grow.
func read[T any](ctx context.Context, c *Client, project, endpoint, path string, query url.Values, into *T) (*T, error) {
	if c.api.Path != "" {
		path = c.api.Path + path
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r := Request{Method: http.MethodGet, Path: path, Endpoint: endpoint}
	pause := 250 * time.Millisecond
	for try := 1; ; try++ {
		a, err := c.readOnce(ctx, project, r)
		if err == nil {
			if err = json.Unmarshal(a.body, into); err == nil {
				return into, nil
			}
			err = &Error{Op: "GET " + endpoint, StatusCode: a.status, Sent: true, Err: fmt.Errorf("read the answer: %w", err)}
		}
		wait, passing := mayPass(err, pause)
		if !passing || try == readTries {
			return nil, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
		pause *= 2
	}
}

func (c *Client) readOnce(ctx context.Context, project string, r Request) (*answer, error) {
	release, err := c.options.Limiter.Acquire(ctx, project)
	if err != nil {
		return nil, &Error{Op: r.Method + " " + r.Endpoint, Err: err}
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no answer within %s", c.options.Timeout))
	defer cancel()
	return c.authorized(ctx, r)
}

// longestPause is how long a read waits at most before it is tried again by itself.
const longestPause = 10 * time.Second

// mayPass reports whether a failed read is worth repeating, and after which pause.
func mayPass(err error, pause time.Duration) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) || e.Rejected {
		return 0, false
	}
	pause = pause/2 + rand.N(pause)
	switch {
	case e.StatusCode == http.StatusTooManyRequests || e.StatusCode == http.StatusServiceUnavailable:
		pause = max(pause, e.RetryAfter)
		return pause, pause <= longestPause
	case e.StatusCode == 0, e.StatusCode == http.StatusRequestTimeout, e.StatusCode >= 500, e.StatusCode/100 == 2:
		return pause, true
	default:
		return 0, false
	}
}
