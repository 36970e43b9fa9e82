package tasks

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// Operation runs one of the runtime operations that the application defines:
// commands in its running container.
type Operation struct {
	Operation string `yaml:"operation" json:"operation"`
	// App is the application, or the worker written as "app--worker", or as
	// "--worker" whichever application it is one of. It may be left out when only
	// one of them has the operation.
	App        string   `yaml:"app" json:"app,omitempty"`
	Parameters []string `yaml:"parameters" json:"parameters,omitempty"` // in order
}

var operation = &Kind{
	Name:    "operation",
	Command: "operation:run",
	Summary: "run a runtime operation of the application",
	// The link is on the environment's current deployment, not on itself.
	Link:     "#operations",
	Route:    environmentRoute + "/deployments/current/operations",
	Role:     "contributor",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.operation"}},
	Confirms: true,
	Options: []Option{
		{Name: "app", Short: "A", TakesValue: true},
		{Name: "worker", TakesValue: true},
		{Name: "parameter", TakesValue: true, Repeated: true},
	},
	Arguments: []Argument{{Name: "operation"}},
	New:       func() Task { return &Operation{} },
	FromCLI:   operationFromCLI,
}

func operationFromCLI(in Input) (Task, error) {
	o := &Operation{
		Operation: in.Argument("operation"), App: in.Option("app"), Parameters: in.Options["parameter"],
	}
	switch worker := in.Option("worker"); {
	case worker == "":
	case !strings.Contains(worker, "--"):
		o.App += "--" + worker
	case o.App != "" && !strings.HasPrefix(worker, o.App+"--"):
		return nil, fmt.Errorf("worker %q is not one of the application %q", worker, o.App)
	default:
		o.App = worker
	}
	return o, nil
}

// Kind implements Task.
func (*Operation) Kind() *Kind { return operation }

// Validate implements Task.
func (o *Operation) Validate() error {
	if o.Operation == "" {
		return errors.New("operation is missing: name the runtime operation to run")
	}
	return nil
}

// Body implements Task.
func (o *Operation) Body() any {
	return struct {
		Operation  string   `json:"operation"`
		Service    string   `json:"service"`
		Parameters []string `json:"parameters,omitempty"`
	}{o.Operation, o.App, o.Parameters}
}

// deployment is what the current deployment says about operations.
type deployment struct {
	Webapps, Workers map[string]struct {
		Operations map[string]struct{}
	}
}

// prepare looks at the current deployment, which has the link and says which
// application has the operation.
func (o *Operation) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	current, err := look(environmentRoute+"/deployments/current", "")
	if err != nil {
		return platform.Request{}, err
	}
	if current == nil || !operation.Accepts(env.Status) {
		return platform.Request{}, refuse(operation, env)
	}
	path, ok := current.Links.Path(operation.Link)
	if !ok {
		return platform.Request{}, refuse(operation, env)
	}
	var d deployment
	if err := current.Decode(&d); err != nil {
		return platform.Request{}, err
	}
	located, err := o.locate(d, env)
	if err != nil {
		return platform.Request{}, err
	}
	return request(http.MethodPost, path, operation.Route, located.Body())
}

// means reports whether a container is one that App leaves to choose from.
func (o *Operation) means(name string) bool {
	return o.App == "" || o.App == name || strings.HasPrefix(o.App, "--") && strings.HasSuffix(name, o.App)
}

// locate fills in the application that has the operation.
func (o *Operation) locate(d deployment, env *platform.Environment) (*Operation, error) {
	var found []string
	for _, containers := range []map[string]struct{ Operations map[string]struct{} }{d.Webapps, d.Workers} {
		for _, name := range slices.Sorted(maps.Keys(containers)) {
			if _, ok := containers[name].Operations[o.Operation]; ok && o.means(name) {
				found = append(found, name)
			}
		}
	}
	switch {
	case len(found) == 1:
		located := *o
		located.App = found[0]
		return &located, nil
	case len(found) > 1:
		return nil, &Refusal{RefusedConflict, fmt.Sprintf("operation %q of environment %q is defined by %s; name the app",
			o.Operation, env.ID, strings.Join(found, " and "))}
	case o.App != "":
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no operation %q in %q", env.ID, o.Operation, o.App)}
	default:
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no operation %q", env.ID, o.Operation)}
	}
}
