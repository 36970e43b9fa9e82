package tasks

import (
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// EnvironmentDelete deletes an inactive environment, which is its branch. It
// deactivates nothing: an environment that has services is refused.
type EnvironmentDelete struct {
	// AllowParent also deletes an environment that others have as parent.
	AllowParent bool `yaml:"allow_parent" json:"allow_parent,omitempty"`
}

var environmentDelete = &Kind{
	Name:     "environment_delete",
	Command:  deletion.Command,
	Aliases:  deletion.Aliases,
	Summary:  "delete an inactive environment and its branch",
	Link:     "#delete",
	Method:   http.MethodDelete,
	Route:    environmentRoute,
	Role:     "admin",
	Statuses: []string{statusInactive},
	Witness:  Witness{Activities: []string{"environment.delete"}},
	Confirms: true,

	Destructive: true,
	Options:     deletion.Options,
	Arguments:   deletion.Arguments,
	New:         func() Task { return &EnvironmentDelete{} },
	FromCLI:     deletionFromCLI,
}

// Kind implements Task.
func (*EnvironmentDelete) Kind() *Kind { return environmentDelete }

// Validate implements Task.
func (*EnvironmentDelete) Validate() error { return nil }

// Body implements Task.
func (*EnvironmentDelete) Body() any { return nil }

// prepare refuses an environment with children, as the vendor's CLI does, and
// the default branch.
func (e *EnvironmentDelete) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	switch {
	case env.IsMain:
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("environment %q is that of the default branch", env.ID)}
	case env.Status == statusDeleting:
		return platform.Request{}, &Refusal{RefusedAlready, fmt.Sprintf("environment %q is being deleted already", env.ID)}
	case !environmentDelete.Accepts(env.Status):
		return platform.Request{}, refuse(environmentDelete, env)
	}
	if !e.AllowParent {
		if err := refuseParent(env, look); err != nil {
			return platform.Request{}, err
		}
	}
	found, err := look(environmentRoute, "")
	if err != nil {
		return platform.Request{}, err
	}
	if found == nil {
		return platform.Request{}, &Refusal{RefusedMissing, fmt.Sprintf("there is no environment %q", env.ID)}
	}
	return remove(environmentDelete, env, found.Links)
}
