package tasks

import (
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// DomainDelete takes a domain from the environment, and fails when it has none of that name. Domains of
// other environments that are attached to one of production go with it.
type DomainDelete struct {
	Name string `yaml:"name" json:"name"` // such as "www.example.com"
}

var domainDelete = &Kind{
	Name:    "domain_delete",
	Command: "domain:delete",
	Summary: "take a domain from the environment",
	// The link is on the domain.
	Link:     "#delete",
	Method:   http.MethodDelete,
	Route:    environmentRoute + "/domains/{domain}",
	Role:     "admin",
	Statuses: []string{statusActive, statusPaused, statusInactive},
	Witness:  Witness{Activities: []string{"environment.domain.delete", "project.domain.delete"}, Done: true},
	Confirms: true,

	Destructive: true,
	Arguments:   []Argument{{Name: "name", Required: true}},
	OfMain:      func(Input) bool { return true },
	New:         func() Task { return &DomainDelete{} },
	FromCLI:     func(in Input) (Task, error) { return &DomainDelete{Name: in.Argument("name")}, nil },
}

// Kind implements Task.
func (*DomainDelete) Kind() *Kind { return domainDelete }

// Validate implements Task.
func (d *DomainDelete) Validate() error { return checkDomainName(d.Name) }

// Body implements Task.
func (*DomainDelete) Body() any { return nil }

func (d *DomainDelete) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	found, err := findDomain(d.Name, look)
	if err != nil {
		return platform.Request{}, err
	}
	if found == nil {
		return platform.Request{}, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no domain %q", env.ID, d.Name)}
	}
	return remove(domainDelete, env, found.Links)
}
