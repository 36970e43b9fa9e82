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
		word := raw[m[2]:m[3]]
		return l.mistake(n, m[2], m[3], "yaml-quotes", fmt.Sprintf("a value that begins with %c must be in quotes", word[0]),
			fmt.Sprintf("write - '%s'", word)), true
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

// value looks at a value beside its key.
func (l *layout) value(n int, raw, name, value string, at int) (Diagnostic, bool) {
	end := at + len(value)
	switch first := value[0]; {
	case first == '*' && !aliasValue.MatchString(value), first == '@', first == '`', first == '%':
		return l.unquoted(n, name, value, at), true
	case first == '\'' || first == '"':
		return l.quoted(n, raw, name, value, at)
	case first == '{' || first == '[':
		if m := bareInBrackets.FindStringSubmatchIndex(value); m != nil {
			word := value[m[2]:m[3]]
			return l.mistake(n, at+m[2], at+m[3], "yaml-quotes", fmt.Sprintf("a value that begins with %c must be in quotes", word[0]),
				fmt.Sprintf("write '%s'", word)), true
		}
		if closing, balanced := brackets(value); !balanced && !l.continues(n) {
			return l.mistake(n, at, at+1, "yaml-bracket", fmt.Sprintf("the bracket %c is not closed", first),
				fmt.Sprintf("write %s", shortened(name+": "+value+closing))), true
		}
		return Diagnostic{}, false
	case first == '&' || first == '!' || first == '|' || first == '>':
		return Diagnostic{}, false
	}
	if i := strings.Index(value, ": "); i >= 0 && !strings.Contains(value[:i], " #") {
		return l.mistake(n, at+i, at+i+1, "yaml-quotes", "a second colon stands in the value, so it looks like another key",
			quotesHint(name, value)), true
	}
	if strings.HasSuffix(value, ":") {
		return l.mistake(n, end-1, end, "yaml-quotes", "the value ends with a colon, so it looks like another key", quotesHint(name, value)), true
	}
	return Diagnostic{}, false
}

// bareInBrackets is a value within brackets that begins with a character which means something else
// to YAML: a star that is no reference, or an exclamation mark.
var bareInBrackets = regexp.MustCompile("[\\[,:][ \t]*(\\*(?:[^\\w\\s,\\]}][^,\\]}]*)?|[!@%`][^,\\]}]*)[ \t]*[,\\]}]")

var aliasValue = regexp.MustCompile(`^\*[\w.-]+\s*(?:#.*)?$`)

// unquoted is a value that begins with a character which means something else to YAML.
func (l *layout) unquoted(n int, name, value string, at int) Diagnostic {
	value = strings.TrimRight(strings.SplitN(value, " #", 2)[0], " ")
	if name == "spec" {
		return l.mistake(n, at, at+len(value), "spec-unquoted", fmt.Sprintf("a spec that begins with %c must be in quotes", value[0]),
			fmt.Sprintf("write spec: '%s'", value))
	}
	return l.mistake(n, at, at+len(value), "yaml-quotes", fmt.Sprintf("a value that begins with %c must be in quotes", value[0]), quotesHint(name, value))
}

// quoted looks for the end of a quotation.
func (l *layout) quoted(n int, raw, name, value string, at int) (Diagnostic, bool) {
	end := closingQuote(value)
	if end < 0 {
		if next := l.line(n + 1); n < l.lineCount() && !keyLine.Match(next) && len(bytes.TrimSpace(next)) > 0 {
			return Diagnostic{}, false // it goes on
		}
		fixed := strings.TrimRight(value, `'"`) + value[:1]
		return l.mistake(n, at, at+len(value), "yaml-quotes", fmt.Sprintf("the quotation mark %c is not closed", value[0]),
			fmt.Sprintf("write %s: %s", name, shortened(fixed))), true
	}
	if escape := unknownEscape.FindStringIndex(value[:end]); value[0] == '"' && escape != nil {
		return l.mistake(n, at+escape[1]-2, at+escape[1], "yaml-quotes", "a backslash in double quotes begins a special character, and this is none",
			"write the value in single quotes, or the backslash twice"), true
	}
	rest := strings.TrimLeft(value[end:], " \t")
	if rest == "" || rest[0] == '#' && rest != value[end:] {
		return Diagnostic{}, false
	}
	from := at + len(value) - len(rest)
	hint := "put the whole value in quotes, or write it as a block: a | after the key, and the text indented below it"
	if isScript(name) {
		hint = quotesHint(name, value)
	}
	return l.mistake(n, from, at+len(value), "yaml-quotes", "this stands after the end of the quotation", hint), true
}

