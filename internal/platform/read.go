package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

const (
	// readTries is how often a read is tried.
	readTries = 4
	// firstPause is the pause after the first failed try, roughly; each further one is twice as long.
	firstPause = 250 * time.Millisecond
	// longestPause is how long a read waits at most before it is tried again by itself.
	longestPause = 10 * time.Second
)

// read asks for a resource and decodes it. A read changes nothing, so one that fails for a reason
// that may pass is repeated, with pauses that grow.
func read[T any](ctx context.Context, c *Client, project, endpoint, path string, query url.Values) (T, error) {
	path = c.api.EscapedPath() + path
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return readLink[T](ctx, c, project, endpoint, path)
}

// readLink is read for the path of a link, which has everything already.
func readLink[T any](ctx context.Context, c *Client, project, endpoint, path string) (T, error) {
	var none T
	r := Request{Method: http.MethodGet, Path: path, Endpoint: endpoint}
	pause := firstPause
	for try := 1; ; try++ {
		var value T
		failed := c.readOnce(ctx, project, &r, &value)
		if failed == nil {
			return value, nil
		}
		wait, passing := mayPass(failed, pause)
		if !passing || try == readTries {
			return none, failed
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return none, failed
		}
		pause *= 2
	}
}

func (c *Client) readOnce(ctx context.Context, project string, r *Request, into any) *Error {
	slot, err := c.options.Limiter.Acquire(ctx, project)
	if err != nil {
		return &Error{Op: r.op(), Err: err}
	}
	defer slot.Release()
	slot.Start()
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, c.noAnswer)
	defer cancel()
	answer, failed := c.authorized(ctx, r, largestListing)
	if failed != nil {
		return failed
	}
	if err := decode(answer.body, into); err != nil {
		return unreadable(r, answer.status, err)
	}
	return nil
}

// mayPass reports whether a failed read is worth repeating, and after which pause.
func mayPass(e *Error, pause time.Duration) (time.Duration, bool) {
	if e.Rejected {
		return 0, false
	}
	pause = max(pause/2+rand.N(pause), e.RetryAfter)
	switch {
	case e.StatusCode == 0, e.StatusCode == http.StatusRequestTimeout, e.StatusCode == http.StatusTooManyRequests,
		e.StatusCode >= 500, e.StatusCode/100 == 2:
		return pause, pause <= longestPause
	default:
		return 0, false
	}
}

// decode reads JSON. A value of an unexpected form inside it reads as absent, so that one odd
// field does not hide a whole listing; an answer of another form altogether is an error.
func decode(data []byte, into any) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return errors.New("it is null")
	}
	err := json.Unmarshal(data, into)
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && odd.Field != "" {
		return nil
	}
	return err
}

// nameless is the error of a resource without an id, which is none.
func nameless(endpoint string) *Error { return unusable(endpoint, errors.New("the answer has no id")) }

// unusable is the error of an answer that can be read and does not say what it has to.
func unusable(endpoint string, err error) *Error {
	return &Error{Op: "GET " + endpoint, StatusCode: http.StatusOK, Sent: true, Err: err}
}
