package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

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
			return l.bare(n, at+m[2], at+m[3], fmt.Sprintf("write '%s'", value[m[2]:m[3]])), true
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
	return l.bare(n, at, at+len(value), quotesHint(name, value))
}

// bare is a value without quotes whose first character means something else to YAML.
func (l *layout) bare(n, from, to int, hint string) Diagnostic {
	return l.mistake(n, from, to, "yaml-quotes", fmt.Sprintf("a value that begins with %c must be in quotes", l.line(n)[from]), hint)
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
		hint = scriptHint(name)
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

func quotesHint(name, value string) string {
	if isScript(name) {
		return scriptHint(name)
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
