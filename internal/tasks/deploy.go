package tasks

import (
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// Deploy deploys the changes that an environment with manual deployments has
// staged.
type Deploy struct {
	// Strategy is "stopstart", which restarts with a short outage, or "rolling".
	// Empty is stopstart, as for the vendor's CLI.
	Strategy string `yaml:"strategy" json:"strategy,omitempty"`
}

var deploy = &Kind{
	Name:     "deploy",
	Command:  "environment:deploy",
	Aliases:  []string{"deploy", "e:deploy", "env:deploy"},
	Summary:  "deploy the environment's staged changes",
	Link:     "#deploy",
	Route:    environmentRoute + "/deploy",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.deploy"}},
	Confirms: true,
	Options:  []Option{{Name: "strategy", Short: "s", TakesValue: true}},
	New:      func() Task { return &Deploy{} },
	FromCLI:  func(in Input) (Task, error) { return &Deploy{Strategy: in.Option("strategy")}, nil },
}

// Kind implements Task.
func (*Deploy) Kind() *Kind { return deploy }

// Validate implements Task.
func (d *Deploy) Validate() error {
	if choices := []string{"", "stopstart", "rolling"}; !slices.Contains(choices, d.Strategy) {
		return fmt.Errorf("strategy %q is not known; write stopstart or rolling", d.Strategy)
	}
	return nil
}

// Body implements Task. As in the CLI, the strategy is always mentioned.
func (d *Deploy) Body() any {
	body := struct {
		Strategy string `json:"strategy"`
	}{"stopstart"}
	if d.Strategy != "" {
		body.Strategy = d.Strategy
	}
	return body
}

// prepare has nothing to ask for while nothing is staged. A strategy that the environment cannot be
// deployed by is refused, as by the vendor's CLI.
func (d *Deploy) prepare(env *platform.Environment, _ Lookup) (platform.Request, error) {
	r, err := follow(d, env)
	switch {
	case err != nil:
		return r, err
	case !env.HasStagedActivities:
		return platform.Request{}, &Refusal{RefusedAlready, fmt.Sprintf("environment %q has no staged changes", env.ID)}
	case d.Strategy == "rolling" && !env.CanRollingDeploy:
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("environment %q cannot be deployed by the strategy rolling", env.ID)}
	default:
		return r, nil
	}
}
