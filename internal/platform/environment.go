package platform

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// Environment is what automatond needs of an environment. Names and values are those of the API's
// OpenAPI description; times are zero when the platform has none.
type Environment struct {
	ID                  string // unique in its project; may contain slashes
	Name                string // the branch
	MachineName         string // such as main-bvxea6i
	Title               string
	Type                string // production, staging or development
	Status              string // active, dirty, inactive, paused or deleting
	Parent              string
	Project             string
	IsMain              bool
	IsDirty             bool // an activity is pending on it
	HasStagedActivities bool
	LastBackupAt        time.Time
	UpdatedAt           time.Time
	Links               Links
}

// UnmarshalJSON reads an environment as the API sends it, whatever else is in it.
func (e *Environment) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID                  string    `json:"id"`
		Name                string    `json:"name"`
		MachineName         string    `json:"machine_name"`
		Title               string    `json:"title"`
		Type                string    `json:"type"`
		Status              string    `json:"status"`
		Parent              string    `json:"parent"`
		Project             string    `json:"project"`
		IsMain              bool      `json:"is_main"`
		IsDirty             bool      `json:"is_dirty"`
		HasStagedActivities bool      `json:"has_staged_activities"`
		LastBackupAt        timestamp `json:"last_backup_at"`
		UpdatedAt           timestamp `json:"updated_at"`
		Links               Links     `json:"_links"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*e = Environment{
		ID: wire.ID, Name: wire.Name, MachineName: wire.MachineName, Title: wire.Title, Type: wire.Type,
		Status: wire.Status, Parent: wire.Parent, Project: wire.Project, IsMain: wire.IsMain,
		IsDirty: wire.IsDirty, HasStagedActivities: wire.HasStagedActivities,
		LastBackupAt: wire.LastBackupAt.Time, UpdatedAt: wire.UpdatedAt.Time, Links: wire.Links,
	}
	if e.Name == "" {
		e.Name = e.ID
	}
	return nil
}

// Project is what automatond needs of a project.
type Project struct {
	ID            string `json:"id"`
	Title         string `json:"title"`
	DefaultBranch string `json:"default_branch"`
	Links         Links  `json:"_links"`
}

// Project reads a project.
func (c *Client) Project(ctx context.Context, id string) (*Project, error) {
	var p Project
	return read(ctx, c, id, "/projects/{project}", projectPath(id), nil, &p)
}

// Environments lists all environments of a project.
func (c *Client) Environments(ctx context.Context, project string) ([]*Environment, error) {
	var list []*Environment
	_, err := read(ctx, c, project, "/projects/{project}/environments", projectPath(project)+"/environments", nil, &list)
	return list, err
}

// Environment reads one environment.
func (c *Client) Environment(ctx context.Context, project, id string) (*Environment, error) {
	var e Environment
	return read(ctx, c, project, "/projects/{project}/environments/{environment}", environmentPath(project, id), nil, &e)
}

// Backup is one backup of an environment.
type Backup struct {
	ID          string
	CreatedAt   time.Time
	Automated   bool // made by the platform's own policy
	Safe        bool // made while the site was held
	Status      string
	Environment string
}

// UnmarshalJSON reads a backup as the API sends it.
func (b *Backup) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID          string    `json:"id"`
		CreatedAt   timestamp `json:"created_at"`
		Automated   bool      `json:"automated"`
		Safe        bool      `json:"safe"`
		Status      string    `json:"status"`
		Environment string    `json:"environment"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*b = Backup{
		ID: wire.ID, CreatedAt: wire.CreatedAt.Time, Automated: wire.Automated, Safe: wire.Safe,
		Status: wire.Status, Environment: wire.Environment,
	}
	return nil
}

// Backups lists an environment's backups, newest first.
func (c *Client) Backups(ctx context.Context, project, environment string) ([]Backup, error) {
	var list []Backup
	_, err := read(ctx, c, project, "/projects/{project}/environments/{environment}/backups",
		environmentPath(project, environment)+"/backups", nil, &list)
	return list, err
}

// User is the account that a token belongs to.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// Me says who the automation user is.
func (c *Client) Me(ctx context.Context) (*User, error) {
	var u User
	return read(ctx, c, "", "/users/me", "/users/me", nil, &u)
}

func projectPath(id string) string { return "/projects/" + url.PathEscape(id) }

func environmentPath(project, id string) string {
	return projectPath(project) + "/environments/" + url.PathEscape(id)
}
