package tasks

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// ProjectInfo sets properties of the project. What is not mentioned stays as it
// is.
type ProjectInfo struct {
	Title         string `yaml:"title" json:"title,omitempty"`
	Description   string `yaml:"description" json:"description,omitempty"`
	DefaultDomain string `yaml:"default_domain" json:"default_domain,omitempty"`
	DefaultBranch string `yaml:"default_branch" json:"default_branch,omitempty"`
}

var projectInfo = &Kind{
	Name:    "project_info",
	Command: "project:info",
	Aliases: []string{"project:metadata"},
	Summary: "set properties of the project",
	// The link is on the project.
	Link:     "#edit",
	Method:   http.MethodPatch,
	Route:    projectRoute,
	Role:     "admin",
	Statuses: []string{statusActive},
	// Only the title is known to have an activity.
	Witness:    Witness{Activities: []string{"project.modify.title"}, Done: true},
	Repeatable: true,
	Options:    propertyOptions,
	Arguments:  propertyArguments,
	New:        func() Task { return &ProjectInfo{} },
	FromCLI:    projectInfoFromCLI,
}

func projectInfoFromCLI(in Input) (Task, error) {
	name, value, err := propertyFromCLI(in)
	if err != nil {
		return nil, err
	}
	switch name {
	case "title":
		return &ProjectInfo{Title: value}, nil
	case "description":
		return &ProjectInfo{Description: value}, nil
	case "default_domain":
		return &ProjectInfo{DefaultDomain: value}, nil
	case "default_branch":
		return &ProjectInfo{DefaultBranch: value}, nil
	default:
		return nil, fmt.Errorf("property %q cannot be set; write title, description, default_domain or default_branch", name)
	}
}

// Kind implements Task.
func (*ProjectInfo) Kind() *Kind { return projectInfo }

// Validate implements Task.
func (p *ProjectInfo) Validate() error {
	if *p == (ProjectInfo{}) {
		return errors.New("nothing to change: name at least one of title, description, default_domain and default_branch")
	}
	return nil
}

// Body implements Task.
func (p *ProjectInfo) Body() any { return p.properties() }

// properties are what is to change, as the API names it.
func (p *ProjectInfo) properties() map[string]any {
	set := map[string]any{}
	for name, value := range map[string]string{
		"title": p.Title, "description": p.Description, "default_domain": p.DefaultDomain, "default_branch": p.DefaultBranch,
	} {
		if value != "" {
			set[name] = value
		}
	}
	return set
}

func (*ProjectInfo) projectWide() bool { return true }

func (p *ProjectInfo) witness() Witness {
	if p.Title == "" {
		return Witness{Done: true}
	}
	return projectInfo.Witness
}

// prepare looks whether everything is so already, as the vendor's CLI does.
func (p *ProjectInfo) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	project, err := lookAtProject(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	if err := refuseIfSo(project, p.properties(), fmt.Sprintf("project %q", env.Project)); err != nil {
		return platform.Request{}, err
	}
	path, ok := project.Links.Path(projectInfo.Link)
	if !ok {
		return platform.Request{}, refuseOnProject(projectInfo, env)
	}
	return request(http.MethodPatch, path, projectInfo.Route, p.Body())
}
