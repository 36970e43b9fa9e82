package sandbox

import "encoding/json"

// HTTPAccess says who may reach an environment over HTTP.
type HTTPAccess struct {
	Enabled   bool              `json:"is_enabled"`
	Addresses []Address         `json:"addresses"`
	BasicAuth map[string]string `json:"basic_auth"`
}

// Address allows or denies a network.
type Address struct {
	Permission string `json:"permission"`
	Address    string `json:"address"`
}

// whole is the JSON form, in which nothing is null.
func (h HTTPAccess) whole() HTTPAccess {
	if h.Addresses == nil {
		h.Addresses = []Address{}
	}
	if h.BasicAuth == nil {
		h.BasicAuth = map[string]string{}
	}
	return h
}

// httpAccessPatch is the one part of an environment that can be changed here.
type httpAccessPatch struct {
	HTTPAccess *struct {
		Enabled   *bool              `json:"is_enabled"`
		Addresses *[]Address         `json:"addresses"`
		BasicAuth *map[string]string `json:"basic_auth"`
	} `json:"http_access"`
}

func checkHTTPAccess(body []byte) error { return decode(body, &httpAccessPatch{}) }

// changeHTTPAccess takes over what the request mentions.
func (s *Sandbox) changeHTTPAccess(c *call, e *environment) (any, bool) {
	var patch httpAccessPatch
	json.Unmarshal(c.body, &patch) // was checked
	if h := patch.HTTPAccess; h != nil {
		if h.Enabled != nil {
			e.HTTPAccess.Enabled = *h.Enabled
		}
		if h.Addresses != nil {
			e.HTTPAccess.Addresses = *h.Addresses
		}
		if h.BasicAuth != nil {
			e.HTTPAccess.BasicAuth = *h.BasicAuth
		}
	}
	return e.view(c.caller, s.operations), true
}
