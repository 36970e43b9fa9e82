package platform

import (
	"context"
	"net/http"
	"time"
)

// ReachAPI asks the API's host for an answer, without a token. Any answer shows that it is there, but
// those by which something in front of it says that it is not.
func (c *Client) ReachAPI(ctx context.Context) error { return c.reach(ctx, c.api.String()+"/") }

// ReachAuth does the same with the token endpoint.
func (c *Client) ReachAuth(ctx context.Context) error { return c.reach(ctx, c.tokens.url) }

func (c *Client) reach(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, c.noAnswer)
	defer cancel()
	op := http.MethodGet + " " + at
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return &Error{Op: op, Err: err}
	}
	request.Header.Set("User-Agent", c.options.UserAgent)
	began := time.Now()
	response, err := c.options.Transport.RoundTrip(request)
	if err != nil {
		return &Error{Op: op, Err: cause(ctx, err)}
	}
	defer response.Body.Close()
	c.observeClock(response.Header, began, time.Now())
	if response.StatusCode >= http.StatusInternalServerError {
		return &Error{Op: op, StatusCode: response.StatusCode, Sent: true}
	}
	return nil
}
