package main

import (
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/sandbox"
)

func TestDaemon_FindsOutItsProjects(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Projects: []sandbox.Project{{ID: "first", Organization: "acme"}}, ActivityDuration: -1}, `
projects: {acme: {organization: acme}}
crons:
  yearly: {spec: '0 5 1 1 *', only: {branches: [main]}, task: {backup: {}}}
`)
	d := s.start()
	d.eventually("a project", func() bool { return len(d.lines("projects discovered")) == 1 })
	contains(t, s.mustCommand("trigger", "yearly"), "project first")
	contains(t, s.mustCommand("check", "--config", "automatond.yaml", "--live"), "the projects of acme")

	s.server.AddProject(sandbox.Project{ID: "second", Organization: "acme"})
	contains(t, s.mustCommand("reload"), "1 cron")
	d.eventually("another", func() bool { return len(d.lines("projects discovered")) == 2 })
	contains(t, s.mustCommand("trigger", "yearly"), "project second")

	s.server.RemoveProject("first")
	s.mustCommand("reload")
	d.eventually("the first one's end", func() bool { return len(d.lines("projects gone, nothing runs there any more")) == 1 })
	if out := s.mustCommand("trigger", "yearly"); strings.Contains(out, "first") {
		t.Errorf("it still fires for a project that is gone: %s", out)
	}
	d.stop()
}
