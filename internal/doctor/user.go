package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
)

// user is an automation user.
type user struct {
	*config.User
	client      *platform.Client
	projects    []string       // aliases of the listed ones for which its token is used
	discoveries []string       // names of those that it finds out
	account     *platform.User // nil when its token does not work

	stranger string // the check of an endpoint that is not the platform's, "" when they are
	answer   error  // what it said
}

func (u *user) place() job.Position { return u.Source }

// examineUsers looks at each automation user's token, whose it is, and how much hangs on it.
func (e *examination) examineUsers(ctx context.Context) {
	inOrder(e, e.users, func(u *user) []Finding {
		findings := u.examine(ctx)
		for i := range findings {
			findings[i].User = u.Name
		}
		return findings
	})
	e.reportStranger(CheckAuth, "api.auth_url", e.Config.AuthURL+" answers, and not as a token endpoint does")
	e.reportStranger(CheckAPI, "api.url", e.Config.APIURL+" answers, and not as the API does")
	accounts := map[string]string{} // user by account
	for _, u := range e.users {
		if u.account == nil {
			continue
		}
		if other := accounts[u.account.ID]; other != "" {
			e.Report(warning(CheckAccount, "give each of them an account of its own, or configure one user",
				"automation users %q and %q are one account, %s", other, u.Name, u.account.Username).at(u.Source))
		}
		accounts[u.account.ID] = u.Name
		if n := len(u.projects); n > 1 {
			e.Report(warning(CheckAccount, "with an automation user for each project, a token that leaks opens one of them only",
				"automation user %q has one token for %d projects: %s", u.Name, n, Enumerate(u.projects)).at(u.Source))
		}
	}
}

// reportStranger reports once, for all users to whom it did, that an endpoint answered as nothing of the
// platform's does.
func (e *examination) reportStranger(check, key, says string) {
	var projects []string
	var answer error
	for _, u := range e.users {
		if u.stranger == check {
			answer, projects = u.answer, append(projects, u.projects...)
		}
	}
	if answer != nil {
		e.fail(check, "look at "+key+", and at what stands in between, such as a proxy", "%s: %v%s", says, answer, unexamined(projects))
	}
}

func (u *user) examine(ctx context.Context) []Finding {
	findings := u.examineFile()
	if err := u.client.EnsureToken(ctx); err != nil {
		if !errors.Is(err, platform.ErrTokenRejected) && u.meets(CheckAuth, err) {
			return findings
		}
		f := failed(CheckToken, "", "%v%s", err, unexamined(slices.Concat(u.projects, u.discoveries)))
		if errors.Is(err, platform.ErrTokenRejected) {
			f.Rejected, f.Hint = true, "put a valid API token of the account in its place, "+u.Token.String()
		} else if _, err := u.Token.Read(); err != nil {
			f.Hint = "write the API token of the account to the " + u.Token.String()
		}
		return append(findings, f)
	}
	account, err := u.client.Me(ctx)
	if err != nil && !errors.Is(err, platform.ErrForbidden) && u.meets(CheckAPI, err) {
		return findings
	}
	findings = append(findings, passed(CheckToken, "automation user %q: the API token of %s is accepted", u.Name, u.Token))
	if err != nil {
		return append(findings, failed(CheckAccount, "", "automation user %q: %v%s", u.Name, err, unexamined(slices.Concat(u.projects, u.discoveries))))
	}
	u.account = account
	return append(findings, passed(CheckAccount, "automation user %q is the account %s, id %s", u.Name, account.Username, account.ID))
}

// meets reports whether an error is the answer of something that is not the platform: of another path, of
// a proxy or of a redirection. It is reported then for all users at once.
func (u *user) meets(check string, err error) bool {
	answer, ok := errors.AsType[*platform.Error](err)
	if !ok {
		return false
	}
	code := answer.StatusCode
	if check == CheckAuth {
		code, err = answer.TokenCode, answer.Err // without the user, whose fault it is not
	}
	if code == 0 || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError {
		return false
	}
	u.stranger, u.answer = check, err
	return true
}

// examineFile looks at who may read the token's file. Where containers and systemd put secrets, its mode says
// nothing: nobody else is there, or the directory lets nobody else in.
func (u *user) examineFile() []Finding {
	file := u.Token.File
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(file, "/run/secrets/") || strings.HasPrefix(file, "/run/credentials/") {
		return nil
	}
	readers := ""
	switch mode := info.Mode().Perm(); {
	case mode&0o004 != 0:
		readers = "everybody on this machine"
	case mode&0o040 != 0:
		readers = "its group"
	default:
		return nil
	}
	return []Finding{warning(CheckToken, "let the daemon's user alone read it: make it its owner, and chmod 600",
		"automation user %q: %s may read the %s", u.Name, readers, u.Token)}
}

// unexamined says which projects are not looked at because their user cannot be asked.
func unexamined(projects []string) string {
	if len(projects) == 0 {
		return ""
	}
	return fmt.Sprintf("; not examined: project %s", Enumerate(projects))
}
