package config

import (
	"fmt"
	"regexp"
	"strings"
)

// layout walks over the lines of a file by their indentation, as a person reads them.
type layout struct {
	*source
	open  []level // the sections that the line is in, outermost first
	block int     // indentation of the key whose block of text the line is in, -1 outside
	owner string  // that key
}

// level is the last key of a section that is open.
type level struct {
	indent int
	line   int
	key    string
	done   bool // a value stands beside it, so that nothing can stand below
	listed bool // it is in an entry of a list
}

// scan returns the first mistake that it knows.
func (l *layout) scan() (Diagnostic, bool) {
	l.block = -1
	for n := 1; n <= l.lineCount(); n++ {
		if found, ok := l.look(n); ok {
			return found, true
		}
	}
	return Diagnostic{}, false
}

var (
	keyLine     = regexp.MustCompile(`^( *)((?:- +)*)("[^"]*"|'[^']*'|[^\s"'{\[#&*!|>%@` + "`" + `-][^:#]*?)[ \t]*:(?:[ \t]+(.*))?$`)
	gluedColon  = regexp.MustCompile(`^( *)([A-Za-z_]+):(['"\w*@/{\[|>].*)$`)
	lostColon   = regexp.MustCompile(`^( *)([A-Za-z_]+)(?:[ \t]+=?[ \t]*(\S.*))?$`)
	bareItem    = regexp.MustCompile("^ *- +(\\*(?:[^\\w\\s].*?)?|[@%`].*?)[ \t]*$")
	blockHeader = regexp.MustCompile(`^(?:[&!]\S+ +)*[|>][-+0-9]*[ \t]*(?:#.*)?$`)
)

func (l *layout) look(n int) (Diagnostic, bool) {
	raw := string(l.line(n))
	content := strings.TrimLeft(raw, " ")
	indent := len(raw) - len(content)
	blank := strings.TrimSpace(content) == ""
	if l.block >= 0 {
		if blank || indent > l.block {
			return Diagnostic{}, false
		}
		if content[0] != '\t' && !keyLine.MatchString(raw) && content[0] != '#' && content[0] != '-' {
			return l.mistake(n, indent, len(raw), "yaml-indentation", fmt.Sprintf("the text below %s must be indented further than %s itself", l.owner, l.owner),
				fmt.Sprintf("indent it, and what follows, by %d spaces", l.block+4)), true
		}
		l.block = -1
	}
	switch {
	case blank, content[0] == '#', strings.HasPrefix(raw, "---"), strings.HasPrefix(raw, "..."):
		return Diagnostic{}, false
	case content[0] == '\t':
		tabs := len(content) - len(strings.TrimLeft(content, "\t"))
		return l.mistake(n, indent, indent+tabs, "yaml-tab", "the line is indented with a tab", "indent with spaces: 4 for each level"), true
	}
	if strings.HasPrefix(content, "- ") {
		if found, ok := l.entry(n, indent); ok {
			return found, true
		}
	}
	if m := keyLine.FindStringSubmatchIndex(raw); m != nil {
		return l.key(n, raw, m)
	}
	if m := bareItem.FindStringSubmatchIndex(raw); m != nil {
		return l.bare(n, m[2], m[3], fmt.Sprintf("write - '%s'", raw[m[2]:m[3]])), true
	}
	if m := gluedColon.FindStringSubmatchIndex(raw); m != nil && isKey(raw[m[4]:m[5]]) {
		return l.mistake(n, m[4], m[7], "yaml-space", "a space is missing after the colon",
			fmt.Sprintf("write %s: %s", raw[m[4]:m[5]], shortened(raw[m[6]:m[7]]))), true
	}
	if m := lostColon.FindStringSubmatchIndex(raw); m != nil && isKey(raw[m[4]:m[5]]) {
		rest := ""
		if m[6] >= 0 {
			rest = " " + shortened(raw[m[6]:m[7]])
		}
		return l.mistake(n, m[4], m[5], "yaml-colon", fmt.Sprintf("a colon is missing after %s", raw[m[4]:m[5]]),
			fmt.Sprintf("write %s:%s", raw[m[4]:m[5]], rest)), true
	}
	return Diagnostic{}, false
}

