package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ServeHTTP implements http.Handler. A fault that resets the connection closes
// it without lingering; where the server does not let go of the connection, it
// aborts the handler.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.receive(r)
	if c.fault.Kind == Refuse {
		if sleep(r.Context(), c.fault.Latency) == nil {
			reset(w)
		}
		return
	}
	c.readBody()
	s.handle(c)
	if c.lost {
		reset(w)
		return
	}
	s.finish(c)
	for name, values := range c.header {
		w.Header()[name] = values
	}
	w.WriteHeader(c.status)
	content := c.content.Bytes()
	if c.pause > 0 {
		half := len(content) / 2
		w.Write(content[:half])
		http.NewResponseController(w).Flush() // or it is slow as a whole
		content = content[half:]
		if sleep(r.Context(), c.pause) != nil {
			return
		}
	}
	w.Write(content) // a client that is gone does not want it
}

// reset closes the connection so that the client sees a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's own way to drop a connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // at worst the client sees an end instead of a reset
	}
	conn.Close()
}

// Server is a sandbox on a socket of this machine.
type Server struct {
	*Sandbox
	URL string // such as "http://127.0.0.1:41937"

	server *http.Server
	done   chan error // gets the end of Serve, then is closed
}

// Start serves a new sandbox on an address of this machine, such as
// "127.0.0.1:0", which is also meant by "". Other addresses are refused, because
// a sandbox protects nothing.
func Start(o Options, addr string) (*Server, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		listener.Close()
		return nil, fmt.Errorf("start sandbox: %s is not an address of this machine alone", addr)
	}
	s := &Server{Sandbox: New(o), URL: "http://" + listener.Addr().String(), done: make(chan error, 1)}
	s.server = &http.Server{Handler: s.Sandbox, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		s.done <- s.server.Serve(listener)
		close(s.done)
	}()
	return s, nil
}

// Close ends the service and its connections. A second call does nothing.
func (s *Server) Close() error {
	err := s.server.Close()
	if served := <-s.done; served != nil && !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
