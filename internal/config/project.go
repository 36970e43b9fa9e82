package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/automatond/automatond/internal/job"
	"gopkg.in/yaml.v3"
)

// projectEntry is one entry under `projects:`: a project, or the projects that are discovered for it.
type projectEntry struct {
	reader
	project      *job.Project // of a discovery, one without an id that stands for all
	sources      []*yaml.Node // the keys that say which projects it is; one is right
	organization string
	userNode     *yaml.Node // nil when it names no user
	vars         map[string]string
	plan         projectPlan
	invalid      bool // reported already
}

// discovers reports whether the entry stands for projects that are not known yet.
func (p *projectEntry) discovers() bool { return len(p.sources) > 0 && p.sources[0].Value != "id" }

// projectPlan is what the project's plan with the vendor allows.
type projectPlan struct {
	manualBackups int // of an environment, the newest of which are kept; 0 if it does not say
}

func projectPlanFields() []field[projectPlan] {
	return []field[projectPlan]{
		{"manual_backups", "whole number, 1 to 1000", "", func(r reader, p *projectPlan, v *yaml.Node) {
			if n, ok := r.integer(v, 1, 1000); ok {
				p.manualBackups = n
			}
		}},
	}
}

func projectFields() []field[projectEntry] {
	return []field[projectEntry]{
		{"id", "project id", "required, or one of the next two", func(r reader, p *projectEntry, v *yaml.Node) {
			p.sources = append(p.sources, r.key)
			id, ok := r.text(v)
			switch {
			case !ok:
				p.project.ID = "?" // reported; do not report it as missing too
			case !isProjectID(id):
				r.errorf(r.value(v), "project-id", "write the id from the project's URL, such as "+lastSegment(id), "%s is not a project id", r.quote(id))
				p.project.ID = "?"
			case r.once("project id", id, "project-duplicate"):
				p.project.ID = id
			default:
				p.project.ID = "?"
			}
		}},
		{"organization", "name or id of an organization", "", func(r reader, p *projectEntry, v *yaml.Node) {
			p.sources = append(p.sources, r.key)
			name, ok := r.text(v)
			if ok && !isProjectID(name) {
				r.errorf(r.value(v), "organization-name", "write the name from the organization's URL, such as acme",
					"%s is neither the name of an organization nor an id", r.quote(name))
			}
			p.organization = name
		}},
		{"discover", "`all`: the projects that the user can see", "", func(r reader, p *projectEntry, v *yaml.Node) {
			p.sources = append(p.sources, r.key)
			oneOf(r, v, "all")
		}},
		{"automation_user", "name of a user", "the only user", func(r reader, p *projectEntry, v *yaml.Node) {
			if name, ok := r.text(v); ok {
				p.project.User, p.userNode = name, r.value(v)
			}
		}},
		{"variables", "texts by name", "", func(r reader, p *projectEntry, v *yaml.Node) {
			r.readVariables(v, &p.vars, false)
		}},
		{"plan", "section", "", func(r reader, p *projectEntry, v *yaml.Node) {
			section(r, v, projectPlanFields(), &p.plan)
		}},
	}
}

// isProjectID is loose, because the API defines no pattern; an id becomes part of a URL's path.
func isProjectID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= 100
}

func (l *loader) addProject(r reader, alias string, value *yaml.Node) {
	if problem := nameProblem(alias); problem != "" {
		r.path = "projects"
		r.errorf(r.key, "project-name", "", "a project's alias %s", problem)
		return
	}
	if !r.once("projects", alias, "project-duplicate") {
		return
	}
	p := &projectEntry{reader: r, project: &job.Project{Alias: alias, Source: r.position(r.key)}}
	l.projects = append(l.projects, p)
	if v := r.value(value); v != nil && v.Kind == yaml.ScalarNode && !isNull(v) {
		r.errorf(v, "wrong-type", "write "+inline(alias)+": {id: "+exampleID(v.Value)+"}", "it must be a section with keys, not %s", kindOf(v))
		p.invalid = true
		return
	}
	before := len(l.list)
	if isNull(value) || section(r, value, l.fields.project, p) {
		switch {
		case len(p.sources) > 1:
			r.errorf(p.sources[1], "project-source", "make two entries of it, each with a name",
				"%s and %s are both there, and an entry has one of them", p.sources[0].Value, p.sources[1].Value)
		case len(p.sources) == 0 && !l.unknownSince(before):
			r.errorf(r.key, "project-id", "write id: with the id from the project's URL", "the project has no id")
		}
	}
}

