package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/tasks"
	"gopkg.in/yaml.v3"
)

// stepsExample shows the form of `steps:`.
const stepsExample = "steps: [{synchronize: {data: true}}, {redeploy: {}}]"

// readSteps reads the list under `steps:`. It returns no task unless all of them are right.
func (r reader) readSteps(v *yaml.Node) []tasks.Task {
	n := r.value(v)
	switch {
	case n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		r.errorf(n, "empty-list", "write "+stepsExample+", or other tasks", "it names no task")
		return nil
	case n != nil && n.Kind != yaml.SequenceNode && !isNull(n):
		r.errorf(n, "wrong-type", "write a dash before each task, or "+stepsExample, "it must be a list of tasks, not %s", kindOf(n))
		return nil
	}
	var steps []tasks.Task
	entries := 0
	r.list(v, "tasks", func(entry *yaml.Node) {
		entries++
		steps = append(steps, r.readTask(entry)...)
	})
	if len(steps) < entries {
		return nil
	}
	return steps
}

// readTask reads a section whose one key says what is to be done: the value of `task:`, or an entry of
// `steps:`. It returns that task in a list, which others may share, or nil when something is wrong.
func (r reader) readTask(v *yaml.Node) []tasks.Task {
	step := r.key.Value == "steps"
	n := r.value(v)
	if n != nil && n.Kind != yaml.MappingNode && !(isNull(n) && !step) {
		hint := "write " + taskExample(n)
		if step {
			hint = "write {backup: {}}, or another task"
		}
		r.errorf(n, "wrong-type", hint, "it must be a section with one key, not %s", kindOf(n))
		return nil
	}
	var first *yaml.Node
	var list []tasks.Task
	count := 0
	misplaced := false
	ok := r.mapping(v, func(key, value *yaml.Node) {
		if slices.Contains(names(r.fields.cron), key.Value) {
			r.errorf(key, "cron-indentation", fmt.Sprintf("write it outside of the task, indented like %s on line %d", r.key.Value, r.key.Line),
				"%s belongs to the cron, and stands in its task", key.Value)
			misplaced = true
			return
		}
		count++
		switch {
		case count == 1:
			first = key
			list = r.at(key).readKind(value)
		case count == 2 && step:
			r.errorf(key, "task-conflict", "write a dash before each, and what belongs to a task indented further than its name",
				"%s and %s are both there, and a step is one task", first.Value, plainOrQuoted(key.Value))
		case count == 2:
			r.errorf(key, "task-conflict", "write steps: with a dash before each, or make a cron of its own for each",
				"%s and %s are both there, and a cron has one task", first.Value, plainOrQuoted(key.Value))
		}
	})
	switch {
	case ok && count == 0 && !misplaced && step:
		r.errorf(n, "missing-value", "write {backup: {}}, or another task", "it names no task")
	case ok && count == 0 && !misplaced:
		r.errorf(r.key, "missing-value", "write task: {backup: {}}, or another task", "it names no task")
	}
	return list
}

// readKind reads the parameters of one kind of task.
func (r reader) readKind(v *yaml.Node) []tasks.Task {
	kind, ok := tasks.ByName(r.key.Value)
	if !ok {
		hint := didYouMean(r.key.Value, kindNames())
		if k := kindFor(r.key.Value); k != nil {
			hint = "did you mean " + k.Name + "?"
		} else if kindFor(v.Value) != nil {
			hint = "write " + taskExample(v)
		}
		r.errorf(r.key, "task-unknown", hint, "task %s is not known", plainOrQuoted(r.key.Value))
		return nil
	}
	task := kind.New()
	before := len(r.findings.list)
	if n := r.value(v); n == nil || !isNull(n) && !r.readStruct(n, reflect.ValueOf(task).Elem()) {
		return nil
	}
	if len(r.findings.list) > before {
		return nil // its parameters are wrong already
	}
	if err := task.Validate(); err != nil {
		r.errorf(r.key, "task-invalid", "", "%s", err)
		return nil
	}
	r.lintTask(task)
	id := kind.Name
	if n := r.value(v); len(n.Content) > 0 {
		id = tasks.Hash(task)
	}
	shared, ok := r.tasks[id]
	if !ok {
		shared = []tasks.Task{task}
		r.tasks[id] = shared
	}
	return shared
}

