package tasks

import (
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/platform"
)

// Synchronize brings the parent environment's code, data or resources to the
// environment.
type Synchronize struct {
	Code      bool `yaml:"code" json:"code,omitempty"`           // merge the parent's code
	Data      bool `yaml:"data" json:"data,omitempty"`           // replace all data with the parent's
	Resources bool `yaml:"resources" json:"resources,omitempty"` // take over the parent's sizes; flexible projects only
	Rebase    bool `yaml:"rebase" json:"rebase,omitempty"`       // rebase onto the parent's code instead of merging it; nothing without Code
}

var synchronize = &Kind{
	Name:      "synchronize",
	Command:   "environment:synchronize",
	Aliases:   []string{"sync"},
	Summary:   "bring the parent's code, data or resources to the environment",
	Link:      "#synchronize",
	Route:     environmentRoute + "/synchronize",
	Role:      "admin",
	Statuses:  []string{statusActive},
	Witness:   Witness{Activities: []string{"environment.synchronize"}},
	Confirms:  true,
	Options:   []Option{{Name: "rebase"}},
	Arguments: []Argument{{Name: "synchronize", Repeated: true}},
	New:       func() Task { return &Synchronize{} },
	FromCLI:   synchronizeFromCLI,
}

func synchronizeFromCLI(in Input) (Task, error) {
	s := &Synchronize{Rebase: in.Given("rebase")}
	for _, what := range in.Arguments["synchronize"] {
		switch what {
		case "code":
			s.Code = true
		case "data":
			s.Data = true
		case "both": // what the CLI takes where resources are not offered
			s.Code, s.Data = true, true
		case "resources":
			s.Resources = true
		default:
			return nil, fmt.Errorf("%q cannot be synchronized; name code, data or resources", what)
		}
	}
	return s, nil
}

// Kind implements Task.
func (*Synchronize) Kind() *Kind { return synchronize }

// Validate implements Task.
func (s *Synchronize) Validate() error {
	if !s.Code && !s.Data && !s.Resources {
		return errors.New("nothing to synchronize: name at least one of code, data and resources")
	}
	return nil
}

// Body implements Task. As in the CLI, the resources are mentioned only when
// they are asked for, because not every project has them.
func (s *Synchronize) Body() any {
	return struct {
		Code      bool `json:"synchronize_code"`
		Data      bool `json:"synchronize_data"`
		Rebase    bool `json:"rebase"`
		Resources bool `json:"synchronize_resources,omitempty"`
	}{s.Code, s.Data, s.Rebase, s.Resources}
}

func (s *Synchronize) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	return followWithParent(s, env, look)
}
