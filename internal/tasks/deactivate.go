package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// Deactivate makes the environment inactive: its services and all its data are
// deleted, its branch stays. So it is not asked for again when an answer is
// lost; somebody may have activated the environment meanwhile.
type Deactivate struct {
	// AllowParent also deactivates an environment that others have as parent.
	AllowParent bool `yaml:"allow_parent" json:"allow_parent,omitempty"`
}

var deactivate = &Kind{
	Name:     "deactivate",
	Command:  "environment:delete",
	Aliases:  []string{"environment:deactivate"},
	Summary:  "delete the environment's services and data, and keep its branch",
	Link:     "#deactivate",
	Route:    environmentRoute + "/deactivate",
	Role:     "admin",
	Statuses: []string{statusActive, statusPaused},
	Witness:  Witness{Activities: []string{"environment.deactivate"}, Status: statusInactive},
	Confirms: true,

	Destructive: true,
	Options: []Option{
		{Name: "no-delete-branch"},
		{Name: "allow-delete-parent"},
		{Name: "delete-branch"},
		{Name: "type", TakesValue: true, Repeated: true},
		{Name: "only-type", Short: "t", TakesValue: true, Repeated: true},
		{Name: "exclude", TakesValue: true, Repeated: true},
		{Name: "exclude-type", TakesValue: true, Repeated: true},
		{Name: "inactive"},
		{Name: "status", TakesValue: true, Repeated: true},
		{Name: "only-status", TakesValue: true, Repeated: true},
		{Name: "exclude-status", TakesValue: true, Repeated: true},
		{Name: "merged"},
	},
	Arguments: []Argument{{Name: ArgumentEnvironment, Repeated: true}},
	New:       func() Task { return &Deactivate{} },
	FromCLI:   deactivateFromCLI,
}

// deactivateFromCLI takes the command for one environment that is named, or is
// the run's own. What would choose among all of a project's environments, or
// delete a branch, is not offered.
func deactivateFromCLI(in Input) (Task, error) {
	if in.Given("delete-branch") {
		return nil, errors.New("option --delete-branch is not offered: automatond deletes no branch")
	}
	for _, selects := range []string{"type", "only-type", "exclude", "exclude-type", "inactive", "status", "only-status", "exclude-status", "merged"} {
		if in.Given(selects) {
			return nil, fmt.Errorf("option --%s is not offered; name one environment, and narrow the cron with a guard", selects)
		}
	}
	if name := in.Argument(ArgumentEnvironment); strings.ContainsAny(name, "*%, ") {
		return nil, fmt.Errorf("%q is not the name of one environment", name)
	}
	return &Deactivate{AllowParent: in.Given("allow-delete-parent")}, nil
}

// Kind implements Task.
func (*Deactivate) Kind() *Kind { return deactivate }

// Validate implements Task.
func (*Deactivate) Validate() error { return nil }

// Body implements Task.
func (*Deactivate) Body() any { return nil }

// prepare refuses an environment that has children, as the vendor's CLI does.
func (d *Deactivate) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	r, err := follow(d, env)
	if err != nil || d.AllowParent {
		return r, err
	}
	all, err := listEnvironments(look)
	if err != nil {
		return platform.Request{}, err
	}
	for _, e := range all {
		if e.Parent == env.ID {
			return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf(
				"environment %q is the parent of %q; allow that with allow_parent or --allow-delete-parent", env.ID, e.ID)}
		}
	}
	return r, nil
}
