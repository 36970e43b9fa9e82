package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/sandbox"
)

// sandboxDiscovered is how many projects there are to be found out in each organization.
const sandboxDiscovered = 3

// sandboxOptions describe a simulated platform that fits the configuration: every project exists, some
// are there to be found out, and in a sidecar so does the environment the container says it is,
// with a parent when it is not production, as a sync needs one.
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
		switch {
		case kind == "" && slices.Contains(guard.EnvironmentTypes(), p.Environment.Branch):
			kind = p.Environment.Branch
		case kind == "":
			kind = "production"
		}
		project := sandbox.Project{ID: p.ID, DefaultBranch: p.Environment.Branch, Environments: []sandbox.Environment{{
			Name: p.Environment.Branch, MachineName: p.Environment.MachineName, Type: kind, Status: "active",
		}}}
		if kind != "production" && p.Environment.Branch != "main" {
			project.DefaultBranch = "main"
			project.Environments = append(project.Environments, sandbox.Environment{Name: "main", Type: "production", Status: "active"})
		}
		o.Projects = append(o.Projects, project)
	}
	for _, d := range cfg.Discoveries {
		for n := range sandboxDiscovered {
			id := fmt.Sprintf("%s%d", strings.ToLower(cmp.Or(d.Organization, "sandbox")), n+1)
			o.Projects = append(o.Projects, sandbox.Project{ID: id, Organization: d.Organization})
		}
	}
	return o
}
