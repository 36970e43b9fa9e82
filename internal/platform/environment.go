package platform

import (
	"context"
	"net/url"
	"unique"
)

// Environment is what automatond needs of an environment. Names and values are those of the API's
// OpenAPI description. A large installation keeps a hundred thousand of these, so what nobody asks for
// is not kept, and what is the same for many of them is one string.
type Environment struct {
	ID                  string // unique in its project; may contain slashes
	Name                string // the branch
	MachineName         string // such as main-bvxea6i
	Type                string // production, staging or development
	Status              string // active, dirty, inactive, paused or deleting
	Parent              string
	Project             string
	IsMain              bool
	IsDirty             bool // an activity is pending on it
	HasStagedActivities bool
	CanRollingDeploy    bool
	Links               Links
}

// environmentJSON is an environment as the API sends it.
type environmentJSON struct {
	ID                  string `json:"id"`
	Name                string `json:"name"`
	MachineName         string `json:"machine_name"`
	Type                string `json:"type"`
	Status              string `json:"status"`
	Parent              string `json:"parent"`
	Project             string `json:"project"`
	IsMain              bool   `json:"is_main"`
	IsDirty             bool   `json:"is_dirty"`
	HasStagedActivities bool   `json:"has_staged_activities"`
	CanRollingDeploy    bool   `json:"can_rolling_deploy"`
	Links               Links  `json:"_links"`
}

// environment fills in what follows from how it was asked for.
func (w *environmentJSON) environment(project string) *Environment {
	e := &Environment{
		ID: shared(w.ID), Name: shared(w.Name), MachineName: w.MachineName, Type: shared(w.Type),
		Status: shared(w.Status), Parent: shared(w.Parent), Project: w.Project, IsMain: w.IsMain,
		IsDirty: w.IsDirty, HasStagedActivities: w.HasStagedActivities, CanRollingDeploy: w.CanRollingDeploy,
		Links: w.Links,
	}
	if e.Name == "" {
		e.Name = e.ID
	}
	if e.Project == "" || e.Project == project {
		e.Project = project
	}
	return e
}

// shared returns the one string for equal ones.
func shared(s string) string { return unique.Make(s).Value() }

// Environments lists all environments of a project, each once.
func (c *Client) Environments(ctx context.Context, project string) ([]*Environment, error) {
	const endpoint = "/projects/{project}/environments"
	wire, err := read[[]environmentJSON](ctx, c, project, endpoint, projectPath(project)+"/environments", nil)
	if err != nil {
		return nil, err
	}
	list := make([]*Environment, 0, len(wire))
	seen := make(map[string]bool, len(wire))
	for i := range wire {
		if id := wire[i].ID; id != "" && !seen[id] { // without one nothing could be asked of it
			seen[id] = true
			list = append(list, wire[i].environment(project))
		}
	}
	return list, nil
}

// Environment reads one environment.
func (c *Client) Environment(ctx context.Context, project, id string) (*Environment, error) {
	const endpoint = "/projects/{project}/environments/{environment}"
	wire, err := read[environmentJSON](ctx, c, project, endpoint, environmentPath(project, id), nil)
	if err == nil && wire.ID == "" {
		err = nameless(endpoint)
	}
	if err != nil {
		return nil, err
	}
	return wire.environment(project), nil
}

func projectPath(id string) string { return "/projects/" + url.PathEscape(id) }

// environmentPath escapes the id: feature/x is feature%2Fx in a path.
func environmentPath(project, id string) string {
	return projectPath(project) + "/environments/" + url.PathEscape(id)
}
