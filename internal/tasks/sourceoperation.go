package tasks

import (
	"errors"
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// SourceOperation runs one of the application's source operations, which
// commits to the environment's branch and so deploys it.
type SourceOperation struct {
	Operation string `yaml:"operation" json:"operation"`
	// Variables are set during the operation, by type and name; the type "env"
	// makes an environment variable.
	Variables map[string]map[string]string `yaml:"variables" json:"variables,omitempty"`
}

var sourceOperation = &Kind{
	Name:      "source_operation",
	Command:   "source-operation:run",
	Summary:   "run a source operation of the application",
	Link:      "#source-operation",
	Route:     environmentRoute + "/source-operation",
	Role:      "admin",
	Statuses:  []string{statusActive},
	Witness:   Witness{Activities: []string{"environment.source-operation"}},
	Options:   []Option{{Name: "variable", TakesValue: true, Repeated: true}},
	Arguments: []Argument{{Name: "operation", Required: true}},
	New:       func() Task { return &SourceOperation{} },
	FromCLI:   sourceOperationFromCLI,
}

func sourceOperationFromCLI(in Input) (Task, error) {
	variables, err := variablesFromCLI(in)
	return &SourceOperation{Operation: in.Argument("operation"), Variables: variables}, err
}

// Kind implements Task.
func (*SourceOperation) Kind() *Kind { return sourceOperation }

// Validate implements Task.
func (s *SourceOperation) Validate() error {
	if s.Operation == "" {
		return errors.New("operation is missing: name the source operation to run")
	}
	return checkVariables(s.Variables)
}

// Body implements Task. The variables are always an object, as the CLI sends
// them.
func (s *SourceOperation) Body() any {
	return struct {
		Operation string                       `json:"operation"`
		Variables map[string]map[string]string `json:"variables"`
	}{s.Operation, asObject(s.Variables)}
}

// prepare looks for the operation, as the vendor's CLI does. A platform that does not list them is asked all
// the same.
func (s *SourceOperation) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	r, err := follow(s, env)
	if err != nil {
		return r, err
	}
	found, err := look(environmentRoute+"/source-operations", "")
	if err != nil || found == nil {
		return r, err
	}
	type named struct{ Operation string }
	var defined []named
	if err := found.Decode(&defined); err != nil {
		return platform.Request{}, err
	}
	if !slices.Contains(defined, named{s.Operation}) {
		return platform.Request{}, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no source operation %q", env.ID, s.Operation)}
	}
	return r, nil
}
