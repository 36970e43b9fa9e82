package tasks

import (
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// VariableEnable enables a variable of the environment, and fails when there is none of
// its name. It is variable_update with enabled: true, as a command of its own.
type VariableEnable struct {
	Name string `yaml:"name" json:"name"` // with its prefix, such as "env:FOO"
}

var variableEnable = &Kind{
	Name:       "variable_enable",
	Command:    "variable:enable",
	Summary:    "enable a variable of the environment, which must exist",
	Link:       "#manage-variables",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/variables/{variable}",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.variable.update"}},
	Repeatable: true,
	Arguments:  []Argument{{Name: "name", Required: true}},
	New:        func() Task { return &VariableEnable{} },
	FromCLI:    func(in Input) (Task, error) { return &VariableEnable{Name: in.Argument("name")}, nil },
}

// Kind implements Task.
func (*VariableEnable) Kind() *Kind { return variableEnable }

// Validate implements Task.
func (v *VariableEnable) Validate() error { return v.variable().validate() }

// Body implements Task.
func (v *VariableEnable) Body() any { return v.variable().changes() }

func (v *VariableEnable) variable() Variable { return Variable{Name: v.Name, Enabled: new(true)} }

func (v *VariableEnable) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return v.variable().updateExisting(variableEnable, env, look)
}
