package platform

import (
	"context"
	"errors"
)

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

// UserID is the automation user's id, which activities name, or "" when it may not know. It asks once.
func (c *Client) UserID(ctx context.Context) (string, error) {
	if id := c.userID.Load(); id != nil {
		return *id, nil
	}
	me, err := c.Me(ctx)
	switch {
	case errors.Is(err, ErrForbidden), errors.Is(err, ErrNotFound):
		me = &User{}
	case err != nil:
		return "", err
	}
	c.userID.Store(&me.ID)
	return me.ID, nil
}
