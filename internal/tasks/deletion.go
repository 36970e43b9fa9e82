package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// deletion is the command behind which the vendor's CLI has two tasks: it
// deactivates an environment, and with --delete-branch it deletes an inactive one.
var deletion = struct {
	Command   string
	Aliases   []string
	Options   []Option
	Arguments []Argument
}{
	Command: "environment:delete",
	Aliases: []string{"environment:deactivate"},
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
}

// deletionFromCLI takes the command for one environment that is named, or is
// the run's own. What would choose among all of a project's environments is not
// offered.
func deletionFromCLI(in Input) (Task, error) {
	for _, selects := range []string{"type", "only-type", "exclude", "exclude-type", "inactive", "status", "only-status", "exclude-status", "merged"} {
		if in.Given(selects) {
			return nil, fmt.Errorf("option --%s is not offered; name one environment, and narrow the cron with a guard", selects)
		}
	}
	if name := in.Argument(ArgumentEnvironment); strings.ContainsAny(name, "*%, ") {
		return nil, fmt.Errorf("%q is not the name of one environment", name)
	}
	allowParent := in.Given("allow-delete-parent")
	switch {
	case !in.Given("delete-branch"):
		return &Deactivate{AllowParent: allowParent}, nil
	case in.Given("no-delete-branch"):
		return nil, errors.New("options --delete-branch and --no-delete-branch contradict each other")
	default:
		return &EnvironmentDelete{AllowParent: allowParent}, nil
	}
}

// refuseParent refuses an environment that others have as parent.
func refuseParent(env *platform.Environment, look Lookup) error {
	all, err := listEnvironments(look)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Parent == env.ID {
			return &Refusal{RefusedConflict, fmt.Sprintf(
				"environment %q is the parent of %q; allow that with allow_parent or --allow-delete-parent", env.ID, e.ID)}
		}
	}
	return nil
}
