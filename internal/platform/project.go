package platform

import "context"

// Project is what automatond needs of a project.
type Project struct {
	ID            string `json:"id"`
	Title         string `json:"title"`
	DefaultBranch string `json:"default_branch"`
	Links         Links  `json:"_links"`
}

// Project reads a project.
func (c *Client) Project(ctx context.Context, id string) (*Project, error) {
	const endpoint = "/projects/{project}"
	p, err := read[Project](ctx, c, id, endpoint, projectPath(id), nil)
	if err == nil && p.ID == "" {
		err = nameless(endpoint)
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}
