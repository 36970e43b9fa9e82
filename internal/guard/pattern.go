package guard

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"
)

// Patterns is an ordered list of branch patterns. The last pattern that matches a branch decides.
type Patterns []pattern

type pattern struct {
	text    string // as written
	glob    string // without the exclamation mark
	kind    kind
	exclude bool
}

type kind uint8

const (
	literal kind = iota
	glob
	defaultBranch // $default_branch: the project's default branch
	production    // $production: the branch of an environment of type production
)

// ParsePatterns reads branch patterns: `*` matches within a segment of the name, `**` as a whole
// segment matches any number of them, `?`, `[a-z]` and `{a,b}` as usual, and `!` in front excludes. A
// list of exclusions alone starts from every branch. The error is a *PatternError.
func ParsePatterns(list []string) (Patterns, error) {
	patterns := make(Patterns, len(list))
	included := false
	for i, text := range list {
		p, problem, hint := parsePattern(text)
		if problem != "" {
			return nil, &PatternError{Index: i, Pattern: text, Message: problem, Hint: hint}
		}
		if !p.exclude && !included && i > 0 {
			return nil, &PatternError{
				Index: 0, Pattern: list[0], Message: "an exclusion before every other pattern has no effect",
				Hint: "the last pattern that matches decides; put it after the patterns that it narrows",
			}
		}
		included = included || !p.exclude
		patterns[i] = p
	}
	return patterns, nil
}

// PatternError says which pattern of a list is wrong.
type PatternError struct {
	Index   int    // in the list, from 0
	Pattern string // as written
	Message string
	Hint    string // what to write instead, "" if there is nothing to say
}

// Error implements error.
func (e *PatternError) Error() string { return fmt.Sprintf("pattern %q: %s", e.Pattern, e.Message) }

// String returns the patterns as written, with commas between them.
func (ps Patterns) String() string {
	var b strings.Builder
	for i := range ps {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(ps[i].text)
	}
	return b.String()
}

func parsePattern(text string) (p pattern, problem, hint string) {
	p = pattern{text: text, glob: text}
	p.glob, p.exclude = strings.CutPrefix(text, "!")
	switch {
	case p.glob == "":
		return p, "it is empty", ""
	case strings.ContainsFunc(p.glob, notInBranch):
		return p, "it contains white space or a control character, which no branch has",
			"write one pattern per list entry"
	case p.glob == "$default_branch":
		p.kind = defaultBranch
	case p.glob == "$production":
		p.kind = production
	case strings.HasPrefix(p.glob, "$"):
		return p, "it is not a value that is known here",
			"write $default_branch, $production, or the name of a branch"
	case matchesNothing(p.glob):
		return p, "it matches no branch: no part of a name is empty or begins with a dot or ^",
			"patterns are no regular expressions: write * for any characters, such as feature/*, and feature/** across slashes"
	case !strings.ContainsAny(p.glob, `*?[]{}\`):
		p.kind = literal
	case !doublestar.ValidatePattern(p.glob):
		return p, "it is not a valid pattern", "every [ and { needs its closing ] and }"
	case hasLooseDoubleStar(p.glob):
		return p, "** is not a segment of its own, so it would match no more than *",
			"write **/ or /** to match across slashes"
	default:
		p.kind = glob
	}
	return p, "", ""
}

// notInBranch reports characters that git refuses in the name of a branch.
func notInBranch(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// matchesNothing reports patterns of names that git refuses for branches.
func matchesNothing(glob string) bool {
	for segment := range strings.SplitSeq(glob, "/") {
		if segment == "" || segment[0] == '.' || segment[0] == '^' {
			return true
		}
	}
	return false
}

func hasLooseDoubleStar(pattern string) bool {
	for segment := range strings.FieldsFuncSeq(pattern, func(r rune) bool { return strings.ContainsRune("/{},", r) }) {
		if segment != "**" && strings.Contains(segment, "**") {
			return true
		}
	}
	return false
}

// match judges the target's branch against the list. A pattern about which nothing is known
// leaves the answer as it is where it would only confirm it, and makes it unknown elsewhere.
func (ps Patterns) match(t Target) answer {
	if t.value(branches) == "" {
		return unknown
	}
	result := no
	if ps[0].exclude {
		result = yes
	}
	for i := range ps {
		decided := yes
		if ps[i].exclude {
			decided = no
		}
		switch ps[i].match(t) {
		case yes:
			result = decided
		case unknown:
			if result != decided {
				result = unknown
			}
		}
	}
	return result
}

// firstUnknown returns the pattern, such as $default_branch, that nothing is known about; "" if all
// of them can be judged.
func (ps Patterns) firstUnknown(t Target) string {
	for i := range ps {
		if ps[i].match(t) == unknown {
			return ps[i].glob
		}
	}
	return ""
}

func (p *pattern) match(t Target) answer {
	switch p.kind {
	case literal:
		return is(p.glob == t.Environment.Name)
	case glob:
		return is(doublestar.MatchUnvalidated(p.glob, t.Environment.Name))
	case defaultBranch:
		if t.DefaultBranch == "" {
			return unknown
		}
		return is(t.DefaultBranch == t.Environment.Name)
	default:
		if t.Environment.Type == "" {
			return unknown
		}
		return is(t.Environment.Type == "production")
	}
}

func is(b bool) answer {
	if b {
		return yes
	}
	return no
}
