package sandbox

import (
	"encoding/json"
	"errors"
)

// Size is what the application "app" has of the platform's machines. The zero
// value is what the platform chose.
type Size struct {
	Profile   string // its profile size
	Instances int
	Disk      int // in MB
}

// resourcesSet is what setting sizes is to the environment.
var resourcesSet = operation{method: "PATCH", path: "deployments/next", kind: "environment.resources.update",
	clause: "updated the resources of", statuses: []string{"active"}, check: checkResources, apply: setResources}

// getNextDeployment answers with the deployment that is to come, which differs
// from the current one by its link only.
func (s *Sandbox) getNextDeployment(c *call, e *environment) {
	path := e.path() + "/deployments/next"
	l := links{"self": e.project.self(path)}
	if resourcesSet.possible(e) && !e.isDirty() && c.caller.roleOn(e) == "admin" {
		l["#edit"] = link{path}
	}
	s.answerDeployment(c, e, l)
}

// view adds the size to a deployment's application.
func (z Size) view(app map[string]any) {
	if z.Profile != "" {
		app["resources"] = map[string]any{
			"base_memory": nil, "memory_ratio": nil, "profile_size": z.Profile, "minimum": nil, "default": nil, "disk": nil,
		}
	}
	if z.Instances != 0 {
		app["instance_count"] = z.Instances
	}
	if z.Disk != 0 {
		app["disk"] = z.Disk
	}
}

// newSizes are the body of a request that sets sizes.
type newSizes struct {
	Webapps map[string]struct {
		Resources *struct {
			Profile string `json:"profile_size"`
		} `json:"resources"`
		Instances *int `json:"instance_count"`
		Disk      *int `json:"disk"`
	} `json:"webapps"`
	Services map[string]any `json:"services"`
	Workers  map[string]any `json:"workers"`
}

func checkResources(body []byte) error {
	var b newSizes
	if err := decode(body, &b); err != nil {
		return err
	}
	if _, ok := b.Webapps[application]; !ok || len(b.Webapps)+len(b.Services)+len(b.Workers) > 1 {
		return errors.New("there is one container, the application " + application)
	}
	return nil
}

func setResources(c *call, e *environment) (any, bool) {
	var b newSizes
	json.Unmarshal(c.body, &b) // was checked
	app := b.Webapps[application]
	if app.Resources != nil {
		e.Size.Profile = app.Resources.Profile
	}
	if app.Instances != nil {
		e.Size.Instances = *app.Instances
	}
	if app.Disk != nil {
		e.Size.Disk = *app.Disk
	}
	return nil, true
}
