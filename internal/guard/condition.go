package guard

import (
	"fmt"
	"slices"
	"strings"
)

// answer is three-valued, because an unknown value must not count as "does not match".
type answer uint8

const (
	no answer = iota
	yes
	unknown
)

// field is one key of a section.
type field uint8

const (
	branches field = iota
	environmentTypes
	status
	fields // how many there are
)

func (f field) name() string {
	switch f {
	case branches:
		return "branches"
	case environmentTypes:
		return "environment_types"
	default:
		return "status"
	}
}

// noun is what the field's value is called in a sentence.
func (f field) noun() string {
	switch f {
	case branches:
		return "branch"
	case environmentTypes:
		return "environment type"
	default:
		return "status"
	}
}

func (c *Condition) asks(f field) bool {
	switch f {
	case branches:
		return len(c.Branches) > 0
	case environmentTypes:
		return len(c.EnvironmentTypes) > 0
	default:
		return len(c.Status) > 0
	}
}

func (c *Condition) ask(f field, t Target) (asked bool, a answer) {
	if !c.asks(f) {
		return false, no
	}
	switch f {
	case branches:
		return true, c.Branches.match(t)
	case environmentTypes:
		return true, oneOf(c.EnvironmentTypes, t.value(f))
	default:
		return true, c.matchStatus(t.value(f))
	}
}

func (c *Condition) matchStatus(got string) answer {
	if got == "dirty" && slices.Contains(c.Status, "active") {
		return yes // a dirty environment is an active one with an activity under way
	}
	return oneOf(c.Status, got)
}

func (c *Condition) want(f field) string {
	switch f {
	case branches:
		return c.Branches.String()
	case environmentTypes:
		return strings.Join(c.EnvironmentTypes, ", ")
	default:
		return strings.Join(c.Status, ", ")
	}
}

// write appends every asked field to b. No value contains a quotation mark that is not escaped,
// so two different conditions never write the same text.
func (c *Condition) write(b *strings.Builder, section string) {
	for f := range fields {
		if c.asks(f) {
			fmt.Fprintf(b, "%s.%s[%q]", section, f.name(), c.want(f))
		}
	}
}

// words names a field as it is configured.
func (c *Condition) words(section string, f field) string {
	return section + "." + f.name() + " [" + c.want(f) + "]"
}

// saw says what the answer to a field was based on.
func (c *Condition) saw(f field, t Target, a answer) string {
	value := t.value(f)
	if value == "" {
		return f.noun() + " is not known"
	}
	text := fmt.Sprintf("%s is %q", f.noun(), value)
	if a == unknown {
		text += ", " + c.Branches.firstUnknown(t) + " is not known"
	}
	return text
}

// value is what the target's environment has for the field, "" if that is not known.
func (t Target) value(f field) string {
	switch {
	case t.Environment == nil:
		return ""
	case f == branches:
		return t.Environment.Name
	case f == environmentTypes:
		return t.Environment.Type
	default:
		return t.Environment.Status
	}
}

func oneOf(wanted []string, got string) answer {
	switch {
	case got == "":
		return unknown
	case slices.Contains(wanted, got):
		return yes
	default:
		return no
	}
}

func vetoByOnly(c *Condition, f field, t Target, a answer) string {
	if a == unknown {
		return unknownValue("only", f, t)
	}
	return f.noun() + " " + t.value(f) + " is not in only." + f.name() + " [" + c.want(f) + "]"
}

// vetoByExcept words a veto of which every asked field takes part.
func vetoByExcept(c *Condition, t Target) string {
	var parts []string
	for f := range fields {
		switch asked, a := c.ask(f, t); {
		case !asked:
		case a == unknown:
			parts = append(parts, unknownValue("except", f, t))
		default:
			parts = append(parts, f.noun()+" "+t.value(f)+" is in except."+f.name()+" ["+c.want(f)+"]")
		}
	}
	return strings.Join(parts, " and ")
}

func unknownValue(section string, f field, t Target) string {
	what := "the " + f.noun()
	if t.value(f) != "" {
		// Only a branch list can be undecided about a branch that is known.
		what = "what $default_branch or $production stands for"
	}
	return what + " is not known, and " + section + "." + f.name() + " asks for it"
}
