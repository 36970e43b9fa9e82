package tasks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// UnknownCommandError says that a command name leads to no task, and why.
type UnknownCommandError struct {
	Name        string   // as written
	Command     string   // when Unsupported: the CLI's own name for it
	Nearest     []string // names to use instead; when Ambiguous: the candidates
	Ambiguous   bool     // it abbreviates several of the CLI's commands
	Unsupported bool     // the CLI has it, automatond does not offer it
	Reason      string   // when Unsupported: why, or what to write instead; "" where that needs no words
}

// Error implements error.
func (e *UnknownCommandError) Error() string {
	switch {
	case e.Ambiguous:
		return fmt.Sprintf("command %q is ambiguous: it may be %s", e.Name, alternatives(e.Nearest))
	case e.Unsupported:
		text := fmt.Sprintf("command %q", e.Name)
		if e.Command != e.Name {
			text += fmt.Sprintf(" (%s)", e.Command)
		}
		text += " exists in the CLI, but automatond does not offer it"
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		return text
	case len(e.Nearest) > 0:
		return fmt.Sprintf("command %q is not defined; did you mean %s?", e.Name, alternatives(e.Nearest))
	default:
		return fmt.Sprintf("command %q is not defined", e.Name)
	}
}

// ByCommand finds the kind that a command name of the vendor's CLI stands for.
// A name counts as Symfony Console, which the CLI is built on, counts it: the
// command itself, an alias, or an abbreviation of each part between colons
// that fits only one of all the CLI's commands. The error is an
// *UnknownCommandError.
func ByCommand(name string) (*Kind, error) {
	if name == "" {
		return nil, &UnknownCommandError{}
	}
	command, candidates := resolve(name)
	switch {
	case len(candidates) > 1:
		return nil, &UnknownCommandError{Name: name, Nearest: candidates, Ambiguous: true}
	case command == "":
		return nil, &UnknownCommandError{Name: name, Nearest: nearest(name)}
	}
	for _, k := range Catalogue() {
		if k.Command == command {
			return k, nil
		}
	}
	return nil, &UnknownCommandError{Name: name, Command: command, Unsupported: true, Reason: refused[command]}
}

// resolve returns the command behind a name, or several candidates when the
// name abbreviates more than one, or nothing.
func resolve(name string) (command string, candidates []string) {
	for _, names := range cliCommands {
		if slices.Contains(names, name) {
			return names[0], nil
		}
	}
	command, candidates = abbreviated(name, strings.HasPrefix)
	if command == "" && candidates == nil {
		command, candidates = abbreviated(name, hasPrefixFold)
	}
	return command, candidates
}

// abbreviated finds what name abbreviates. Longer names, such as backup:create
// for "back", count towards ambiguity, but one name must have as many parts as
// the abbreviation. An alias does not count beside its own command.
func abbreviated(name string, hasPrefix func(s, prefix string) bool) (command string, candidates []string) {
	parts := strings.Split(name, ":")
	whole := false
	for _, names := range cliCommands {
		for i, n := range names {
			matches, all := abbreviates(parts, n, hasPrefix)
			if !matches {
				continue
			}
			whole = whole || all
			command = names[0]
			candidates = append(candidates, n)
			if i == 0 {
				whole = whole || slices.ContainsFunc(names[1:], func(alias string) bool {
					_, all := abbreviates(parts, alias, hasPrefix)
					return all
				})
				break
			}
		}
	}
	switch {
	case !whole:
		return "", nil
	case len(candidates) > 1:
		return "", candidates
	default:
		return command, nil
	}
}

// abbreviates reports whether each part is a prefix of the same part of the
// name, and whether the name has no more parts than that.
func abbreviates(parts []string, name string, hasPrefix func(s, prefix string) bool) (matches, whole bool) {
	for i, part := range parts {
		head, rest, more := strings.Cut(name, ":")
		if !hasPrefix(head, part) {
			return false, false
		}
		if i == len(parts)-1 {
			return true, !more
		}
		if !more {
			return false, false
		}
		name = rest
	}
	return false, false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// nearest returns the supported names that resemble an unknown one most, up to
// three.
func nearest(name string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, k := range Catalogue() {
		if k.Command == "" {
			continue
		}
		best := candidate{distance: 1 + max(2, len(name)/3)}
		for _, n := range append([]string{k.Command}, k.Aliases...) {
			d := editDistance(name, n)
			if name != "" && strings.Contains(n, name) {
				d = min(d, 1)
			}
			if d < best.distance {
				best = candidate{n, d}
			}
		}
		if best.name != "" {
			found = append(found, best)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, c := range found[:min(3, len(found))] {
		if c.distance == found[0].distance {
			names = append(names, c.name)
		}
	}
	return names
}

// Closest returns the name that resembles an unknown one most, or "" when none
// does.
func Closest(name string, names []string) string {
	closest, least := "", 1+max(1, len(name)/3)
	for _, n := range names {
		if d := editDistance(name, n); d < least {
			closest, least = n, d
		}
	}
	return closest
}

// editDistance counts the bytes to insert, delete or replace between two short
// texts. Anything long is simply far away.
func editDistance(a, b string) int {
	const long = 64
	if len(a) > long || len(b) > long {
		return long
	}
	var row [long + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// alternatives writes names as a list that ends in "or", and leaves out what
// would make it unreadable.
func alternatives(names []string) string {
	const most = 5
	if len(names) == 1 {
		return names[0]
	}
	if len(names) > most {
		return fmt.Sprintf("%s or %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
