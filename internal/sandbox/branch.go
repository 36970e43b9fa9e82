package sandbox

import (
	"encoding/json"
	"errors"
)

// branchRequest is what a request says about a new environment.
type branchRequest struct {
	Name        string         `json:"name"`
	Title       string         `json:"title"`
	CloneParent *bool          `json:"clone_parent"`
	Type        string         `json:"type"`
	Resources   *initResources `json:"resources"`
}

func checkBranch(body []byte) error {
	var b branchRequest
	if err := decode(body, &b); err != nil {
		return err
	}
	if b.Name == "" || b.Title == "" {
		return errors.New("name and title are required")
	}
	return nil
}

// refuseTaken refuses the name of an environment that exists.
func (s *Sandbox) refuseTaken(c *call, e *environment) (any, bool) {
	var b branchRequest
	json.Unmarshal(c.body, &b) // was checked
	if e.project.environment(b.Name) != nil {
		c.fail(409, "There is an environment of this name already")
		return nil, false
	}
	return nil, true
}

// branched is the end of an activity that makes a new environment.
func branched(e *environment, a *activity) {
	var b branchRequest
	json.Unmarshal([]byte(a.body), &b) // was checked
	if b.Name != "" && e.project.environment(b.Name) == nil {
		e.project.add(Environment{Name: b.Name, Title: b.Title, Type: b.Type, Parent: e.Name}, a.endAt)
	}
}
