package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// reader reads values from the YAML of one file and reports what is wrong with them. It is a
// small value that is passed down: each level knows what the level above was called.
type reader struct {
	*loader
	src  *source
	cron string       // name of the cron that is read, "" outside `crons:`
	app  *application // whose cron is read, nil in automatond's own files
	path string       // keys from the cron or the file down to the value, for messages
	key  *yaml.Node   // where the value's key stands
}

// at returns a reader for the value of key.
func (r reader) at(key *yaml.Node) reader {
	r.key = key
	if r.path == "" {
		r.path = key.Value
	} else {
		r.path += "." + key.Value
	}
	return r
}

func (r reader) errorf(n *yaml.Node, code, hint, format string, args ...any) {
	r.report(Error, n, code, hint, format, args...)
}

func (r reader) report(s Severity, n *yaml.Node, code, hint, format string, args ...any) {
	r.add(Diagnostic{
		Severity: s, File: r.src.path, Line: n.Line, Column: n.Column, EndColumn: r.src.endOf(n), Cron: r.cron, Code: code,
		Message: r.prefix() + fmt.Sprintf(format, args...), Hint: hint, source: r.src,
	})
}

// reportWithin reports a finding about the bytes from offset on of the scalar n's value.
func (r reader) reportWithin(n *yaml.Node, offset, length int, d Diagnostic) {
	d.File, d.Cron, d.Message, d.source = r.src.path, r.cron, r.prefix()+d.Message, r.src
	d.Line, d.Column = r.src.locate(n, offset)
	if line, column := r.src.locate(n, offset+length); line == d.Line && column > d.Column {
		d.EndColumn = column
	}
	r.add(d)
}

func (r reader) prefix() string {
	if r.path == "" {
		return ""
	}
	return r.path + ": "
}

// quote shows a value that is wrong, unless its key says that it is a secret.
func (r reader) quote(value string) string {
	if secretive(r.path) {
		return "the value"
	}
	const most = 80
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return strconv.Quote(value)
}

// secretive reports whether a value under such a key must not be shown.
func secretive(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"token", "secret", "passw", "credential", "api_key", "apikey", "private"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// value follows an alias and refuses tags that YAML itself does not define. It returns nil when
// there is nothing to read.
func (r reader) value(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Style&yaml.TaggedStyle == 0 {
		return n
	}
	switch n.Tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!":
		return n
	}
	hint := "automatond reads no other file; write the content here"
	if r.path == "only.branches" || r.path == "except.branches" {
		hint = fmt.Sprintf("an exclusion must be in quotes: write '%s'", n.Tag)
	}
	if n.Tag == "!include" {
		r.errorf(n, "unknown-tag", hint, "it is in another file%s, which is not read", included(n))
		return nil
	}
	r.errorf(n, "unknown-tag", hint, "tag %s is not supported", n.Tag)
	return nil
}

// included names the file of the vendor's tag !include, behind a comma.
func included(n *yaml.Node) string {
	if path := includedPath(n); path != "" {
		return ", " + plainOrQuoted(path)
	}
	return ""
}

// includedPath is the file of the vendor's tag !include, in either of its forms.
func includedPath(n *yaml.Node) string {
	if path := textOf(n); path != "" {
		return path
	}
	return textOf(valueOf(n, "path"))
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text returns a scalar as it is written: 1.10 stays 1.10 and does not become a number.
func (r reader) text(n *yaml.Node) (string, bool) {
	n, ok := r.scalar(n, "text")
	if !ok {
		return "", false
	}
	return n.Value, true
}

// scalar refuses everything but a scalar with a value.
func (r reader) scalar(n *yaml.Node, wanted string) (*yaml.Node, bool) {
	n = r.value(n)
	switch {
	case n == nil:
		return nil, false
	case isNull(n):
		r.missing()
		return nil, false
	case n.Kind != yaml.ScalarNode:
		r.wrongType(n, wanted)
		return nil, false
	}
	return n, true
}

func (r reader) missing() {
	hint := "write a value, or leave the key out"
	if r.path == "crons" {
		hint = "write a cron below it: its name, and below that its spec: and its task: or cmd:, each indented further"
	}
	r.errorf(r.key, "missing-value", hint, "it has no value")
}

func (r reader) boolean(n *yaml.Node) (value, ok bool) {
	n, ok = r.scalar(n, "true or false")
	if !ok {
		return false, false
	}
	switch {
	case n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		return true, true
	case n.Tag == "!!bool" && strings.EqualFold(n.Value, "false"):
		return false, true
	}
	r.wrongType(n, "true or false")
	return false, false
}

func (r reader) integer(n *yaml.Node, least, most int) (int, bool) {
	n, ok := r.scalar(n, "a whole number")
	if !ok {
		return 0, false
	}
	value, err := strconv.Atoi(n.Value)
	switch {
	case n.Tag != "!!int" || err != nil:
		r.wrongType(n, "a whole number")
	case value < least || value > most:
		r.errorf(n, "value-range", fmt.Sprintf("write a number from %d to %d", least, most), "%d is out of range %d-%d", value, least, most)
	default:
		return value, true
	}
	return 0, false
}

func (r reader) number(n *yaml.Node, most float64) (float64, bool) {
	n, ok := r.scalar(n, "a number")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Tag != "!!int" && n.Tag != "!!float":
		r.wrongType(n, "a number")
	case err != nil || math.IsNaN(value) || value < 0 || value > most: // .nan and .inf are numbers for YAML
		r.errorf(n, "value-range", fmt.Sprintf("write a number from 0 to %.0f", most), "%s is out of range 0-%.0f", n.Value, most)
	default:
		return value, true
	}
	return 0, false
}

// oneOf reads a word from a closed set.
func oneOf[T ~string](r reader, n *yaml.Node, known ...T) (T, bool) {
	text, ok := r.text(n)
	if !ok {
		return "", false
	}
	if slices.Contains(known, T(text)) {
		return T(text), true
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	r.errorf(r.value(n), "value-unknown", "write "+alternatives(words), "%s is not known", r.quote(text))
	return "", false
}

// alternatives joins words to "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// list calls each for every entry of a list with at least one.
func (r reader) list(n *yaml.Node, of string, each func(*yaml.Node)) bool {
	wanted := "a list of " + of
	n = r.value(n)
	switch {
	case n == nil:
		return false
	case isNull(n):
		r.missing()
		return false
	case n.Kind != yaml.SequenceNode:
		r.wrongType(n, wanted)
		return false
	case len(n.Content) == 0:
		r.errorf(n, "empty-list", "name at least one; a key that is left out sets no bound", "the list is empty")
		return false
	}
	for _, item := range n.Content {
		each(item)
	}
	return true
}

// texts reads a list of texts, without repetitions.
func (r reader) texts(n *yaml.Node, of string) ([]string, []*yaml.Node, bool) {
	var list []string
	var nodes []*yaml.Node
	valid := true
	ok := r.list(n, of, func(item *yaml.Node) {
		text, ok := r.text(item)
		if ok && slices.Contains(list, text) {
			r.errorf(r.value(item), "duplicate-entry", "keep one of them", "%s is listed twice", r.quote(text))
			ok = false
		}
		valid = valid && ok
		if ok {
			list = append(list, text)
			nodes = append(nodes, r.value(item))
		}
	})
	return list, nodes, ok && valid
}
