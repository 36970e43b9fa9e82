// Package platform is a client of the Platform.sh / Upsun API: token exchange, HAL resources,
// state-changing requests, activities, and errors that say whether a request executed.
//
// It sends what it is told to, and decides nothing: which request to send, and what to do after an
// answer, belongs to package runner. Reads are repeated a few times by themselves; a
// state-changing request never is, but for the one new access token after a 401, because a 401
// says that nothing was executed.
//
// Facts of the protocol are taken from the API's OpenAPI description and from the vendor's CLI.
package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/secret"
)

// DefaultTimeout is how long one request may take with its answer, as in the vendor's CLI.
const DefaultTimeout = 30 * time.Second

// Options are what New needs.
type Options struct {
	APIURL  string // base of the API, "https://api.upsun.com"; paths of HAL links are resolved on its host
	AuthURL string // base of the token endpoint, "https://auth.upsun.com"

	User  string        // configuration name of the automation user, a label of metrics
	Token secret.Source // the user's API token, read again after it changed or was rejected

	Transport http.RoundTripper // shared between clients; nil makes one with the defaults
	Limiter   *Limiter          // shared between clients; nil limits nothing
	UserAgent string
	Timeout   time.Duration // default DefaultTimeout
	Metrics   *Metrics      // nil counts nothing
	Logger    zerolog.Logger
}

// Client asks the platform under one automation user's token. It may be used concurrently.
type Client struct {
	options  Options
	api      *url.URL
	tokens   *tokens
	traces   bool         // the transport says when it has a connection
	noAnswer error        // why a request ends that takes too long
	offset   atomic.Int64 // platform's clock minus ours, in nanoseconds
	userID   atomic.Pointer[string]
}

// New returns a client. It sends nothing yet.
func New(o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Transport == nil {
		transport, err := NewTransport(TransportOptions{})
		if err != nil {
			return nil, err
		}
		o.Transport = transport
	}
	api, err := baseURL(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("API URL: %w", err)
	}
	auth, err := baseURL(o.AuthURL)
	if err != nil {
		return nil, fmt.Errorf("authentication URL: %w", err)
	}
	_, traces := o.Transport.(*http.Transport)
	return &Client{
		options: o, api: api, tokens: newTokens(o, auth), traces: traces,
		noAnswer: fmt.Errorf("no answer within %s", o.Timeout),
	}, nil
}

func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil {
		return nil, errors.New("it is not a URL") // what it is may hold a password
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a user, a query or a fragment has no place in it")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", raw)
	}
	return u, nil
}

// EnsureToken fetches an access token now if there is none, and has one that ends soon, or whose
// API token was changed, replaced in the background.
func (c *Client) EnsureToken(ctx context.Context) error {
	c.tokens.look()
	if _, err := c.tokens.get(ctx); err != nil {
		return tokenError("automation user "+strconv.Quote(c.options.User), err)
	}
	return nil
}

// ClockOffset is the platform's clock minus ours, by the Date header of its latest answer, whose
// resolution is one second. It is zero while nothing was measured.
func (c *Client) ClockOffset() time.Duration {
	return time.Duration(c.offset.Load())
}

// largestOffset bounds what is believed of a Date header: waits are made longer by the difference,
// and one wrong answer must not make them endless.
const largestOffset = 24 * time.Hour

// observeClock compares the answer's Date with the middle of the request. Differences that the
// header's resolution explains count as none.
func (c *Client) observeClock(header http.Header, began, ended time.Time) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	middle := began.Add(ended.Sub(began) / 2)
	offset := date.Add(500 * time.Millisecond).Sub(middle)
	if offset.Abs() <= time.Second+ended.Sub(began)/2 {
		offset = 0
	}
	c.offset.Store(int64(min(max(offset, -largestOffset), largestOffset)))
}
