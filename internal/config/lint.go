package config

import (
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/tasks"
)

// lint reports what is valid and probably not meant.
func (e cronEntry) lint(j *job.Job) {
	if e.fleet && j.Guard.IsZero() && j.Left == nil && (len(j.Tasks) > 0 || j.Script != nil && j.Script.UsesCLI() && !j.Script.Guarded()) {
		e.unguarded = append(e.unguarded, unguarded{e.reader, j})
	}
	if j.Guard.IsNever() {
		e.report(Warning, e.key, "never-runs", "leave out of except what only names", "it never runs: except takes away all that only lets pass")
	}
	for i, t := range j.Tasks {
		kind, only := t.Kind(), j.Guard.Only.Status
		if len(only) == 0 || slices.ContainsFunc(only, kind.Accepts) {
			continue
		}
		what, hint := "it", "write only: {status: ["+kind.Statuses[0]+"]}, or leave status: out"
		if i > 0 {
			what, hint = fmt.Sprintf("step %d", i+1), "leave status: out, since the guard is asked before every step"
		}
		e.report(Warning, e.key, "never-runs", hint, "%s never runs: %s needs status %s, and only.status excludes it",
			what, kind.Name, alternatives(kind.Statuses))
		return
	}
}

// lintTask reports a secret that a task's parameters hold, by its own account.
func (r reader) lintTask(task tasks.Task) {
	var v tasks.Variable
	switch task := task.(type) {
	case *tasks.VariableSet:
		v = tasks.Variable(*task)
	case *tasks.VariableCreate:
		v = tasks.Variable(*task)
	case *tasks.VariableUpdate:
		v = tasks.Variable(*task)
	}
	if v.Value != nil && v.Sensitive != nil && *v.Sensitive {
		r.report(Warning, r.key, "sensitive-value", "set the value by hand once, in the console or with the CLI, and leave it out of the file",
			"the variable is sensitive, and its value stands in this file")
	}
}

// unguarded is a cron in a fleet that nothing narrows: neither only and except, nor its script.
type unguarded struct {
	reader
	job *job.Job
}

// reportUnguarded says once for all of them that such a cron acts on every environment: a fleet
// may have thousands, on purpose.
func (l *loader) reportUnguarded() {
	if len(l.unguarded) == 0 || l.list.HasErrors() {
		return
	}
	first := l.unguarded[0]
	first.report(Info, first.key, "no-guard", "narrow it with only:, such as only: {environment_types: ["+guard.EnvironmentTypes()[0]+"]}",
		"it runs on every environment of its projects%s", andMore(len(l.unguarded)-1))
}
