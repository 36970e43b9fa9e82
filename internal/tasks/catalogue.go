// Package tasks is the catalogue of what automatond can ask the platform to do:
// back up an environment, redeploy it, pause it and so on.
//
// A task is data. It says which HAL link to follow, which body to send, what
// proves afterwards that the request executed, and which role and environment
// status it needs. It never sends anything: package runner does, and package
// shell turns the vendor's command lines into tasks.
//
// To add a kind:
//
//  1. Write a file named after it, beside backup.go: a struct with yaml and json
//     tags (its YAML section, and what the ledger stores), its Kind, Validate and
//     Body methods, and a kind variable that fills every field of Kind.
//  2. Add the variable to the list in Catalogue.
//  3. Take its names, options and arguments from the vendor's CLI; its command
//     stands in commands.go already.
//  4. Describe it on a page in docs/tasks, as CONTRIBUTING.md says.
//
// That is all for a task which is one link of the environment and one body. One
// that depends on something else the platform knows has a method prepare, which
// may look that up; see Lookup. A value that nobody should read is Confidential.
//
// The package's tests hold every entry against the same list of demands.
package tasks

import "slices"

// Task is one thing to ask of the platform, with its parameters. A Task is not
// changed once it is validated, so it may be shared.
type Task interface {
	// Kind returns the catalogue's entry for the task.
	Kind() *Kind
	// Validate reports the first parameter that is missing or contradictory.
	Validate() error
	// Body returns what is sent as JSON, or nil for a request without a body.
	Body() any
}

// Kind describes one kind of task: its names, what it needs, and what it does.
type Kind struct {
	Name string // key under task: and label in logs, such as "source_operation"
	// Command is the CLI's, such as "source-operation:run". Kinds may share one: FromCLI then tells
	// from the options which of them is meant. It is "" when the CLI has none.
	Command string
	Aliases []string // every other name the CLI accepts, hidden ones included
	Summary string   // one line for listings, in lower case and without a full stop

	Link   string // name of the HAL link on the environment, such as "#backup"; "" when there is none to follow
	Method string // of the request; "" is POST
	Route  string // route template of that link, for metrics

	Role       string   // least role on the environment's type: "viewer", "contributor" or "admin"
	Statuses   []string // environment statuses the platform accepts it in; "active" includes "dirty"
	Witness    Witness  // what proves afterwards that a request executed
	Repeatable bool     // asking twice does no harm, so a request in doubt may be sent again
	Confirms   bool     // the CLI asks before it acts, so that --no declines
	// Destructive tasks end what cannot be brought back, so they want consent: allow_destructive
	// on a declared cron, --yes on a command line.
	Destructive bool

	// ReadOnly tasks ask for nothing: Prepare looks, and always refuses.
	ReadOnly bool

	// Free leaves it to the task's parameters what it asks for, what proves that it executed and
	// whether it is destructive. Which role it needs is not known, so Role is "".
	Free bool

	// Unfollowed says that an activity in the answer is the one that was changed, whose end says nothing
	// about the task.
	Unfollowed bool
	// OfMain reports whether a command line that names no environment is about the default branch's, not
	// about the one that it runs on. Nil is never.
	OfMain func(Input) bool

	// NeverWaits says that the CLI's command does not wait by itself, so it has no --no-wait; it may
	// have --wait among its options.
	NeverWaits bool

	Options   []Option   // the command's own options; those all commands share belong to package shell
	Arguments []Argument // in the order of the command line

	New     func() Task               // an empty task: a pointer to decode a YAML section or JSON into
	FromCLI func(Input) (Task, error) // reads options and arguments; the result is not validated yet. Nil without a Command
}

// Witness says what shows that a request executed although its answer was
// lost. One of the fields is enough; several may be set.
type Witness struct {
	Activities []string // an activity of one of these types, by the automation user
	Status     string   // the status the environment has when the task is done
	Done       bool     // Prepare has nothing left to ask for; see Done
}

// Accepts reports whether the platform takes the task while an environment has
// this status. A dirty environment is an active one with an activity under way.
func (k *Kind) Accepts(status string) bool {
	if status == "dirty" {
		status = "active"
	}
	return slices.Contains(k.Statuses, status)
}

// Catalogue returns every kind, in the order in which they are documented. The
// caller must not change the entries.
func Catalogue() []*Kind {
	return []*Kind{
		backup, backupVerify, backupRestore, backupDelete, redeploy, synchronize, sourceOperation, pause, resume,
		activate, deactivate, environmentDelete, environmentInfo, branch, merge, deploy, deployType, httpAccess, operation, taskRun, resourcesSet, autoscalingSet,
		activityCancel, domainAdd, domainDelete,
		variableSet, variableCreate, variableUpdate,
		variableDelete, variableEnable, variableDisable,
		projectInfo, clearBuildCache, certificateAdd, certificateDelete, api,
	}
}

// ByName finds a kind by its name under task:.
func ByName(name string) (*Kind, bool) {
	for _, k := range Catalogue() {
		if k.Name == name {
			return k, true
		}
	}
	return nil, false
}

// Names of the statuses an environment can have, from the API's OpenAPI description.
const (
	statusActive   = "active"
	statusDeleting = "deleting"
	statusInactive = "inactive"
	statusPaused   = "paused"
)

// Starts of route templates.
const (
	projectRoute     = "/projects/{project}"
	environmentRoute = projectRoute + "/environments/{environment}"
)

// ProjectWide reports whether the task changes the project, whichever of its
// environments it is asked for.
func ProjectWide(t Task) bool {
	p, ok := t.(interface{ projectWide() bool })
	return ok && p.projectWide()
}

// Destructive reports whether the task ends what cannot be brought back.
func Destructive(t Task) bool {
	if d, ok := t.(interface{ destructive() bool }); ok {
		return d.destructive()
	}
	return t.Kind().Destructive
}

// WitnessOf returns the witness for one task, which may be narrower than that
// of its kind.
func WitnessOf(t Task) Witness {
	if w, ok := t.(interface{ witness() Witness }); ok {
		return w.witness()
	}
	return t.Kind().Witness
}
