package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// field is one key of a section: its name, what the documentation says about it, and how its
// value is read into T. The tables of fields are the one place that knows which keys exist.
type field[T any] struct {
	name   string
	kind   string // type, for the documentation
	preset string // default, for the documentation
	read   func(r reader, into *T, value *yaml.Node)
}

// section reads a mapping by a table of fields. It is false when there is no mapping to read.
func section[T any](r reader, n *yaml.Node, fields []field[T], into *T) bool {
	return r.mapping(n, func(key, value *yaml.Node) {
		for i := range fields {
			if fields[i].name == key.Value {
				fields[i].read(r.at(key), into, value)
				return
			}
		}
		r.unknownKey(key, value, names(fields))
	})
}

func names[T any](fields []field[T]) []string {
	list := make([]string, len(fields))
	for i := range fields {
		list[i] = fields[i].name
	}
	return list
}

// lift turns fields of a part into fields of the whole that contains it.
func lift[T, Part any](fields []field[Part], part func(*T) *Part) []field[T] {
	list := make([]field[T], len(fields))
	for i, f := range fields {
		list[i] = field[T]{f.name, f.kind, f.preset, func(r reader, into *T, value *yaml.Node) {
			f.read(r, part(into), value)
		}}
	}
	return list
}

func (r reader) unknownKey(key, value *yaml.Node, known []string) {
	if key.Value == "token_file" || key.Value == "token_env" {
		r.errorf(key, "unknown-key", fmt.Sprintf("write automation_users: {bot: {%s: …}}, with a name of your own for the user", key.Value),
			"%s belongs to an automation user", key.Value)
		return
	}
	if strings.EqualFold(key.Value, "token") || secretive(key.Value) && !near(key.Value, known) {
		hint := "write token_file: with a path, or token_env: with the name of a variable"
		if !strings.HasPrefix(r.path, "automation_users") {
			hint = "write automation_users: {bot: {token_file: …}} with a path, or {token_env: …} with the name of a variable"
		}
		r.errorf(key, "literal-secret", hint, "a secret does not belong in the configuration, so key %s is refused", key.Value)
		return
	}
	r.errorf(key, "unknown-key", r.suggest(key, value, known), "key %s is not known", plainOrQuoted(key.Value))
}

// near reports whether key is a misspelling of a known key that has to do with secrets itself.
func near(key string, known []string) bool {
	n := nearest(key, known)
	return n != "" && secretive(n)
}

// mapping calls each for every key of a mapping: first its own keys, then those merged in with
// <<, of which the mapping's own and earlier ones win. Keys must be text, and different.
func (r reader) mapping(n *yaml.Node, each func(key, value *yaml.Node)) bool {
	n = r.value(n)
	switch {
	case n == nil:
		return false
	case isNull(n):
		r.missing()
		return false
	case n.Kind != yaml.MappingNode:
		r.notSection(n)
		return false
	}
	m := merger{reader: r, each: each, root: n}
	if keys := len(n.Content) / 2; keys < few {
		m.own = make([]*yaml.Node, 0, keys)
	}
	m.walk(n)
	return true
}

// optionalMapping is mapping for a section that may be left empty.
func (r reader) optionalMapping(n *yaml.Node, each func(key, value *yaml.Node)) bool {
	if v := r.value(n); v != nil && isNull(v) {
		return true
	}
	return r.mapping(n, each)
}

// merger walks over a mapping and those merged into it.
type merger struct {
	reader
	each  func(key, value *yaml.Node)
	own   []*yaml.Node          // keys met so far, while they are few
	index map[string]*yaml.Node // the same, once they are many
	root  *yaml.Node            // the mapping itself
	seen  []*yaml.Node          // mappings merged in: each adds its keys once, and cycles end
}

// add merges a mapping in.
func (m *merger) add(n *yaml.Node) {
	if n == m.root || slices.Contains(m.seen, n) {
		return
	}
	m.seen = append(m.seen, n)
	m.walk(n)
}

func (m *merger) walk(n *yaml.Node) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := m.value(n.Content[i]), n.Content[i+1]
		switch {
		case key == nil:
		case key.Tag == "!!merge":
			merges = append(merges, value)
		case key.Kind != yaml.ScalarNode || isNull(key):
			m.errorf(key, "bad-key", "write a name", "a key must be text, not %s", kindOf(key))
		default:
			m.addKey(key, value, n != m.root)
		}
	}
	for _, value := range merges {
		m.merge(value)
	}
}

func (m *merger) addKey(key, value *yaml.Node, merged bool) {
	first := m.find(key.Value)
	switch {
	case first == nil:
		m.remember(key)
		m.each(key, value)
	case !merged:
		m.errorf(key, "duplicate-key", "keep one of them, or rename one", "key %s is there twice, first on line %d", plainOrQuoted(key.Value), first.Line)
	}
}

func (m *merger) merge(value *yaml.Node) {
	n := m.value(value)
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		m.add(n)
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if item = m.value(item); item == nil {
				continue
			}
			if item.Kind != yaml.MappingNode {
				m.errorf(item, "bad-merge", "write << with an alias, such as <<: *base", "<< merges sections, not %s", kindOf(item))
				continue
			}
			m.add(item)
		}
	default:
		m.errorf(n, "bad-merge", "write << with an alias, such as <<: *base", "<< merges sections, not %s", kindOf(n))
	}
}

// few is how many keys are searched one by one before an index pays.
const few = 16

func (m *merger) find(name string) *yaml.Node {
	if m.index != nil {
		return m.index[name]
	}
	for _, k := range m.own {
		if k.Value == name {
			return k
		}
	}
	return nil
}

func (m *merger) remember(key *yaml.Node) {
	if m.index == nil {
		m.own = append(m.own, key)
		if len(m.own) < few {
			return
		}
		m.index = make(map[string]*yaml.Node, 2*few)
		for _, k := range m.own {
			m.index[k.Value] = k
		}
		return
	}
	m.index[key.Value] = key
}

// plainOrQuoted shows a name, in quotation marks if it could be misread without.
func plainOrQuoted(name string) string {
	if name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '"' || r > '~' }) {
		return name
	}
	return strconv.Quote(name)
}
