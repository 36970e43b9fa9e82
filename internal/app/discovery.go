package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
)

// discovered are the lists of projects that are in force, by what was asked for and by whom.
type discovered map[string]ledger.Discovery

// found returns the lists by the names of a configuration's discoveries.
func (d discovered) found(cfg *config.Config) map[string][]config.Found {
	found := make(map[string][]config.Found, len(cfg.Discoveries))
	for _, entry := range cfg.Discoveries {
		list := d[entry.Source()].Projects
		projects := make([]config.Found, len(list))
		for i, p := range list {
			projects[i] = config.Found(p)
		}
		found[entry.Name] = projects
	}
	return found
}

// same reports whether both have the same projects, whenever they were listed.
func (d discovered) same(other discovered) bool {
	for source, list := range d {
		if !slices.Equal(list.Projects, other[source].Projects) {
			return false
		}
	}
	return len(d) == len(other)
}

// listed reads the lists that the ledger has for a configuration.
func (a *app) listed(ctx context.Context, cfg *config.Config) (discovered, error) {
	if len(cfg.Discoveries) == 0 {
		return nil, nil
	}
	all, err := a.store.Discoveries(ctx)
	if err != nil {
		return nil, err
	}
	lists := discovered{}
	for _, d := range all {
		asked := func(entry *config.Discovery) bool { return entry.Source() == d.Source }
		if slices.ContainsFunc(cfg.Discoveries, asked) {
			lists[d.Source] = d
		}
	}
	return lists, nil
}

// recall brings the lists in the ledger into force at the start. The platform is not needed for that.
func (a *app) recall(ctx context.Context) error {
	before := a.current.Load()
	lists, err := a.listed(ctx, before.config)
	if err != nil || lists == nil {
		return err
	}
	next, err := a.setUp(before.config, lists, before)
	if err != nil {
		return err
	}
	a.current.Store(next)
	a.inventory.Keep(projectIDs(next.config.Projects))
	a.tellDiscovered(before.config, next)
	return nil
}

func (a *app) newDiscovery() *inventory.Discovery {
	a.discovered = inventory.NewDiscoveryMetrics(a.registry)
	return inventory.NewDiscovery(inventory.DiscoveryOptions{
		Sources: a.sources, Listed: a.takeOver, Found: a.found, Metrics: a.discovered, Logger: a.Logger,
	})
}

// sources are the lists to ask for, and how often.
func (a *app) sources() ([]inventory.Source, time.Duration) {
	s := a.current.Load()
	return sourcesOf(s), s.config.DiscoveryInterval
}

func sourcesOf(s *setup) []inventory.Source {
	list := make([]inventory.Source, len(s.config.Discoveries))
	for i, d := range s.config.Discoveries {
		list[i] = inventory.Source{Name: d.Name, Key: d.Source(), Organization: d.Organization, Client: s.users[d.User]}
	}
	return list
}

// found keeps a list in the ledger, and brings it into force.
func (a *app) found(ctx context.Context, s inventory.Source, projects []platform.ListedProject, at time.Time) error {
	list := ledger.Discovery{Source: s.Key, At: at, Projects: make([]ledger.DiscoveredProject, len(projects))}
	for i, p := range projects {
		list.Projects[i] = ledger.DiscoveredProject(p)
	}
	if err := a.store.Discover(ctx, list); err != nil {
		return err
	}
	_, err := a.takeOver(ctx, s)
	return err
}

// takeOver brings the lists in the ledger into force, which are this replica's or another's, and returns
// when one of them was got. It is a reload without the files.
func (a *app) takeOver(ctx context.Context, s inventory.Source) (time.Time, error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	before := a.current.Load()
	lists, err := a.listed(ctx, before.config)
	if err != nil {
		return time.Time{}, err
	}
	if lists.same(before.lists) {
		a.tellLists(before.config, lists)
		return lists[s.Key].At, nil
	}
	if _, err := a.replace(ctx, before.config, lists); err != nil {
		return time.Time{}, err
	}
	a.logDiscovered(before.config, a.current.Load().config)
	return lists[s.Key].At, nil
}

// logDiscovered tells which projects have come and gone.
func (a *app) logDiscovered(before, now *config.Config) {
	was, is := projectIDs(before.Projects), projectIDs(now.Projects)
	if ids := without(is, was); len(ids) > 0 {
		a.Logger.Info().Int("projects", len(ids)).Str("project", some(ids)).Msg("projects discovered")
	}
	if ids := without(was, is); len(ids) > 0 {
		a.Logger.Warn().Int("projects", len(ids)).Str("project", some(ids)).Msg("projects gone, nothing runs there any more")
	}
}

// some names the first of many.
func some(ids []string) string {
	const most = 10
	if len(ids) > most {
		return strings.Join(ids[:most], " ") + " …"
	}
	return strings.Join(ids, " ")
}

// without returns the ids that another list does not have.
func without(ids, other []string) []string {
	known := make(map[string]bool, len(other))
	for _, id := range other {
		known[id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return known[id] })
}

// tellDiscovered makes the metrics those of a setup that came after another.
func (a *app) tellDiscovered(before *config.Config, s *setup) {
	for _, d := range before.Discoveries {
		stays := func(now *config.Discovery) bool { return now.Name == d.Name }
		if !slices.ContainsFunc(s.config.Discoveries, stays) {
			a.discovered.Drop(d.Name)
		}
	}
	a.tellLists(s.config, s.lists)
}

func (a *app) tellLists(cfg *config.Config, lists discovered) {
	for _, d := range cfg.Discoveries {
		list := lists[d.Source()]
		a.discovered.Listed(d.Name, list.At, len(list.Projects))
	}
}
