package config

import (
	"reflect"

	"github.com/automatond/automatond/internal/tasks"
)

// Key is one key of a configuration file, for the reference.
type Key struct {
	Path    string // from the top of the file, "crons.<cron>.spec"
	Type    string
	Default string // "" for none
}

// Keys returns every key that Load knows, in the order of the reference in docs/configuration.md.
// It is made from the tables that Load itself reads by.
func Keys() []Key {
	keys := keysOf("", fileFields())
	keys = append(keys, keysOf("crons.<cron>.", cronFields())...)
	keys = append(keys, keysOf("crons.<cron>.commands.", commandsFields())...)
	for _, section := range []string{"only", "except"} {
		keys = append(keys, keysOf("crons.<cron>."+section+".", conditionFields())...)
	}
	for _, kind := range tasks.Catalogue() {
		path := "crons.<cron>.task." + kind.Name
		keys = append(keys, Key{path, "section", ""})
		keys = append(keys, parameters(path+".", reflect.TypeOf(kind.New()).Elem())...)
	}
	keys = append(keys, keysOf("projects.<project>.", projectFields())...)
	keys = append(keys, keysOf("projects.<project>.plan.", projectPlanFields())...)
	keys = append(keys, keysOf("automation_users.<user>.", userFields())...)
	keys = append(keys, keysOf("defaults.", policyFields())...)
	keys = append(keys, keysOf("api.", apiFields())...)
	return append(keys, keysOf("history.", historyFields())...)
}

func keysOf[T any](path string, fields []field[T]) []Key {
	keys := make([]Key, len(fields))
	for i, f := range fields {
		keys[i] = Key{path + f.name, f.kind, f.preset}
	}
	return keys
}

// parameters are the keys of a task's section, by its struct's yaml tags.
func parameters(path string, of reflect.Type) []Key {
	var keys []Key
	for i := range of.NumField() {
		f := of.Field(i)
		if name := yamlName(f); name != "" {
			kind, preset := parameterType(f.Type)
			keys = append(keys, Key{path + name, kind, preset})
		}
	}
	return keys
}

func parameterType(t reflect.Type) (kind, preset string) {
	switch t {
	case reflect.TypeFor[tasks.Duration]():
		return "duration", ""
	case reflect.TypeFor[tasks.Document]():
		return "section of any form", ""
	}
	switch t.Kind() {
	case reflect.Bool:
		return "`true` or `false`", "`false`"
	case reflect.String:
		return "text", ""
	case reflect.Int:
		return "whole number", "`0`"
	case reflect.Float64:
		return "number", "`0`"
	case reflect.Slice:
		return "list", ""
	case reflect.Pointer:
		kind, _ = parameterType(t.Elem())
		return kind, ""
	default:
		return "section", ""
	}
}