// key looks at a line with a key; m are the places of its indentation, dashes, key and value.
func (l *layout) key(n int, raw string, m []int) (Diagnostic, bool) {
	indent, name := m[6], raw[m[6]:m[7]]
	if found, ok := l.nest(n, indent, name, m[4] < m[5]); ok {
		return found, true
	}
	value, at := "", len(raw)
	if m[8] >= 0 {
		value, at = strings.TrimRight(raw[m[8]:m[9]], " \t"), m[8]
	}
	top := &l.open[len(l.open)-1]
	switch {
	case value == "" || value[0] == '#':
		return Diagnostic{}, false
	case blockHeader.MatchString(value):
		l.block, l.owner = m[3], name
		top.done = true
		return Diagnostic{}, false
	}
	top.done = value[0] != '&' && value[0] != '!' || strings.Contains(value, " ")
	return l.value(n, raw, name, value, at)
}

// nest finds the section that a key is in, and says so when there is none.
func (l *layout) nest(n, indent int, name string, listed bool) (Diagnostic, bool) {
	left := l.leave(indent)
	if left.listed && listed {
		left = level{} // the entry before
	}
	end := indent + len(name)
	if len(l.open) == 0 {
		if left.key != "" {
			return l.mistake(n, indent, end, "yaml-indentation", fmt.Sprintf("%s is indented less than %s on line %d, the first key", name, left.key, left.line),
				indentHint(left)), true
		}
		l.open = append(l.open, level{indent: indent, line: n, key: name, listed: listed})
		return Diagnostic{}, false
	}
	top := &l.open[len(l.open)-1]
	switch {
	case top.indent == indent:
		*top = level{indent: indent, line: n, key: name, listed: listed || top.listed}
		return Diagnostic{}, false
	case left.key != "":
		// Between two levels: further in than one, less than the next.
		return l.mistake(n, indent, end, "yaml-indentation",
			fmt.Sprintf("%s is indented by %d spaces, neither by %d like %s on line %d nor by %d like %s on line %d",
				name, indent, top.indent, top.key, top.line, left.indent, left.key, left.line), indentHint(left)), true
	case top.done:
		return l.mistake(n, indent, end, "yaml-indentation",
			fmt.Sprintf("%s is indented further than %s on line %d, which has a value already", name, top.key, top.line), indentHint(*top)), true
	}
	l.open = append(l.open, level{indent: indent, line: n, key: name, listed: listed})
	return Diagnostic{}, false
}

// leave ends the sections that are indented further, and returns the outermost of them.
func (l *layout) leave(indent int) (left level) {
	for len(l.open) > 0 && l.open[len(l.open)-1].indent > indent {
		left = l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
	}
	return left
}

// entry looks at the dash of a list: in a section with keys it has no place.
func (l *layout) entry(n, indent int) (Diagnostic, bool) {
	left := l.leave(indent)
	if len(l.open) == 0 {
		return Diagnostic{}, false
	}
	top := l.open[len(l.open)-1]
	if top.indent != indent || top.listed || left.listed || left.key == "" && !top.done {
		return Diagnostic{}, false
	}
	return l.mistake(n, indent, indent+1, "yaml-indentation",
		fmt.Sprintf("an entry of a list stands where a key is expected, like %s on line %d", top.key, top.line),
		"indent it further than the key that it belongs to, or write it without the dash"), true
}

func indentHint(like level) string {
	return fmt.Sprintf("indent it by %d spaces, like %s on line %d", like.indent, like.key, like.line)
}

// mistake makes a diagnostic of byte offsets in a line. What is secret on the line is not repeated
// in the hint.
func (l *layout) mistake(n, from, to int, code, message, hint string) Diagnostic {
	raw := l.line(n)
	if len(l.secretsOn(n)) > 0 {
		hint = ""
	}
	return Diagnostic{Line: n, Column: characters(raw, from), EndColumn: characters(raw, to), Code: code, Message: message, Hint: hint}
}

// isKey reports whether a word is a key that files have.
func isKey(word string) bool {
	switch word {
	case "crons", "spec", "cmd", "commands", "start", "stop", "task", "steps", "only", "except", "branches",
		"environment_types", "status", "projects", "id", "automation_user", "automation_users", "token_file",
		"token_env", "token", "variables", "defaults", "timezone", "timeout", "suspended", "api", "url", "auth_url":
		return true
	}
	return false
}
