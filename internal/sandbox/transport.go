package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"syscall"
	"time"
)

// Transport returns a way to the platform without sockets and goroutines, for
// clients inside a testing/synctest bubble. It goes to this sandbox whatever
// host a request names. A request's context and trace hooks are honoured; the
// connection that GotConn is told of is nil.
func (s *Sandbox) Transport() http.RoundTripper { return transport{s} }

type transport struct{ sandbox *Sandbox }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if r.Body != nil {
		defer r.Body.Close()
	}
	if r.URL == nil {
		return nil, errors.New("sandbox: the request has no URL")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	served := *r // routing writes into the request
	c := t.sandbox.receive(&served)
	trace := tracer{httptrace.ContextClientTrace(ctx)}
	trace.getConn(r)
	if c.fault.Kind == Refuse {
		if err := sleep(ctx, c.fault.Latency); err != nil {
			return nil, err
		}
		return nil, broken("dial", "connect", syscall.ECONNREFUSED)
	}
	trace.gotConn()
	c.readBody()
	trace.wroteRequest()
	t.sandbox.handle(c)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c.lost {
		return nil, broken("read", "read", syscall.ECONNRESET)
	}
	t.sandbox.finish(c)
	trace.gotFirstByte()
	return c.response(ctx, r), nil
}

// broken is the error of a TCP connection, as a socket gives it.
func broken(op, call string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(call, errno)}
}

// response is the answer as a client gets it.
func (c *call) response(ctx context.Context, r *http.Request) *http.Response {
	content := c.content.Bytes()
	if r.Method == http.MethodHead {
		content = nil
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", c.status, http.StatusText(c.status)),
		StatusCode: c.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        c.header,
		Body:          &body{ctx: ctx, content: content, pause: c.pause},
		ContentLength: int64(len(content)),
		Request:       r,
	}
}

// body is the content of an answer; with a pause, it stops half way.
type body struct {
	ctx     context.Context // of the request, which also limits how long its answer is read
	content []byte
	pause   time.Duration
	offset  int
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	end, half := len(b.content), len(b.content)/2
	if b.pause > 0 {
		if b.offset == half {
			if err := sleep(b.ctx, b.pause); err != nil {
				return 0, err
			}
			b.pause = 0
		} else {
			end = half
		}
	}
	n := copy(p, b.content[b.offset:end])
	b.offset += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (b *body) Close() error { return nil }

// tracer calls the hooks that a client has set, as over a warm connection.
type tracer struct{ hooks *httptrace.ClientTrace }

func (t tracer) getConn(r *http.Request) {
	if t.hooks != nil && t.hooks.GetConn != nil {
		t.hooks.GetConn(r.URL.Host)
	}
}

func (t tracer) gotConn() {
	if t.hooks != nil && t.hooks.GotConn != nil {
		t.hooks.GotConn(httptrace.GotConnInfo{Reused: true})
	}
}

func (t tracer) wroteRequest() {
	if t.hooks == nil {
		return
	}
	if t.hooks.WroteHeaders != nil {
		t.hooks.WroteHeaders()
	}
	if t.hooks.WroteRequest != nil {
		t.hooks.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

func (t tracer) gotFirstByte() {
	if t.hooks != nil && t.hooks.GotFirstResponseByte != nil {
		t.hooks.GotFirstResponseByte()
	}
}
