package app

import (
	"fmt"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
)

// setup is one loaded configuration with what is made of it. It never changes: a reload puts
// another one in its place.
type setup struct {
	config   *config.Config // with the discovered projects
	lists    discovered
	jobs     map[string]*job.Job         // by name; without those left to the app container
	users    map[string]*platform.Client // by name of the automation user
	clients  map[string]*platform.Client // by platform project id
	owners   map[string]*config.User     // by platform project id; without those that have no bound of their own
	former   map[string]*platform.Client // of projects that have left and may still have open runs
	fallback *platform.Client            // for projects a script names; nil when several users are configured
}

// setUp makes the clients of a configuration. An automation user that was there before, with the
// same token, keeps its client and so its access token.
func (a *app) setUp(cfg *config.Config, lists discovered, before *setup) (*setup, error) {
	if len(cfg.Discoveries) > 0 {
		cfg = cfg.With(lists.found(cfg))
	}
	s := &setup{
		config: cfg, lists: lists, jobs: make(map[string]*job.Job, len(cfg.Jobs)),
		users:   make(map[string]*platform.Client, len(cfg.Users)),
		clients: make(map[string]*platform.Client, len(cfg.Projects)),
	}
	for _, u := range cfg.Users {
		client := before.clientOf(u)
		if client == nil {
			var err error
			if client, err = a.newClient(u); err != nil {
				return nil, err
			}
		}
		s.users[u.Name] = client
	}
	s.owners = owners(cfg)
	for _, p := range cfg.Projects {
		s.clients[p.ID] = s.users[p.User]
	}
	if len(cfg.Users) == 1 {
		s.fallback = s.users[cfg.Users[0].Name]
	}
	for _, j := range cfg.Jobs {
		if j.Left == nil {
			s.jobs[j.Name] = j
		}
	}
	return s, nil
}

// clientOf returns the client of an automation user if it can go on being used.
func (s *setup) clientOf(u *config.User) *platform.Client {
	if s == nil {
		return nil
	}
	for _, known := range s.config.Users {
		if known.Name == u.Name && known.Token.Equal(u.Token) {
			return s.users[u.Name]
		}
	}
	return nil
}

func (a *app) newClient(u *config.User) (*platform.Client, error) {
	client, err := platform.New(platform.Options{
		APIURL: a.fixed.APIURL, AuthURL: a.fixed.AuthURL, User: u.Name, Token: u.Token,
		Transport: a.transport, Limiter: a.limiter, UserAgent: a.Version.UserAgent(),
		Timeout: a.Timing.Request, Metrics: a.requests, Logger: a.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("automation user %q: %w", u.Name, err)
	}
	return client, nil
}

// job returns a configured cron, or nil.
func (a *app) job(name string) *job.Job { return a.current.Load().jobs[name] }

// client returns the client for a project. A project that only a script names is asked for with
// the one automation user there is; with several, nobody can say which.
func (a *app) client(project string) *platform.Client {
	s := a.current.Load()
	if c := s.clients[project]; c != nil {
		return c
	}
	if c := s.former[project]; c != nil {
		return c
	}
	return s.fallback
}

// owner names the automation user of a project, and how many of its requests may be under way; 0 is no
// bound of its own.
func (a *app) owner(project string) (name string, most int) {
	u := a.current.Load().owners[project]
	if u == nil {
		return "", 0
	}
	return u.Name, u.MaxInFlight
}

// owners finds the automation users that have a bound of their own, by project.
func owners(cfg *config.Config) map[string]*config.User {
	bounded := map[string]*config.User{}
	for _, u := range cfg.Users {
		if u.MaxInFlight > 0 {
			bounded[u.Name] = u
		}
	}
	found := map[string]*config.User{}
	for _, p := range cfg.Projects {
		if u := bounded[p.User]; u != nil {
			found[p.ID] = u
		}
	}
	return found
}

func projectIDs(projects []*job.Project) []string {
	ids := make([]string, len(projects))
	for i, p := range projects {
		ids[i] = p.ID
	}
	return ids
}
