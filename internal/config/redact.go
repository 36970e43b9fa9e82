package config

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// span is a stretch of a line: columns from 1, to is one after the last.
type span struct{ from, to int }

// secretsOn returns the stretches of line n that must not be shown, in order and apart from each
// other: what stands under a key for secrets or for variables, and what looks like a secret
// wherever it stands.
func (s *source) secretsOn(n int) []span {
	raw := s.line(n)
	found := looksSecret(raw)
	if s.scalars == nil {
		s.scalars = s.findScalars()
	}
	if s.malformed {
		found = append(found, s.secretsByLayout(n)...)
	} else {
		found = append(found, s.secretScalarsOn(n)...)
	}
	return joined(found)
}

// joined sorts spans and unites those that overlap.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var apart []span
	for _, sp := range spans {
		switch last := len(apart) - 1; {
		case sp.to <= sp.from:
		case last >= 0 && sp.from <= apart[last].to:
			apart[last].to = max(apart[last].to, sp.to)
		default:
			apart = append(apart, sp)
		}
	}
	return apart
}

// secretLooks are the forms in which a secret is written. The last group of each is the secret.
var secretLooks = []*regexp.Regexp{
	// https://user:password@host
	regexp.MustCompile(`://([^\s/@'"]+)@`),
	// A header, also without a value's key.
	regexp.MustCompile(`(?i)\b(?:bearer|basic)\s+([^\s'"]+)`),
	// SOME_TOKEN=value, --token=value, --token value
	regexp.MustCompile(`(?i)[\w-]*(?:token|secret|passw|credential|api_?key|private)[\w-]*(?:=|\s+(?:=\s*)?)("[^"]*"?|'[^']*'?|[^\s'";|&)]+)`),
	// token: value
	regexp.MustCompile(`(?i)[\w-]*(?:token|secret|passw|credential|api_?key|private)[\w-]*["']?\s*:\s*("[^"]*"?|'[^']*'?|[^\s{\[,}'"]+)`),
	// What a command line sets a variable to, or protects an environment with. Where a word is an option's
	// and where it is the value is not known of one that is wrong, so all behind the name is hidden.
	regexp.MustCompile(`--(?:value|auth)(?:=|\s+)("[^"]*"?|'[^']*'?|[^\s'";|&)]+)`),
	regexp.MustCompile(`\b(?:variable:set|vset)\s+(?:-\S+\s+)*\S+\s+([^\s;|&)][^;|&)]*)`),
	// A JSON web token.
	regexp.MustCompile(`(eyJ[\w-]{5,}[\w.-]*)`),
}

// looksSecret finds what looks like a secret in a line.
func looksSecret(raw []byte) []span {
	var found []span
	for _, look := range secretLooks {
		for _, m := range look.FindAllSubmatchIndex(raw, -1) {
			from, to := m[len(m)-2], m[len(m)-1]
			found = append(found, span{characters(raw, from), characters(raw, to)})
		}
	}
	return found
}

// scalar is where a key or a value begins.
type scalar struct {
	line, column int
	secret       bool
}

