package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// operation is something that can be asked of an environment.
type operation struct {
	link     string   // HAL link, such as "#backup"
	path     string   // last segment of its path
	kind     string   // type of its activity
	clause   string   // what the activity's text says
	statuses []string // in which the platform offers it
	parent   bool     // only for environments with a parent
	check    func(body []byte) error
	status   string // of the environment at the end; "" = as before
}

// operations are those that are simulated. Their paths, bodies and activity
// types are from the OpenAPI description and the vendor's CLI.
func operations(o Options) []operation {
	active := []string{"active"}
	list := []operation{
		{link: "#backup", path: "backup", kind: "environment.backup", clause: "created a backup of",
			statuses: active, check: checkBackup},
		{link: "#redeploy", path: "redeploy", kind: "environment.redeploy", clause: "redeployed",
			statuses: active, check: checkNothing},
		{link: "#synchronize", path: "synchronize", kind: "environment.synchronize", clause: "synchronized",
			statuses: active, parent: true, check: checkSynchronize},
		{link: "#source-operation", path: "source-operation", kind: "environment.source-operation",
			clause: "ran a source operation on", statuses: active, check: checkSourceOperation},
		{link: "#pause", path: "pause", kind: "environment.pause", clause: "paused",
			statuses: active, check: checkNothing, status: "paused"},
		{link: "#resume", path: "resume", kind: "environment.resume", clause: "resumed",
			statuses: []string{"paused"}, check: checkNothing, status: "active"},
		{link: "#activate", path: "activate", kind: "environment.activate", clause: "activated",
			statuses: []string{"inactive"}, check: checkActivate, status: "active"},
		{link: "#deactivate", path: "deactivate", kind: "environment.deactivate", clause: "deactivated",
			statuses: []string{"active", "paused"}, parent: true, check: checkNothing, status: "inactive"},
	}
	if o.PluralBackupPath {
		list[0].path = "backups"
	}
	return list
}

// possible reports whether the environment's own state allows the operation.
func (o operation) possible(e *environment) bool {
	status := e.Status
	if status == "dirty" {
		status = "active"
	}
	return slices.Contains(o.statuses, status) && (!o.parent || e.Parent != "")
}

// effect is what an activity of a type does at its end.
func (s *Sandbox) effect(kind string) func(*environment, *activity) {
	if kind == "environment.backup" {
		return s.finishBackup
	}
	for _, o := range s.operations {
		if o.kind == kind && o.status != "" {
			return func(e *environment, _ *activity) { e.Status = o.status }
		}
	}
	return func(*environment, *activity) {}
}

// operate serves one operation: it checks what the platform would check and
// starts the activity.
func (s *Sandbox) operate(o operation) func(*call, *environment) {
	effect := s.effect(o.kind)
	return func(c *call, e *environment) {
		if c.caller.roleOn(e) != "admin" {
			c.fail(403, "You may not do this on environment "+e.Name)
			return
		}
		if err := o.check(c.body); err != nil {
			c.fail(400, err.Error())
			return
		}
		if !s.admits(c, o, e) {
			return
		}
		a := s.start(e, &activity{
			kind: o.kind, operation: o.clause, user: author{c.caller.ID, c.caller.Name},
			body: string(bytes.TrimSpace(c.body)), effect: effect,
		}, c.now)
		e.settle(c.now) // one that takes no time is over
		c.executed = true
		c.json(202, accepted{"Accepted", 202, &embedded{[]activityView{s.viewActivity(a, c.caller, c.now)}}})
	}
}

// admits reports whether the operation may start, and answers if it may not.
func (s *Sandbox) admits(c *call, o operation, e *environment) bool {
	message := fmt.Sprintf("Environment %s is %s, so it cannot be %s", e.Name, e.Status, o.clause)
	if o.possible(e) {
		if !e.isDirty() || s.options.WithoutLink == Queue {
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

func checkSourceOperation(body []byte) error {
	var b struct {
		Operation string                    `json:"operation"`
		Variables map[string]map[string]any `json:"variables"`
	}
	if err := decode(body, &b); err != nil {
		return err
	}
	if b.Operation == "" {
		return errors.New("operation is required")
	}
	return nil
}

func checkActivate(body []byte) error {
	return decode(body, &struct {
		Resources *struct {
			Init *string `json:"init"`
		} `json:"resources"`
	}{})
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
