package tasks

import (
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// VariableDisable disables a variable of the environment, and fails when there is none of
// its name. It is variable_update with enabled: false, as a command of its own.
type VariableDisable struct {
	Name string `yaml:"name" json:"name"` // with its prefix, such as "env:FOO"
}

var variableDisable = &Kind{
	Name:       "variable_disable",
	Command:    "variable:disable",
	Summary:    "disable a variable of the environment, which must exist",
	Link:       "#manage-variables",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/variables/{variable}",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.variable.update"}},
	Repeatable: true,
	Arguments:  []Argument{{Name: "name", Required: true}},
	New:        func() Task { return &VariableDisable{} },
	FromCLI:    func(in Input) (Task, error) { return &VariableDisable{Name: in.Argument("name")}, nil },
}

// Kind implements Task.
func (*VariableDisable) Kind() *Kind { return variableDisable }

// Validate implements Task.
func (v *VariableDisable) Validate() error { return v.variable().validate() }

// Body implements Task.
func (v *VariableDisable) Body() any { return v.variable().changes() }

func (v *VariableDisable) variable() Variable { return Variable{Name: v.Name, Enabled: new(false)} }

func (v *VariableDisable) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return v.variable().updateExisting(variableDisable, env, look)
}