// lastSegment is what an address ends with if that looks like the platform's own ids, else an example.
func lastSegment(address string) string {
	address = strings.TrimRight(address, "/")
	if id := address[strings.LastIndexByte(address, '/')+1:]; generatedID.MatchString(id) {
		return id
	}
	return "k3qz7p2m5nwya"
}

// generatedID is how the platform makes ids. It is a guess for hints and no rule.
var generatedID = regexp.MustCompile(`^[a-z0-9]{13}$`)

// exampleID is what was written if it is a project id, else an example.
func exampleID(text string) string {
	if isProjectID(text) && !secretive(text) {
		return text
	}
	return "k3qz7p2m5nwya"
}

// nameProblem says why a name cannot be used, "" if it can.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "contains a control character"
	case strings.TrimSpace(name) != name:
		return "begins or ends with white space"
	case len(name) > 255:
		return "is longer than 255 bytes"
	}
	return ""
}

// finishProjects gives every project its user and variables. Without projects the target is the
// environment beside which the process runs.
func (l *loader) finishProjects() {
	for _, p := range l.projects {
		if !p.invalid {
			l.assignUser(p)
		}
		p.project.Variables = merged(l.vars, p.vars)
		if p.discovers() {
			l.addDiscovery(p)
		} else {
			l.addFinished(p.project)
		}
	}
	if l.fleet {
		return
	}
	if len(l.users) > 1 {
		second := l.users[1]
		second.errorf(second.key, "user-missing", "configure one automation user, or projects: that name theirs",
			"there are several automation users, and no projects: to say whose token is used where")
		return
	}
	if p := l.sidecar(); p != nil {
		l.addFinished(p)
	}
}

func (l *loader) addFinished(p *job.Project) {
	l.config.Projects = append(l.config.Projects, p)
	l.byAlias[p.Alias] = p
	l.aliases = append(l.aliases, p.Alias)
	l.allOf = l.config.Projects
}

func (l *loader) addDiscovery(p *projectEntry) {
	name := p.project.Alias
	l.config.Discoveries = append(l.config.Discoveries, &Discovery{name, p.organization, p.project.User, p.project.Variables})
	l.aliases = append(l.aliases, name)
}

// isDiscovery reports whether that is the name of a discovery.
func (l *loader) isDiscovery(name string) bool {
	return slices.ContainsFunc(l.config.Discoveries, func(d *Discovery) bool { return d.Name == name })
}

// discovers reports whether there are more projects than those that are listed.
func (l *loader) discovers() bool { return len(l.config.Discoveries) > 0 }

func (l *loader) assignUser(p *projectEntry) {
	users := l.config.Users
	known := make([]string, len(users))
	for i, u := range users {
		known[i] = u.Name
		if p.project.User == u.Name {
			p.project.User = u.Name // share the string
			return
		}
	}
	switch {
	case l.unread:
	case p.project.User != "":
		at := p.at(&yaml.Node{Value: "automation_user"})
		at.errorf(p.userNode, "user-unknown", didYouMean(p.project.User, known), "%s is not under automation_users", at.quote(p.project.User))
	case len(users) == 1:
		p.project.User = users[0].Name
	default:
		p.errorf(p.key, "user-missing", "write automation_user: with one of "+alternatives(known),
			"there are several automation users, and the project names none")
	}
}

// merged returns base with over on top, sharing either where the other is empty.
func merged(base, over map[string]string) map[string]string {
	switch {
	case len(over) == 0:
		return base
	case len(base) == 0:
		return over
	}
	all := maps.Clone(base)
	maps.Copy(all, over)
	return all
}
