package sandbox

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// organizationID makes the name of an organization into something in the form of an id.
func organizationID(name string) string {
	if len(name) == 26 && name == strings.ToUpper(name) {
		return name // somebody knows only the id
	}
	if name == "sandbox" {
		return "01SANDB0X00000000000000000"
	}
	return "01" + strings.ToUpper(lettered(hashed(name))) + "00000000000"
}

// organizationView is the JSON form, after the OpenAPI description's Organization.
type organizationView struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	OwnerID   string `json:"owner_id"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Label     string `json:"label"`
	Country   string `json:"country"`
	Vendor    string `json:"vendor"`
	Status    string `json:"status"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
	Links     links  `json:"_links"`
}

// listedView is the JSON form, after the OpenAPI description's OrganizationProject.
type listedView struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	SubscriptionID string `json:"subscription_id"`
	Vendor         string `json:"vendor"`
	Region         string `json:"region"`
	Title          string `json:"title"`
	Type           string `json:"type"`
	Plan           string `json:"plan"`
	Timezone       string `json:"timezone"`
	DefaultBranch  string `json:"default_branch"`
	Status         string `json:"status"`
	CreatedAt      stamp  `json:"created_at"`
	UpdatedAt      stamp  `json:"updated_at"`
	Links          links  `json:"_links"`
}

// referenceView is the JSON form, after the OpenAPI description's ProjectReference.
type referenceView struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id"`
	SubscriptionID string `json:"subscription_id"`
	Region         string `json:"region"`
	Title          string `json:"title"`
	Type           string `json:"type"`
	Plan           string `json:"plan"`
	Status         string `json:"status"`
	CreatedAt      stamp  `json:"created_at"`
	UpdatedAt      stamp  `json:"updated_at"`
}

// grantView is the JSON form of an item of a user's extended access.
type grantView struct {
	UserID         string   `json:"user_id"`
	ResourceID     string   `json:"resource_id"`
	ResourceType   string   `json:"resource_type"`
	OrganizationID string   `json:"organization_id"`
	Permissions    []string `json:"permissions"`
	GrantedAt      stamp    `json:"granted_at"`
	UpdatedAt      stamp    `json:"updated_at"`
}

// listView is a page of a list.
type listView[T any] struct {
	Count *int  `json:"count,omitempty"` // over all pages, where lists of this kind tell
	Items []T   `json:"items"`
	Links links `json:"_links"`
}

// refusal is an error in the form of the parts of the API that are not a project's.
type refusal struct {
	Error string `json:"error"`
}

// mayList reports whether the user may list the projects of an organization.
func (u User) mayList(organization string) bool { return among(u.Organizations, organization) }

// ofOrganization returns the name of the organization of the path, if the caller may list its projects;
// else the call is answered.
func (s *Sandbox) ofOrganization(c *call) (name string, ok bool) {
	wanted := c.PathValue("organization")
	named, isName := strings.CutPrefix(wanted, "name=")
	for _, p := range s.everyProject() {
		if isName && p.organization == named || organizationID(p.organization) == wanted {
			name = p.organization
			break
		}
	}
	switch {
	case name == "":
		c.json(404, refusal{"Organization not found"})
	case !c.caller.mayList(name):
		c.json(403, refusal{"You may not see this organization"})
	default:
		return name, true
	}
	return "", false
}

func (s *Sandbox) getOrganization(c *call) {
	name, ok := s.ofOrganization(c)
	if !ok {
		return
	}
	id := organizationID(name)
	c.json(200, organizationView{
		ID: id, Type: "fixed", OwnerID: uuid("owner"), Namespace: "sandbox", Name: name, Label: name, Country: "FR", Vendor: "upsun",
		Status: "active", CreatedAt: since(), UpdatedAt: since(), Links: links{"self": link{"/organizations/" + id}},
	})
}

