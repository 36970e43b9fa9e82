package sandbox

import (
	_ "embed"
	"encoding/json"
)

// deploymentTemplate is a deployment with the one application "app", as far as
// the OpenAPI description's Deployment demands it.
//
//go:embed deployment.json
var deploymentTemplate []byte

// application is the name of the one application that every environment has.
const application = "app"

// getDeployment answers with the environment's current deployment.
func (s *Sandbox) getDeployment(c *call, e *environment) {
	path := e.path() + "/deployments/current"
	l := links{"self": e.project.self(path)}
	if role := c.caller.roleOn(e); operationRun.possible(e) && !e.isDirty() && role != "viewer" {
		l["#operations"] = link{path + "/operations"}
	}
	s.answerDeployment(c, e, l)
}

// answerDeployment answers with a deployment, which an inactive environment does
// not have.
func (s *Sandbox) answerDeployment(c *call, e *environment, l links) {
	if e.Status == "inactive" {
		c.fail(404, "Deployment not found")
		return
	}
	var view map[string]any
	json.Unmarshal(deploymentTemplate, &view) // part of the program
	app := view["webapps"].(map[string]any)[application].(map[string]any)
	app["operations"] = e.viewOperations()
	e.Size.view(app)
	view["_links"] = l
	c.json(200, view)
}

func (e *environment) viewOperations() map[string]any {
	view := map[string]any{}
	for name, role := range e.Operations {
		view[name] = map[string]any{"commands": map[string]any{"start": "true"}, "timeout": nil, "role": role}
	}
	return view
}

// operationRun is what a runtime operation is to the environment.
var operationRun = operation{kind: "environment.operation", clause: "ran a runtime operation on", statuses: []string{"active"}}

// runOperation runs a runtime operation, for which each has a role of its own.
func (s *Sandbox) runOperation(c *call, e *environment) {
	var b struct {
		Service    string   `json:"service"`
		Operation  string   `json:"operation"`
		Parameters []string `json:"parameters"`
	}
	if err := decode(c.body, &b); err != nil {
		c.fail(400, err.Error())
		return
	}
	role, ok := e.Operations[b.Operation]
	switch {
	case !ok || b.Service != application:
		c.fail(400, "There is no such operation")
	case !atLeast(c.caller.roleOn(e), role):
		c.fail(403, "You may not run this operation on environment "+e.Name)
	case s.admits(c, operationRun, e):
		s.perform(c, operationRun, e)
	}
}

// atLeast reports whether a role includes another.
func atLeast(has, needed string) bool {
	rank := map[string]int{"viewer": 1, "contributor": 2, "admin": 3}
	return rank[has] >= rank[needed]
}
