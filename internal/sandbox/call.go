package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest request body that is read, in bytes.
const maxBody = 1 << 20

// call is one request with its answer, which it collects as a ResponseWriter.
type call struct {
	*http.Request
	now    time.Time // on the platform's clock, when the request is handled
	caller caller
	body   []byte
	unread error // why the body is not there
	fault  Fault
	entry  *Entry

	header   http.Header
	status   int
	content  bytes.Buffer
	executed bool
	lost     bool          // the connection is reset instead of an answer
	pause    time.Duration // in the middle of the content
}

// receive takes in a request and finds the fault that is to strike it.
func (s *Sandbox) receive(r *http.Request) *call {
	return &call{Request: r, fault: s.faults.strike(r.Method, r.URL.EscapedPath()), header: http.Header{}}
}

// handle carries out a call whose body was read, fault and all. Afterwards its answer is complete.
func (s *Sandbox) handle(c *call) {
	at := time.Now()
	c.now = s.now()
	c.caller = s.accounts.caller(c.bearer(), c.now)
	c.entry = &Entry{
		At: at, Method: c.Method, Path: c.URL.EscapedPath(), Query: c.URL.RawQuery,
		Body: c.journalBody(), User: c.caller.ID, Fault: string(c.fault.Kind),
	}
	s.journal.arrive(c.entry)
	if c.unread != nil {
		c.fail(400, c.unread.Error())
	} else {
		s.suffer(c)
	}
	s.journal.change(func() {
		c.entry.Executed = c.executed
		if !c.lost {
			c.entry.Status = c.status
		}
	})
}

// suffer serves the call and lets its fault strike before or afterwards.
func (s *Sandbox) suffer(c *call) {
	f := c.fault
	first := f.Kind == "" || f.executesFirst()
	if first {
		s.serve(c)
	}
	if f.Kind == SlowBody {
		c.pause = f.Latency
		return
	}
	if err := sleep(c.Context(), f.Latency); err != nil {
		c.lost = true // the client is gone
		return
	}
	switch f.Kind {
	case Delay:
		if !first {
			s.serve(c)
		}
	case Refuse, ResetBefore, ResetAfter:
		c.lost = true
	case Status:
		c.replace(f, 503)
	case HTML:
		c.replace(f, 502)
	case Truncated:
		c.content.Truncate(c.content.Len() / 2)
	case NoActivities:
		if c.status/100 == 2 {
			c.json(c.status, accepted{Status: "Accepted", Code: c.status})
		}
	}
}

// serve answers the call as the platform does at this moment.
func (s *Sandbox) serve(c *call) {
	request := c.Request
	c.now = s.now()
	s.mux.ServeHTTP(c, request)
	c.Request = request // routes see a request with values of the path
	if c.status == 0 {
		c.status = 200
	}
}

// replace puts a fault's answer in the place of the real one.
func (c *call) replace(f Fault, status int) {
	if f.Status != 0 {
		status = f.Status
	}
	c.header = http.Header{}
	if f.Kind == HTML {
		c.header.Set("Content-Type", "text/html")
		c.status = status
		c.content.Reset()
		fmt.Fprintf(&c.content, "<!DOCTYPE html>\n<title>%d %s</title>\n<h1>%[2]s</h1>\n<p>Injected by the sandbox.</p>\n",
			status, http.StatusText(status))
	} else {
		c.fail(status, "Injected by the sandbox")
	}
	if f.Body != "" {
		c.content.Reset()
		c.content.WriteString(f.Body)
	}
	if f.RetryAfter > 0 {
		seconds := (f.RetryAfter + time.Second - 1) / time.Second
		c.header.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	for name, values := range f.Header {
		c.header[http.CanonicalHeaderKey(name)] = values
	}
}

// readBody reads the whole request body.
func (c *call) readBody() {
	if c.Body == nil {
		return
	}
	var err error
	if c.body, err = io.ReadAll(io.LimitReader(c.Body, maxBody+1)); err != nil {
		c.unread = fmt.Errorf("read the body: %w", err)
	}
	if len(c.body) > maxBody {
		c.body, c.unread = nil, errors.New("the body is too large")
	}
}

func (c *call) journalBody() string {
	if strings.Contains(c.URL.Path, "/oauth2/") {
		return withoutTokens(c.body)
	}
	return string(c.body)
}

// bearer is the access token, "" without one.
func (c *call) bearer() string {
	scheme, token, ok := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// Header implements http.ResponseWriter, and so hides the request's headers.
func (c *call) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *call) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

// Write implements http.ResponseWriter.
func (c *call) Write(p []byte) (int, error) { return c.content.Write(p) }

// json sets the answer.
func (c *call) json(status int, v any) {
	data, err := json.Marshal(v)
	if err != nil { // a time beyond the year 9999, set by a test
		status, data = 500, fmt.Appendf(nil, "{%q:%q}", "message", err)
	}
	c.header.Set("Content-Type", "application/json")
	c.status = status
	c.content.Reset()
	c.content.Write(data)
}

// fail sets an answer that is an error.
func (c *call) fail(status int, message string) {
	c.json(status, problem{Status: "error", Code: status, Title: http.StatusText(status), Message: message})
}

// finish adds the headers that every answer has.
func (s *Sandbox) finish(c *call) {
	c.header.Set("X-Automatond-Sandbox", "simulated platform")
	c.header.Set("Date", s.now().Format(http.TimeFormat))
	c.header.Set("Content-Length", strconv.Itoa(c.content.Len()))
}

// sleep waits unless the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
