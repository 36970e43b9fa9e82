package config

import (
	"github.com/automatond/automatond/internal/tasks"
	"gopkg.in/yaml.v3"
)

// document reads a section of which automatond knows nothing but that it is sent as JSON.
func (r reader) document(n *yaml.Node) (tasks.Document, bool) {
	before := len(r.findings.list)
	value, ok := r.entries(n)
	if !ok || len(r.findings.list) > before {
		return tasks.Document{}, false
	}
	document, err := tasks.NewDocument(value)
	if err != nil {
		r.wrongType(n, "what JSON can hold")
		return tasks.Document{}, false
	}
	return document, true
}

// entries reads a section whose values have any form.
func (r reader) entries(n *yaml.Node) (map[string]any, bool) {
	value := map[string]any{}
	ok := r.mapping(n, func(key, item *yaml.Node) { value[key.Value] = r.at(key).anything(item) })
	return value, ok
}

// anything reads a value of any form. What YAML takes for a time stays the text that it is written as.
func (r reader) anything(n *yaml.Node) any {
	n = r.value(n)
	switch {
	case n == nil, isNull(n):
		return nil
	case n.Kind == yaml.MappingNode:
		value, _ := r.entries(n)
		return value
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, r.anything(item))
		}
		return list
	case n.Tag == "!!str", n.Tag == "!!timestamp":
		r.checkPlaceholders(n, n.Value)
		return n.Value
	}
	var value any
	if err := n.Decode(&value); err != nil {
		r.wrongType(n, "what JSON can hold")
	}
	return value
}
