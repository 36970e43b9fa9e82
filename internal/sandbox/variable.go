package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"
)

// Variable is a variable of an environment or of a project.
type Variable struct {
	Name                         string
	Value                        string
	JSON, Sensitive              bool
	Enabled, Inheritable         bool // of an environment's
	VisibleBuild, VisibleRuntime bool
	AppScope                     []string // the applications that have it; empty is all
}

// variable is a variable with its dates. Its project's lock guards it.
type variable struct {
	Variable
	createdAt, updatedAt time.Time
}

// own returns a variable of the environment itself, or nil.
func (e *environment) own(name string) *variable {
	for _, v := range e.variables {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// variable returns a variable and the environment it is inherited from, or nil.
func (e *environment) variable(name string) (*variable, *environment) {
	for from := e; from != nil; from = from.project.environment(from.Parent) {
		if v := from.own(name); v != nil && (from == e || v.Inheritable) {
			return v, from
		}
	}
	return nil, nil
}

// Variables lists an environment's own variables, ordered by name; those of the
// project when its name is "".
func (s *Sandbox) Variables(project, name string) []Variable {
	var list []Variable
	s.peek(project, name, func(e *environment) {
		for _, v := range e.variables {
			list = append(list, v.Variable)
		}
	})
	slices.SortFunc(list, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// AddVariable gives an environment a variable, or the project when the
// environment is "". One of its name is replaced.
func (s *Sandbox) AddVariable(project, environment string, v Variable) {
	p := s.project(project)
	p.mu.Lock()
	defer p.mu.Unlock()
	e, now := p.holder(environment), s.now()
	e.variables = slices.DeleteFunc(e.variables, func(old *variable) bool { return old.Name == v.Name })
	e.variables = append(e.variables, &variable{v, now, now})
}

// holder is what variables belong to: an environment, or the project itself when its name is "".
func (p *project) holder(environment string) *environment {
	if environment == "" {
		return p.itself
	}
	return p.environment(environment)
}

// projectOperations are what can be asked of a project. They do not wait for
// each other; whether the platform's do is not known.
func (s *Sandbox) projectOperations() []operation {
	active := []string{"active"}
	return []operation{
		{method: "PATCH", kinds: patchedProject, clause: "changed the settings of",
			statuses: active, queues: true, check: checkProjectPatch, apply: s.changeProject},
		{path: "clear_build_cache", kind: "project.clear_build_cache", clause: "cleared the build cache of",
			statuses: active, queues: true, check: checkNothing},
		{path: "certificates", kinds: noActivity, clause: "added a certificate to",
			statuses: active, queues: true, secret: true, check: checkCertificate, apply: s.addCertificate},
		{method: "DELETE", path: "certificates/{certificate}", kinds: noActivity, clause: "deleted a certificate of",
			statuses: active, queues: true, check: checkNothing, apply: s.deleteCertificate},
		{path: "variables", kind: "project.variable.create", clause: "added a variable to",
			statuses: active, queues: true, secret: true, check: checkNewVariable, apply: s.addVariable},
		{method: "PATCH", path: "variables/{variable}", kind: "project.variable.update", clause: "changed a variable of",
			statuses: active, queues: true, secret: true, check: checkVariable, apply: s.changeVariable},
		{method: "DELETE", path: "variables/{variable}", kind: "project.variable.delete", clause: "deleted a variable of",
			statuses: active, queues: true, secret: true, check: checkNothing, apply: s.deleteVariable},
	}
}

// variablePatch is what a request says about a variable.
type variablePatch struct {
	Name           *string   `json:"name"`
	Value          *string   `json:"value"`
	JSON           *bool     `json:"is_json"`
	Sensitive      *bool     `json:"is_sensitive"`
	Enabled        *bool     `json:"is_enabled"`
	Inheritable    *bool     `json:"is_inheritable"`
	VisibleBuild   *bool     `json:"visible_build"`
	VisibleRuntime *bool     `json:"visible_runtime"`
	Scope          *[]string `json:"application_scope"`
}

func checkVariable(body []byte) error { return decode(body, &variablePatch{}) }

func checkNewVariable(body []byte) error {
	var patch variablePatch
	if err := decode(body, &patch); err != nil {
		return err
	}
	if patch.Name == nil || *patch.Name == "" || patch.Value == nil {
		return errors.New("name and value are required")
	}
	return nil
}

// change takes over what the patch mentions.
func (v *variable) change(body []byte, now time.Time) {
	var patch variablePatch
	json.Unmarshal(body, &patch) // was checked
	v.updatedAt = now
	take(&v.Name, patch.Name)
	take(&v.Value, patch.Value)
	take(&v.JSON, patch.JSON)
	take(&v.Sensitive, patch.Sensitive)
	take(&v.Enabled, patch.Enabled)
	take(&v.Inheritable, patch.Inheritable)
	take(&v.VisibleBuild, patch.VisibleBuild)
	take(&v.VisibleRuntime, patch.VisibleRuntime)
	take(&v.AppScope, patch.Scope)
}

func take[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

// addVariable creates the variable of a request. What it does not mention has
// the platform's defaults, as far as they are known.
func (s *Sandbox) addVariable(c *call, e *environment) (any, bool) {
	v := &variable{Variable: Variable{Enabled: true, Inheritable: true, VisibleRuntime: true}, createdAt: c.now}
	v.change(c.body, c.now)
	if e.own(v.Name) != nil {
		c.fail(409, "There is a variable of this name already")
		return nil, false
	}
	e.variables = append(e.variables, v)
	return e.viewVariable(v, e, c.caller), true
}

// changeVariable changes the variable of the path.
func (s *Sandbox) changeVariable(c *call, e *environment) (any, bool) {
	v := e.own(c.PathValue("variable"))
	if v == nil {
		c.fail(404, "Variable not found")
		return nil, false
	}
	v.change(c.body, c.now)
	return e.viewVariable(v, e, c.caller), true
}

// deleteVariable deletes the variable of the path. There is nothing to return then.
func (s *Sandbox) deleteVariable(c *call, e *environment) (any, bool) {
	v := e.own(c.PathValue("variable"))
	if v == nil {
		c.fail(404, "Variable not found")
		return nil, false
	}
	e.variables = slices.DeleteFunc(e.variables, func(other *variable) bool { return other == v })
	return nil, true
}

func (s *Sandbox) getVariable(c *call, e *environment) {
	v, from := e.variable(c.PathValue("variable"))
	if v == nil {
		c.fail(404, "Variable not found")
		return
	}
	c.json(200, e.viewVariable(v, from, c.caller))
}

func (s *Sandbox) listVariables(c *call, e *environment) {
	list := []map[string]any{}
	for _, v := range e.variables {
		list = append(list, e.viewVariable(v, e, c.caller))
	}
	c.json(200, list)
}

// viewVariable is the JSON form, after the OpenAPI description's
// EnvironmentVariable and ProjectVariable. A sensitive value is never told, and
// a variable that is inherited cannot be changed from here.
func (e *environment) viewVariable(v *variable, from *environment, c caller) map[string]any {
	ofProject := e == e.project.itself
	path := e.project.path
	if !ofProject {
		path = e.path()
	}
	path += "/variables/" + url.PathEscape(v.Name)
	l := links{"self": e.project.self(path)}
	if from == e && c.roleOn(e) == "admin" && (ofProject || !e.isDirty()) {
		l["#edit"], l["#delete"] = link{path}, link{path}
	}
	view := map[string]any{
		"id": v.Name, "name": v.Name, "created_at": stamp(v.createdAt), "updated_at": stamp(v.updatedAt),
		"attributes": struct{}{}, "is_json": v.JSON, "is_sensitive": v.Sensitive,
		"visible_build": v.VisibleBuild, "visible_runtime": v.VisibleRuntime, "application_scope": append([]string{}, v.AppScope...),
		"_links": l,
	}
	if !v.Sensitive {
		view["value"] = v.Value
	}
	if !ofProject {
		view["project"], view["environment"], view["inherited"] = e.project.id, e.Name, from != e
		view["is_enabled"], view["is_inheritable"] = v.Enabled, v.Inheritable
	}
	return view
}
