package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// root is the top level of a file while it is read. What is reported once stands for everything
// that follows from the same mistake.
type root struct {
	reader
	own       *yaml.Node // a key that only automatond's files have
	foreign   bool       // a key of an application's file is reported
	loose     bool       // a cron's key is reported
	misplaced bool       // a cron is reported
	empty     *yaml.Node // the key crons, when nothing stands below it
}

// readRoot reads the top level of a file. Keys that begin with x- are for anchors and notes.
func (l *loader) readRoot(r reader, n *yaml.Node) {
	top := root{reader: r, own: ownKey(pairsOf(n))}
	r.mapping(n, top.readKey)
	if top.empty != nil && !top.misplaced {
		r.at(top.empty).missing()
	}
}

func (t *root) readKey(key, value *yaml.Node) {
	name := key.Value
	i := slices.IndexFunc(t.fields.file, func(f field[loader]) bool { return f.name == name })
	switch {
	case name == "crons" && isNull(value):
		t.empty = key
	case i >= 0:
		t.fields.file[i].read(t.at(key), t.loader, value)
	case strings.HasPrefix(name, "x-"):
	case t.own != nil && (pair{key, value}.isApplications() || pair{key, value}.isProjects()):
		if !t.foreign {
			t.errorf(key, "foreign-file", "leave the application in a file of its own, and name both with --config",
				"key %s belongs to an application's file, and %s to automatond's", name, t.own.Value)
		}
		t.foreign = true
	case hasKey(value, "spec"):
		t.misplacedCron(key)
	case slices.Contains(names(t.fields.cron), name):
		t.looseKey(key)
	default:
		t.unknownKey(key, value, names(t.fields.file))
	}
}

// misplacedCron reports a section with a spec: a cron that somebody forgot to put under crons.
func (t *root) misplacedCron(key *yaml.Node) {
	hint := "write crons: on a line above it, and indent the cron below that"
	if t.empty != nil {
		hint = fmt.Sprintf("indent it, and what follows, further than crons on line %d", t.empty.Line)
	}
	t.errorf(key, "cron-misplaced", hint, "cron %s stands at the top of the file, and not under crons", plainOrQuoted(key.Value))
	t.misplaced = true
}

// looseKey reports a key that belongs to a cron, once for all that stand beside it.
func (t *root) looseKey(key *yaml.Node) {
	switch {
	case t.loose:
		return
	case slices.Contains(names(policyFields()), key.Value):
		t.errorf(key, "unknown-key", fmt.Sprintf("write it under defaults: for all crons, such as defaults: {%s: …}, or in a cron", key.Value),
			"%s is not set at the top of the file", key.Value)
		return
	}
	t.loose = true
	t.errorf(key, "unknown-key", "write crons:, below it the cron's name, and below that "+key.Value+": and what follows, each indented further",
		"%s belongs to a cron, and stands at the top of the file", key.Value)
}

// hasKey reports whether n is a section with such a key.
func hasKey(n *yaml.Node, name string) bool {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}
