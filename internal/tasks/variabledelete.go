package tasks

import (
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// VariableDelete deletes a variable, and fails when there is none of its name.
// One that is inherited can only be deleted where it is defined.
type VariableDelete struct {
	Name  string `yaml:"name" json:"name"`             // with its prefix, such as "env:FOO"
	Level string `yaml:"level" json:"level,omitempty"` // "environment", the default, or "project"
}

var variableDelete = &Kind{
	Name:     "variable_delete",
	Command:  "variable:delete",
	Summary:  "delete a variable, which must exist",
	Link:     "#manage-variables",
	Method:   http.MethodDelete,
	Route:    environmentRoute + "/variables/{variable}",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  variableWitness("delete"),
	Confirms: true,

	Destructive: true,
	Options:     []Option{{Name: "level", Short: "l", TakesValue: true}},
	Arguments:   []Argument{{Name: "name", Required: true}},
	New:         func() Task { return &VariableDelete{} },
	FromCLI: func(in Input) (Task, error) {
		v, err := variableFromCLI(in)
		return &VariableDelete{Name: v.Name, Level: v.Level}, err
	},
}

// Kind implements Task.
func (*VariableDelete) Kind() *Kind { return variableDelete }

// Validate implements Task.
func (v *VariableDelete) Validate() error { return v.variable().validate() }

// Body implements Task.
func (*VariableDelete) Body() any { return nil }

func (v *VariableDelete) variable() Variable { return Variable{Name: v.Name, Level: v.Level} }

func (v *VariableDelete) projectWide() bool { return v.variable().projectWide() }

func (v *VariableDelete) witness() Witness { return v.variable().witness(variableDelete) }

func (v *VariableDelete) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	p, found, err := v.variable().find(variableDelete, env, look)
	switch {
	case err != nil:
		return platform.Request{}, err
	case found == nil:
		return platform.Request{}, v.variable().missing()
	case found.Inherited && found.remove == "":
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf(
			"variable %q is inherited from a parent of environment %q, and can only be deleted there", v.Name, env.ID)}
	case found.remove == "":
		return platform.Request{}, refuse(variableDelete, env)
	default:
		return request(http.MethodDelete, found.remove, p.item(), nil)
	}
}
