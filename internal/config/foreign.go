package config

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// application is one application of the vendor's own files, of which automatond reads the crons.
type application struct {
	name     string
	location *time.Location // where the specs of its crons are read; nil if it does not say
	other    bool           // it is not the one beside which the process runs
}

// declared is where an application stands in a file.
type declared struct {
	name  string // "" if it has none
	key   *yaml.Node
	value *yaml.Node
}

// applicationsOf recognises the vendor's files by what they contain: .platform.app.yaml, which is
// one application; .platform/applications.yaml, a list of them or a section by name; and
// .upsun/config.yaml, which has them under applications, if it has any. It is false for every other
// file, so also for one that has a key of automatond's own.
func applicationsOf(root *yaml.Node) ([]declared, bool) {
	if root.Kind == yaml.SequenceNode {
		list := itemsOf(root)
		return list, slices.ContainsFunc(list, declared.isApplication)
	}
	top := pairsOf(root)
	switch {
	case ownKey(top) != nil:
		return nil, false
	case slices.ContainsFunc(top, pair.isProjects):
		if list := valueOf(root, "applications"); list != nil && list.Kind == yaml.SequenceNode {
			return itemsOf(list), true
		}
		return namedOf(valueOf(root, "applications")), true
	case slices.ContainsFunc(top, pair.isApplications):
		return []declared{{name: textOf(valueOf(root, "name")), key: root, value: root}}, true
	case valueOf(root, "crons") != nil:
		return nil, false
	}
	list := namedOf(root)
	return list, slices.ContainsFunc(list, func(d declared) bool { return d.isApplication() && hasCode(d.value) })
}

// ownKey returns a key that only automatond's own files have.
func ownKey(top []pair) *yaml.Node {
	for _, p := range top {
		switch p.key.Value {
		case "projects", "automation_users", "defaults", "api", "history", "shutdown_grace":
			if !isApplication(p.value) { // an application may be called like it
				return p.key
			}
		}
	}
	return nil
}

// isProjects reports a key of .upsun/config.yaml, from the vendor's JSON Schema.
func (p pair) isProjects() bool {
	switch p.key.Value {
	case "applications":
		return true
	case "routes", "services":
		return !isApplication(p.value)
	}
	return false
}

// isApplications reports a key of an application that no file of automatond's has, from the vendor's
// JSON Schemas.
func (p pair) isApplications() bool {
	switch p.key.Value {
	case "access", "additional_hosts", "authorizations", "build", "container_profile", "dependencies", "disk",
		"firewall", "hooks", "mounts", "name", "operations", "preflight", "relationships", "resources", "runtime",
		"size", "source", "stack", "type", "web", "workers":
		return !isApplication(p.value)
	}
	return false
}

func (d declared) isApplication() bool { return isApplication(d.value) }

// isApplication reports whether a section is a whole application, or a service, and not a part of
// one. A cron that stands in the wrong place is neither.
func isApplication(n *yaml.Node) bool {
	if valueOf(n, "spec") != nil {
		return false
	}
	return valueOf(n, "stack") != nil || strings.Contains(textOf(valueOf(n, "type")), ":")
}

// hasCode tells an application from a service.
func hasCode(n *yaml.Node) bool {
	for _, name := range []string{"crons", "web", "hooks", "build", "source", "mounts", "workers", "dependencies", "stack"} {
		if valueOf(n, name) != nil {
			return true
		}
	}
	return false
}

// itemsOf are the applications of a list.
func itemsOf(list *yaml.Node) []declared {
	var found []declared
	for _, item := range list.Content {
		value := resolved(item)
		found = append(found, declared{name: textOf(valueOf(value, "name")), key: item, value: value})
	}
	return found
}

// namedOf are the applications of a section by their names. What begins like a note is none.
func namedOf(n *yaml.Node) []declared {
	var found []declared
	for _, p := range pairsOf(n) {
		if name := p.key.Value; !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, ".") {
			found = append(found, declared{name: name, key: p.key, value: p.value})
		}
	}
	return found
}

// readForeign reads the crons of the vendor's applications. Nothing else in their file concerns
// automatond, so nothing else is looked at, whatever it may be.
func (l *loader) readForeign(r reader, root *yaml.Node, list []declared) {
	for _, d := range list {
		l.readApplication(r, d)
	}
	l.applications += len(list)
	if len(list) == 1 && list[0].value == root {
		return
	}
	for _, p := range pairsOf(root) {
		if p.key.Value == "crons" {
			r.errorf(p.key, "foreign-file", "write crons: in the application whose container would run them",
				"crons stands beside the applications, and not in one of them")
		}
	}
}

