package tasks

import "github.com/automatond/automatond/internal/platform"

// Merge merges the environment's code into its parent, which is deployed then.
type Merge struct {
	// ResourcesInit says where sizes of what is new to the parent come from, on
	// flexible projects: "child", "default", "minimum" or "manual". Empty leaves
	// that to the platform.
	ResourcesInit string `yaml:"resources_init" json:"resources_init,omitempty"`
}

var merge = &Kind{
	Name:      "merge",
	Command:   "environment:merge",
	Aliases:   []string{"merge"},
	Summary:   "merge the environment's code into its parent",
	Link:      "#merge",
	Route:     environmentRoute + "/merge",
	Role:      "admin",
	Statuses:  []string{statusActive},
	Witness:   Witness{Activities: []string{"environment.merge"}},
	Confirms:  true,
	Options:   []Option{{Name: "resources-init", TakesValue: true}},
	Arguments: []Argument{{Name: ArgumentEnvironment}},
	New:       func() Task { return &Merge{} },
	FromCLI:   func(in Input) (Task, error) { return &Merge{ResourcesInit: in.Option("resources-init")}, nil },
}

// Kind implements Task.
func (*Merge) Kind() *Kind { return merge }

// Validate implements Task.
func (m *Merge) Validate() error {
	return checkResourcesInit(m.ResourcesInit, "child", "default", "minimum", "manual")
}

// Body implements Task.
func (m *Merge) Body() any {
	return struct {
		Resources *sizing `json:"resources,omitempty"`
	}{sizingFrom(m.ResourcesInit)}
}

func (m *Merge) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return followWithParent(m, env, look)
}
