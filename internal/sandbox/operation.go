package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// operation is something that can be asked of an environment.
type operation struct {
	link     string                     // HAL link of the environment, such as "#backup"; "" when it is another resource's
	method   string                     // default POST
	path     string                     // its path below the environment; "" is the environment itself
	kind     string                     // type of its activity
	kinds    func(body []byte) []string // types of its activities, when they depend on the request
	clause   string                     // what the activity's text says
	role     string                     // least role on the environment's type; default "admin"
	statuses []string                   // in which the platform offers it
	parent   bool                       // only for environments with a parent
	queues   bool                       // accepted behind the activities under way
	secret   bool                       // the activity does not tell the request's body
	plain    bool                       // answered with what it changed, and nothing around it
	check    func(body []byte) error

	// apply changes at once what can be read afterwards, and returns it as it is
	// then. It answers the call itself when it cannot.
	apply func(*call, *environment) (entity any, ok bool)
	end   func(*environment, *activity) // what the activity does at its end
}

// everyOperation lists those that are simulated. Their paths, bodies and activity
// types are from the OpenAPI description and the vendor's CLI.
func (s *Sandbox) everyOperation(o Options) []operation {
	active, every := []string{"active"}, []string{"active", "paused", "inactive"}
	list := []operation{
		{link: "#backup", path: "backup", kind: "environment.backup", clause: "created a backup of",
			statuses: active, check: checkBackup, end: s.finishBackup},
		{link: "#redeploy", path: "redeploy", kind: "environment.redeploy", clause: "redeployed",
			statuses: active, check: checkNothing, end: deployed},
		{link: "#synchronize", path: "synchronize", kind: "environment.synchronize", clause: "synchronized",
			statuses: active, parent: true, check: checkSynchronize},
		{link: "#source-operation", path: "source-operation", kind: "environment.source-operation",
			clause: "ran a source operation on", statuses: active, check: checkSourceOperation,
			apply: s.findSourceOperation},
		{path: "tasks/{task}/run", kind: "environment.task", clause: "ran a task on", statuses: active,
			check: checkTask, apply: s.findTask},
		resourcesSet,
		autoscalingSet,
		{link: "#domains", path: "domains", kind: "environment.domain.create", clause: "added a domain to",
			statuses: active, check: checkDomain, apply: s.addDomain},
		{method: "DELETE", path: "domains/{domain}", kind: "environment.domain.delete", clause: "deleted a domain of",
			statuses: every, check: checkNothing, apply: s.deleteDomain},
		{link: "#branch", path: "branch", kind: "environment.branch", clause: "branched", role: "viewer", statuses: active,
			check: checkBranch, apply: s.refuseTaken, end: branched},
		{link: "#merge", path: "merge", kind: "environment.merge", clause: "merged", statuses: active, parent: true,
			check: checkInit},
		{path: "backups/{backup}/restore", kind: "environment.restore", clause: "restored a backup of", statuses: active,
			check: checkRestore, apply: s.restoreBackup},
		{method: "DELETE", path: "backups/{backup}", kind: "environment.backup.delete", clause: "deleted a backup of",
			statuses: every, check: checkNothing, apply: s.deleteBackup},
		{link: "#deploy", path: "deploy", kind: "environment.deploy", clause: "deployed the staged changes of",
			statuses: active, check: checkDeploy, end: deployed},
		{link: "#pause", path: "pause", kind: "environment.pause", clause: "paused",
			statuses: active, check: checkNothing, end: becomes("paused")},
		{link: "#resume", path: "resume", kind: "environment.resume", clause: "resumed",
			statuses: []string{"paused"}, check: checkNothing, end: becomes("active")},
		{link: "#activate", path: "activate", kind: "environment.activate", clause: "activated",
			statuses: []string{"inactive"}, check: checkInit, end: becomes("active")},
		{link: "#deactivate", path: "deactivate", kind: "environment.deactivate", clause: "deactivated",
			statuses: []string{"active", "paused"}, parent: true, check: checkNothing, end: becomes("inactive")},
		{link: "#edit", method: "PATCH", kinds: patched, clause: "changed the settings of",
			statuses: every, secret: true, check: checkPatch, apply: s.changeEnvironment},
		{method: "PATCH", path: "settings", kinds: noActivity, clause: "changed the settings of",
			statuses: []string{"active", "paused"}, check: checkSettings, apply: s.changeSettings},
		{method: "DELETE", kind: "environment.delete", clause: "deleted", statuses: []string{"inactive"}, parent: true,
			check: checkNothing, end: gone},
		{link: "#manage-variables", path: "variables", kind: "environment.variable.create", clause: "added a variable to",
			statuses: every, secret: true, check: checkNewVariable, apply: s.addVariable},
		{method: "PATCH", path: "variables/{variable}", kind: "environment.variable.update", clause: "changed a variable of",
			statuses: every, secret: true, check: checkVariable, apply: s.changeVariable},
		{method: "DELETE", path: "variables/{variable}", kind: "environment.variable.delete", clause: "deleted a variable of",
			statuses: every, secret: true, check: checkNothing, apply: s.deleteVariable},
	}
	if o.PluralBackupPath {
		list[0].path = "backups"
	}
	return list
}

