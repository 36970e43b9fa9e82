package platform

import "context"

// User is the account that a token belongs to.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// Me says who the automation user is.
func (c *Client) Me(ctx context.Context) (*User, error) {
	const endpoint = "/users/me"
	u, err := read[User](ctx, c, "", endpoint, endpoint, nil)
	if err == nil && u.ID == "" {
		err = nameless(endpoint)
	}
	if err != nil {
		return nil, err
	}
	return &u, nil
}
