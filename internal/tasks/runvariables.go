package tasks

import (
	"errors"
	"fmt"
	"strings"
)

// variablesFromCLI reads --variable, of which there may be several, into
// variables by type and name. Nil when there is none.
func variablesFromCLI(in Input) (map[string]map[string]string, error) {
	var all map[string]map[string]string
	for _, text := range in.Options["variable"] {
		kind, name, value, err := parseVariable(text)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = map[string]map[string]string{}
		}
		if all[kind] == nil {
			all[kind] = map[string]string{}
		}
		all[kind][name] = value
	}
	return all, nil
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

// asObject keeps variables that are nil from being sent as null.
func asObject(all map[string]map[string]string) map[string]map[string]string {
	if all == nil {
		return map[string]map[string]string{}
	}
	return all
}

// checkVariables reports a type or a name that is empty.
func checkVariables(all map[string]map[string]string) error {
	for kind, variables := range all {
		if kind == "" {
			return errors.New("variables: a type is empty; use env for environment variables")
		}
		if _, ok := variables[""]; ok {
			return fmt.Errorf("variables: a name under %q is empty", kind)
		}
	}
	return nil
}
