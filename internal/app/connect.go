package app

import (
	"fmt"
	"runtime/debug"

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

// load reads the configuration and reports what is noteworthy in a valid one.
func (a *app) load() error {
	cfg, diagnostics := config.Load(config.Input{Paths: a.Paths, LookupEnv: a.Lookup, Sandbox: a.Sandbox})
	if cfg == nil {
		return &ConfigError{diagnostics}
	}
	for _, d := range diagnostics {
		e := a.Logger.Warn()
		if d.Severity == config.Info {
			e = a.Logger.Info()
		}
		e.Str("file", d.File).Int("line", d.Line).Int("column", d.Column).Str("code", d.Code).
			Str("cron", d.Cron).Msg(d.Message)
	}
	a.config = cfg
	// The parsed text of ten thousand crons is several times their own size, and never needed again.
	debug.FreeOSMemory()
	newConfigMetrics(a.registry, a.Version).loaded()
	return nil
}

// connect makes one client per automation user. They share connections, limits and metrics.
func (a *app) connect() error {
	if a.Sandbox {
		if err := a.simulate(); err != nil {
			return err
		}
	}
	transport, err := platform.NewTransport(platform.TransportOptions{CAFile: a.config.CAFile})
	if err != nil {
		return err
	}
	a.limiter = platform.NewLimiter(platform.LimiterOptions{
		InFlight: a.config.Limits.InFlight, PerProject: a.config.Limits.PerProject,
		RequestsPerSecond: a.config.Limits.RequestsPerSecond,
	})
	metrics := platform.NewMetrics(a.registry)
	a.users = make(map[string]*platform.Client, len(a.config.Users))
	for _, u := range a.config.Users {
		client, err := platform.New(platform.Options{
			APIURL: a.config.APIURL, AuthURL: a.config.AuthURL, User: u.Name, Token: u.Token,
			Transport: transport, Limiter: a.limiter, UserAgent: a.Version.UserAgent(),
			Timeout: a.Timing.Request, Metrics: metrics, Logger: a.Logger,
		})
		if err != nil {
			return fmt.Errorf("automation user %q: %w", u.Name, err)
		}
		a.users[u.Name] = client
	}
	a.clients = make(map[string]*platform.Client, len(a.config.Projects))
	for _, p := range a.config.Projects {
		a.clients[p.ID] = a.users[p.User]
	}
	if len(a.config.Users) == 1 {
		a.fallback = a.users[a.config.Users[0].Name]
	}
	listings := inventory.NewMetrics(a.registry)
	for _, p := range a.config.Projects {
		listings.Expect(p.ID)
	}
	a.inventory = inventory.New(inventory.Options{Client: a.client, Metrics: listings, Logger: a.Logger})
	return nil
}

// client returns the client for a project. A project that only a script names is asked for with
// the one automation user there is; with several, nobody can say which.
func (a *app) client(project string) *platform.Client {
	if c := a.clients[project]; c != nil {
		return c
	}
	return a.fallback
}

// simulate starts the sandbox and points the configuration at it.
func (a *app) simulate() error {
	const token = "sandbox-token"
	server, err := sandbox.Start(a.sandboxOptions(token), "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start sandbox: %w", err)
	}
	a.cleanups = append(a.cleanups, server.Close)
	a.config.APIURL, a.config.AuthURL, a.config.CAFile = server.URL, server.URL, ""
	for _, u := range a.config.Users {
		u.Token = secret.FromEnv("of the sandbox", token)
	}
	a.Logger.Warn().Str("url", server.URL).
		Msg("SANDBOX: this platform is simulated, no request leaves this machine and nothing is backed up")
	return nil
}
