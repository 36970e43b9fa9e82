package config

import (
	"strings"

	"github.com/automatond/automatond/internal/job"
)

// What the sandbox is when nobody says: the target of examples/demo.yaml.
const (
	sandboxProject = "sandboxproject"
	sandboxBranch  = "master"
	sandboxMachine = "master-7rqtwti"
	sandboxType    = "production"
)

// sidecar reads the target from the variables that the platform sets in a container, and that are
// passed to the container beside it. It returns nil when they name none.
func (l *loader) sidecar() *job.Project {
	project, branch := l.env("PLATFORM_PROJECT"), l.env("PLATFORM_BRANCH")
	environment := job.Sidecar{
		Branch:      branch,
		MachineName: l.env("PLATFORM_ENVIRONMENT"),
		Type:        l.env("PLATFORM_ENVIRONMENT_TYPE"),
		Application: l.env("PLATFORM_APPLICATION_NAME"),
	}
	if l.in.Sandbox {
		project, environment = pretend(project, environment)
	}
	if project == "" || environment.Branch == "" {
		l.missingTarget(project, branch)
		return nil
	}
	if !isProjectID(project) {
		if !l.in.Offline {
			l.processError("project-id", "set it to the project's id, such as k3qz7p2m5nwya", "variable PLATFORM_PROJECT does not hold a project id")
		}
		return nil
	}
	user := l.config.Users[0].Name // there is exactly one
	return &job.Project{Alias: project, ID: project, User: user, Environment: &environment, Variables: l.vars}
}

// pretend fills in what the sandbox's target lacks.
func pretend(project string, e job.Sidecar) (string, job.Sidecar) {
	if project == "" {
		project = sandboxProject
	}
	if e.Branch == "" {
		e.Branch = sandboxBranch
		if e.MachineName == "" {
			e.MachineName = sandboxMachine
		}
		if e.Type == "" {
			e.Type = sandboxType
		}
	}
	return project, e
}

func (l *loader) missingTarget(project, branch string) {
	if l.in.Offline || l.unread {
		return
	}
	var missing []string
	if project == "" {
		missing = append(missing, "PLATFORM_PROJECT")
	}
	if branch == "" {
		missing = append(missing, "PLATFORM_BRANCH")
	}
	are := " is not set"
	if len(missing) > 1 {
		are = " are not set"
	}
	l.processError("target-missing", "set "+strings.Join(missing, " and ")+" for one environment, or configure projects: for several",
		"there is nothing to run on: no projects are configured, and "+strings.Join(missing, " and ")+are)
}
