package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// EnvironmentInfo sets properties of the environment. What is not mentioned
// stays as it is.
type EnvironmentInfo struct {
	Title       string `yaml:"title" json:"title,omitempty"`
	Type        string `yaml:"type" json:"type,omitempty"`                 // "development", "staging" or "production"
	Parent      string `yaml:"parent" json:"parent,omitempty"`             // must exist
	ClearParent bool   `yaml:"clear_parent" json:"clear_parent,omitempty"` // leaves it without a parent
	// RestrictRobots asks search engines to stay away.
	RestrictRobots *bool `yaml:"restrict_robots" json:"restrict_robots,omitempty"`
	EnableSMTP     *bool `yaml:"enable_smtp" json:"enable_smtp,omitempty"` // lets it send mail
}

var environmentInfo = &Kind{
	Name:     "environment_info",
	Command:  "environment:info",
	Aliases:  []string{"environment:metadata"},
	Summary:  "set properties of the environment",
	Link:     "#edit",
	Method:   http.MethodPatch,
	Route:    environmentRoute,
	Role:     "admin",
	Statuses: []string{statusActive, statusPaused, statusInactive},
	// Not every property has an activity.
	Witness:    Witness{Activities: []string{"environment.update.restrict_robots", "environment.update.smtp"}, Done: true},
	Repeatable: true,
	Options:    propertyOptions,
	Arguments:  propertyArguments,
	New:        func() Task { return &EnvironmentInfo{} },
	FromCLI:    environmentInfoFromCLI,
}

func environmentInfoFromCLI(in Input) (Task, error) {
	name, value, err := propertyFromCLI(in)
	if err != nil {
		return nil, err
	}
	e := &EnvironmentInfo{}
	switch {
	case name == "title":
		e.Title = value
	case name == "type":
		e.Type = value
	case name == "parent" && value == "-":
		e.ClearParent = true
	case name == "parent":
		e.Parent = value
	case name == "restrict_robots":
		e.RestrictRobots, err = flag(name, value)
	case name == "enable_smtp":
		e.EnableSMTP, err = flag(name, value)
	case name == "deployment_type":
		err = errors.New("the deployment type is set by environment:deploy:type")
	default:
		err = fmt.Errorf("property %q cannot be set; write title, type, parent, restrict_robots or enable_smtp", name)
	}
	return e, err
}

// Kind implements Task.
func (*EnvironmentInfo) Kind() *Kind { return environmentInfo }

// Validate implements Task.
func (e *EnvironmentInfo) Validate() error {
	switch {
	case len(e.properties()) == 0:
		return errors.New("nothing to change: name at least one of title, type, parent, clear_parent, restrict_robots and enable_smtp")
	case e.Parent != "" && e.ClearParent:
		return errors.New("parent and clear_parent contradict each other")
	case !slices.Contains([]string{"", "development", "staging", "production"}, e.Type):
		return fmt.Errorf("type %q is not known; write development, staging or production", e.Type)
	}
	return nil
}

// Body implements Task.
func (e *EnvironmentInfo) Body() any { return e.properties() }

// properties are what is to change, as the API names it.
func (e *EnvironmentInfo) properties() map[string]any {
	set := map[string]any{}
	for name, value := range map[string]string{"title": e.Title, "type": e.Type, "parent": e.Parent} {
		if value != "" {
			set[name] = value
		}
	}
	for name, value := range map[string]*bool{"restrict_robots": e.RestrictRobots, "enable_smtp": e.EnableSMTP} {
		if value != nil {
			set[name] = *value
		}
	}
	if e.ClearParent {
		set["parent"] = nil
	}
	return set
}

func (e *EnvironmentInfo) witness() Witness {
	w := Witness{Done: true}
	if e.RestrictRobots != nil {
		w.Activities = append(w.Activities, "environment.update.restrict_robots")
	}
	if e.EnableSMTP != nil {
		w.Activities = append(w.Activities, "environment.update.smtp")
	}
	return w
}

// prepare looks whether everything is so already, and whether the parent can be
// one, as the vendor's CLI does.
func (e *EnvironmentInfo) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	now, err := look(environmentRoute, "")
	if err != nil {
		return platform.Request{}, err
	}
	if err := refuseIfSo(now, e.properties(), fmt.Sprintf("environment %q", env.ID)); err != nil {
		return platform.Request{}, err
	}
	if e.Parent != "" {
		if err := checkParent(e.Parent, env, look); err != nil {
			return platform.Request{}, err
		}
	}
	return follow(e, env)
}

// checkParent refuses a parent that does not exist, or descends from env.
func checkParent(parent string, env *platform.Environment, look Lookup) error {
	all, err := listEnvironments(look)
	if err != nil {
		return err
	}
	found := findRelative(parent, all)
	switch {
	case found == nil:
		return &Refusal{RefusedMissing, fmt.Sprintf("there is no environment %q to be the parent", parent)}
	case parent == env.ID, found.Parent == env.ID:
		return &Refusal{RefusedConflict, fmt.Sprintf("environment %q cannot be the parent of %q", parent, env.ID)}
	}
	return nil
}
