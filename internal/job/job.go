// Package job is one validated cron: when it is due, where it may run, what it asks the platform
// to do, and under which policies. Package config makes jobs from YAML; nobody changes one after
// that, so jobs are shared between goroutines without a lock, and equal parts between jobs.
//
// A job knows neither the clock nor the platform. Package scheduler decides when it fires,
// package plan what it would do on a target, and package runner carries that out.
package job

import (
	"fmt"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

// Job is one entry under `crons:`.
type Job struct {
	Name        string // its key under `crons:`, after "application:" where a configuration has several
	Application string // the application that declares it in the vendor's files, "" outside them

	Spec     *cronspec.Spec
	Location *time.Location // never nil; UTC unless configured
	Projects []*Project     // where it runs; empty only when checked without a target

	Guard  guard.Guard   // only and except; the zero Guard lets everything pass
	Script *shell.Script // cmd or commands.start; nil for a declared cron
	Tasks  []tasks.Task  // nil for a script; one for `task:`, the steps in order for `steps:`
	// Left names the application's own programs when the cron runs nothing else. Such a cron is
	// left to the app container and never scheduled.
	Left []string

	// Args is the command line of which a run by hand consists, as it may be shown, with its one
	// task in Tasks. Such a job stands in no configuration and has no name. It is nil for a cron.
	Args []string

	Variables map[string]string // what a script may read, beside its project's; may be shared

	Overlap       Overlap
	InDoubt       InDoubt
	OnFailure     OnFailure
	CatchUp       CatchUp
	Spread        time.Duration // over how long the targets' requests are spread; see Offset
	StartDeadline time.Duration // how late, from its offset, the first dispatch of a run may still leave
	Timeout       time.Duration // how long, from its offset, a run may take in all
	MaxSuccessAge time.Duration // how old the last success may become; zero is any age
	Retries       int           // attempts after the first of each declared task; see package runner
	Suspended     bool          // by configuration; its fires are recorded as skipped

	Hash   string   // see Fingerprint; a job whose hash changes counts as edited
	Source Position // where the entry's name stands
	// ScriptLine is the line of Source.File where the script begins; 0 without a script, and when its
	// lines are not lines of the file.
	ScriptLine int
}

// Position is a place in a configuration file, for messages.
type Position struct {
	File   string
	Line   int // from 1
	Column int // from 1, in characters
}

// Prefix is the position with a colon and a blank after it, or "" for none.
func (p Position) Prefix() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
}

// Schedule returns the job's schedule on project p, with every H in its spec resolved. The seed is
// project, application and the name in the application's file, so that one cron's fires are spread
// over its projects and stay where they are when other crons and applications come and go.
func (j *Job) Schedule(p *Project) cronspec.Schedule {
	if !j.Spec.HasHash() {
		return j.Spec.Schedule("", j.Location)
	}
	return j.Spec.Schedule(j.seed(p.ID), j.Location)
}

// seed is what tells the job on a project apart, whatever else is configured.
func (j *Job) seed(project string) string {
	name := j.Name
	if j.Application != "" {
		name = strings.TrimPrefix(name, j.Application+":")
	}
	return project + "\x00" + j.Application + "\x00" + name
}

// scriptStatuses are what a script's targets may be in: a cron of the platform exists on active
// environments only.
var scriptStatuses = []string{"active"}

// Statuses returns the environment statuses in which a target of the job exists: those that its
// first task accepts, which may lead to what the next one wants, and active for a script. "active"
// includes "dirty". The caller must not change the result.
func (j *Job) Statuses() []string {
	if len(j.Tasks) == 0 {
		return scriptStatuses
	}
	return j.Tasks[0].Kind().Statuses
}

// FirstSchedule returns the schedule on the job's first project, and without the project's part
// of the seed where the job has none. It stands for all of them where one answer is wanted.
func (j *Job) FirstSchedule() cronspec.Schedule {
	if len(j.Projects) > 0 {
		return j.Schedule(j.Projects[0])
	}
	return j.Schedule(&Project{})
}
