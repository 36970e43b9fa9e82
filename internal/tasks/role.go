package tasks

import (
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// Rank orders roles: one that is higher may do all that a lower one may. No role is 0.
func Rank(role string) int {
	return slices.Index([]string{"", "viewer", "contributor", "admin"}, role)
}

// Place is where a user needs the role of a task's kind: the type of environments it is asked for on,
// or "", the project itself.
func Place(t Task, env *platform.Environment) string {
	if ProjectWide(t) {
		return ""
	}
	return env.Type
}
