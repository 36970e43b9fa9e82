package app

import (
	"fmt"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/secret"
)

// ConfigError says that the configuration is invalid, with every problem found.
type ConfigError struct {
	Diagnostics config.Diagnostics
}

func (e *ConfigError) Error() string { return "load configuration: " + e.Diagnostics.Error() }

// read reads the configuration and reports what is noteworthy in a valid one. How it is read, in says;
// from where, the options.
func (a *app) read(in config.Input) (*config.Config, config.Diagnostics, error) {
	in.Paths, in.LookupEnv, in.Sandbox = a.Paths, a.Lookup, a.Sandbox
	cfg, diagnostics := config.Load(in)
	if cfg == nil {
		return nil, diagnostics, &ConfigError{diagnostics}
	}
	a.log(diagnostics)
	if a.Sandbox {
		for _, u := range cfg.Users {
			u.Token = secret.FromEnv("of the sandbox", sandboxToken)
		}
	}
	return cfg, diagnostics, nil
}

// log logs what was found in a configuration.
func (a *app) log(diagnostics config.Diagnostics) {
	levels := map[config.Severity]zerolog.Level{
		config.Error: zerolog.ErrorLevel, config.Warning: zerolog.WarnLevel, config.Info: zerolog.InfoLevel,
	}
	for _, d := range diagnostics {
		e := a.Logger.WithLevel(levels[d.Severity]).Str("code", d.Code)
		if d.File != "" {
			e.Str("file", d.File).Int("line", d.Line).Int("column", d.Column)
		}
		if d.Cron != "" {
			e.Str("cron", d.Cron)
		}
		if d.Hint != "" {
			e.Str("hint", d.Hint)
		}
		e.Msg(d.Message)
	}
}

// fixed are the settings that are read once, at the start.
type fixed struct {
	APIURL, AuthURL, CAFile string
	config.Limits
	grace string // shutdown_grace
}

func fixedIn(cfg *config.Config) fixed {
	return fixed{cfg.APIURL, cfg.AuthURL, cfg.CAFile, cfg.Limits, cfg.ShutdownGrace.String()}
}

// connect makes what the clients share, and the first setup.
func (a *app) connect(cfg *config.Config) error {
	a.configured = fixedIn(cfg)
	a.fixed = a.configured
	if a.Sandbox {
		if err := a.simulate(cfg); err != nil {
			return err
		}
	}
	if err := a.openTransport(); err != nil {
		return err
	}
	a.limiter = platform.NewLimiter(platform.LimiterOptions{
		InFlight: a.fixed.InFlight, PerProject: a.fixed.PerProject, RequestsPerSecond: a.fixed.RequestsPerSecond,
		Owner: a.owner,
	})
	a.requests = platform.NewMetrics(a.registry)
	first, err := a.setUp(cfg, nil, nil)
	if err != nil {
		return err
	}
	a.current.Store(first)
	a.inventory = inventory.New(inventory.Options{
		Client: a.client, Metrics: inventory.NewMetrics(a.registry), Logger: a.Logger,
	})
	a.inventory.Keep(projectIDs(cfg.Projects))
	a.discovery = a.newDiscovery()
	return nil
}

func (a *app) openTransport() error {
	if a.transport != nil {
		return nil // a test's own
	}
	transport, err := platform.NewTransport(platform.TransportOptions{CAFile: a.fixed.CAFile})
	if err != nil {
		return err
	}
	a.transport = transport
	return nil
}

const sandboxToken = "sandbox-token"

// simulate starts the sandbox and points the clients at it.
func (a *app) simulate(cfg *config.Config) error {
	server, err := sandbox.Start(sandboxOptions(cfg), "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start sandbox: %w", err)
	}
	a.cleanups = append(a.cleanups, server.Close)
	a.fixed.APIURL, a.fixed.AuthURL, a.fixed.CAFile = server.URL, server.URL, ""
	a.Logger.Warn().Str("url", server.URL).
		Msg("SANDBOX: this platform is simulated, no request leaves this machine and nothing is backed up")
	return nil
}
