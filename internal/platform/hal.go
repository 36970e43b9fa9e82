package platform

import (
	"encoding/json"
	"net/url"
	"time"
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
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		*l = nil // not an object: a resource without links
		return nil
	}
	links := make(Links, len(raw))
	for name, value := range raw {
		if len(value) == 0 || value[0] != '{' {
			continue
		}
		var link struct {
			Href string `json:"href"`
		}
		if json.Unmarshal(value, &link) != nil {
			continue
		}
		if path, ok := pathOf(link.Href); ok {
			links[name] = path
		}
	}
	*l = links
	return nil
}

func pathOf(href string) (string, bool) {
	u, err := url.Parse(href)
	if err != nil || u.Path == "" || u.Path[0] != '/' {
		return "", false
	}
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, true
}

// timestamp is a time that may be null, missing, or in an unexpected form: all of these read as
// the zero time, for no decision may hang on a stamp that is not there.
type timestamp struct{ time.Time }

// UnmarshalJSON never fails.
func (t *timestamp) UnmarshalJSON(data []byte) error {
	t.Time = time.Time{}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return nil
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	} {
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return nil
}
