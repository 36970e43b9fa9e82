package platform

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Access is what a user may do in a project.
type Access struct {
	// Permissions are in the API's words: "admin" or "viewer" of the project, and a role for a type
	// of environment, such as "production:admin".
	Permissions []string `json:"permissions"`
}

// Access reads what a user may do in a project. Everybody may read their own.
func (c *Client) Access(ctx context.Context, project, user string) (*Access, error) {
	const endpoint = "/projects/{project}/user-access/{user}"
	a, err := read[Access](ctx, c, project, endpoint, projectPath(project)+"/user-access/"+url.PathEscape(user), nil)
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// Administrates reports whether the user is an administrator of the project, and so of every
// environment in it.
func (a *Access) Administrates() bool { return slices.Contains(a.Permissions, "admin") }

// Role is the user's role on environments of a type, or with "" on the project itself: "admin",
// "contributor", "viewer", or "" for none.
func (a *Access) Role(environmentType string) string {
	if a.Administrates() {
		return "admin"
	}
	for _, p := range a.Permissions {
		if role, ok := strings.CutPrefix(p, environmentType+":"); ok {
			return role
		}
	}
	if slices.Contains(a.Permissions, "viewer") {
		return "viewer"
	}
	return ""
}
