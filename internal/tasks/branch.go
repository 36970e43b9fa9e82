package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// Branch makes a new environment out of this one, which becomes its parent. It
// fails when there is an environment of that name.
type Branch struct {
	Name  string `yaml:"name" json:"name"`             // the new branch
	Title string `yaml:"title" json:"title,omitempty"` // the name, when it is empty
	// Type is "development" or "staging". Empty leaves that to the platform.
	Type          string `yaml:"type" json:"type,omitempty"`
	NoCloneParent bool   `yaml:"no_clone_parent" json:"no_clone_parent,omitempty"` // begin without the parent's data
	// ResourcesInit says where its sizes come from, on flexible projects:
	// "parent", "default" or "minimum". Empty leaves that to the platform.
	ResourcesInit string `yaml:"resources_init" json:"resources_init,omitempty"`
}

var branch = &Kind{
	Name:     "branch",
	Command:  "environment:branch",
	Aliases:  []string{"branch"},
	Summary:  "make a new environment out of this one",
	Link:     "#branch",
	Route:    environmentRoute + "/branch",
	Role:     "viewer",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.branch"}},
	Options: []Option{
		{Name: "title", TakesValue: true},
		{Name: "type", TakesValue: true},
		{Name: "no-clone-parent"},
		{Name: "resources-init", TakesValue: true},
		{Name: "no-checkout"}, // there is no checkout here anyway
		{Name: "dry-run", Hidden: true},
		{Name: "force", Hidden: true},
		{Name: "identity-file", Short: "i", TakesValue: true, Hidden: true},
	},
	Arguments: []Argument{{Name: "id", Required: true}, {Name: ArgumentEnvironment}},
	New:       func() Task { return &Branch{} },
	FromCLI: func(in Input) (Task, error) {
		if in.Given("dry-run") {
			return nil, errors.New("with --dry-run nothing would be done")
		}
		return &Branch{
			Name: in.Argument("id"), Title: in.Option("title"), Type: in.Option("type"),
			NoCloneParent: in.Given("no-clone-parent"), ResourcesInit: in.Option("resources-init"),
		}, nil
	},
}

// Kind implements Task.
func (*Branch) Kind() *Kind { return branch }

// Validate implements Task.
func (b *Branch) Validate() error {
	if b.Name == "" {
		return errors.New("name is missing: name the new branch")
	}
	if !slices.Contains([]string{"", "development", "staging"}, b.Type) {
		return fmt.Errorf("type %q is not known; write development or staging", b.Type)
	}
	return checkResourcesInit(b.ResourcesInit, "parent", "default", "minimum")
}

// Body implements Task.
func (b *Branch) Body() any {
	return struct {
		Name        string  `json:"name"`
		Title       string  `json:"title"`
		CloneParent bool    `json:"clone_parent"`
		Type        string  `json:"type,omitempty"`
		Resources   *sizing `json:"resources,omitempty"`
	}{b.Name, cmp.Or(b.Title, b.Name), !b.NoCloneParent, b.Type, sizingFrom(b.ResourcesInit)}
}

// prepare refuses a name that is taken, as the vendor's CLI does.
func (b *Branch) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	r, err := follow(b, env)
	if err != nil {
		return r, err
	}
	all, err := listEnvironments(look)
	if err != nil {
		return platform.Request{}, err
	}
	if findRelative(b.Name, all) != nil {
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("environment %q exists already", b.Name)}
	}
	return r, nil
}