func (l *loader) readApplication(r reader, d declared) {
	if strings.HasPrefix(d.value.Tag, "!include") {
		r.report(Warning, d.key, "application-elsewhere", "name that file too with --config, if it has crons that call the platform",
			"the application stands in another file, which is not read")
		return
	}
	crons := valueOf(d.value, "crons")
	if crons == nil || isNull(crons) {
		return
	}
	r.key, r.app = d.key, &application{name: d.name}
	if r.at(&yaml.Node{Value: "crons"}).isElsewhere(crons) {
		return
	}
	if zone := valueOf(d.value, "timezone"); zone != nil && !isNull(zone) {
		var p policy
		r.at(&yaml.Node{Value: "timezone"}).readZone(zone, &p)
		r.app.location = p.location
	}
	l.foreign = append(l.foreign, r)
	section := r
	section.path = "crons"
	section.mapping(crons, func(key, value *yaml.Node) { l.addCron(r, key, value) })
}

// isElsewhere reports with a warning what an application has in another file: there may be crons in it
// that call the platform, and there need not.
func (r reader) isElsewhere(n *yaml.Node) bool {
	n = resolved(n)
	if r.app == nil || n.Tag != "!include" {
		return false
	}
	r.report(Warning, n, "cron-elsewhere", "write the content here, if it calls the platform", "it is in another file%s, which is not read", included(n))
	return true
}

// chooseApplications leaves out the crons of other applications than the one beside which the
// process runs: with several applications, each may have its own sidecar. It also wants the names by
// which the crons of several are told apart.
func (l *loader) chooseApplications() {
	if l.applications < 2 {
		return
	}
	beside := l.env("PLATFORM_APPLICATION_NAME")
	for _, r := range l.foreign {
		switch {
		case r.app.name == "":
			r.errorf(r.key, "application-name", "write name: with its name", "the application has no name that tells its crons from those of the others")
		case beside != "" && !l.fleet && r.app.name != beside:
			r.app.other = true
			r.report(Info, r.key, "application-other", "unset the variable to load the crons of all applications",
				"the crons of application %s are left out, because PLATFORM_APPLICATION_NAME is %s", plainOrQuoted(r.app.name), plainOrQuoted(beside))
		}
	}
	l.crons = slices.DeleteFunc(l.crons, func(e cronEntry) bool { return e.app != nil && e.app.other })
}

// unique returns the name of a cron in the whole configuration: with several applications, of which
// two may use one name, the application's stands before it.
func (e cronEntry) unique() string {
	if e.app == nil || e.applications < 2 {
		return e.cron
	}
	return e.app.name + ":" + e.cron
}

// pair is a key of a section with its value, of which an alias is followed.
type pair struct{ key, value *yaml.Node }

// pairsOf returns the pairs of a section, its own and then those merged in, with every key once. It
// reports nothing, because it is for what need not be valid.
func pairsOf(n *yaml.Node) []pair {
	var found []pair
	known := map[string]bool{}
	eachSection(n, map[*yaml.Node]bool{}, func(section *yaml.Node) {
		for i := 0; i+1 < len(section.Content); i += 2 {
			key := resolved(section.Content[i])
			if key.Kind == yaml.ScalarNode && key.Tag != "!!merge" && !known[key.Value] {
				known[key.Value] = true
				found = append(found, pair{key, resolved(section.Content[i+1])})
			}
		}
	})
	return found
}

// valueOf returns what a section has under a key, nil if it has nothing.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	var found *yaml.Node
	eachSection(n, map[*yaml.Node]bool{}, func(section *yaml.Node) {
		for i := 0; i+1 < len(section.Content) && found == nil; i += 2 {
			if key := resolved(section.Content[i]); key.Kind == yaml.ScalarNode && key.Value == name {
				found = resolved(section.Content[i+1])
			}
		}
	})
	return found
}

// eachSection calls visit for a section and for those merged into it, for each once.
func eachSection(n *yaml.Node, seen map[*yaml.Node]bool, visit func(*yaml.Node)) {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode || seen[n] {
		return
	}
	seen[n] = true
	visit(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		merged := resolved(n.Content[i+1])
		if merged.Kind != yaml.SequenceNode {
			eachSection(merged, seen, visit)
			continue
		}
		for _, item := range merged.Content {
			eachSection(item, seen, visit)
		}
	}
}

// resolved follows an alias.
func resolved(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// textOf returns a text, "" for everything else.
func textOf(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || isNull(n) {
		return ""
	}
	return n.Value
}
