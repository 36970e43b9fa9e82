package sandbox

import (
	"errors"
	"slices"
)

// sourceOperationView is a source operation as the API sends it.
type sourceOperationView struct {
	ID        string `json:"id"`
	App       string `json:"app"`
	Operation string `json:"operation"`
	Command   string `json:"command"`
}

func (s *Sandbox) listSourceOperations(c *call, e *environment) {
	if e.SourceOperations == nil {
		s.notFound(c)
		return
	}
	list := []sourceOperationView{}
	for _, name := range e.SourceOperations {
		list = append(list, sourceOperationView{ID: application + ":" + name, App: application, Operation: name, Command: "true"})
	}
	c.json(200, list)
}

// sourceOperationRun is the body of a request to run one.
type sourceOperationRun struct {
	Operation string                    `json:"operation"`
	Variables map[string]map[string]any `json:"variables"`
}

func checkSourceOperation(body []byte) error {
	var b sourceOperationRun
	if err := decode(body, &b); err != nil {
		return err
	}
	if b.Operation == "" {
		return errors.New("operation is required")
	}
	return nil
}

// findSourceOperation allows one that the application has.
func (s *Sandbox) findSourceOperation(c *call, e *environment) (any, bool) {
	var b sourceOperationRun
	_ = decode(c.body, &b) // was checked
	if e.SourceOperations != nil && !slices.Contains(e.SourceOperations, b.Operation) {
		c.fail(400, "There is no such source operation")
		return nil, false
	}
	return nil, true
}
