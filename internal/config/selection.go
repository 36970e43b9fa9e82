package config

import (
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/job"
	"github.com/bmatcuk/doublestar/v4"
	"gopkg.in/yaml.v3"
)

// isProjectPattern reports whether an entry of a cron's `projects:` is a pattern. An alias that looks
// like one is still an alias.
func (r reader) isProjectPattern(text string) bool {
	return r.byAlias[text] == nil && !r.isDiscovery(text) && (strings.HasPrefix(text, "!") || strings.ContainsAny(text, `*?[]{}\`))
}

// matching returns the projects that a list with patterns chooses, in their own order. As among
// branches, the last entry that matches decides, and a list that begins with an exclusion begins with
// every project. An entry that changes nothing is an error: it is a misspelling, or is left over.
func (r reader) matching(entries []string, nodes []*yaml.Node) []*job.Project {
	id := strings.Join(entries, "\x00")
	if known, ok := r.selections[id]; ok {
		return known
	}
	before := len(r.findings.list)
	chosen := make(map[*job.Project]bool, len(r.config.Projects))
	if r.isProjectPattern(entries[0]) && entries[0][0] == '!' {
		for _, p := range r.config.Projects {
			chosen[p] = true
		}
	}
	for i, text := range entries {
		r.choose(chosen, text, nodes[i])
	}
	list := slices.DeleteFunc(slices.Clone(r.config.Projects), func(p *job.Project) bool { return !chosen[p] })
	if len(list) == 0 && len(r.findings.list) == before && !r.unread && !r.discovers() {
		r.errorf(nodes[0], "project-pattern", "leave out an exclusion, or suspend the cron", "no project is left")
	}
	if len(r.findings.list) == before {
		r.selections[id] = list
	}
	return list
}

// choose applies one entry of a list with patterns to the projects chosen so far.
func (r reader) choose(chosen map[*job.Project]bool, text string, at *yaml.Node) {
	if !r.isProjectPattern(text) {
		if p := r.projectCalled(text, at); p != nil {
			chosen[p] = true
		}
		return
	}
	glob, exclude := strings.CutPrefix(text, "!")
	if glob == "" || !doublestar.ValidatePattern(glob) {
		r.errorf(at, "project-pattern", "every [ and { needs its closing ] and }, and ! a pattern after it", "%s is not a valid pattern", r.quote(text))
		return
	}
	matched, changed := false, false
	for _, p := range r.config.Projects {
		if p.Alias == glob || doublestar.MatchUnvalidated(glob, p.Alias) {
			matched = true
			changed = changed || chosen[p] == exclude
			chosen[p] = !exclude
		}
	}
	switch {
	case r.unread, r.discovers(): // it may be about a project that is not known yet
	case !matched && r.fleet:
		r.errorf(at, "project-pattern", didYouMean(glob, r.aliases), "%s matches no project", r.quote(text))
	case !matched:
		r.errorf(at, "project-pattern", r.projectHint(glob), "%s matches no project", r.quote(text))
	case exclude && !changed:
		r.errorf(at, "project-pattern", "leave it out, or put it after what it narrows", "%s excludes nothing that the entries before it choose", r.quote(text))
	}
}

// projectCalled returns the project of that alias, or reports that there is none.
func (r reader) projectCalled(alias string, at *yaml.Node) *job.Project {
	p := r.byAlias[alias]
	if p == nil && !r.unread && !r.isDiscovery(alias) {
		r.errorf(at, "project-unknown", r.projectHint(alias), "%s is not under projects", r.quote(alias))
	}
	return p
}

// selection keeps the entries, for projects that are discovered later.
func (r reader) selection(entries []string) *selection {
	s := &selection{text: strings.Join(entries, "\x00"), entries: make([]selected, len(entries))}
	for i, text := range entries {
		s.entries[i] = selected{name: text, pattern: r.isProjectPattern(text)}
		if s.entries[i].pattern {
			s.entries[i].name, s.entries[i].exclude = strings.CutPrefix(text, "!")
		}
	}
	return s
}
