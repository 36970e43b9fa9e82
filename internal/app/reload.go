package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/scheduler"
)

// reloaded says what a reload has changed.
type reloaded struct {
	diagnostics             config.Diagnostics
	crons                   int
	added, changed, removed []string // names of crons
	restart                 bool     // a setting that is read at the start only has changed
}

// reload puts the configuration that the files have now in the place of the one that runs. It
// makes and checks everything first; with an error, all is as it was before. Nothing runs because
// of it: an edited cron owes nothing from before the edit, and one that has left sends nothing
// more, but what it has sent is followed to its end.
func (a *app) reload(ctx context.Context) (*reloaded, error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	res, err := a.tryReload(ctx)
	a.loads.record(err == nil)
	if err != nil {
		if invalid, ok := errors.AsType[*ConfigError](err); ok {
			wrong := slices.DeleteFunc(slices.Clone(invalid.Diagnostics), func(d config.Diagnostic) bool { return d.Severity != config.Error })
			a.log(wrong[:min(len(wrong), errorsLogged)]) // who asked by a signal is told nothing else
		}
		a.Logger.Error().Err(err).Msg("configuration not reloaded, the former one stays")
		return nil, err
	}
	a.Logger.Info().Int("crons", res.crons).Int("added", len(res.added)).Int("changed", len(res.changed)).
		Int("removed", len(res.removed)).Msg("configuration reloaded")
	if res.restart {
		a.Logger.Warn().Msg("a change of api: or shutdown_grace: takes effect at the next start")
	}
	return res, nil
}

// errorsLogged bounds how many errors of one configuration are logged.
const errorsLogged = 50

func (a *app) tryReload(ctx context.Context) (*reloaded, error) {
	cfg, diagnostics, err := a.read(config.Input{})
	if err != nil {
		return nil, err
	}
	lists, err := a.listed(ctx, cfg)
	if err != nil {
		return nil, err
	}
	res, err := a.replace(ctx, cfg, lists)
	if err != nil {
		return nil, err
	}
	a.discovery.Again()
	res.diagnostics, res.restart = diagnostics, fixedIn(cfg) != a.configured
	return res, nil
}

// replace puts a configuration, with the projects that its discoveries have found, in the place of the one
// that runs. With an error, all is as it was before. The caller holds a.reloading.
func (a *app) replace(ctx context.Context, cfg *config.Config, lists discovered) (*reloaded, error) {
	before := a.current.Load()
	next, err := a.setUp(cfg, lists, before)
	if err != nil {
		return nil, err
	}
	next.former = before.leaving(next)
	known, err := a.store.Targets(ctx)
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	entries, err := a.entries(ctx, next.config)
	if err != nil {
		return nil, err
	}
	a.swap(next, entries, known)
	a.lease.Reconfigured(cfg.Hash)
	a.greet(ctx, before, next)
	a.forget(ctx, before, next)
	res := compare(before.jobs, next.jobs)
	res.crons = len(cfg.Jobs)
	return res, nil
}

// swap puts a setup into force. Who looks at crons and their fires together takes a.swapping.
func (a *app) swap(next *setup, entries []scheduler.Entry, known []ledger.Target) {
	a.swapping.Lock()
	defer a.swapping.Unlock()
	before := a.current.Swap(next)
	a.outcomes.Load(next.config.Jobs, a.Observe, known)
	a.inventory.Keep(projectIDs(next.config.Projects))
	a.tellDiscovered(before.config, next)
	a.scheduler.Load(entries)
}

// greet fetches the access tokens of new clients, so that a token that is not accepted is told now
// and not at the first fire. The exchange goes on when ctx ends; only nobody waits for it then.
func (a *app) greet(ctx context.Context, before, next *setup) {
	for name, client := range next.users {
		if before == nil || before.users[name] != client {
			a.parts.Go(func() error { _ = client.EnsureToken(ctx); return nil })
		}
	}
}

// forget ends what is kept of users and projects that have left. Nothing new is sent for them by
// now, so the ledger knows which projects still need their client.
func (a *app) forget(ctx context.Context, before, next *setup) {
	for name := range before.users {
		if next.users[name] == nil {
			a.requests.Forget(name)
		}
	}
	if len(next.former) == 0 {
		return
	}
	open, err := a.store.OpenProjects(ctx)
	if err != nil {
		a.Logger.Warn().Err(err).Msg("clients of projects that have left are kept")
		return
	}
	trimmed := *next
	trimmed.former = maps.Clone(next.former)
	maps.DeleteFunc(trimmed.former, func(project string, _ *platform.Client) bool { return !slices.Contains(open, project) })
	a.current.Store(&trimmed)
}

// leaving returns the clients of all projects that the next setup does not have.
func (s *setup) leaving(next *setup) map[string]*platform.Client {
	former := map[string]*platform.Client{}
	for _, clients := range []map[string]*platform.Client{s.former, s.clients} {
		for project, client := range clients {
			if next.clients[project] == nil {
				former[project] = client
			}
		}
	}
	return former
}

// samePolicies reports whether two jobs agree in what may be changed of a cron without its counting as
// edited, which would begin anew what it owes.
func samePolicies(a, b *job.Job) bool {
	type policies struct {
		overlap                               job.Overlap
		inDoubt                               job.InDoubt
		onFailure                             job.OnFailure
		catchUp                               job.CatchUp
		spread, deadline, timeout, maxSuccess time.Duration
		retries                               int
	}
	of := func(j *job.Job) policies {
		return policies{j.Overlap, j.InDoubt, j.OnFailure, j.CatchUp, j.Spread, j.StartDeadline, j.Timeout, j.MaxSuccessAge, j.Retries}
	}
	return of(a) == of(b) && maps.Equal(a.Variables, b.Variables)
}

// compare finds what has changed between two sets of crons.
func compare(before, next map[string]*job.Job) *reloaded {
	res := &reloaded{}
	for _, name := range slices.Sorted(maps.Keys(next)) {
		switch old := before[name]; {
		case old == nil:
			res.added = append(res.added, name)
		case scheduleHash(old) != scheduleHash(next[name]) || !samePolicies(old, next[name]):
			res.changed = append(res.changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if next[name] == nil {
			res.removed = append(res.removed, name)
		}
	}
	return res
}
