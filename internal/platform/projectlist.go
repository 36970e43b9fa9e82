package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ListedProject is a project as a list of projects has it.
type ListedProject struct {
	ID    string
	Title string // "" if the list does not tell
}

// Projects lists the active projects of an organization, which is given by id or by name, whether the user
// may open them or not; and without one those to which the user has access, of its own or as a member of
// a team. The list is in the order of ids, and complete, or an error.
func (c *Client) Projects(ctx context.Context, organization string) ([]ListedProject, error) {
	if organization == "" {
		return c.visibleProjects(ctx)
	}
	return c.organizationProjects(ctx, organization)
}

func (c *Client) organizationProjects(ctx context.Context, organization string) ([]ListedProject, error) {
	const endpoint = "/organizations/{organization}/projects"
	id, err := c.organizationID(ctx, organization)
	if err != nil {
		return nil, err
	}
	query := url.Values{"page[size]": {strconv.Itoa(largestPage)}}
	pages, err := readPages[projectJSON](ctx, c, id, endpoint, organizationPath(id)+"/projects", query)
	if err != nil {
		return nil, err
	}
	var list []ListedProject
	for _, page := range pages {
		for _, p := range page.items {
			if p.ID == "" {
				return nil, nameless(endpoint)
			}
			if p.active() {
				list = append(list, ListedProject{p.ID, p.Title})
			}
		}
	}
	return inOrder(list), nil
}

func (c *Client) visibleProjects(ctx context.Context) ([]ListedProject, error) {
	const endpoint = "/users/{user}/extended-access"
	me, err := c.Me(ctx)
	if err != nil {
		return nil, err
	}
	query := url.Values{"filter[resource_type]": {"project"}}
	pages, err := readPages[grantJSON](ctx, c, me.ID, endpoint, "/users/"+url.PathEscape(me.ID)+"/extended-access", query)
	if err != nil {
		return nil, err
	}
	var list []ListedProject
	for _, page := range pages {
		known, err := c.references(ctx, me.ID, page.links)
		if err != nil {
			return nil, err
		}
		for _, g := range page.items {
			switch p, told := known[g.ID]; {
			case g.ID == "":
				return nil, nameless(endpoint)
			case g.Type != "project" && g.Type != "": // the filter may not be heeded
			case !told:
				list = append(list, ListedProject{ID: g.ID})
			case p != nil && p.active():
				list = append(list, ListedProject{g.ID, p.Title})
			}
		}
	}
	return inOrder(list), nil
}

// projectJSON is a project in a list, or as a reference leads to it.
type projectJSON struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"`
}

// active reports whether the project can be worked with. One of which the list does not tell may be.
func (p *projectJSON) active() bool { return p.Status == "" || p.Status == "active" }

// grantJSON is a user's access to a project or an organization.
type grantJSON struct {
	ID   string `json:"resource_id"`
	Type string `json:"resource_type"`
}

// references reads the projects to which links of a list lead. The map has nil for one that does not
// exist any more, and nothing for one of which the platform does not tell.
func (c *Client) references(ctx context.Context, user string, links Links) (map[string]*projectJSON, error) {
	const endpoint = "/ref/projects"
	known := map[string]*projectJSON{}
	for name, path := range links {
		if !strings.HasPrefix(name, "ref:projects:") {
			continue
		}
		some, err := readLink[map[string]*projectJSON](ctx, c, user, endpoint, path)
		if err != nil {
			return nil, err
		}
		for id, p := range some {
			known[id] = p
		}
	}
	return known, nil
}

// organizationID finds the id of an organization that is given by its name.
func (c *Client) organizationID(ctx context.Context, organization string) (string, error) {
	const endpoint = "/organizations/{organization}"
	if isULID(organization) {
		return organization, nil
	}
	found, err := read[projectJSON](ctx, c, organization, endpoint, organizationPath("name="+organization), nil)
	if err == nil && found.ID == "" {
		err = nameless(endpoint)
	}
	return found.ID, err
}

func organizationPath(id string) string { return "/organizations/" + url.PathEscape(id) }

// isULID reports whether a text has the form of the ids of organizations, and so is no name: those are
// in small letters.
func isULID(text string) bool {
	return len(text) == 26 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	})
}

// Bounds of lists that come in pages.
const (
	largestPage = 100  // items
	mostPages   = 1000 // of one list
)

// page is one page of a list.
type page[T any] struct {
	items []T
	links Links
}

// readPages reads all pages of a list. A page that is missing, or has no list, makes it an error; so does
// a list with fewer items than it says it has.
func readPages[T any](ctx context.Context, c *Client, key, endpoint, path string, query url.Values) ([]page[T], error) {
	type wire struct {
		Count int             `json:"count"` // over all pages; 0 if it does not say
		Items []T             `json:"items"`
		Links json.RawMessage `json:"_links"`
	}
	path = c.api.EscapedPath() + path + "?" + query.Encode()
	seen := map[string]bool{}
	var pages []page[T]
	for got := 0; ; {
		seen[path] = true
		answer, err := readLink[wire](ctx, c, key, endpoint, path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("page %d: %w", len(pages)+1, err)
		case answer.Items == nil:
			return nil, unusable(endpoint, fmt.Errorf("page %d has no items", len(pages)+1))
		}
		links, next, more := pageLinks(answer.Links)
		pages = append(pages, page[T]{answer.Items, links})
		got += len(answer.Items)
		switch {
		case more && next == "":
			return nil, unusable(endpoint, fmt.Errorf("page %d leads nowhere", len(pages)))
		case !more && got < answer.Count:
			return nil, unusable(endpoint, fmt.Errorf("it has %d of %d items", got, answer.Count))
		case !more:
			return pages, nil
		case seen[next] || len(pages) == mostPages:
			return nil, unusable(endpoint, errors.New("its pages do not end"))
		}
		path = next
	}
}

// pageLinks reads the links of a page: all of them, and the path of the next page if there is one. A path
// that cannot be followed is empty.
func pageLinks(raw json.RawMessage) (links Links, next string, more bool) {
	var wire struct {
		Next struct {
			Href string `json:"href"`
		} `json:"next"`
	}
	_ = json.Unmarshal(raw, &links) // absent, or checked with the answer
	_ = json.Unmarshal(raw, &wire)
	return links, links["next"], wire.Next.Href != ""
}

// inOrder orders projects by id, each once: one may be on two pages when the list changes meanwhile.
func inOrder(list []ListedProject) []ListedProject {
	slices.SortFunc(list, func(a, b ListedProject) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b ListedProject) bool { return a.ID == b.ID })
}
