package platform

import (
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