// findScalars reads the file once more and lists everything in it, in the order of the text. The
// first reading has let go of its nodes, because most files have nothing to report.
func (s *source) findScalars() []scalar {
	list := []scalar{}
	var document yaml.Node
	if err := s.decoder().Decode(&document); err != nil {
		s.malformed = true
		return list
	}
	var walk func(n *yaml.Node, path []string, secret bool)
	walk = func(n *yaml.Node, path []string, secret bool) {
		if n.Kind != yaml.DocumentNode {
			list = append(list, scalar{n.Line, n.Column, secret && n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode})
		}
		for i, child := range n.Content {
			if n.Kind != yaml.MappingNode {
				walk(child, path, secret)
				continue
			}
			if i%2 == 1 {
				key := n.Content[i-1]
				walk(child, append(path, key.Value), secret || secretUnder(path, key.Value, child))
				continue
			}
			// A key is shown, though not one that stands for a whole mapping.
			list = append(list, scalar{child.Line, child.Column, false})
		}
	}
	walk(&document, nil, false)
	slices.SortStableFunc(list, func(a, b scalar) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return list
}

// secretUnder reports whether what stands under a key is kept out of sight. The names of crons are no
// keys in this sense, unless something else than a section stands under them.
func secretUnder(path []string, key string, value *yaml.Node) bool {
	named := len(path) > 0 && path[len(path)-1] == "crons" && value.Kind == yaml.MappingNode
	return !named && hides(key)
}

// hides reports whether what stands under a key is kept out of sight wherever the key stands.
func hides(key string) bool { return secretive(key) || holdsSecrets(key) }

// holdsSecrets reports the sections whose values nobody but their owner needs to see, also when
// they are misspelt.
func holdsSecrets(key string) bool {
	switch key {
	case "env", "vars", "auth", "body":
		return true
	case "automation_user":
		return false
	}
	return nearest(key, []string{"variables", "automation_users"}) != ""
}

// secretScalarsOn finds the secrets that the file's structure shows. A scalar reaches to the next
// one: a value that is written over several lines is hidden on all of them.
func (s *source) secretScalarsOn(n int) []span {
	raw := s.line(n)
	end := utf8.RuneCount(raw) + 1
	first, _ := slices.BinarySearchFunc(s.scalars, n, func(sc scalar, line int) int { return cmp.Compare(sc.line, line) })
	var found []span
	until := func(i int) int {
		if i < len(s.scalars) && s.scalars[i].line == n {
			return s.scalars[i].column
		}
		return end
	}
	if first > 0 && s.scalars[first-1].secret {
		found = append(found, trimmed(raw, span{1, until(first)}))
	}
	for i := first; i < len(s.scalars) && s.scalars[i].line == n; i++ {
		if s.scalars[i].secret {
			found = append(found, trimmed(raw, span{s.scalars[i].column, until(i + 1)}))
		}
	}
	return found
}

// trimmed leaves out what surrounds a value.
func trimmed(raw []byte, sp span) span {
	text := []rune(string(raw))
	sp.to = min(sp.to, len(text)+1)
	for sp.from < sp.to && strings.ContainsRune(" \t", text[sp.from-1]) {
		sp.from++
	}
	for sp.from < sp.to && strings.ContainsRune(" \t,}]", text[sp.to-2]) {
		sp.to--
	}
	return sp
}

// layoutKey finds the key that a line of a block begins with.
var layoutKey = regexp.MustCompile(`^[ \t]*(?:- +)?["']?([\w.-]+)["']?[ \t]*:`)

// secretsByLayout judges a line of a file that is not YAML by the lines above it that are indented
// less, and by its own key.
func (s *source) secretsByLayout(n int) []span {
	raw := s.line(n)
	end := utf8.RuneCount(raw) + 1
	depth, hide := indentation(raw), false
	for i := n - 1; i > 0 && depth > 0; i-- {
		line := s.line(i)
		if len(bytes.TrimSpace(line)) == 0 || indentation(line) >= depth {
			continue
		}
		depth = indentation(line)
		if m := layoutKey.FindSubmatch(line); m != nil {
			hide = hide || hides(string(m[1]))
		}
	}
	key := layoutKey.FindSubmatchIndex(raw)
	if key != nil {
		hide = hide || hides(string(raw[key[2]:key[3]]))
	}
	switch {
	case !hide && !s.openBraces(n):
		return nil
	case key == nil:
		return []span{trimmed(raw, span{1, end})}
	}
	return []span{trimmed(raw, span{characters(raw, key[1]), end})}
}

// openBraces reports whether a section in braces that holds secrets may be open where line n begins.
func (s *source) openBraces(n int) bool {
	open := 0
	for i := 1; i < n; i++ {
		line := s.line(i)
		if m := layoutKey.FindSubmatch(line); m != nil && open <= 0 {
			if !hides(string(m[1])) {
				continue
			}
			open = 0
		} else if open <= 0 {
			continue
		}
		open += bytes.Count(line, []byte("{")) - bytes.Count(line, []byte("}"))
	}
	return open > 0
}

func indentation(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t")) }
