package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"
)

// Domain is a domain of an environment.
type Domain struct {
	Name           string
	ReplacementFor string // the domain of production that it is attached to; "" on production
}

// domain is a domain with its date.
type domain struct {
	Domain
	createdAt time.Time
}

// AddDomain gives an environment a domain.
func (s *Sandbox) AddDomain(project, environment string, d Domain) {
	s.SetEnvironment(project, environment, func(*Environment) {})
	p := s.project(project)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.environment(environment)
	e.domains = append(e.domains, &domain{d, s.now()})
}

// Domains lists an environment's domains, oldest first.
func (s *Sandbox) Domains(project, name string) []Domain {
	var list []Domain
	s.peek(project, name, func(e *environment) {
		for _, d := range e.domains {
			list = append(list, d.Domain)
		}
	})
	return list
}

func (e *environment) domain(name string) *domain {
	for _, d := range e.domains {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// production are the environments whose domains stand for themselves.
func (p *project) production() []*environment {
	var list []*environment
	for _, e := range p.environments {
		if e.Type == "production" {
			list = append(list, e)
		}
	}
	return list
}

type newDomain struct {
	Name           *string        `json:"name"`
	ReplacementFor *string        `json:"replacement_for"`
	IsDefault      *bool          `json:"is_default"`
	Attributes     map[string]any `json:"attributes"`
}

func checkDomain(body []byte) error {
	var b newDomain
	if err := decode(body, &b); err != nil {
		return err
	}
	if b.Name == nil || *b.Name == "" {
		return errors.New("name is required")
	}
	return nil
}

// addDomain adds what does not contradict the domains there are.
func (s *Sandbox) addDomain(c *call, e *environment) (any, bool) {
	var b newDomain
	json.Unmarshal(c.body, &b) // was checked
	d := &domain{Domain{Name: *b.Name}, c.now}
	take(&d.ReplacementFor, b.ReplacementFor)
	attached := func(of *environment) bool { return of.domain(d.ReplacementFor) != nil }
	switch {
	case slices.ContainsFunc(e.project.environments, func(of *environment) bool { return of.domain(d.Name) != nil }):
		c.fail(409, "There is a domain of this name already")
	case (e.Type == "production") != (d.ReplacementFor == ""):
		c.fail(400, "A domain is attached to one of production, unless it is one itself")
	case d.ReplacementFor != "" && !slices.ContainsFunc(e.project.production(), attached):
		c.fail(409, "The domain has no corresponding domain set on the production environment")
	default:
		e.domains = append(e.domains, d)
		return e.viewDomain(d, c.caller), true
	}
	return nil, false
}

// deleteDomain takes the domain of the path away, and what is attached to it.
func (s *Sandbox) deleteDomain(c *call, e *environment) (any, bool) {
	d := e.domain(c.PathValue("domain"))
	if d == nil {
		c.fail(404, "Domain not found")
		return nil, false
	}
	for _, other := range e.project.environments {
		other.domains = slices.DeleteFunc(other.domains, func(o *domain) bool { return o == d || o.ReplacementFor == d.Name })
	}
	return nil, true
}

func (s *Sandbox) getDomain(c *call, e *environment) {
	d := e.domain(c.PathValue("domain"))
	if d == nil {
		c.fail(404, "Domain not found")
		return
	}
	c.json(200, e.viewDomain(d, c.caller))
}

func (s *Sandbox) listDomains(c *call, e *environment) { answerDomains(c, []*environment{e}) }

// listProductionDomains answers with the project's domains, which are those of production.
func (s *Sandbox) listProductionDomains(c *call, p *project) { answerDomains(c, p.production()) }

func answerDomains(c *call, of []*environment) {
	list := []map[string]any{}
	for _, e := range of {
		for _, d := range e.domains {
			list = append(list, e.viewDomain(d, c.caller))
		}
	}
	c.json(200, list)
}

// viewDomain is the JSON form, after the OpenAPI description's ProdDomainStorage and
// ReplacementDomainStorage.
func (e *environment) viewDomain(d *domain, c caller) map[string]any {
	path := e.path() + "/domains/" + url.PathEscape(d.Name)
	l := links{"self": e.project.self(path)}
	if c.roleOn(e) == "admin" && !e.isDirty() {
		l["#delete"] = link{path}
	}
	view := map[string]any{
		"id": d.Name, "name": d.Name, "created_at": stamp(d.createdAt), "updated_at": stamp(d.createdAt),
		"type": "production", "project": e.project.id, "attributes": struct{}{}, "_links": l,
	}
	if d.ReplacementFor == "" {
		view["is_default"] = d.Name == e.project.defaultDomain
	} else {
		view["type"], view["replacement_for"] = "replacement", d.ReplacementFor
	}
	return view
}
