package guard

import "slices"

// Disjoint reports whether the lists of two guards show that no environment passes both. It is
// false in doubt, as where patterns would have to be compared.
func Disjoint(a, b *Guard) bool {
	return apart(a.Only.EnvironmentTypes, b.Only.EnvironmentTypes) ||
		apart(withDirty(a.Only.Status), withDirty(b.Only.Status)) ||
		apart(a.Only.Branches.literals(), b.Only.Branches.literals())
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
