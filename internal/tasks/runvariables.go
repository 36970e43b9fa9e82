package tasks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
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

// parseVariable splits type:name=value as the vendor's CLI does: the value may be
// empty, and one space behind a separator is not part of what follows. No error
// repeats a value.
func parseVariable(text string) (kind, name, value string, err error) {
	left, value, ok := strings.Cut(text, "=")
	switch {
	case !ok:
		return "", "", "", fmt.Errorf("variable %q has no value; write type:name=value", text)
	case strings.Contains(value, "="):
		return "", "", "", fmt.Errorf("variable %q has a second =, which the CLI does not take; a declared task may have it in a value", left)
	}
	kind, name, ok = strings.Cut(left, ":")
	if !ok || kind == "" || name == "" {
		return "", "", "", fmt.Errorf("variable %q has no type; write type:name=value, such as env:%s=value", left, left)
	}
	return kind, strings.TrimPrefix(name, " "), strings.TrimPrefix(value, " "), nil
}

// asObject keeps variables that are nil from being sent as null.
func asObject(all map[string]map[string]string) map[string]map[string]string {
	if all == nil {
		return map[string]map[string]string{}
	}
	return all
}

// The types and names that the vendor's CLI takes.
var (
	variableType = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
	variableName = regexp.MustCompile(`^[a-zA-Z0-9._:|/-]+$`)
)

// checkVariables reports a type or a name that cannot be one.
func checkVariables(all map[string]map[string]string) error {
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		if !variableType.MatchString(kind) {
			return fmt.Errorf("variables: %q is not a type; use env for environment variables", kind)
		}
		for _, name := range slices.Sorted(maps.Keys(all[kind])) {
			if !variableName.MatchString(name) {
				return fmt.Errorf("variables: %q is not the name of a variable of the type %s", name, kind)
			}
		}
	}
	return nil
}
