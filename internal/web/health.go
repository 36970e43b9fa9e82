package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// readyFor is how long a good answer of the readiness check serves, so that a probe every second
// does not become a write every second.
const readyFor = 3 * time.Second

// probes serves health under Prometheus' paths and Kubernetes' ones.
//
// Healthy means that the scheduler's loop ticks: if not, a restart helps. Ready means that the
// configuration is loaded and the store is writable, and nothing else: a sidecar that is not
// ready takes its pod out of service, which a rejected token is no reason for.
func (s *Server) probes(mux *http.ServeMux) {
	healthy := answer(func(context.Context) error { return s.options.Healthy() }, "healthy")
	ready := answer(remembered(s.options.Ready), "ready")
	mux.Handle("GET /-/healthy", healthy)
	mux.Handle("GET /healthz", healthy)
	mux.Handle("GET /-/ready", ready)
	mux.Handle("GET /readyz", ready)
}

func answer(check func(context.Context) error, word string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := check(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "not %s: %v\n", word, err)
			return
		}
		fmt.Fprintf(w, "%s\n", word)
	})
}

// remembered asks the check one caller at a time, and not again within readyFor of a good answer.
func remembered(check func(context.Context) error) func(context.Context) error {
	var (
		mu   sync.Mutex
		good time.Time
	)
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if !good.IsZero() && time.Since(good) < readyFor {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err := check(ctx)
		if err == nil {
			good = time.Now()
		}
		return err
	}
}
