package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// The reasons of a Refusal.
const (
	RefusedDirty     = "dirty"     // an activity is under way; ask again when the environment is clean
	RefusedInactive  = "inactive"  // the environment's status does not allow the task
	RefusedForbidden = "forbidden" // the environment is ready, so it is the user who may not
	RefusedAlready   = "already"   // everything is as the task would leave it
	RefusedMissing   = "missing"   // what the task names does not exist
	RefusedConflict  = "conflict"  // what the task would make exists, or something stands in its way
)

// Refusal says why a task cannot be asked of an environment as it is now.
type Refusal struct {
	Reason  string // one of the Refused constants
	Message string // a clause for people, naming the environment
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Done reports whether the error with which Prepare refused a task, whose answer
// was lost, says that everything is as the task would leave it.
func Done(t Task, err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && (r.Reason == RefusedAlready || r.Reason == RefusedMissing && t.Kind().Method == http.MethodDelete)
}

// Lookup reads a resource that a request depends on: whether a variable exists,
// say. The route is a template for the task's project and environment, which may
// have a query; the name is that of a variable or a backup, say, or "". The
// resource is nil when there is none.
type Lookup func(route, name string) (*platform.Resource, error)

// list reads the resources of a list, none when there is no such list.
func list[T any](look Lookup, route string) ([]T, error) {
	found, err := look(route, "")
	if err != nil || found == nil {
		return nil, err
	}
	var all []T
	err = found.Decode(&all)
	return all, err
}

// lookAtProject reads the environment's project. The error is a *Refusal when
// there is none.
func lookAtProject(env *platform.Environment, look Lookup) (*platform.Resource, error) {
	project, err := look(projectRoute, "")
	if err == nil && project == nil {
		err = &Refusal{RefusedMissing, fmt.Sprintf("there is no project %q", env.Project)}
	}
	return project, err
}

// preparer is a task whose request depends on more than a link of the
// environment.
type preparer interface {
	prepare(env *platform.Environment, look Lookup) (platform.Request, error)
}

// Prepare returns the request that asks the platform for the task. It follows
// the environment's HAL link. The platform leaves a link out whenever the
// operation is not possible, whatever the cause; then the error is a *Refusal
// that reads the cause from the environment's state. Other errors are those of
// look, which most tasks do not call.
func Prepare(t Task, env *platform.Environment, look Lookup) (platform.Request, error) {
	if err := complete(t); err != nil {
		return platform.Request{}, err
	}
	r, err := prepare(t, env, look)
	for _, c := range confidences(t) {
		r.Confidential = append(r.Confidential, string(c))
	}
	return r, err
}

func prepare(t Task, env *platform.Environment, look Lookup) (platform.Request, error) {
	if p, ok := t.(preparer); ok {
		return p.prepare(env, look)
	}
	return follow(t, env)
}

// follow makes the request out of the kind's link and the task's body.
func follow(t Task, env *platform.Environment) (platform.Request, error) {
	k := t.Kind()
	path, ok := env.Links.Path(k.Link)
	if !ok {
		return platform.Request{}, refuse(k, env)
	}
	method := k.Method
	if method == "" {
		method = http.MethodPost
	}
	return request(method, path, k.Route, t.Body())
}

func request(method, path, route string, body any) (platform.Request, error) {
	r := platform.Request{Method: method, Path: path, Endpoint: route}
	if body != nil {
		var err error
		if r.Body, err = json.Marshal(body); err != nil {
			return platform.Request{}, fmt.Errorf("encode the body of %s %s: %w", method, route, err)
		}
	}
	return r, nil
}

// refuse reads a missing link with the environment's state. Dirty comes before
// the status, because the activity under way may be the one that changes it.
func refuse(k *Kind, env *platform.Environment) *Refusal {
	switch {
	case env.Status == statusDeleting:
		return &Refusal{RefusedInactive, fmt.Sprintf("environment %q is being deleted", env.ID)}
	case env.IsDirty || env.Status == "dirty":
		return &Refusal{RefusedDirty, fmt.Sprintf(
			"environment %q has an activity pending or in progress", env.ID)}
	case k.Witness.Status != "" && env.Status == k.Witness.Status:
		return &Refusal{RefusedAlready, fmt.Sprintf("environment %q is %s already", env.ID, env.Status)}
	case !k.Accepts(env.Status):
		return &Refusal{RefusedInactive, fmt.Sprintf(
			"environment %q is %s, %s wants it %s", env.ID, orUnknown(env.Status), k.Name, k.Statuses[0])}
	default:
		return &Refusal{RefusedForbidden, fmt.Sprintf(
			"the platform does not offer %s on environment %q; the automation user needs the role %s there",
			k.Name, env.ID, k.Role)}
	}
}

// AwaitsClean reports whether a task is never asked of an environment on which an
// activity is under way, so that it waits for what was asked for before.
func AwaitsClean(t Task) bool {
	dirty := &platform.Environment{Status: statusActive, IsDirty: true}
	_, err := Prepare(t, dirty, func(string, string) (*platform.Resource, error) { return nil, nil })
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Reason == RefusedDirty
}

// refuseOnProject reads a link that the project has not.
func refuseOnProject(k *Kind, env *platform.Environment) *Refusal {
	return &Refusal{RefusedForbidden, fmt.Sprintf(
		"the platform does not offer %s on project %q; the automation user needs the role admin there", k.Name, env.Project)}
}

// ready reports whether the environment's state allows a kind that has no link
// to say so.
func ready(k *Kind, env *platform.Environment) bool {
	return !env.IsDirty && env.Status != "dirty" && k.Accepts(env.Status)
}

func orUnknown(status string) string {
	if status == "" {
		return "in an unknown status"
	}
	return status
}
