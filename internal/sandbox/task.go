package sandbox

import "slices"

// taskView is a task of the application as the API sends it.
type taskView struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Type          string         `json:"type"`
	Source        map[string]any `json:"source"`
	Hooks         map[string]any `json:"hooks"`
	Relationships map[string]any `json:"relationships"`
	Mounts        map[string]any `json:"mounts"`
	Variables     map[string]any `json:"variables"`
	Run           map[string]any `json:"run"`
}

func (s *Sandbox) listTasks(c *call, e *environment) {
	list := []taskView{}
	for _, name := range e.Tasks {
		list = append(list, taskView{
			ID: name, Name: name, Type: "php:8.3",
			Source: map[string]any{"root": ""}, Hooks: map[string]any{"build": nil, "deploy": nil},
			Relationships: map[string]any{}, Mounts: map[string]any{}, Variables: map[string]any{},
			Run: map[string]any{"command": "true", "timeout": 86400},
		})
	}
	c.json(200, list)
}

func checkTask(body []byte) error {
	return decode(body, &struct {
		Variables map[string]map[string]any `json:"variables"`
	}{})
}

// findTask allows a task that the application has.
func (s *Sandbox) findTask(c *call, e *environment) (any, bool) {
	if !slices.Contains(e.Tasks, c.PathValue("task")) {
		c.fail(404, "Task not found")
		return nil, false
	}
	return nil, true
}
