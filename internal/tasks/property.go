package tasks

import (
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/platform"
)

// propertyOptions are those of the commands that read properties, or set one.
var propertyOptions = []Option{
	{Name: "refresh"},
	{Name: "date-fmt", TakesValue: true, Hidden: true}, // these are about what is read
	{Name: "format", TakesValue: true, Hidden: true},
	{Name: "columns", Short: "c", TakesValue: true, Repeated: true, Hidden: true},
	{Name: "no-header", Hidden: true},
}

var propertyArguments = []Argument{{Name: "property"}, {Name: "value"}}

// propertyFromCLI returns the property to set and its new value.
func propertyFromCLI(in Input) (name, value string, err error) {
	name, value = in.Argument("property"), in.Argument("value")
	switch {
	case len(in.Arguments["value"]) == 0:
		return "", "", errors.New("without a property and a value the command only reads, which is no task")
	case value == "":
		return "", "", fmt.Errorf("the value of property %q is empty", name)
	}
	return name, value, nil
}

// flag reads the value of a property that is a yes or a no, in the words the
// vendor's CLI takes.
func flag(name, value string) (*bool, error) {
	switch value {
	case "1", "true":
		return new(true), nil
	case "0", "false":
		return new(false), nil
	default:
		return nil, fmt.Errorf("the value of property %q is %q; write true or false", name, value)
	}
}

// refuseIfSo refuses a change that would leave the resource as it is. The name
// is for people. A resource that is not there refuses nothing.
func refuseIfSo(r *platform.Resource, body map[string]any, name string) error {
	if r == nil {
		return nil
	}
	var have map[string]any
	if err := r.Decode(&have); err != nil {
		return err
	}
	if !includes(have, body) {
		return nil
	}
	return &Refusal{RefusedAlready, name + " is as it should be already"}
}

// includes reports whether everything that is wanted of a JSON object is so already.
func includes(have, want map[string]any) bool {
	for property, wanted := range want {
		got, ok := have[property]
		if section, nested := wanted.(map[string]any); nested {
			part, _ := got.(map[string]any)
			ok = includes(part, section)
		} else {
			ok = ok && got == wanted
		}
		if !ok {
			return false
		}
	}
	return true
}
