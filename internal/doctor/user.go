package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/platform"
)

// user is an automation user.
type user struct {
	*config.User
	client   *platform.Client
	projects []string       // aliases of those for which its token is used
	account  *platform.User // nil when its token does not work
}

// examineUsers looks at each automation user's token, whose it is, and how much hangs on it.
func (e *examination) examineUsers(ctx context.Context) {
	inOrder(e, e.users, func(u *user) []Finding { return u.examine(ctx) })
	accounts := map[string]string{} // user by account
	for _, u := range e.users {
		if u.account == nil {
			continue
		}
		if other := accounts[u.account.ID]; other != "" {
			e.warn(CheckAccount, "give each of them an account of its own, or configure one user",
				"automation users %q and %q are one account, %s", other, u.Name, u.account.Username)
		}
		accounts[u.account.ID] = u.Name
		if n := len(u.projects); n > 1 {
			e.warn(CheckAccount, "with an automation user for each project, a token that leaks opens one of them only",
				"automation user %q has one token for %d projects: %s", u.Name, n, enumerate(u.projects))
		}
	}
}

func (u *user) examine(ctx context.Context) []Finding {
	if err := u.client.EnsureToken(ctx); err != nil {
		f := failed(CheckToken, "", "%v%s", err, u.unexamined())
		if errors.Is(err, platform.ErrTokenRejected) {
			f.Rejected, f.Hint = true, "put a valid API token of the account in its place, "+u.Token.String()
		}
		return []Finding{f}
	}
	accepted := passed(CheckToken, "automation user %q: the API token of %s is accepted", u.Name, u.Token)
	account, err := u.client.Me(ctx)
	if err != nil {
		return []Finding{accepted, failed(CheckAccount, "", "automation user %q: %v%s", u.Name, err, u.unexamined())}
	}
	u.account = account
	return []Finding{accepted, passed(CheckAccount, "automation user %q is the account %s, id %s", u.Name, account.Username, account.ID)}
}

// unexamined says which projects are not looked at because their user cannot be asked.
func (u *user) unexamined() string {
	if len(u.projects) == 0 {
		return ""
	}
	return fmt.Sprintf("; not examined: project %s", enumerate(u.projects))
}
