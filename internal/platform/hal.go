package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Links are the HAL links of a resource, by name. Each is the path and query of its href: the
// host is left out on purpose, because hrefs may name a regional host and the bearer goes to the
// configured one only. Links that are arrays, such as curies and pf:routes, are left out too.
type Links map[string]string

// Path returns the path of a link, and whether the resource has it.
func (l Links) Path(name string) (string, bool) {
	path, ok := l[name]
	return path, ok
}

// UnmarshalJSON reads a _links object. What is not a link with an href is passed over.
func (l *Links) UnmarshalJSON(data []byte) error {
	var wire map[string]struct {
		Href string `json:"href"`
	}
	// Only forms can be wrong here, the syntax was checked; what has no href is passed over below.
	_ = decode(data, &wire)
	links := make(Links, len(wire))
	for name, link := range wire {
		if path, ok := pathOf(link.Href); ok {
			links[name] = path
		}
	}
	*l = links
	return nil
}

// pathOf returns the path and query of an href, and false if it has no absolute path.
func pathOf(href string) (string, bool) {
	if isPath(href) && !strings.Contains(href, "#") {
		return href, true
	}
	u, err := url.Parse(href)
	if err != nil || !isPath(u.Path) {
		return "", false
	}
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, true
}

// isPath reports whether s begins as an absolute path. Two slashes begin the name of a host.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//")
}

// Resource is one resource of the platform as it answered, with its links.
type Resource struct {
	Links Links
	body  []byte
}

// Decode reads the resource's properties into a struct, or a collection into a slice.
func (r *Resource) Decode(into any) error {
	if err := decode(r.body, into); err != nil {
		return fmt.Errorf("read a resource: %w", err)
	}
	return nil
}

// NewResource makes a resource of a JSON answer.
func NewResource(body []byte) *Resource {
	var wire struct {
		Links Links `json:"_links"`
	}
	_ = json.Unmarshal(body, &wire) // a collection has no links
	return &Resource{Links: wire.Links, body: body}
}

// Resource reads the resource that a route template leads to, or nil when there is none. Of the
// template, {project} and {environment} are filled in, and the name for what else is in braces. A
// query may follow.
func (c *Client) Resource(ctx context.Context, route, project, environment, name string) (*Resource, error) {
	endpoint, query, _ := strings.Cut(route, "?")
	path := strings.NewReplacer("{project}", url.PathEscape(project), "{environment}", url.PathEscape(environment)).Replace(endpoint)
	if before, rest, ok := strings.Cut(path, "{"); ok { // no brace is left of an escaped id
		_, after, _ := strings.Cut(rest, "}")
		path = before + url.PathEscape(name) + after
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	body, err := read[json.RawMessage](ctx, c, project, endpoint, path, values)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return NewResource(body), nil
}
