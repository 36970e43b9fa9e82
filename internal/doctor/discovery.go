package doctor

import (
	"context"

	"github.com/automatond/automatond/internal/config"
)

// discover finds out the projects for which entries of the configuration stand, as the daemon does.
func (e *examination) discover(ctx context.Context) {
	if len(e.Config.Discoveries) == 0 {
		return
	}
	found := map[string][]config.Found{}
	for _, d := range e.Config.Discoveries {
		if e.user(d.User).account == nil {
			continue // told with the user
		}
		list, err := e.Clients[d.User].Projects(ctx, d.Organization)
		if err != nil {
			e.fail(CheckDiscovery, "let the account list the projects, or name them under projects: by their ids",
				"the projects of %s cannot be found out by automation user %q: %v", d.Name, d.User, err)
			continue
		}
		for _, p := range list {
			found[d.Name] = append(found[d.Name], config.Found(p))
		}
		if len(list) == 0 {
			e.warn(CheckDiscovery, "give the account access to them", "%s stands for no project", d.Name)
			continue
		}
		e.ok(CheckDiscovery, "%s stands for %s", d.Name, counted(len(list), "project"))
	}
	listed := len(e.Config.Projects)
	e.Config = e.Config.With(found)
	for _, p := range e.Config.Projects[listed:] {
		e.survey(p, e.user(p.User))
	}
}
