package tasks

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/automatond/automatond/internal/platform"
)

// VariableUpdate changes a variable, and fails when there is none of its name.
// What is not mentioned stays as it is.
type VariableUpdate Variable

var variableUpdate = &Kind{
	Name:       "variable_update",
	Command:    "variable:update",
	Summary:    "change a variable, which must exist",
	Link:       "#manage-variables",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/variables/{variable}",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    variableWitness("update"),
	Repeatable: true,
	Options:    append([]Option{{Name: "allow-no-change"}}, variableOptions...),
	Arguments:  []Argument{{Name: "name", Required: true}},
	New:        func() Task { return &VariableUpdate{} },
	FromCLI: func(in Input) (Task, error) {
		v, err := variableFromCLI(in)
		update := VariableUpdate(v)
		return &update, err
	},
}

// Kind implements Task.
func (*VariableUpdate) Kind() *Kind { return variableUpdate }

// Validate implements Task.
func (v *VariableUpdate) Validate() error {
	if reflect.ValueOf(Variable(*v).changes()).IsZero() {
		return errors.New("nothing to change: name at least one of value, json, sensitive, enabled, inheritable, visible_build, visible_runtime and app_scope")
	}
	return Variable(*v).validate()
}

// Body implements Task.
func (v *VariableUpdate) Body() any { return Variable(*v).changes() }

func (v *VariableUpdate) projectWide() bool           { return Variable(*v).projectWide() }
func (v *VariableUpdate) witness() Witness            { return Variable(*v).witness(variableUpdate) }
func (v *VariableUpdate) confidences() []Confidential { return Variable(*v).confidences() }

func (v *VariableUpdate) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return Variable(*v).updateExisting(variableUpdate, env, look)
}
