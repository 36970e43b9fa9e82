package config

import (
	"errors"
	"slices"

	"github.com/automatond/automatond/internal/guard"
	"gopkg.in/yaml.v3"
)

// readCondition reads `only:` or `except:`. An empty one is refused: what was meant to narrow the
// cron would let everything pass.
func (r reader) readCondition(v *yaml.Node, into *guard.Condition) {
	n := r.value(v)
	if n != nil && (isNull(n) || n.Kind == yaml.MappingNode && len(n.Content) == 0) {
		r.errorf(r.key, "guard-empty", "write branches:, environment_types: or status:, indented below it, or leave it out",
			"it asks for nothing")
		return
	}
	section(r, v, r.fields.condition, into)
}

func conditionFields() []field[guard.Condition] {
	return []field[guard.Condition]{
		{"branches", "list of patterns", "any", func(r reader, c *guard.Condition, v *yaml.Node) {
			texts, nodes, ok := r.texts(v, "branches")
			if !ok {
				return
			}
			patterns, err := guard.ParsePatterns(texts)
			if e, ok := errors.AsType[*guard.PatternError](err); ok {
				r.errorf(nodes[e.Index], "pattern-invalid", e.Hint, "pattern %s: %s", r.quote(e.Pattern), e.Message)
				return
			}
			c.Branches = patterns
		}},
		{"environment_types", "list of `production`, `staging`, `development`", "any", func(r reader, c *guard.Condition, v *yaml.Node) {
			c.EnvironmentTypes = r.words(v, "environment types", guard.EnvironmentTypes())
		}},
		{"status", "list of `active`, `dirty`, `inactive`, `paused`, `deleting`", "any", func(r reader, c *guard.Condition, v *yaml.Node) {
			c.Status = r.words(v, "statuses", guard.Statuses())
		}},
	}
}

// words reads a list of words from a closed set.
func (r reader) words(v *yaml.Node, of string, known []string) []string {
	list, nodes, ok := r.texts(v, of)
	if !ok {
		return nil
	}
	for i, word := range list {
		if !slices.Contains(known, word) {
			r.errorf(nodes[i], "value-unknown", didYouMean(word, known), "%s is not known", r.quote(word))
		}
	}
	return list
}