// inTask returns the keys from a task's name down to the value, "" outside of tasks.
func (r reader) inTask() string {
	section, keys, _ := strings.Cut(r.path, ".")
	if section != "task" && section != "steps" {
		return ""
	}
	return keys
}

// parameterHint says what to write instead of a value that stands beside a task or a parameter. A
// task's first parameter is what a text there may have meant.
func (r reader) parameterHint(n *yaml.Node) string {
	kind, ok := tasks.ByName(r.inTask())
	if !ok {
		return fmt.Sprintf("write %s: {name: value}, with names of your own", r.key.Value)
	}
	first := reflect.TypeOf(kind.New()).Elem().Field(0)
	if first.Type.Kind() != reflect.String {
		return fmt.Sprintf("write %s: {}", kind.Name)
	}
	value := "…"
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value != "" && len(n.Value) <= 40 && !holdsSecrets(kind.Name) {
		value = inline(n.Value)
	}
	return fmt.Sprintf("write %s: {%s: %s}", kind.Name, yamlName(first), value)
}

// kindFor finds the kind that a command of the vendor's CLI stands for, nil if there is none.
func kindFor(command string) *tasks.Kind {
	if k, ok := tasks.ByName(command); ok {
		return k
	}
	for _, name := range []string{command, command + ":create"} {
		if k, err := tasks.ByCommand(name); err == nil {
			return k
		}
	}
	return nil
}

func kindNames() []string {
	var names []string
	for _, k := range tasks.Catalogue() {
		names = append(names, k.Name)
	}
	return names
}

// readStruct reads a section into a task's struct by its yaml tags.
func (r reader) readStruct(n *yaml.Node, into reflect.Value) bool {
	return r.mapping(n, func(key, value *yaml.Node) {
		var known []string
		for i := range into.NumField() {
			name := yamlName(into.Type().Field(i))
			if name == key.Value && name != "" {
				r.at(key).readValue(value, into.Field(i))
				return
			}
			known = append(known, name)
		}
		r.unknownKey(key, value, known)
	})
}

// longestParameter bounds a task's parameter that is a length of time.
const longestParameter = 3650 * day

// readValue reads a value of any type that a task's parameter has.
func (r reader) readValue(n *yaml.Node, into reflect.Value) {
	switch into.Addr().Interface().(type) {
	case *tasks.Duration:
		if value, ok := r.days(n, time.Second, longestParameter); ok {
			into.SetInt(int64(value))
		}
		return
	case *tasks.Document:
		if value, ok := r.document(n); ok {
			into.Set(reflect.ValueOf(value))
		}
		return
	}
	switch into.Kind() {
	case reflect.Bool:
		if value, ok := r.boolean(n); ok {
			into.SetBool(value)
		}
	case reflect.String:
		if value, ok := r.text(n); ok && r.checkPlaceholders(n, value) {
			into.SetString(value)
		}
	case reflect.Int:
		const most = 1<<31 - 1
		if value, ok := r.integer(n, 0, most); ok {
			into.SetInt(int64(value))
		}
	case reflect.Float64:
		if value, ok := r.number(n, math.MaxInt32); ok {
			into.SetFloat(value)
		}
	case reflect.Slice:
		r.list(n, "values", func(item *yaml.Node) {
			value := reflect.New(into.Type().Elem()).Elem()
			r.readValue(item, value)
			into.Set(reflect.Append(into, value))
		})
	case reflect.Map:
		into.Set(reflect.MakeMap(into.Type()))
		r.mapping(n, func(key, item *yaml.Node) {
			value := reflect.New(into.Type().Elem()).Elem()
			r.at(key).readValue(item, value)
			into.SetMapIndex(reflect.ValueOf(key.Value), value)
		})
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		r.readValue(n, into.Elem())
	case reflect.Struct:
		r.readStruct(n, into)
	default:
		r.errorf(n, "wrong-type", "", "it cannot be configured")
	}
}

// checkPlaceholders reports what looks like a name of the target in a parameter and is none. It shows
// nothing of it, because the parameter may be confidential.
func (r reader) checkPlaceholders(n *yaml.Node, text string) bool {
	if !tasks.HasUnknownPlaceholder(text) {
		return true
	}
	r.errorf(r.value(n), "task-placeholder", "write ${project}, ${environment} or ${branch}; or $${ for a ${ that stands for itself",
		"it has a ${…} that names nothing of the target")
	return false
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}
