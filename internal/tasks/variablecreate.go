package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// VariableCreate creates a variable, and fails when there is one of its name.
type VariableCreate Variable

var variableCreate = &Kind{
	Name:     "variable_create",
	Command:  "variable:create",
	Summary:  "create a variable, which must not exist",
	Link:     "#manage-variables",
	Route:    environmentRoute + "/variables",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  variableWitness("create"),
	Options: append([]Option{
		{Name: "update", Short: "u"},
		{Name: "name", TakesValue: true},
		{Name: "prefix", TakesValue: true},
	}, variableOptions...),
	Arguments: []Argument{{Name: "name"}},
	New:       func() Task { return &VariableCreate{} },
	FromCLI:   variableCreateFromCLI,
}

// variableCreateFromCLI reads the command. With --update it means what
// variable_set means.
func variableCreateFromCLI(in Input) (Task, error) {
	v, err := variableFromCLI(in)
	if err != nil {
		return nil, err
	}
	if name := in.Option("name"); name != "" {
		if v.Name != "" {
			return nil, errors.New("the variable's name is given twice, as an argument and with --name")
		}
		v.Name = name
	}
	if prefix := strings.TrimRight(in.Option("prefix"), ":"); prefix != "" && prefix != "none" {
		if strings.Contains(v.Name, ":") {
			return nil, fmt.Errorf("the variable's name %q has a prefix already", v.Name)
		}
		v.Name = prefix + ":" + v.Name
	}
	if v.Level == "" {
		return nil, errors.New("option --level is missing: write --level environment or --level project")
	}
	if in.Given("update") {
		set := VariableSet(v)
		return &set, nil
	}
	create := VariableCreate(v)
	return &create, nil
}

// Kind implements Task.
func (*VariableCreate) Kind() *Kind { return variableCreate }

// Validate implements Task.
func (v *VariableCreate) Validate() error {
	if v.Value == nil {
		return errors.New("value is missing")
	}
	return Variable(*v).validate()
}

// Body implements Task.
func (v *VariableCreate) Body() any { return Variable(*v).whole() }

func (v *VariableCreate) projectWide() bool           { return Variable(*v).projectWide() }
func (v *VariableCreate) witness() Witness            { return Variable(*v).witness(variableCreate) }
func (v *VariableCreate) confidences() []Confidential { return Variable(*v).confidences() }

func (v *VariableCreate) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	place, found, err := Variable(*v).find(variableCreate, env, look)
	if err != nil {
		return platform.Request{}, err
	}
	if found != nil {
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("variable %q exists already", v.Name)}
	}
	return Variable(*v).create(place)
}
