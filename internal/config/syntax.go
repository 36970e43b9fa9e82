package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// explain says why a file is not YAML, in the words of somebody who has never heard of YAML's
// grammar. It finds the mistake behind an error of the parser, which never says a column, is
// often a line or more away, and speaks of its own states. The lines are therefore looked at for
// the mistakes that people make; the parser's words are the last resort.
func (s *source) explain(err error) Diagnostic {
	message, line := err.Error(), 1
	if m := syntaxError.FindStringSubmatch(strings.ReplaceAll(message, "\n", " ")); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if name, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		if found, ok := s.unquotedStar(); ok {
			return found
		}
		return s.undefinedAnchor(name, line)
	}
	l := layout{source: s}
	if found, ok := l.scan(); ok {
		return found
	}
	text := s.line(line)
	return Diagnostic{Line: line, Column: 1 + indentation(text), EndColumn: 1 + utf8.RuneCount(bytes.TrimRight(text, " \t")),
		Code: "yaml-syntax", Message: plainWords(message), Hint: "compare the line, and the one above it, with an example in docs/configuration.md"}
}

func (s *source) undefinedAnchor(name string, line int) Diagnostic {
	d := Diagnostic{Line: line, Column: 1, Code: "anchor-undefined", Message: fmt.Sprintf("*%s refers to an anchor that is not defined", name),
		Hint: fmt.Sprintf("define it above with &%s, or put the value in quotes if it is no reference", name)}
	if defined := s.references(); len(defined) > 0 {
		d.Hint = didYouMean("*"+name, defined)
	}
	for n := range s.lineCount() {
		if at := bytes.Index(s.line(n+1), []byte("*"+name)); at >= 0 {
			d.Line, d.Column = n+1, characters(s.line(n+1), at)
			d.EndColumn = d.Column + 1 + utf8.RuneCountInString(name)
			break
		}
	}
	return d
}

// references returns what can refer to the file's anchors, as far as its lines show them.
func (s *source) references() []string {
	var list []string
	for n := range s.lineCount() {
		for _, m := range anchorName.FindAllSubmatch(s.line(n+1), -1) {
			list = append(list, "*"+string(m[1]))
		}
	}
	return list
}

var anchorName = regexp.MustCompile(`(?:^|[\s:\[{,-])&([\w.-]+)(?:\s|$)`)

// plainWords translates what the YAML parser says.
func plainWords(message string) string {
	for _, known := range []struct{ parser, plain string }{
		{"did not find expected key", "the indentation does not fit the lines above, or something follows a value that is complete"},
		{"did not find expected '-'", "this is no entry of the list above, and it is indented like one"},
		{"mapping values are not allowed", "a second colon, or a deeper indentation, where a value already stands"},
		{"sequence entries are not allowed", "a list begins where something else stands already"},
		{"did not find expected ',' or", "a bracket is opened and not closed, or a comma is missing"},
		{"could not find expected ':'", "a colon is missing after a key"},
		{"cannot start any token", "no value can begin with this character unless it is in quotes"},
		{"unexpected end of stream", "the file ends within a quotation or a bracket"},
		{"unknown escape character", `a backslash in double quotes begins a special character, and this is none; write it in single quotes`},
		{"control characters", "the file contains a control character"},
		{"UTF-8", "the file is not UTF-8"},
		{"Unicode", "the file is not UTF-8"},
		{"contains itself", "an anchor contains itself"},
		{"excessive aliasing", "anchors within anchors make the file too large"},
	} {
		if strings.Contains(message, known.parser) {
			return known.plain
		}
	}
	return "this cannot be read as YAML: " + message
}

// unquotedStar finds a spec that YAML takes for a reference, such as *.
func (s *source) unquotedStar() (Diagnostic, bool) {
	l := layout{source: s}
	for n := 1; n <= s.lineCount(); n++ {
		raw := string(s.line(n))
		if m := keyLine.FindStringSubmatchIndex(raw); m != nil && m[8] >= 0 && raw[m[6]:m[7]] == "spec" && strings.HasPrefix(raw[m[8]:m[9]], "*") {
			return l.unquoted(n, "spec", raw[m[8]:m[9]], m[8]), true
		}
	}
	return Diagnostic{}, false
}