func (s *Sandbox) listOrganizationProjects(c *call) {
	name, ok := s.ofOrganization(c)
	if !ok {
		return
	}
	var items []listedView
	for _, p := range s.everyProject() {
		if p.organization != name {
			continue
		}
		v := listedView{
			ID: p.id, OrganizationID: organizationID(name), SubscriptionID: "1", Vendor: "upsun", Region: p.region, Title: p.title,
			Type: "grid", Plan: "standard", Timezone: "UTC", DefaultBranch: p.defaultBranch, Status: "active",
			CreatedAt: stamp(p.createdAt), UpdatedAt: stamp(p.createdAt), Links: links{"self": link{"/organizations/" + organizationID(name) + "/projects/" + p.id}},
		}
		if c.caller.mayOpen(p) {
			v.Links["api"] = p.self(p.path)
		}
		items = append(items, v)
	}
	v, ok := listPage(s, c, items, func(v listedView) string { return v.ID })
	if !ok {
		return
	}
	count := len(items)
	v.Count = &count
	c.json(200, v)
}

// listGrants answers with the projects that a user has access to, and leads to what they are called.
func (s *Sandbox) listGrants(c *call) {
	if c.PathValue("user") != c.caller.ID {
		c.json(403, refusal{"You may not see the access of other users"})
		return
	}
	var items []grantView
	for _, p := range s.everyProject() {
		if c.caller.mayOpen(p) {
			items = append(items, grantView{
				UserID: c.caller.ID, ResourceID: p.id, ResourceType: "project", OrganizationID: organizationID(p.organization),
				Permissions: c.caller.permissions(), GrantedAt: since(), UpdatedAt: since(),
			})
		}
	}
	v, ok := listPage(s, c, items, func(v grantView) string { return v.ResourceID })
	if !ok {
		return
	}
	if len(v.Items) > 0 {
		var ids []string
		for _, g := range v.Items {
			ids = append(ids, g.ResourceID)
		}
		query := url.Values{"in": {strings.Join(ids, ",")}, "sig": {"sandbox"}}
		v.Links["ref:projects:0"] = link{"/ref/projects?" + query.Encode()}
	}
	c.json(200, v)
}

func (s *Sandbox) getReferences(c *call) {
	if c.URL.Query().Get("sig") != "sandbox" {
		c.json(403, refusal{"The signature is not valid"})
		return
	}
	found := map[string]*referenceView{}
	for id := range strings.SplitSeq(c.URL.Query().Get("in"), ",") {
		found[id] = nil
		if p := s.project(id); p != nil {
			found[id] = &referenceView{
				ID: id, OrganizationID: organizationID(p.organization), SubscriptionID: "1", Region: p.region, Title: p.title,
				Type: "grid", Plan: "standard", Status: "active", CreatedAt: stamp(p.createdAt), UpdatedAt: stamp(p.createdAt),
			}
		}
	}
	c.json(200, found)
}

// listPage cuts the page that the request asks for out of items, which are ordered by id. A request that
// asks for none that there can be is answered.
func listPage[T any](s *Sandbox, c *call, items []T, id func(T) string) (v listView[T], ok bool) {
	query := c.URL.Query()
	size := s.options.PageSize
	if text := query.Get("page[size]"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			c.json(400, refusal{fmt.Sprintf("page[size] is %q, and not 1 to 100", text)})
			return v, false
		}
		size = min(size, n)
	}
	from := 0
	if after := query.Get("page[after]"); after != "" {
		at, found := slices.BinarySearchFunc(items, after, func(item T, id2 string) int { return cmp.Compare(id(item), id2) })
		if from = at; found {
			from++
		}
	}
	until := min(from+size, len(items))
	v = listView[T]{Items: append([]T{}, items[from:until]...), Links: links{"self": link{c.URL.RequestURI()}}}
	if until < len(items) {
		query.Set("page[after]", id(items[until-1]))
		v.Links["next"] = link{c.URL.Path + "?" + query.Encode()}
	}
	return v, true
}
