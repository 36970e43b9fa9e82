package tasks

import "github.com/automatond/automatond/internal/platform"

// Deactivate makes the environment inactive: its services and all its data are
// deleted, its branch stays. So it is not asked for again when an answer is
// lost; somebody may have activated the environment meanwhile.
type Deactivate struct {
	// AllowParent also deactivates an environment that others have as parent.
	AllowParent bool `yaml:"allow_parent" json:"allow_parent,omitempty"`
}

var deactivate = &Kind{
	Name:     "deactivate",
	Command:  deletion.Command,
	Aliases:  deletion.Aliases,
	Summary:  "delete the environment's services and data, and keep its branch",
	Link:     "#deactivate",
	Route:    environmentRoute + "/deactivate",
	Role:     "admin",
	Statuses: []string{statusActive, statusPaused},
	Witness:  Witness{Activities: []string{"environment.deactivate"}, Status: statusInactive},
	Confirms: true,

	Destructive: true,
	Options:     deletion.Options,
	Arguments:   deletion.Arguments,
	New:         func() Task { return &Deactivate{} },
	FromCLI:     deletionFromCLI,
}

// Kind implements Task.
func (*Deactivate) Kind() *Kind { return deactivate }

// Validate implements Task.
func (*Deactivate) Validate() error { return nil }

// Body implements Task.
func (*Deactivate) Body() any { return nil }

// prepare refuses an environment that has children, as the vendor's CLI does.
func (d *Deactivate) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	r, err := follow(d, env)
	if err != nil || d.AllowParent {
		return r, err
	}
	return r, refuseParent(env, look)
}
