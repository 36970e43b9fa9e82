package tasks

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// HTTPAccess changes who may reach the environment over HTTP. What it does not
// mention stays as it is.
type HTTPAccess struct {
	Enabled *bool `yaml:"enabled" json:"enabled,omitempty"` // access control as a whole
	// Access replaces the list of addresses, each "allow:ADDRESS" or
	// "deny:ADDRESS", where an address is an IP address, a network or "any". The
	// first that fits decides.
	Access      []string `yaml:"access" json:"access,omitempty"`
	ClearAccess bool     `yaml:"clear_access" json:"clear_access,omitempty"` // leaves no address in the list
	// Auth replaces the passwords by which users get in.
	Auth      map[string]Confidential `yaml:"auth" json:"auth,omitempty"`
	ClearAuth bool                    `yaml:"clear_auth" json:"clear_auth,omitempty"` // leaves no user
}

var httpAccess = &Kind{
	Name:       "http_access",
	Command:    "environment:http-access",
	Aliases:    []string{"httpaccess"},
	Summary:    "change who may reach the environment over HTTP",
	Link:       "#edit",
	Method:     http.MethodPatch,
	Route:      environmentRoute,
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.update.http_access"}},
	Repeatable: true,
	Options: []Option{
		{Name: "access", TakesValue: true, Repeated: true},
		{Name: "auth", TakesValue: true, Repeated: true, Secret: true},
		{Name: "enabled", TakesValue: true},
	},
	New:     func() Task { return &HTTPAccess{} },
	FromCLI: httpAccessFromCLI,
}

func httpAccessFromCLI(in Input) (Task, error) {
	h := &HTTPAccess{Access: in.Options["access"]}
	if len(h.Access) == 1 && h.Access[0] == "0" {
		h.Access, h.ClearAccess = nil, true
	}
	users := in.Options["auth"]
	if len(users) == 1 && users[0] == "0" {
		users, h.ClearAuth = nil, true
	}
	for _, text := range users {
		user, password, ok := strings.Cut(text, ":")
		if !ok {
			return nil, errors.New("a value of --auth has no password; write user:password")
		}
		if h.Auth == nil {
			h.Auth = map[string]Confidential{}
		}
		h.Auth[user] = Confidential(password)
	}
	enabled, err := in.Flag("enabled")
	if word := in.Option("enabled"); enabled != nil && !*enabled && word != "0" && word != "false" {
		return nil, fmt.Errorf("option --enabled is %q, which the CLI takes for a yes; write true or false", word)
	}
	h.Enabled = enabled
	return h, err
}

// Kind implements Task.
func (*HTTPAccess) Kind() *Kind { return httpAccess }

// userName and shortestPassword are what the vendor's CLI accepts.
var userName = regexp.MustCompile(`^[a-zA-Z0-9_-]{2,}$`)

const shortestPassword = 6

// Validate implements Task.
func (h *HTTPAccess) Validate() error {
	switch {
	case h.Enabled == nil && len(h.Access) == 0 && !h.ClearAccess && len(h.Auth) == 0 && !h.ClearAuth:
		return errors.New("nothing to change: name at least one of enabled, access, clear_access, auth and clear_auth")
	case len(h.Access) > 0 && h.ClearAccess:
		return errors.New("access and clear_access contradict each other")
	case len(h.Auth) > 0 && h.ClearAuth:
		return errors.New("auth and clear_auth contradict each other")
	}
	for _, text := range h.Access {
		if _, err := parseAccess(text); err != nil {
			return err
		}
	}
	for _, user := range slices.Sorted(maps.Keys(h.Auth)) {
		if !userName.MatchString(user) {
			return fmt.Errorf("user %q is not valid; use at least two letters, digits, - and _", user)
		}
		if len(h.Auth[user]) < shortestPassword {
			return fmt.Errorf("the password of user %q is shorter than %d characters", user, shortestPassword)
		}
	}
	return nil
}

// address is one entry of the list, as the API has it.
type address struct {
	Permission string `json:"permission"`
	Address    string `json:"address"`
}

// parseAccess reads permission:address and writes the address as a network, as
// the CLI does.
func parseAccess(text string) (address, error) {
	permission, network, ok := strings.Cut(text, ":")
	if !ok || permission != "allow" && permission != "deny" {
		return address{}, fmt.Errorf("access %q is not valid; write allow: or deny: and an address, such as allow:192.0.2.1 or deny:any", text)
	}
	if network == "any" {
		return address{permission, "0.0.0.0/0"}, nil
	}
	if ip, err := netip.ParseAddr(network); err == nil && ip.Zone() == "" {
		return address{permission, fmt.Sprintf("%s/%d", network, ip.BitLen())}, nil
	}
	if _, err := netip.ParsePrefix(network); err != nil {
		return address{}, fmt.Errorf("access %q: %q is no IP address, network or any", text, network)
	}
	return address{permission, network}, nil
}

// Body implements Task.
func (h *HTTPAccess) Body() any {
	type access struct {
		IsEnabled *bool              `json:"is_enabled,omitempty"`
		Addresses *[]address         `json:"addresses,omitempty"`
		BasicAuth *map[string]string `json:"basic_auth,omitempty"`
	}
	a := access{IsEnabled: h.Enabled}
	if len(h.Access) > 0 || h.ClearAccess {
		list := make([]address, len(h.Access))
		for i, text := range h.Access {
			list[i], _ = parseAccess(text) // was validated
		}
		a.Addresses = &list
	}
	if len(h.Auth) > 0 || h.ClearAuth {
		users := make(map[string]string, len(h.Auth))
		for user, password := range h.Auth {
			users[user] = string(password)
		}
		a.BasicAuth = &users
	}
	return struct {
		HTTPAccess access `json:"http_access"`
	}{a}
}

func (h *HTTPAccess) confidences() []Confidential {
	var list []Confidential
	for _, user := range slices.Sorted(maps.Keys(h.Auth)) {
		list = append(list, h.Auth[user])
	}
	return list
}