// route is the operation's pattern below that of an environment or a project.
func (o operation) route(parent string) string {
	return cmp.Or(o.method, "POST") + " " + strings.TrimSuffix(parent+"/"+o.path, "/")
}

// becomes is the end of an activity that changes the environment's status.
func becomes(status string) func(*environment, *activity) {
	return func(e *environment, _ *activity) { e.Status = status }
}

// deployed is the end of an activity that deploys what there is.
func deployed(e *environment, a *activity) { e.HasStagedActivities, e.deployedAt = false, a.endAt }

// possible reports whether the environment's own state allows the operation.
func (o operation) possible(e *environment) bool {
	status := e.Status
	if status == "dirty" {
		status = "active"
	}
	return slices.Contains(o.statuses, status) && (!o.parent || e.Parent != "")
}

// allows reports whether a user may ask for the operation. The roles are from the documentation's page on
// users: to branch is for everybody who sees the environment.
func (o operation) allows(c caller, e *environment) bool {
	return atLeast(c.roleOn(e), cmp.Or(o.role, "admin"))
}

// effect is what an activity of a type does at its end.
func (s *Sandbox) effect(kind string) func(*environment, *activity) {
	for _, o := range s.operations {
		if o.kind == kind && o.end != nil {
			return o.end
		}
	}
	return func(*environment, *activity) {}
}

// operate serves one operation: it checks what the platform would check and
// starts the activity.
func (s *Sandbox) operate(o operation) func(*call, *environment) {
	return func(c *call, e *environment) {
		if !o.allows(c.caller, e) {
			c.fail(403, "You may not do this on environment "+e.Name)
			return
		}
		if err := o.check(c.body); err != nil {
			c.fail(400, err.Error())
			return
		}
		if s.admits(c, o, e) {
			s.perform(c, o, e)
		}
	}
}

// perform starts the activities of an operation that is allowed, and answers.
func (s *Sandbox) perform(c *call, o operation, e *environment) {
	var entity any
	if o.apply != nil {
		var ok bool
		if entity, ok = o.apply(c, e); !ok {
			return
		}
	}
	if o.plain {
		c.executed = true
		c.json(200, entity)
		return
	}
	kinds := []string{o.kind}
	if o.kinds != nil {
		kinds = o.kinds(c.body)
	}
	var started []*activity
	for _, kind := range kinds {
		a := &activity{kind: kind, operation: o.clause, user: author{c.caller.ID, c.caller.Name}, effect: s.effect(kind)}
		if !o.secret {
			a.body = string(bytes.TrimSpace(c.body))
		}
		started = append(started, s.start(e, a, c.now))
	}
	e.settle(c.now) // what takes no time is over
	views := make([]activityView, len(started))
	for i, a := range started {
		views[i] = s.viewActivity(a, c.caller, c.now)
	}
	c.executed = true
	c.json(202, accepted{"Accepted", 202, &embedded{views, entity}})
}

// admits reports whether the operation may start, and answers if it may not.
func (s *Sandbox) admits(c *call, o operation, e *environment) bool {
	message := fmt.Sprintf("Environment %s is %s, so it cannot be %s", e.Name, e.Status, o.clause)
	if o.possible(e) {
		if !e.isDirty() || o.queues || s.options.WithoutLink == Queue {
			return true
		}
		message = fmt.Sprintf("Environment %s has an activity pending or in progress", e.Name)
	}
	status := 409
	switch s.options.WithoutLink {
	case Forbidden:
		status = 403
	case BadRequest:
		status = 400
	}
	c.fail(status, message)
	return false
}

// The checks of request bodies. As in the OpenAPI description, a body has no
// other fields than those of its operation.

func checkNothing(body []byte) error { return decode(body, &struct{}{}) }

func checkBackup(body []byte) error {
	return decode(body, &struct {
		Safe *bool `json:"safe"`
	}{})
}

func checkSynchronize(body []byte) error {
	var b struct {
		Code      bool `json:"synchronize_code"`
		Data      bool `json:"synchronize_data"`
		Resources bool `json:"synchronize_resources"`
		Rebase    bool `json:"rebase"`
	}
	if err := decode(body, &b); err != nil {
		return err
	}
	if !b.Code && !b.Data && !b.Resources {
		return errors.New("nothing to synchronize")
	}
	return nil
}

func checkDeploy(body []byte) error {
	var b struct {
		Strategy string `json:"strategy"`
	}
	if err := decode(body, &b); err != nil {
		return err
	}
	if b.Strategy != "" && b.Strategy != "stopstart" && b.Strategy != "rolling" {
		return errors.New("strategy is neither stopstart nor rolling")
	}
	return nil
}

func checkInit(body []byte) error {
	return decode(body, &struct {
		Resources *initResources `json:"resources"`
	}{})
}

// initResources says where the sizes of new containers come from.
type initResources struct {
	Init *string `json:"init"`
}

// decode reads a body of one JSON object, or none at all, into a struct.
func decode(body []byte, into any) error {
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil
	}
	if body[0] != '{' {
		return errors.New("the body is not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not valid: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the body goes on after its JSON object")
	}
	return nil
}
