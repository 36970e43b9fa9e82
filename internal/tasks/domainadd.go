package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// DomainAdd gives the environment a domain. One of an environment that is not production stands, in its
// routes, in the place of a domain of production.
type DomainAdd struct {
	Name   string `yaml:"name" json:"name"`               // such as "www.example.com"
	Attach string `yaml:"attach" json:"attach,omitempty"` // the domain of production; may be left out when there is one
}

var domainAdd = &Kind{
	Name:       "domain_add",
	Command:    "domain:add",
	Summary:    "give the environment a domain",
	Link:       "#domains",
	Route:      environmentRoute + "/domains",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.domain.create", "project.domain.create"}, Done: true},
	Repeatable: true,
	Confirms:   true,
	Options: []Option{
		{Name: "cert", TakesValue: true},
		{Name: "key", TakesValue: true},
		{Name: "chain", TakesValue: true, Repeated: true},
		{Name: "attach", TakesValue: true},
		{Name: "replace", Short: "r", TakesValue: true, Hidden: true},
	},
	Arguments: []Argument{{Name: "name", Required: true}},
	OfMain:    func(in Input) bool { return !in.Given("attach") && !in.Given("replace") },
	New:       func() Task { return &DomainAdd{} },
	FromCLI:   domainAddFromCLI,
}

func domainAddFromCLI(in Input) (Task, error) {
	if in.Given("cert") || in.Given("key") || in.Given("chain") {
		return nil, errors.New("options --cert, --key and --chain are not offered, as the API describes no certificate of a domain; write certificate:add")
	}
	d := &DomainAdd{Name: in.Argument("name"), Attach: in.Option("attach")}
	if d.Attach == "" {
		d.Attach = in.Option("replace")
	}
	return d, nil
}

// Kind implements Task.
func (*DomainAdd) Kind() *Kind { return domainAdd }

// Validate implements Task.
func (d *DomainAdd) Validate() error { return checkDomainName(d.Name) }

// Body implements Task.
func (d *DomainAdd) Body() any {
	return struct {
		Name           string `json:"name"`
		ReplacementFor string `json:"replacement_for,omitempty"`
	}{d.Name, d.Attach}
}

// prepare looks whether the environment has the domain, and finds the one that it is attached to.
func (d *DomainAdd) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	path, ok := env.Links.Path(domainAdd.Link)
	if !ok {
		return platform.Request{}, refuse(domainAdd, env)
	}
	found, err := findDomain(d.Name, look)
	if err != nil {
		return platform.Request{}, err
	}
	if found != nil {
		return platform.Request{}, d.refuseExisting(found, env)
	}
	attached, err := d.attach(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	return request(http.MethodPost, path, domainAdd.Route, attached.Body())
}

func (d *DomainAdd) refuseExisting(found *platform.Resource, env *platform.Environment) error {
	var has existingDomain
	if err := found.Decode(&has); err != nil {
		return err
	}
	if d.Attach != "" && d.Attach != has.Replaces {
		return &Refusal{RefusedConflict, fmt.Sprintf("environment %q has domain %q already, attached to %q", env.ID, d.Name, has.Replaces)}
	}
	return &Refusal{RefusedAlready, fmt.Sprintf("environment %q has domain %q already", env.ID, d.Name)}
}

// attach fills in the domain of production that the new one stands in the place of, as the vendor's CLI
// chooses it. The error is a *Refusal when there is none to be found.
func (d *DomainAdd) attach(env *platform.Environment, look Lookup) (*DomainAdd, error) {
	if env.IsMain || env.Type == "production" {
		if d.Attach != "" {
			return nil, &Refusal{RefusedConflict, fmt.Sprintf("environment %q is production, whose domains are not attached to another", env.ID)}
		}
		return d, nil
	}
	all, err := list[existingDomain](look, projectRoute+"/domains")
	if err != nil {
		return nil, err
	}
	known := func(name string) bool {
		return slices.ContainsFunc(all, func(e existingDomain) bool { return e.Name == name })
	}
	attached := *d
	switch {
	case len(all) == 0:
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("production has no domain for %q to stand for", d.Name)}
	case d.Attach == "" && len(all) == 1:
		attached.Attach = all[0].Name
	case d.Attach == "":
		if attached.Attach, err = defaultDomain(env, look); err != nil {
			return nil, err
		}
		if !known(attached.Attach) {
			return nil, &Refusal{RefusedConflict, fmt.Sprintf("production has %d domains; say in attach which of them %q stands for", len(all), d.Name)}
		}
	case !known(d.Attach):
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("production has no domain %q for %q to stand for", d.Attach, d.Name)}
	}
	return &attached, nil
}

func defaultDomain(env *platform.Environment, look Lookup) (string, error) {
	project, err := lookAtProject(env, look)
	if err != nil {
		return "", err
	}
	var has struct {
		Default string `json:"default_domain"`
	}
	err = project.Decode(&has)
	return has.Default, err
}
