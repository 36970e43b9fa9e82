package tasks

import "errors"

// Activate makes an inactive environment, which is only a branch, an active
// one: with services, and with a copy of its parent's data.
type Activate struct {
	// ResourcesInit says where its sizes come from, on flexible projects:
	// "parent", "default" or "minimum". Empty leaves that to the platform.
	ResourcesInit string `yaml:"resources_init" json:"resources_init,omitempty"`
}

var activate = &Kind{
	Name:       "activate",
	Command:    "environment:activate",
	Summary:    "activate an inactive environment",
	Link:       "#activate",
	Route:      environmentRoute + "/activate",
	Role:       "admin",
	Statuses:   []string{statusInactive},
	Witness:    Witness{Activities: []string{"environment.activate"}, Status: statusActive},
	Repeatable: true,
	Confirms:   true,
	Options: []Option{
		{Name: "parent", TakesValue: true},
		{Name: "resources-init", TakesValue: true},
	},
	Arguments: []Argument{{Name: ArgumentEnvironment, Repeated: true}},
	New:       func() Task { return &Activate{} },
	FromCLI: func(in Input) (Task, error) {
		if in.Given("parent") {
			return nil, errors.New("option --parent is not offered, because it is a change of its own; set the parent beforehand")
		}
		return &Activate{ResourcesInit: in.Option("resources-init")}, nil
	},
}

// Kind implements Task.
func (*Activate) Kind() *Kind { return activate }

// Validate implements Task.
func (a *Activate) Validate() error {
	return checkResourcesInit(a.ResourcesInit, "parent", "default", "minimum")
}

// Body implements Task. The resources are mentioned only when they are asked
// for, because not every project has them.
func (a *Activate) Body() any {
	return struct {
		Resources *sizing `json:"resources,omitempty"`
	}{sizingFrom(a.ResourcesInit)}
}
