package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
)

// Options are what a Server needs: where it listens, and what the daemon does when it is asked to.
// An error that is a *Refusal is the caller's; any other is the daemon's own.
type Options struct {
	Dir string // the data directory, which must be this process's alone

	Trigger func(context.Context, Trigger) (Asked, error)
	Command func(context.Context, Command) (Asked, error)
	// Suspend and Resume return what is suspended afterwards.
	Suspend func(context.Context, Suspend) ([]ledger.Suspension, error)
	Resume  func(ctx context.Context, cron string) ([]ledger.Suspension, error)
	Resolve func(context.Context, ledger.Resolution) (ledger.Resolved, error)
	Reload  func(context.Context) (Reloaded, error)

	Logger zerolog.Logger
}

// Server listens from Listen on, and answers while Run is running.
type Server struct {
	options  Options
	log      zerolog.Logger
	listener net.Listener
	release  func() error
}

// Listen opens the socket, for the process's own user only. A socket that is there already is what
// a process has left that ended without a chance to remove it: the directory is this process's.
func Listen(o Options) (*Server, error) {
	path, release, err := address(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	s := &Server{options: o, log: o.Logger.With().Str("component", "control").Logger(), release: release}
	if err := s.listen(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open control socket: %w", err), release())
	}
	return s, nil
}

func (s *Server) listen(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Linux makes the file with the descriptor's mode, so nobody gets in before the chmod below.
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	listener, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.listener = listener
	return nil
}

// Run answers until ctx ends, then lets answers under way finish for a moment, and removes the
// socket.
func (s *Server) Run(ctx context.Context) error {
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listener) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(shutdown) != nil {
			server.Close()
		}
		err = <-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.release())
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/trigger", answer(s.log, s.options.Trigger))
	mux.Handle("POST /v1/command", answer(s.log, s.options.Command))
	mux.Handle("POST /v1/suspend", answer(s.log, func(ctx context.Context, in Suspend) ([]Suspension, error) {
		list, err := s.options.Suspend(ctx, in)
		return suspensionsOf(list), err
	}))
	mux.Handle("POST /v1/resume", answer(s.log, func(ctx context.Context, in Resume) ([]Suspension, error) {
		list, err := s.options.Resume(ctx, in.Cron)
		return suspensionsOf(list), err
	}))
	mux.Handle("POST /v1/resolve", answer(s.log, func(ctx context.Context, in Resolve) (Resolved, error) {
		return in.With(ctx, s.options.Resolve)
	}))
	mux.Handle("POST /v1/reload", answer(s.log, func(ctx context.Context, _ struct{}) (Reloaded, error) {
		return s.options.Reload(ctx)
	}))
	return mux
}

// requestLimit is far more than a request has.
const requestLimit = 1 << 20

// answer decodes a request, lets the daemon do it, and encodes its answer.
func answer[In, Out any](log zerolog.Logger, do func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		decoder := json.NewDecoder(io.LimitReader(r.Body, requestLimit))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			write(w, http.StatusBadRequest, &Refusal{Message: "the request is not understood: " + err.Error()})
			return
		}
		// What was asked for is done also when nobody waits for the answer any more.
		out, err := do(context.WithoutCancel(r.Context()), in)
		var refusal *Refusal
		switch {
		case err == nil:
			write(w, http.StatusOK, out)
		case errors.As(err, &refusal):
			write(w, http.StatusUnprocessableEntity, refusal)
		default:
			log.Error().Err(err).Str("request", r.URL.Path).Msg("request not carried out")
			write(w, http.StatusInternalServerError, &Refusal{Message: err.Error()})
		}
	})
}

func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever asked is gone
}
