package tasks

import (
	"errors"

	"github.com/automatond/automatond/internal/platform"
)

// VariableSet makes sure that a variable has a value: it changes one that
// exists, and creates one that does not.
type VariableSet Variable

var variableSet = &Kind{
	Name:       "variable_set",
	Command:    "variable:set",
	Aliases:    []string{"vset"},
	Summary:    "set a variable, which is created when it does not exist",
	Link:       "#manage-variables",
	Route:      environmentRoute + "/variables",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    variableWitness("create", "update"),
	Repeatable: true,
	Options:    []Option{{Name: "json"}, {Name: "disabled"}},
	Arguments:  []Argument{{Name: "name", Required: true}, {Name: "value", Required: true, Secret: true}},
	New:        func() Task { return &VariableSet{} },
	FromCLI: func(in Input) (Task, error) {
		value, isJSON, enabled := Confidential(in.Argument("value")), in.Given("json"), !in.Given("disabled")
		return &VariableSet{Name: in.Argument("name"), Value: &value, JSON: &isJSON, Enabled: &enabled}, nil
	},
}

// Kind implements Task.
func (*VariableSet) Kind() *Kind { return variableSet }

// Validate implements Task.
func (v *VariableSet) Validate() error {
	if v.Value == nil {
		return errors.New("value is missing")
	}
	return Variable(*v).validate()
}

// Body implements Task. It is that of a new variable.
func (v *VariableSet) Body() any { return Variable(*v).whole() }

func (v *VariableSet) projectWide() bool           { return Variable(*v).projectWide() }
func (v *VariableSet) witness() Witness            { return Variable(*v).witness(variableSet) }
func (v *VariableSet) confidences() []Confidential { return Variable(*v).confidences() }

func (v *VariableSet) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	place, found, err := Variable(*v).find(variableSet, env, look)
	switch {
	case err != nil:
		return platform.Request{}, err
	case found == nil, found.path == "" && found.Inherited:
		// One that is inherited cannot be changed here, but overridden.
		return Variable(*v).create(place)
	default:
		return Variable(*v).update(variableSet, env, place, found)
	}
}
