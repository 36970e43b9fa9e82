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

// VariableDisable is its opposite.
type VariableDisable VariableEnable

var (
	variableEnable  = variableSwitch("enable", func(name string) Task { return &VariableEnable{name} })
	variableDisable = variableSwitch("disable", func(name string) Task { return &VariableDisable{name} })
)

func variableSwitch(verb string, of func(name string) Task) *Kind {
	return &Kind{
		Name:       "variable_" + verb,
		Command:    "variable:" + verb,
		Summary:    verb + " a variable of the environment, which must exist",
		Link:       "#manage-variables",
		Method:     http.MethodPatch,
		Route:      environmentRoute + "/variables/{variable}",
		Role:       "admin",
		Statuses:   []string{statusActive},
		Witness:    Witness{Activities: []string{"environment.variable.update"}},
		Repeatable: true,
		Arguments:  []Argument{{Name: "name", Required: true}},
		New:        func() Task { return of("") },
		FromCLI:    func(in Input) (Task, error) { return of(in.Argument("name")), nil },
	}
}

func (v *VariableEnable) variable() Variable  { return Variable{Name: v.Name, Enabled: new(true)} }
func (v *VariableDisable) variable() Variable { return Variable{Name: v.Name, Enabled: new(false)} }

// Kind implements Task.
func (*VariableEnable) Kind() *Kind { return variableEnable }

// Kind implements Task.
func (*VariableDisable) Kind() *Kind { return variableDisable }

// Validate implements Task.
func (v *VariableEnable) Validate() error { return v.variable().validate() }

// Validate implements Task.
func (v *VariableDisable) Validate() error { return v.variable().validate() }

// Body implements Task.
func (v *VariableEnable) Body() any { return v.variable().changes() }

// Body implements Task.
func (v *VariableDisable) Body() any { return v.variable().changes() }

func (v *VariableEnable) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return v.variable().updateExisting(variableEnable, env, look)
}

func (v *VariableDisable) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return v.variable().updateExisting(variableDisable, env, look)
}
