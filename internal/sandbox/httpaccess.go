package sandbox

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