// unknownEscape ends with the first backslash that begins no escape sequence of YAML 1.2, section 5.7.
var unknownEscape = regexp.MustCompile(`^(?:[^\\]|\\[0abtnvfre "/\\N_LPxuU\t])*\\[^0abtnvfre "/\\N_LPxuU\t]`)

// closingQuote returns the place after the quotation mark that ends the value, -1 without one.
func closingQuote(value string) int {
	quote := value[0]
	for i := 1; i < len(value); i++ {
		switch {
		case quote == '"' && value[i] == '\\':
			i++
		case value[i] != quote:
		case quote == '\'' && i+1 < len(value) && value[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// brackets reports whether every bracket of a value is closed, and what is missing.
func brackets(value string) (missing string, balanced bool) {
	var open []byte
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\'', '"':
			end := closingQuote(value[i:])
			if end < 0 {
				return "", true // the quotation is another matter
			}
			i += end - 1
		case '{':
			open = append(open, '}')
		case '[':
			open = append(open, ']')
		case '}', ']':
			if len(open) == 0 || open[len(open)-1] != value[i] {
				return "", true
			}
			open = open[:len(open)-1]
		}
	}
	for i := len(open) - 1; i >= 0; i-- {
		missing += string(open[i])
	}
	return missing, len(open) == 0
}

// continues reports whether the line after n may belong to brackets that are open: it is indented
// further.
func (l *layout) continues(n int) bool {
	for i := n + 1; i <= l.lineCount(); i++ {
		if len(bytes.TrimSpace(l.line(i))) > 0 {
			return indentation(l.line(i)) > indentation(l.line(n))
		}
	}
	return false
}

func isScript(key string) bool { return key == "cmd" || key == "start" }

func quotesHint(name, value string) string {
	if isScript(name) {
		return fmt.Sprintf("write %s: | and put the script on the lines below, indented further", name)
	}
	if name == "task" || name == "only" || name == "except" || name == "commands" {
		return fmt.Sprintf("write %s: {%s}", name, shortened(value))
	}
	return fmt.Sprintf("write %s: '%s'", name, shortened(strings.ReplaceAll(value, "'", "''")))
}

// shortened keeps a hint on one line.
func shortened(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
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

// unquotedStar finds a spec that YAML takes for a reference, such as *.
func (s *source) unquotedStar() (Diagnostic, bool) {
	l := layout{source: s}
	for n := 1; n <= s.lineCount(); n++ {
		raw := string(s.line(n))
		if m := keyLine.FindStringSubmatchIndex(raw); m != nil && m[8] >= 0 && raw[m[6]:m[7]] == "spec" && raw[m[8]] == '*' {
			return l.unquoted(n, "spec", raw[m[8]:m[9]], m[8]), true
		}
	}
	return Diagnostic{}, false
}

// isKey reports whether a word is a key that files have.
func isKey(word string) bool {
	switch word {
	case "crons", "spec", "cmd", "commands", "start", "stop", "task", "only", "except", "branches",
		"environment_types", "status", "projects", "id", "automation_user", "automation_users", "token_file",
		"token_env", "token", "variables", "defaults", "timezone", "timeout", "suspended", "api", "url", "auth_url":
		return true
	}
	return false
}
