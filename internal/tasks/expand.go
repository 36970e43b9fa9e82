package tasks

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// Names is what the texts of a declared task may name of the environment that it is asked for.
type Names struct {
	Project     string // the platform's id
	Environment string // the API's id
	Branch      string // its name, which is the Git branch's
}

// placeholder is a name in braces behind a dollar sign, and a dollar sign before such braces, which
// has them stand for themselves. What is not closed has no name.
var placeholder = regexp.MustCompile(`\$?\$\{[^}$]*\}?`)

// HasUnknownPlaceholder reports whether a text has a placeholder that Expand does not know.
func HasUnknownPlaceholder(text string) bool {
	for _, found := range placeholder.FindAllString(text, -1) {
		switch found {
		case "${project}", "${environment}", "${branch}":
		default:
			if !strings.HasPrefix(found, "$$") {
				return true
			}
		}
	}
	return false
}

// QuotePlaceholders returns a text that Expand makes this text of.
func QuotePlaceholders(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// Expand returns the task as it is asked for of an environment: in every text of its parameters, the
// keys of maps apart, ${project}, ${environment} and ${branch} are its names, and $${ is ${. A task that
// has none of them is returned itself.
func Expand(t Task, names Names) Task {
	v := reflect.ValueOf(t).Elem()
	if !hasPlaceholder(v) {
		return t
	}
	expanded := reflect.New(v.Type())
	expanded.Elem().Set(names.expand(v))
	return expanded.Interface().(Task)
}

func hasPlaceholder(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return strings.Contains(v.String(), "${")
	case reflect.Pointer:
		return !v.IsNil() && hasPlaceholder(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasPlaceholder(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if hasPlaceholder(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for _, item := range v.Seq2() {
			if hasPlaceholder(item) {
				return true
			}
		}
	}
	return false
}

// expand returns a copy of a value with its texts expanded; what has no texts may be shared.
func (n Names) expand(v reflect.Value) reflect.Value {
	if document, ok := v.Interface().(Document); ok {
		return reflect.ValueOf(Document{Confidential(n.inJSON().text(string(document.Confidential)))})
	}
	expanded := reflect.New(v.Type()).Elem()
	expanded.Set(v)
	switch v.Kind() {
	case reflect.String:
		expanded.SetString(n.text(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			expanded.Set(reflect.New(v.Type().Elem()))
			expanded.Elem().Set(n.expand(v.Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			expanded.Field(i).Set(n.expand(v.Field(i)))
		}
	case reflect.Slice:
		if v.IsNil() { // which may differ from an empty one
			break
		}
		expanded.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			expanded.Index(i).Set(n.expand(v.Index(i)))
		}
	case reflect.Map:
		expanded.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for key, item := range v.Seq2() {
			expanded.SetMapIndex(key, n.expand(item))
		}
	}
	return expanded
}

func (n Names) text(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		switch found {
		case "${project}":
			return n.Project
		case "${environment}":
			return n.Environment
		case "${branch}":
			return n.Branch
		}
		return strings.TrimPrefix(found, "$")
	})
}

// inJSON is the names as they are written between the quotation marks of JSON.
func (n Names) inJSON() Names {
	escaped := func(name string) string {
		text, _ := json.Marshal(name) // a text can always be
		return string(text[1 : len(text)-1])
	}
	return Names{escaped(n.Project), escaped(n.Environment), escaped(n.Branch)}
}
