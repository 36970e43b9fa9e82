package sandbox

import (
	"cmp"
	"strings"
	"time"
)

// caller is the user behind a request.
type caller struct {
	User
	known bool
}

// withDefaults fills in what is not set.
func (u User) withDefaults() User {
	u.Name = cmp.Or(u.Name, "automation")
	u.ID = cmp.Or(u.ID, uuid(u.Name))
	u.Role = cmp.Or(u.Role, "admin")
	return u
}

// permissions is the user's role in the API's words: one for the project, then
// one for each environment type where it is another.
func (u User) permissions() []string {
	words := strings.FieldsFunc(u.Role, func(r rune) bool { return r == ',' || r == ' ' })
	if len(words) == 1 && words[0] == "contributor" {
		return []string{"viewer", "development:contributor", "staging:contributor", "production:contributor"}
	}
	return words
}

// isAdmin reports whether the user may do everything in the project.
func (u User) isAdmin() bool { return u.Role == "admin" }

// roleOn is what the user is on an environment: "admin", "contributor" or "viewer".
func (u User) roleOn(e *environment) string {
	if e.Role != "" {
		return e.Role
	}
	if u.isAdmin() {
		return "admin"
	}
	for _, p := range u.permissions() {
		if role, ok := strings.CutPrefix(p, e.Type+":"); ok {
			return role
		}
		if p == "admin" {
			return "admin"
		}
	}
	return "viewer"
}

// mayOpen reports whether the user may see a project.
func (u User) mayOpen(p *project) bool { return among(u.Projects, p.id) }

// userView is the JSON form, after the OpenAPI description's User.
type userView struct {
	ID            string `json:"id"`
	Deactivated   bool   `json:"deactivated"`
	Namespace     string `json:"namespace"`
	Username      string `json:"username"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`
	Picture       string `json:"picture"`
	Company       string `json:"company"`
	Website       string `json:"website"`
	Country       string `json:"country"`
	CreatedAt     stamp  `json:"created_at"`
	UpdatedAt     stamp  `json:"updated_at"`
}

// since is when every simulated user was made.
func since() stamp { return stamp(time.Date(2025, 2, 3, 9, 12, 44, 0, time.UTC)) }

func (s *Sandbox) getMe(c *call) {
	c.json(200, userView{
		ID:            c.caller.ID,
		Namespace:     "sandbox",
		Username:      c.caller.Name,
		Email:         slug(c.caller.Name) + "@sandbox.invalid",
		EmailVerified: true,
		FirstName:     c.caller.Name,
		LastName:      "Sandbox",
		Picture:       "https://sandbox.invalid/picture.png",
		Website:       "https://sandbox.invalid/",
		Country:       "FR",
		CreatedAt:     since(),
		UpdatedAt:     since(),
	})
}

// accessView is the JSON form, after the OpenAPI description's UserProjectAccess.
type accessView struct {
	UserID         string   `json:"user_id"`
	OrganizationID string   `json:"organization_id"`
	ProjectID      string   `json:"project_id"`
	ProjectTitle   string   `json:"project_title"`
	Permissions    []string `json:"permissions"`
	GrantedAt      stamp    `json:"granted_at"`
	UpdatedAt      stamp    `json:"updated_at"`
	Links          links    `json:"_links"`
}

// getAccess answers with a user's permissions on a project: anybody's own, and
// everybody's to an administrator.
func (s *Sandbox) getAccess(c *call, p *project) {
	id := c.PathValue("user")
	if id != c.caller.ID && !c.caller.isAdmin() {
		c.json(403, refusal{"You may not see the access of other users"})
		return
	}
	u, ok := s.accounts.byID(id)
	if !ok || !u.mayOpen(p) {
		c.json(404, refusal{"The user has no access to the project"})
		return
	}
	c.json(200, accessView{
		UserID:         u.ID,
		OrganizationID: organizationID(p.organization),
		ProjectID:      p.id,
		ProjectTitle:   p.title,
		Permissions:    u.permissions(),
		GrantedAt:      since(),
		UpdatedAt:      since(),
		Links:          links{"self": link{"/projects/" + p.id + "/user-access/" + u.ID}},
	})
}
