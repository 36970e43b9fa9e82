package tasks

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// DeployType says when changes of the environment are deployed: as they come, or
// by hand. Going back to "automatic" deploys what is staged.
type DeployType struct {
	Type string `yaml:"type" json:"type"` // "automatic" or "manual"
}

var deployType = &Kind{
	Name:    "deploy_type",
	Command: "environment:deploy:type",
	Summary: "have changes deployed as they come, or by hand",
	// The link is that of the environment's settings.
	Link:       "self",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/settings",
	Role:       "admin",
	Statuses:   []string{statusActive, statusPaused},
	Witness:    Witness{Done: true},
	Repeatable: true,
	Confirms:   true,
	Options:    []Option{{Name: "pipe", Hidden: true}}, // about what is read
	Arguments:  []Argument{{Name: "type"}},
	New:        func() Task { return &DeployType{} },
	FromCLI: func(in Input) (Task, error) {
		if in.Argument("type") == "" {
			return nil, errors.New("without a type the command only reads, which is no task; write automatic or manual")
		}
		return &DeployType{Type: in.Argument("type")}, nil
	},
}

// Kind implements Task.
func (*DeployType) Kind() *Kind { return deployType }

// Validate implements Task.
func (d *DeployType) Validate() error {
	if d.Type != "automatic" && d.Type != "manual" {
		return fmt.Errorf("type %q is not known; write automatic or manual", d.Type)
	}
	return nil
}

// Body implements Task.
func (d *DeployType) Body() any { return d.settings() }

func (d *DeployType) settings() map[string]any {
	return map[string]any{"enable_manual_deployments": d.Type == "manual"}
}

// prepare goes to the settings themselves, as the vendor's CLI does, because the
// platform gives them no link to be edited by. A paused environment cannot be
// told to wait for a deployment by hand.
func (d *DeployType) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	settings, err := look(deployType.Route, "")
	if err != nil {
		return platform.Request{}, err
	}
	if err := refuseIfSo(settings, d.settings(), fmt.Sprintf("the deployment type of environment %q", env.ID)); err != nil {
		return platform.Request{}, err
	}
	if d.Type == "manual" && env.Status == statusPaused {
		return platform.Request{}, &Refusal{RefusedInactive, fmt.Sprintf("environment %q is paused, deploy_type: {type: manual} wants it active", env.ID)}
	}
	if settings == nil || !ready(deployType, env) {
		return platform.Request{}, refuse(deployType, env)
	}
	path, ok := settings.Links.Path(deployType.Link)
	if !ok {
		return platform.Request{}, refuse(deployType, env)
	}
	return request(http.MethodPatch, path, deployType.Route, d.Body())
}
