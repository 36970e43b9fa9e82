package app

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/sandbox"
)

// sandboxDiscovered is how many projects there are to be found out in each organization.
const sandboxDiscovered = 3

// sandboxOptions describe a simulated platform that fits the configuration: every project exists, some
// are there to be found out, and in a sidecar so does the environment the container says it is.
func sandboxOptions(cfg *config.Config) sandbox.Options {
	o := sandbox.Options{
		Open:             true,
		Users:            []sandbox.User{{Token: sandboxToken, Name: "automation"}},
		ActivityDuration: 4 * time.Second,
		JournalLimit:     1000,
	}
	for _, p := range cfg.Projects {
		if p.Environment == nil {
			continue
		}
		kind := p.Environment.Type
		if kind == "" {
			kind = "production"
		}
		o.Projects = append(o.Projects, sandbox.Project{
			ID: p.ID, DefaultBranch: p.Environment.Branch,
			Environments: []sandbox.Environment{{
				Name: p.Environment.Branch, MachineName: p.Environment.MachineName, Type: kind, Status: "active",
			}},
		})
	}
	for _, d := range cfg.Discoveries {
		for n := range sandboxDiscovered {
			id := fmt.Sprintf("%s%d", strings.ToLower(cmp.Or(d.Organization, "sandbox")), n+1)
			o.Projects = append(o.Projects, sandbox.Project{ID: id, Organization: d.Organization})
		}
	}
	return o
}
