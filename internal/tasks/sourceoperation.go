package tasks

import (
	"errors"
	"fmt"
	"strings"
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
	s := &SourceOperation{Operation: in.Argument("operation")}
	for _, text := range in.Options["variable"] {
		kind, name, value, err := parseVariable(text)
		if err != nil {
			return nil, err
		}
		if s.Variables == nil {
			s.Variables = map[string]map[string]string{}
		}
		if s.Variables[kind] == nil {
			s.Variables[kind] = map[string]string{}
		}
		s.Variables[kind][name] = value
	}
	return s, nil
}

// parseVariable splits type:name=value. The value may be empty and may contain
// both separators.
func parseVariable(text string) (kind, name, value string, err error) {
	left, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", "", "", fmt.Errorf("variable %q has no value; write type:name=value", text)
	}
	kind, name, ok = strings.Cut(left, ":")
	if !ok || kind == "" || name == "" {
		return "", "", "", fmt.Errorf("variable %q has no type; write type:name=value, such as env:%s", text, text)
	}
	return kind, name, value, nil
}

// Kind implements Task.
func (*SourceOperation) Kind() *Kind { return sourceOperation }

// Validate implements Task.
func (s *SourceOperation) Validate() error {
	if s.Operation == "" {
		return errors.New("operation is missing: name the source operation to run")
	}
	for kind, variables := range s.Variables {
		if kind == "" {
			return errors.New("variables: a type is empty; use env for environment variables")
		}
		if _, ok := variables[""]; ok {
			return fmt.Errorf("variables: a name under %q is empty", kind)
		}
	}
	return nil
}

// Body implements Task. The variables are always an object, as the CLI sends
// them.
func (s *SourceOperation) Body() any {
	variables := s.Variables
	if variables == nil {
		variables = map[string]map[string]string{}
	}
	return struct {
		Operation string                       `json:"operation"`
		Variables map[string]map[string]string `json:"variables"`
	}{s.Operation, variables}
}
