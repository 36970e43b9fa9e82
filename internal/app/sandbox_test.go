package app

import (
	"testing"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
)

func TestSandboxOptions_GiveWhatIsNotProductionAParent(t *testing.T) {
	for _, c := range []struct {
		sidecar job.Sidecar
		parent  string // the default branch, "" when that is the environment itself
	}{
		{job.Sidecar{Branch: "staging", Type: "staging"}, "main"},
		{job.Sidecar{Branch: "staging"}, "main"},
		{job.Sidecar{Branch: "master", Type: "production"}, ""},
		{job.Sidecar{Branch: "main", Type: "development"}, ""},
		{job.Sidecar{Branch: "master"}, ""},
	} {
		cfg := &config.Config{Projects: []*job.Project{{ID: "shop", Environment: &c.sidecar}}}
		project := sandboxOptions(cfg).Projects[0]
		want, environments := c.sidecar.Branch, 1
		if c.parent != "" {
			want, environments = c.parent, 2
		}
		if project.DefaultBranch != want || len(project.Environments) != environments {
			t.Errorf("%+v: default branch %q and %d environments, want %q and %d",
				c.sidecar, project.DefaultBranch, len(project.Environments), want, environments)
		}
	}
}
