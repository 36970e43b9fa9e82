// Package web serves what people and machines read: metrics, health, and a plain page.
//
// There are two listeners. The first carries everything and may ask for TLS and a password, by
// exporter-toolkit's web configuration file. The second carries only the probes and never asks
// for anything, so that a container runtime needs no credentials.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/rs/zerolog"
)

// Options are what New needs.
type Options struct {
	ListenAddress string // pages and metrics, such as ":8632"
	ConfigFile    string // exporter-toolkit's web configuration; "" = plain HTTP
	ProbeAddress  string // probes only, such as ":8633"; "" = none

	Gatherer prometheus.Gatherer
	Registry prometheus.Registerer           // for the metrics of serving metrics
	Healthy  func() error                    // nil error: the scheduler's loop ticks
	Ready    func(ctx context.Context) error // nil error: configuration loaded, store writable
	Page     func() Page
	Logger   zerolog.Logger
}

// Server listens from New on, and answers while Run is running.
type Server struct {
	options Options
	log     zerolog.Logger
	main    net.Listener
	probe   net.Listener
}

// New opens the listeners, so that an address in use is an error at start.
func New(o Options) (*Server, error) {
	s := &Server{options: o, log: o.Logger.With().Str("component", "web").Logger()}
	if o.ConfigFile != "" {
		if err := toolkit.Validate(o.ConfigFile); err != nil {
			return nil, fmt.Errorf("web configuration %s: %w", o.ConfigFile, err)
		}
	}
	var err error
	if s.main, err = net.Listen("tcp", o.ListenAddress); err != nil {
		return nil, fmt.Errorf("listen for pages and metrics: %w", err)
	}
	if o.ProbeAddress == "" {
		return s, nil
	}
	if s.probe, err = net.Listen("tcp", o.ProbeAddress); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for probes: %w", err), s.main.Close())
	}
	return s, nil
}

// Address is where the pages and metrics are, with the real port.
func (s *Server) Address() string { return s.main.Addr().String() }

// ProbeAddress is where the probes are, with the real port; "" when there are none.
func (s *Server) ProbeAddress() string {
	if s.probe == nil {
		return ""
	}
	return s.probe.Addr().String()
}

// Run serves until ctx ends, then lets answers under way finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	logger := slog.New(zerolog.NewSlogHandler(s.log.Level(zerolog.WarnLevel)))
	configFile := s.options.ConfigFile
	main := newServer(s.mainHandler())
	servers := []*http.Server{main}
	failed := make(chan error, 2)
	go func() {
		failed <- toolkit.Serve(s.main, main, &toolkit.FlagConfig{WebConfigFile: &configFile}, logger)
	}()
	if s.probe != nil {
		probe := newServer(s.probeHandler())
		servers = append(servers, probe)
		go func() { failed <- probe.Serve(s.probe) }()
	}
	s.log.Info().Str("address", s.Address()).Str("probes", s.ProbeAddress()).Msg("listening")

	var err error
	running := len(servers)
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(shutdown) != nil {
			server.Close()
		}
	}
	for range running {
		err = errors.Join(err, ignoreClosed(<-failed))
	}
	return ignoreClosed(err)
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

func (s *Server) mainHandler() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	mux.Handle("GET /metrics", promhttp.InstrumentMetricHandler(s.options.Registry,
		promhttp.HandlerFor(s.options.Gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true})))
	mux.Handle("GET /style.css", http.FileServerFS(files))
	mux.HandleFunc("GET /{$}", s.landing)
	return secured(mux)
}

func (s *Server) probeHandler() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	return mux
}

// secured sets the headers under which a page may load nothing but its own style.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, r)
	})
}
