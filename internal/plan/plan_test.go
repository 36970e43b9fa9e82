package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// crons loads the crons of a file, by name.
func crons(t *testing.T, yaml string) map[string]*job.Job {
	t.Helper()
	file := filepath.Join(t.TempDir(), "automatond.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, Offline: true})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	byName := map[string]*job.Job{}
	for _, j := range cfg.Jobs {
		byName[j.Name] = j
	}
	return byName
}

func TestDecide_SaysWhatAndWhy(t *testing.T) {
	jobs := crons(t, `
crons:
  declared: {spec: '0 5 * * *', only: {branches: [master]}, task: {backup: {}}}
  script: {spec: '0 5 * * *', cmd: 'if [ "$PLATFORM_BRANCH" = master ]; then platform backup -y -W; fi'}
  unset: {spec: '0 5 * * *', cmd: '[ "$PLATFORM_ENVIRONMENT" != x ] && platform backup -y -W'}
  broken: {spec: '0 5 * * *', cmd: 'set -u; echo "$NOWHERE"; platform backup -y -W'}
  elsewhere: {spec: '0 5 * * *', cmd: 'platform redeploy -y -W -e . -p other'}
  suspended: {spec: '0 5 * * *', suspended: true, task: {backup: {}}}
  left: {spec: '0 5 * * *', cmd: 'drush cron'}
  wake: {spec: '0 5 * * *', task: {resume: {}}}
`)
	for name, c := range map[string]struct {
		cron, branch, status string
		action               plan.Action
		reason               string
		calls                []string // kind, project and environment
	}{
		"declared on its branch":      {"declared", "master", "active", plan.Dispatch, "", []string{"backup p master"}},
		"declared elsewhere":          {"declared", "dev", "active", plan.Skip, "guard", nil},
		"declared on a dirty one":     {"declared", "master", "dirty", plan.Dispatch, "", []string{"backup p master"}},
		"declared on a paused one":    {"declared", "master", "paused", plan.Skip, "inactive", nil},
		"declared, status unknown":    {"declared", "master", "", plan.Dispatch, "", []string{"backup p master"}},
		"script on its branch":        {"script", "master", "active", plan.Dispatch, "", []string{"backup p master"}},
		"script elsewhere":            {"script", "dev", "active", plan.Skip, "guard", nil},
		"script on an unset variable": {"unset", "master", "active", plan.Skip, "guard", nil},
		"script that fails":           {"broken", "master", "active", plan.Error, "script", nil},
		"script for another project":  {"elsewhere", "dev", "active", plan.Dispatch, "", []string{"redeploy other main"}},
		"suspended":                   {"suspended", "master", "active", plan.Skip, "suspended", nil},
		"left to the application":     {"left", "master", "active", plan.Left, "", nil},
		"resume of a paused one":      {"wake", "master", "paused", plan.Dispatch, "", []string{"resume p master"}},
		"resume of an active one":     {"wake", "master", "active", plan.Skip, "inactive", nil},
	} {
		t.Run(name, func(t *testing.T) {
			target := plan.NewTarget(&job.Project{ID: "p"}, "main", &platform.Environment{ID: c.branch, Name: c.branch, Status: c.status, Project: "p"})
			d := plan.Decide(t.Context(), jobs[c.cron], target)
			if d.Action != c.action || d.Reason != c.reason {
				t.Errorf("%s (%s): %s; want %s (%s)", d.Action, d.Reason, d.Message, c.action, c.reason)
			}
			var calls []string
			for _, call := range d.Calls {
				calls = append(calls, call.Task.Kind().Name+" "+call.Project+" "+call.Environment)
			}
			if diff := cmp.Diff(c.calls, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if d.Action != plan.Dispatch && d.Message == "" {
				t.Error("it does not say why")
			}
		})
	}
}

func TestNewTarget_TheContainersVariablesWinInASidecar(t *testing.T) {
	api := &platform.Environment{ID: "master", Name: "master", MachineName: "master-api", Type: "production"}
	p := &job.Project{ID: "p", Environment: &job.Sidecar{Branch: "master", Type: "staging"}}
	got := plan.NewTarget(p, "master", api).Environment
	if got.Type != "staging" || got.MachineName != "master-api" {
		t.Errorf("type %q, machine name %q; want the container's type and the API's name", got.Type, got.MachineName)
	}
	if api.Type != "production" {
		t.Error("the shared environment was changed")
	}
}

// TestExplain_EndsWhereDecideDoes holds that the conditions of a script belong to the decision.
func TestExplain_EndsWhereDecideDoes(t *testing.T) {
	jobs := crons(t, `
crons:
  guarded:
    spec: '0 5 * * *'
    only: {branches: [master]}
    cmd: |
      [ "$PLATFORM_BRANCH" = master ] &&
        platform backup -y -W
  suspended: {spec: '0 5 * * *', suspended: true, only: {branches: [master]}, task: {backup: {}}}
  left: {spec: '0 5 * * *', only: {branches: [master]}, cmd: 'drush cron'}
`)
	branch := func(holds bool, name, answer string) plan.Condition {
		return plan.Condition{Condition: "only.branches [master]", Value: "branch is \"" + name + "\"", Holds: holds, Answer: answer}
	}
	for name, c := range map[string]struct {
		cron, branch string
		want         []plan.Condition
	}{
		"the script is not asked when the guard says no": {"guarded", "dev", []plan.Condition{branch(false, "dev", "no")}},
		"guard and script": {"guarded", "master", []plan.Condition{branch(true, "master", "yes"), {
			Condition: `[ "$PLATFORM_BRANCH" = master ]`, Value: `PLATFORM_BRANCH is "master"`, Holds: true, Line: 7, Answer: "true"}}},
		"suspended":               {"suspended", "master", []plan.Condition{}},
		"left to the application": {"left", "master", []plan.Condition{}},
	} {
		t.Run(name, func(t *testing.T) {
			target := plan.NewTarget(&job.Project{ID: "p"}, "", &platform.Environment{ID: c.branch, Name: c.branch, Project: "p"})
			if diff := cmp.Diff(c.want, plan.Explain(t.Context(), jobs[c.cron], target)); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStep_HasTheTargetsNames(t *testing.T) {
	jobs := crons(t, `
crons:
  copies: {spec: '0 5 * * *', task: {branch: {name: 'copy-of-${environment}', title: '$${kept} ${project} ${branch}'}}}
`)
	target := plan.NewTarget(&job.Project{Alias: "shop", ID: "p"}, "main",
		&platform.Environment{ID: "feature-x", Name: "feature/x", Status: "active", Project: "p"})
	d := plan.Decide(t.Context(), jobs["copies"], target)
	if len(d.Calls) != 1 {
		t.Fatalf("decision %+v", d)
	}
	want := &tasks.Branch{Name: "copy-of-feature-x", Title: "${kept} p feature/x"}
	if diff := cmp.Diff(want, d.Calls[0].Task); diff != "" {
		t.Errorf("task (-want +got):\n%s", diff)
	}
}
