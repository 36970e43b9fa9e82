package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
)

// patch is what of an environment can be changed here.
type patch struct {
	Title          *string `json:"title"`
	Type           *string `json:"type"`
	Parent         *string `json:"parent"` // null takes the parent away
	RestrictRobots *bool   `json:"restrict_robots"`
	EnableSMTP     *bool   `json:"enable_smtp"`
	HTTPAccess     *struct {
		Enabled   *bool              `json:"is_enabled"`
		Addresses *[]Address         `json:"addresses"`
		BasicAuth *map[string]string `json:"basic_auth"`
	} `json:"http_access"`
}

func checkPatch(body []byte) error { return decode(body, &patch{}) }

// patched are the types of the activities that a patch starts. The platform has
// none for the other properties.
func patched(body []byte) []string {
	var p patch
	json.Unmarshal(body, &p) // was checked
	var kinds []string
	for _, kind := range []struct {
		name    string
		changed bool
	}{
		{"environment.update.http_access", p.HTTPAccess != nil},
		{"environment.update.smtp", p.EnableSMTP != nil},
		{"environment.update.restrict_robots", p.RestrictRobots != nil},
	} {
		if kind.changed {
			kinds = append(kinds, kind.name)
		}
	}
	return kinds
}

// changeEnvironment takes over what the request mentions.
func (s *Sandbox) changeEnvironment(c *call, e *environment) (any, bool) {
	var p patch
	json.Unmarshal(c.body, &p) // was checked
	take(&e.Title, p.Title)
	take(&e.Type, p.Type)
	take(&e.Parent, p.Parent)
	if p.Parent == nil && bytes.Contains(c.body, []byte(`"parent"`)) {
		e.Parent = ""
	}
	take(&e.RestrictRobots, p.RestrictRobots)
	if p.EnableSMTP != nil {
		e.NoSMTP = !*p.EnableSMTP
	}
	if h := p.HTTPAccess; h != nil {
		take(&e.HTTPAccess.Enabled, h.Enabled)
		take(&e.HTTPAccess.Addresses, h.Addresses)
		take(&e.HTTPAccess.BasicAuth, h.BasicAuth)
	}
	return e.view(c.caller, s.operations), true
}

// gone is the end of an activity that deletes the environment. Whoever goes
// through the environments at this moment keeps the list that was.
func gone(e *environment, _ *activity) {
	e.project.environments = slices.DeleteFunc(slices.Clone(e.project.environments), func(other *environment) bool { return other == e })
}
