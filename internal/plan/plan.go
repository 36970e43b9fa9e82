// Package plan makes the pure decision: what would this cron do on this target, and why.
//
// The same decision stands behind the daemon's runs, the plan command and the pages. It reads no
// clock, sends nothing and keeps nothing. What a call answers is not known here, so a script is
// judged as if every call went well; the runner interprets it again with the real answers.
package plan

import (
	"context"
	"slices"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

// Action is what a cron would do on a target.
type Action string

// The four answers of Decide.
const (
	Dispatch Action = "dispatch" // ask the platform for the tasks in Decision.Calls
	Skip     Action = "skip"     // nothing, Decision.Reason says why
	Left     Action = "left"     // nothing ever: the cron runs the application's own programs
	Error    Action = "error"    // the script fails before it asks for anything
)

// The reasons a Decision can carry; they are reasons of a run's outcome too.
const (
	ReasonGuard    = "guard"
	ReasonInactive = "inactive"
	ReasonScript   = "script"

	ReasonSuspended = "suspended"
)

// Target is one environment a cron may run for.
type Target struct {
	Project       *job.Project
	DefaultBranch string // the project's default branch, "" if unknown
	Environment   *platform.Environment
}

// NewTarget makes a target of an environment as the API describes it. In a sidecar, the
// container's own PLATFORM_* variables win over the API's values, as they do for a script there.
func NewTarget(p *job.Project, defaultBranch string, env *platform.Environment) Target {
	if s := p.Environment; s != nil && env != nil {
		overlaid := *env
		overlaid.Name = s.Branch
		if s.MachineName != "" {
			overlaid.MachineName = s.MachineName
		}
		if s.Type != "" {
			overlaid.Type = s.Type
		}
		env = &overlaid
	}
	return Target{Project: p, DefaultBranch: defaultBranch, Environment: env}
}

// Call is one operation the cron would ask for, with the project and environment it goes to.
type Call struct {
	Args        []string   // the command line as written, secret values redacted; nil for a declared task
	Task        tasks.Task // what it means
	Project     string     // platform project id
	Environment string     // environment id; "" when the default branch is asked for and unknown
	Wait        bool       // the run parks until the activity ends: --wait, or a step before others
}

// Decision is what Decide found.
type Decision struct {
	Action  Action
	Reason  string // "" for Dispatch and Left
	Message string // one sentence for a person, "" for Dispatch
	Calls   []Call // what would be asked for, in order; complete for declared crons
}

// Decide judges cron j on target t.
func Decide(ctx context.Context, j *job.Job, t Target) Decision {
	if j.Left != nil {
		return Decision{Action: Left, Message: "it runs the application's own programs, which stay in the app container"}
	}
	if j.Suspended {
		return Decision{Action: Skip, Reason: ReasonSuspended, Message: "the cron is suspended in the configuration"}
	}
	if v := j.Guard.Evaluate(guardTarget(t)); !v.Pass {
		return Decision{Action: Skip, Reason: ReasonGuard, Message: v.Message}
	}
	if !Accepts(j, t.Environment) {
		return Decision{
			Action: Skip, Reason: ReasonInactive,
			Message: "the environment's status is " + t.Environment.Status,
		}
	}
	if j.Script == nil {
		calls := make([]Call, len(j.Tasks))
		for i := range calls {
			calls[i] = Step(j, i, t)
		}
		return Decision{Action: Dispatch, Calls: calls}
	}
	return decideScript(ctx, j, t)
}

// Step is the nth call of a cron that declares its tasks, with the target's names in its texts. What
// comes next hangs on how it ends, so all but the last are waited for.
func Step(j *job.Job, n int, t Target) Call {
	call := Call{
		Args: j.Args, Task: j.Tasks[n], Project: t.Project.ID, Environment: t.Environment.ID,
		Wait: n < len(j.Tasks)-1,
	}
	if j.Args == nil {
		names := tasks.Names{Project: t.Project.ID, Environment: t.Environment.ID, Branch: t.Environment.Name}
		call.Task = tasks.Expand(call.Task, names)
	}
	return call
}

// Allows reports whether the declared guard of j still lets a run on t go on, and why not. The
// runner asks again after a wait, because the environment may have changed meanwhile.
func Allows(j *job.Job, t Target) (bool, string) {
	v := j.Guard.Evaluate(guardTarget(t))
	return v.Pass, v.Message
}

// Accepts reports whether the environment's status is one that the cron's tasks work on. An
// unknown status passes: the environment is read again before anything is sent.
func Accepts(j *job.Job, env *platform.Environment) bool {
	status := env.Status
	if status == "" {
		return true
	}
	if status == "dirty" {
		status = "active"
	}
	return slices.Contains(j.Statuses(), status)
}

func decideScript(ctx context.Context, j *job.Job, t Target) Decision {
	var calls []Call
	collect := func(_ context.Context, c shell.Call) int {
		calls = append(calls, Resolve(c, t))
		return 0
	}
	res := j.Script.Run(ctx, Variables(j, t), collect)
	switch {
	case len(calls) > 0:
		return Decision{Action: Dispatch, Calls: calls}
	case res.Err != nil:
		return Decision{Action: Error, Reason: ReasonScript, Message: res.Err.Error()}
	case res.Skipped != "":
		return Decision{Action: Skip, Reason: ReasonGuard, Message: res.Skipped}
	default:
		return Decision{Action: Skip, Reason: ReasonGuard, Message: "the script ended without a call"}
	}
}

// Resolve gives a script's call the project and environment it goes to: the ones named on its
// command line, else the run's own. The environment "." is the project's default branch, as for
// the vendor's CLI.
func Resolve(c shell.Call, t Target) Call {
	call := Call{Args: c.Shown, Task: c.Task, Project: c.Project, Environment: c.Environment, Wait: c.Wait}
	if call.Project == "" {
		call.Project = t.Project.ID
	}
	switch call.Environment {
	case "":
		call.Environment = t.Environment.ID
	case ".":
		call.Environment = t.DefaultBranch
	}
	return call
}

// Variables are what a script of j on t may read: the user variables, then the platform's own,
// which no user variable overrides. What is unknown stays unset, so that a guard on it fails
// closed. The mapping from the API's fields to PLATFORM_* follows the vendor's documentation of
// environment variables.
func Variables(j *job.Job, t Target) map[string]string {
	vars := make(map[string]string, 8+len(t.Project.Variables)+len(j.Variables))
	for name, value := range t.Project.Variables {
		vars[name] = value
	}
	for name, value := range j.Variables {
		vars[name] = value
	}
	set := func(name, value string) {
		if value == "" {
			delete(vars, name)
			return
		}
		vars[name] = value
	}
	set("PLATFORM_PROJECT", t.Project.ID)
	set("PLATFORM_BRANCH", t.Environment.Name)
	set("PLATFORM_ENVIRONMENT", t.Environment.MachineName)
	set("PLATFORM_ENVIRONMENT_TYPE", t.Environment.Type)
	set("PLATFORM_APPLICATION_NAME", application(j, t))
	return vars
}

func application(j *job.Job, t Target) string {
	if j.Application != "" {
		return j.Application
	}
	if t.Project.Environment != nil {
		return t.Project.Environment.Application
	}
	return ""
}

func guardTarget(t Target) guard.Target {
	return guard.Target{DefaultBranch: t.DefaultBranch, Environment: t.Environment}
}
