package sandbox

import (
	"cmp"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// project is a project with all that happened in it. The methods want mu held.
type project struct {
	id, title, defaultBranch   string
	description, defaultDomain string
	organization               string // its name
	path                       string // on the API's host
	region                     string // host where the project lives, which is not where the API is
	createdAt                  time.Time

	mu           sync.Mutex
	itself       *environment // stands for the project where it has activities and variables of its own
	environments []*environment
	activities   []*activity // oldest first
	evictions    []Eviction
	certificates []*certificate // oldest first
}

func (s *Sandbox) newProject(set Project) *project {
	now := s.now()
	p := &project{
		id:            set.ID,
		title:         cmp.Or(set.Title, set.ID),
		organization:  cmp.Or(set.Organization, "sandbox"),
		description:   "Simulated by the automatond sandbox",
		defaultBranch: cmp.Or(set.DefaultBranch, s.options.DefaultBranch),
		path:          "/api/projects/" + url.PathEscape(set.ID),
		region:        fmt.Sprintf("eu-%d.platform.sh", 1+hashed(set.ID)%5),
		createdAt:     now,
	}
	p.itself = &environment{Environment: Environment{Status: "active"}, project: p, createdAt: now, updatedAt: now}
	environments := set.Environments
	if environments == nil {
		environments = []Environment{
			{Name: p.defaultBranch},
			{Name: "staging", Type: "staging"},
			{Name: "develop", Type: "development"},
		}
	}
	p.environments = make([]*environment, 0, len(environments))
	for _, e := range environments {
		p.add(e, now)
	}
	return p
}

// add adds an environment with what the options leave to its project.
func (p *project) add(set Environment, now time.Time) *environment {
	e := &environment{Environment: set, project: p, createdAt: now, updatedAt: now}
	if !e.isMain() {
		e.Parent = cmp.Or(e.Parent, p.defaultBranch)
		e.Type = cmp.Or(e.Type, "development")
	}
	e.Type = cmp.Or(e.Type, "production")
	e.Title = cmp.Or(e.Title, e.Name)
	e.Status = cmp.Or(e.Status, "active")
	if e.Operations == nil {
		e.Operations = map[string]string{"clear-cache": "contributor"}
	}
	if e.Tasks == nil {
		e.Tasks = []string{"migrate"}
	}
	e.MachineName = cmp.Or(e.MachineName, slug(e.Name)+"-"+lettered(hashed(p.id, e.Name))[:7])
	p.environments = append(p.environments, e)
	return e
}

// environment returns an environment, or nil.
func (p *project) environment(name string) *environment {
	for _, e := range p.environments {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// activity returns an activity, or nil.
func (p *project) activity(id string) *activity {
	for i := len(p.activities) - 1; i >= 0; i-- {
		if p.activities[i].id == id {
			return p.activities[i]
		}
	}
	return nil
}

// settle brings everything up to a time: activities that are over by then have
// their effect.
func (p *project) settle(now time.Time) {
	p.itself.settle(now)
	for _, e := range p.environments {
		e.settle(now)
	}
}

// self is the absolute address of something in the project. It catches clients
// that follow the host of a self link.
func (p *project) self(path string) link { return link{"https://" + p.region + path} }

// projectView is the JSON form, after the OpenAPI description's Project.
type projectView struct {
	ID            string       `json:"id"`
	CreatedAt     stamp        `json:"created_at"`
	UpdatedAt     stamp        `json:"updated_at"`
	Attributes    struct{}     `json:"attributes"`
	Title         string       `json:"title"`
	Description   string       `json:"description"`
	Owner         string       `json:"owner"`
	Namespace     optional     `json:"namespace"`
	Organization  optional     `json:"organization"`
	DefaultBranch optional     `json:"default_branch"`
	Status        statusView   `json:"status"`
	Timezone      string       `json:"timezone"`
	Region        string       `json:"region"`
	Repository    repository   `json:"repository"`
	DefaultDomain optional     `json:"default_domain"`
	Subscription  subscription `json:"subscription"`
	Maintenance   *struct{}    `json:"maintenance"`
	Links         links        `json:"_links"`
}

type statusView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type repository struct {
	URL          string   `json:"url"`
	ClientSSHKey optional `json:"client_ssh_key"`
}

type subscription struct {
	LicenseURI             string `json:"license_uri"`
	Storage                int    `json:"storage"`
	IncludedUsers          int    `json:"included_users"`
	SubscriptionManagement string `json:"subscription_management_uri"`
	Restricted             bool   `json:"restricted"`
	Suspended              bool   `json:"suspended"`
	UserLicenses           int    `json:"user_licenses"`
}

func (p *project) view(c caller) projectView {
	v := projectView{
		ID:            p.id,
		CreatedAt:     stamp(p.createdAt),
		UpdatedAt:     stamp(p.createdAt),
		Title:         p.title,
		Description:   p.description,
		DefaultDomain: optional(p.defaultDomain),
		Owner:         uuid("owner"),
		Organization:  optional(organizationID(p.organization)),
		DefaultBranch: optional(p.defaultBranch),
		Status:        statusView{"active", "ok"},
		Timezone:      "UTC",
		Region:        p.region,
		Repository:    repository{URL: fmt.Sprintf("%s@git.%s:%[1]s.git", p.id, p.region)},
		Subscription: subscription{
			LicenseURI:             "https://sandbox.invalid/licenses/1",
			Storage:                5120,
			IncludedUsers:          1,
			SubscriptionManagement: "https://sandbox.invalid/subscriptions/1",
			UserLicenses:           1,
		},
		Links: links{
			"self":         p.self(p.path),
			"environments": link{p.path + "/environments"},
			"activities":   link{p.path + "/activities"},
		},
	}
	if c.isAdmin() {
		v.Links["#edit"] = link{p.path}
		v.Links["#manage-variables"] = link{p.path + "/variables"}
		v.Links["#clear-build-cache"] = link{p.path + "/clear_build_cache"}
	}
	return v
}

func (s *Sandbox) getProject(c *call, p *project) { c.json(200, p.view(c.caller)) }
