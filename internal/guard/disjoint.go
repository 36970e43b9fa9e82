package guard

import (
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// Disjoint reports whether the lists of two guards show that no environment passes both. It is
// false in doubt, as where patterns would have to be compared.
func Disjoint(a, b *Guard) bool {
	return apart(a.Only.EnvironmentTypes, b.Only.EnvironmentTypes) ||
		apart(withDirty(a.Only.Status), withDirty(b.Only.Status)) ||
		apart(a.Only.Branches.literals(), b.Only.Branches.literals())
}

// IsNever reports whether the lists of a guard show that no environment passes it: all that only
// lets pass is in except. It is false in doubt.
func (g *Guard) IsNever() bool {
	only, except := &g.Only, &g.Except
	if except.IsZero() {
		return false
	}
	return within(only.EnvironmentTypes, except.EnvironmentTypes) &&
		within(withDirty(only.Status), withDirty(except.Status)) &&
		(len(except.Branches) == 0 || except.Branches.matchAll(only.Branches.literals()))
}

// within reports whether the first list is given and has nothing that the second has not, or the
// second asks nothing.
func within(a, b []string) bool {
	return len(b) == 0 || len(a) > 0 && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// matchAll reports whether the patterns match every one of some branches.
func (ps Patterns) matchAll(branches []string) bool {
	return len(branches) > 0 && !slices.ContainsFunc(branches, func(branch string) bool {
		return ps.match(Target{Environment: &platform.Environment{Name: branch}}) != yes
	})
}

// apart reports whether both lists are given and have nothing in common.
func apart(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// withDirty spells out that active includes dirty.
func withDirty(statuses []string) []string {
	if slices.Contains(statuses, "active") && !slices.Contains(statuses, "dirty") {
		return append(slices.Clone(statuses), "dirty")
	}
	return statuses
}

// literals returns the branches, nil when one of the patterns may match others too.
func (ps Patterns) literals() []string {
	var names []string
	for i := range ps {
		if ps[i].kind != literal || ps[i].exclude {
			return nil
		}
		names = append(names, ps[i].glob)
	}
	return names
}
