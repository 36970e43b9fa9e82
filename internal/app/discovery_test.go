package app

import (
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// acme is a fleet of whichever projects there are, with a backup of each every five minutes.
const acme = `
projects: {acme: {organization: acme}}
discovery_interval: 1m
` + backup

// inFleet is inWorld with two projects of an organization, whose lists have one project on a page.
func inFleet(t *testing.T, yaml string, body func(*world)) {
	t.Helper()
	inSandboxed(t, sandbox.Options{
		Projects: []sandbox.Project{{ID: "first", Organization: "acme"}, {ID: "second", Organization: "acme"}}, PageSize: 1,
	}, yaml, body)
}

// backedUp counts the backups of a project that were asked for.
func (w *world) backedUp(project string) int {
	n := 0
	for _, e := range w.sandbox.Posts("") {
		if strings.Contains(e.Path, "/projects/"+project+"/environments/main/backup") {
			n++
		}
	}
	return n
}

// wantBackups holds the number of backups of each project against what must be.
func (w *world) wantBackups(when string, first, second, third int) {
	w.t.Helper()
	for project, want := range map[string]int{"first": first, "second": second, "third": third} {
		if got := w.backedUp(project); got != want {
			w.t.Errorf("%s: %d backups of %s, want %d", when, got, project, want)
		}
	}
}

func TestApp_DiscoveredProjectHasItsCronsFromThenOn(t *testing.T) {
	inFleet(t, acme, func(w *world) {
		w.wait(period + time.Second)
		w.wantBackups("at first", 1, 1, 0)
		w.wait(2 * time.Minute)
		w.sandbox.AddProject(sandbox.Project{ID: "third", Organization: "acme"})
		w.wait(time.Minute)
		w.sandbox.AddProject(sandbox.Project{ID: "foreign"})
		w.wait(2 * time.Minute)
		w.wantBackups("when one has come", 2, 2, 1)
		if n := w.backedUp("foreign"); n != 0 {
			t.Errorf("%d backups of another organization's project", n)
		}
		w.sandbox.RemoveProject("first")
		w.wait(period)
		w.wantBackups("when one has gone", 2, 3, 2)
		if got := w.metric("automatond_last_success_timestamp_seconds", "project=first"); got != -1 {
			t.Error("the series of a project that is gone are still there")
		}
		if got := w.metric("automatond_last_success_timestamp_seconds", "project=second"); got <= 0 {
			t.Error("so are not those of the others")
		}
		if got := w.metric("automatond_discovery_projects", "discovery=acme"); got != 2 {
			t.Errorf("%v projects by the metrics, want 2", got)
		}
		// What comes back owes nothing from the time in which it was away.
		w.sandbox.AddProject(sandbox.Project{ID: "first", Organization: "acme"})
		w.wait(2 * time.Minute)
		w.wantBackups("when it is back", 2, 3, 2)
		if got := w.metric("automatond_last_success_timestamp_seconds", "project=first"); got <= 0 {
			t.Error("its last success is not told")
		}
		w.wait(period - 2*time.Minute)
		w.wantBackups("at its next fire", 3, 4, 3)
	})
}

func TestApp_DiscoversWhateverTheUserSees(t *testing.T) {
	inFleet(t, strings.Replace(acme, "organization: acme", "discover: all", 1), func(w *world) {
		w.wait(period + time.Second)
		w.wantBackups("at first", 1, 1, 0)
		w.sandbox.AddProject(sandbox.Project{ID: "third", Organization: "other"})
		w.wait(period)
		w.wantBackups("when one has come", 2, 2, 1)
	})
}

func TestApp_DiscoveryThatFailsChangesNothing(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"forbidden":   {Kind: sandbox.Status, Status: 403},
		"unavailable": {Kind: sandbox.Status, Status: 503},
		"HTML":        {Kind: sandbox.HTML, Status: 200},
		"half a list": {Kind: sandbox.Status, Status: 200, Body: `{"count":2,"items":[{"id":"first"}]}`},
		"one page":    {Kind: sandbox.Status, Status: 404, Skip: 1},
		"no answer":   {Kind: sandbox.Delay, Latency: time.Hour},
	} {
		fault.PathSuffix, fault.Times = "/projects", -1
		t.Run(name, func(t *testing.T) {
			inFleet(t, acme, func(w *world) {
				w.wait(period + time.Second)
				w.sandbox.AddProject(sandbox.Project{ID: "third", Organization: "acme"})
				w.sandbox.Inject(fault)
				w.wait(period)
				w.wantBackups("while it fails", 2, 2, 0)
				if got := w.metric("automatond_discovery_failures_total", "discovery=acme"); got < 1 {
					t.Errorf("%v failures by the metrics", got)
				}
				if !strings.Contains(w.logs.String(), "projects not discovered") {
					t.Error("the log says nothing")
				}
				w.restart()
				w.wait(period)
				w.wantBackups("after a restart", 3, 3, 0)
				w.sandbox.ClearFaults()
				w.wait(period)
				w.wantBackups("when it has passed", 4, 4, 1)
			})
		})
	}
}

func TestApp_DiscoveredProjectsOutliveARestartWithoutThePlatform(t *testing.T) {
	inFleet(t, acme, func(w *world) {
		w.wait(period + time.Minute)
		w.sandbox.Inject(sandbox.Fault{Kind: sandbox.Refuse, Times: -1})
		w.restart()
		w.wait(period)
		w.sandbox.ClearFaults()
		w.wait(period)
		for _, at := range []string{"00:05", "00:10", "00:15"} {
			if n := strings.Count(strings.Join(w.fires(), "\n"), at); n != 2 {
				t.Errorf("%d fires at %s, want one of each project: %q", n, at, w.fires())
			}
		}
		w.wantBackups("afterwards", 3, 3, 0)
	})
}

func TestApp_RunOfAProjectThatIsGoneIsFollowedToItsEnd(t *testing.T) {
	inFleet(t, acme, func(w *world) {
		w.wait(period + time.Second)
		w.wantBackups("at the fire", 1, 1, 0)
		w.sandbox.Inject(sandbox.Fault{
			PathSuffix: "/projects", Kind: sandbox.Status, Status: 200, Body: `{"count":1,"items":[{"id":"second"}]}`, Times: -1,
		})
		w.reload(acme)
		w.wait(time.Second)
		if got := w.metric("automatond_discovery_projects"); got != 1 {
			t.Errorf("%v projects while both backups are under way", got)
		}
		w.wait(time.Minute)
		w.want(2, "backup 00:05 succeeded/", "backup 00:05 succeeded/")
		w.wait(period)
		w.wantBackups("later", 1, 2, 0)
	})
}

func TestApp_ReloadAsksForProjectsAnew(t *testing.T) {
	inFleet(t, strings.Replace(acme, "1m", "24h", 1), func(w *world) {
		w.wait(time.Second)
		w.sandbox.AddProject(sandbox.Project{ID: "third", Organization: "acme"})
		w.wait(period)
		w.wantBackups("before", 1, 1, 0)
		w.reload(strings.Replace(acme, "1m", "24h", 1))
		w.wait(period)
		w.wantBackups("after a reload", 2, 2, 1)
		w.reload(shop + backup)
		w.wait(period)
		w.wantBackups("without the entry", 2, 2, 1)
		if got := w.metric("automatond_discovery_projects"); got != -1 {
			t.Error("the series of the entry are still there")
		}
	})
}
