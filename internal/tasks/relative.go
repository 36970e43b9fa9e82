package tasks

import (
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/platform"
)

// relative is what is known of another environment of the project.
type relative struct{ ID, Parent, Status string }

func listEnvironments(look Lookup) ([]relative, error) {
	return list[relative](look, projectRoute+"/environments")
}

// findRelative returns nil when there is none of that ID.
func findRelative(id string, all []relative) *relative {
	for i := range all {
		if all[i].ID == id {
			return &all[i]
		}
	}
	return nil
}

// followWithParent is follow for a task that takes something from the environment's parent, or brings it
// there. When the platform offers no link although the environment is ready, that may be why.
func followWithParent(t Task, env *platform.Environment, look Lookup) (platform.Request, error) {
	r, err := follow(t, env)
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok || refusal.Reason != RefusedForbidden {
		return r, err
	}
	k := t.Kind()
	if env.Parent == "" {
		return r, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no parent, and %s needs one", env.ID, k.Name)}
	}
	all, lookErr := listEnvironments(look)
	if lookErr != nil {
		return r, lookErr
	}
	if parent := findRelative(env.Parent, all); parent != nil && !k.Accepts(parent.Status) {
		return r, &Refusal{RefusedInactive, fmt.Sprintf("%q, the parent of environment %q, is %s, %s wants it %s",
			parent.ID, env.ID, orUnknown(parent.Status), k.Name, k.Statuses[0])}
	}
	return r, err
}
