package config

import (
	"cmp"
	"slices"

	"github.com/automatond/automatond/internal/job"
	"github.com/bmatcuk/doublestar/v4"
)

// Discovery is an entry under `projects:` that stands for projects which are found out at run time.
type Discovery struct {
	Name         string            // its key under `projects:`
	Organization string            // id or name, whose projects they are; "" = all that the user can see
	User         string            // name of the automation user whose token is used
	Variables    map[string]string // of each project; may be shared
}

// Source says what is asked for and by whom. Entries with one source stand for the same projects.
func (d *Discovery) Source() string {
	if d.Organization == "" {
		return "everything that " + d.User + " can see"
	}
	return "organization " + d.Organization + " as " + d.User
}

// DiscoveryNames lists the entries whose projects are found out at run time.
func (c *Config) DiscoveryNames() []string {
	var names []string
	for _, d := range c.Discoveries {
		names = append(names, d.Name)
	}
	return names
}

// Found is a project that was discovered.
type Found struct {
	ID    string
	Title string // "" if it is not known
}

// With returns the configuration with the projects that were found, by the names of its discoveries, in
// the place of those found before. Nothing else differs, and c is not changed.
//
// A project that is listed by its id stays what it is listed as, and belongs to the discoveries that find
// it beside that. One that several find has the user and the variables of the first. A discovered project
// has its id for an alias.
func (c *Config) With(found map[string][]Found) *Config {
	base := c
	if c.base != nil {
		base = c.base
	}
	next := *base
	next.base = base
	members := base.members(found)
	next.Projects = make([]*job.Project, len(members))
	for i, m := range members {
		next.Projects[i] = m.project
	}
	chosen := map[string][]*job.Project{}
	next.Jobs = make([]*job.Job, len(base.Jobs))
	for i, j := range base.Jobs {
		with := *j
		with.Projects = next.Projects
		if s, selects := base.selections[j]; selects {
			list, known := chosen[s.text]
			if !known {
				list = s.from(members)
				chosen[s.text] = list
			}
			with.Projects = list
		}
		next.Jobs[i] = &with
	}
	return &next
}

// member is a project with what a cron may call it.
type member struct {
	project *job.Project
	names   []string // its alias if it is listed, and the discoveries that found it
	also    []string // what patterns are held against besides: id and title, if it is discovered
}

// members are the listed projects, then the discovered ones by their discovery and id.
func (c *Config) members(found map[string][]Found) []*member {
	list := make([]*member, 0, len(c.Projects))
	byID := map[string]*member{}
	for _, p := range c.Projects {
		m := &member{project: p, names: []string{p.Alias}}
		list = append(list, m)
		byID[p.ID] = m
	}
	for _, d := range c.Discoveries {
		some := slices.SortedFunc(slices.Values(found[d.Name]), func(a, b Found) int { return cmp.Compare(a.ID, b.ID) })
		for _, f := range some {
			m := byID[f.ID]
			if m == nil {
				m = &member{
					project: &job.Project{Alias: f.ID, ID: f.ID, User: d.User, Variables: d.Variables},
					also:    []string{f.ID, f.Title},
				}
				list = append(list, m)
				byID[f.ID] = m
			}
			m.names = append(m.names, d.Name)
		}
	}
	return list
}

// selection is what a cron's `projects:` says. As in matching, the last entry that matches decides, and a
// list that begins with an exclusion begins with every project.
type selection struct {
	text    string // the same for equal selections
	entries []selected
}

type selected struct {
	name    string
	pattern bool // and not the very name
	exclude bool
}

func (s *selection) from(members []*member) []*job.Project {
	list := []*job.Project{}
	for _, m := range members {
		if s.chooses(m) {
			list = append(list, m.project)
		}
	}
	return list
}

func (s *selection) chooses(m *member) bool {
	chosen := s.entries[0].exclude
	for _, e := range s.entries {
		if e.matches(m) {
			chosen = !e.exclude
		}
	}
	return chosen
}

func (e *selected) matches(m *member) bool {
	if !e.pattern {
		return slices.Contains(m.names, e.name)
	}
	fits := func(name string) bool {
		return name != "" && (name == e.name || doublestar.MatchUnvalidated(e.name, name))
	}
	return slices.ContainsFunc(m.names, fits) || slices.ContainsFunc(m.also, fits)
}
