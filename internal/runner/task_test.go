package runner

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/tasks"
)

// changes lists the requests that took effect, without those of the token endpoint.
func (w *world) changes() []string {
	var list []string
	for _, e := range w.sandbox.Journal() {
		if e.Executed {
			list = append(list, e.Method+" "+strings.TrimPrefix(e.Path, "/api/projects/"+projectA))
		}
	}
	return list
}

// testFile is the absolute path of a certificate or key of package tasks.
func testFile(name string) string {
	path, err := filepath.Abs(filepath.Join("..", "tasks", "testdata", name))
	if err != nil {
		panic(err)
	}
	return path
}

// secretOf is a line of a key that stands in no other.
func secretOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(testFile(file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")[2]
}

// addDomainsAndCertificate gives production and staging a domain, and the project a certificate.
func (w *world) addDomainsAndCertificate() {
	w.sandbox.AddDomain(projectA, "master", sandbox.Domain{Name: "shop.example"})
	w.sandbox.AddDomain(projectA, "staging", sandbox.Domain{Name: "staging.example", ReplacementFor: "shop.example"})
	w.sandbox.AddCertificate(projectA, sandbox.Certificate{ID: "c1"})
}

// environment returns what the platform says of an environment, by a few of its properties.
func (w *world) environment(name string) string {
	w.t.Helper()
	var state string
	w.sandbox.SetEnvironment(projectA, name, func(e *sandbox.Environment) {
		state = fmt.Sprintf("%s %v %+v", e.Status, e.HasStagedActivities, e.HTTPAccess)
	})
	return state
}

const onStaging = "\ncrons:\n  it:\n    spec: '0 5 * * *'\n    only: {branches: [staging]}\n    allow_destructive: true\n"

// TestRunner_CarriesOutEveryTask runs each task of the catalogue, declared and as a script, and looks
// at what the platform has done.
func TestRunner_CarriesOutEveryTask(t *testing.T) {
	const off = "active false {Enabled:false Addresses:[] BasicAuth:map[]}"
	status := func(s string) string { return strings.Replace(off, "active", s, 1) }
	covered := map[string]bool{}
	for _, tt := range []struct {
		kind, task, script string
		before             func(*sandbox.Environment)
		request            string // method and path
		activity           string
		after              string   // staging's state
		variables          []string // of staging, then of the project
	}{
		{kind: "backup", task: "{live: true}", script: "backup --live", request: "POST /environments/staging/backup",
			activity: "environment.backup", after: off},
		{kind: "redeploy", task: "{}", script: "redeploy", request: "POST /environments/staging/redeploy",
			activity: "environment.redeploy", after: off},
		{kind: "synchronize", task: "{data: true}", script: "sync data", request: "POST /environments/staging/synchronize",
			activity: "environment.synchronize", after: off},
		{kind: "source_operation", task: "{operation: update}", script: "source-operation:run update", request: "POST /environments/staging/source-operation",
			activity: "environment.source-operation", after: off},
		{kind: "pause", task: "{}", script: "environment:pause", request: "POST /environments/staging/pause",
			activity: "environment.pause", after: status("paused")},
		{kind: "resume", task: "{}", script: "environment:resume", before: func(e *sandbox.Environment) { e.Status = "paused" },
			request: "POST /environments/staging/resume", activity: "environment.resume", after: off},
		{kind: "activate", task: "{resources_init: minimum}", script: "environment:activate --resources-init minimum",
			before:  func(e *sandbox.Environment) { e.Status = "inactive" },
			request: "POST /environments/staging/activate", activity: "environment.activate", after: off},
		{kind: "deactivate", task: "{}", script: "environment:deactivate", request: "POST /environments/staging/deactivate",
			activity: "environment.deactivate", after: status("inactive")},
		{kind: "environment_delete", task: "{}", script: "environment:delete --delete-branch",
			before:  func(e *sandbox.Environment) { e.Status = "inactive" },
			request: "DELETE /environments/staging", activity: "environment.delete"},
		{kind: "deploy_type", task: "{type: manual}", script: "environment:deploy:type manual",
			request: "PATCH /environments/staging/settings", after: off},
		{kind: "project_info", task: "{title: New}", script: "project:info title New", request: "PATCH ",
			activity: "project.modify.title", after: off},
		{kind: "environment_info", task: "{restrict_robots: true}", script: "environment:info restrict_robots true",
			request: "PATCH /environments/staging", activity: "environment.update.restrict_robots", after: off},
		{kind: "deploy", task: "{strategy: rolling}", script: "deploy -s rolling", before: func(e *sandbox.Environment) { e.HasStagedActivities = true },
			request: "POST /environments/staging/deploy", activity: "environment.deploy", after: off},
		{kind: "http_access", task: "{enabled: true, access: ['deny:any'], auth: {guest: pa55word}}",
			script:  "httpaccess --enabled 1 --access deny:any --auth guest:pa55word",
			request: "PATCH /environments/staging", activity: "environment.update.http_access",
			after: "active false {Enabled:true Addresses:[{Permission:deny Address:0.0.0.0/0}] BasicAuth:map[guest:pa55word]}"},
		{kind: "operation", task: "{operation: clear-cache, parameters: [--all]}", script: "operation:run clear-cache --parameter=--all",
			request: "POST /environments/staging/deployments/current/operations", activity: "environment.operation", after: off},
		{kind: "variable_set", task: "{name: 'env:KEY', value: pa55word}", script: "vset env:KEY pa55word",
			request: "POST /environments/staging/variables", activity: "environment.variable.create", after: off,
			variables: []string{"env:KEY=pa55word"}},
		{kind: "variable_create", task: "{name: 'env:KEY', value: pa55word, sensitive: true}", script: "variable:create env:KEY -l e --value pa55word --sensitive 1",
			request: "POST /environments/staging/variables", activity: "environment.variable.create", after: off,
			variables: []string{"env:KEY=pa55word (sensitive)"}},
		{kind: "variable_update", task: "{name: OLD, value: pa55word, level: project}", script: "variable:update OLD -l project --value pa55word",
			request: "PATCH /variables/OLD", activity: "project.variable.update", after: off,
			variables: []string{"project OLD=pa55word"}},
		{kind: "variable_delete", task: "{name: OLD, level: project}", script: "variable:delete OLD --level project",
			request: "DELETE /variables/OLD", activity: "project.variable.delete", after: off},
		{kind: "backup_restore", task: "{backup: b1, no_code: true}", script: "backup:restore b1 --no-code",
			request: "POST /environments/staging/backups/b1/restore", activity: "environment.restore", after: off},
		{kind: "backup_delete", task: "{backup: b1}", script: "backup:delete b1",
			request: "DELETE /environments/staging/backups/b1", activity: "environment.backup.delete", after: off},
		{kind: "api", task: "{method: PATCH, path: 'environments/{environment}', witness: environment.update.http_access, body: {http_access: {is_enabled: true, basic_auth: {guest: pa55word}}}}",
			request: "PATCH /environments/staging", activity: "environment.update.http_access",
			after: "active false {Enabled:true Addresses:[] BasicAuth:map[guest:pa55word]}"},
		{kind: "task_run", task: "{task: migrate, variables: {env: {A: b}}}", script: "task:run migrate --variable env:A=b",
			request: "POST /environments/staging/tasks/migrate/run", activity: "environment.task", after: off},
		{kind: "resources_set", task: "{sizes: {app: '0.5'}, counts: {app: 2}, disks: {app: 1024}}", script: "resources:set -S app:0.5 --count app:2 --disk app:1024",
			request: "PATCH /environments/staging/deployments/next", activity: "environment.resources.update", after: off},
		{kind: "autoscaling_set", task: "{service: app, metric: cpu, threshold_up: 70, cooldown_up: 10m, instances_max: 4}",
			script:  "autoscaling:set -s app -m cpu --threshold-up 70 --cooldown-up 10m --instances-max 4",
			request: "PATCH /environments/staging/autoscaling/settings", after: off},
		{kind: "domain_add", task: "{name: new.example, attach: shop.example}", script: "domain:add new.example --attach shop.example",
			request: "POST /environments/staging/domains", activity: "environment.domain.create", after: off},
		{kind: "domain_delete", task: "{name: staging.example}", script: "domain:delete staging.example -e staging",
			request: "DELETE /environments/staging/domains/staging.example", activity: "environment.domain.delete", after: off},
		{kind: "certificate_add", task: "{certificate_file: " + testFile("certificate.pem") + ", key_file: " + testFile("key.pem") + "}",
			script:  "certificate:add --cert " + testFile("certificate.pem") + " --key " + testFile("key.pem"),
			request: "POST /certificates", after: off},
		{kind: "certificate_delete", task: "{certificate: c1}", script: "certificate:delete c1",
			request: "DELETE /certificates/c1", after: off},
		{kind: "backup_verify", task: "{max_age: 26h}", after: off},
		{kind: "branch", task: "{name: new, type: development}", script: "branch new --type development",
			request: "POST /environments/staging/branch", activity: "environment.branch", after: off},
		{kind: "merge", task: "{}", script: "merge", request: "POST /environments/staging/merge",
			activity: "environment.merge", after: off},
		{kind: "clear_build_cache", task: "{}", script: "project:clear-build-cache", request: "POST /clear_build_cache",
			activity: "project.clear_build_cache", after: off},
		{kind: "variable_enable", task: "{name: OLD}", script: "variable:enable OLD",
			request: "PATCH /environments/staging/variables/OLD", activity: "environment.variable.update", after: off},
		{kind: "variable_disable", task: "{name: ON}", script: "variable:disable ON",
			request: "PATCH /environments/staging/variables/ON", activity: "environment.variable.update", after: off},
	} {
		covered[tt.kind] = true
		kind, _ := tasks.ByName(tt.kind)
		noWait := " --no-wait"
		if kind.NeverWaits {
			noWait = ""
		}
		script := onStaging + "    cmd: platform " + tt.script + " --yes" + noWait
		if !kind.Accepts("active") { // a script's cron exists on active environments
			script = strings.Replace(script, "[staging]", "[master]", 1) + " -e staging"
		}
		for name, yaml := range map[string]string{
			"declared": onStaging + "    task: {" + tt.kind + ": " + tt.task + "}\n",
			"script":   script + "\n",
		} {
			if (kind.Command == "") != (tt.script == "") {
				t.Errorf("%s: its command line is %q", tt.kind, tt.script)
			}
			if name == "script" && tt.script == "" {
				continue
			}
			t.Run(tt.kind+"/"+name, func(t *testing.T) {
				inWorld(t, yaml, func(w *world) {
					w.sandbox.SetEnvironment(projectA, "staging", func(e *sandbox.Environment) {
						e.HTTPAccess.Addresses = []sandbox.Address{}
						if tt.before != nil {
							tt.before(e)
						}
					})
					w.sandbox.AddBackup(projectA, "staging", sandbox.Backup{ID: "b1", CreatedAt: time.Now()})
					w.addDomainsAndCertificate()
					w.sandbox.AddVariable(projectA, "", sandbox.Variable{Name: "OLD", Value: "old"})
					w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "OLD", Value: "old"})
					w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "ON", Value: "old", Enabled: true})
					if role := kind.Role; role != "" && w.jobs[0].Script == nil && !tasks.ProjectWide(w.jobs[0].Tasks[0]) {
						w.sandbox.SetRole(token, "viewer staging:"+role) // the least that is said to suffice
					}
					w.fire()
					w.wait(2 * time.Minute)
					if got := strings.Join(w.outcomes(), " "); got != "succeeded/" {
						t.Fatalf("fires ended %q\n%s", got, w.logs)
					}
					if got := strings.Join(w.changes(), ", "); got != tt.request {
						t.Errorf("requests %q, want %q", got, tt.request)
					}
					a := w.sandbox.Activities(projectA)
					switch {
					case tt.activity == "" && len(a) == 0:
					case len(a) != 1 || a[0].Type != tt.activity || a[0].State != "complete":
						t.Errorf("activities %+v, want a complete %q", a, tt.activity)
					}
					if tt.after == "" {
						return // the environment is gone, and to look at it would make it again
					}
					if got := w.environment("staging"); got != tt.after {
						t.Errorf("staging is %s, want %s", got, tt.after)
					}
					w.wantVariables(tt.variables)
					w.wantNowhere("pa55word")
					w.wantNowhere(secretOf(t, "key.pem"))
				})
			})
		}
	}
	covered["activity_cancel"] = true // below
	for _, k := range tasks.Catalogue() {
		if !covered[k.Name] {
			t.Errorf("no test carries out %s", k.Name)
		}
	}
}

// TestRunner_CancelsAnActivityOfADirtyEnvironment cancels the newest of two, at once.
func TestRunner_CancelsAnActivityOfADirtyEnvironment(t *testing.T) {
	for name, yaml := range map[string]string{
		"declared": "    task: {activity_cancel: {types: [cron]}}\n",
		"script":   "    cmd: platform activity:cancel -t cron\n",
	} {
		inWorld(t, onStaging+yaml, func(w *world) {
			for _, kind := range []string{"environment.cron", "environment.cron", "environment.push"} {
				w.sandbox.StartActivity(projectA, "staging", kind, "somebody")
			}
			w.fire()
			w.wait(time.Second)
			var states []string
			for _, a := range w.sandbox.Activities(projectA) { // newest first
				states = append(states, a.Type+" "+a.State)
			}
			want := "environment.push pending, environment.cron cancelled, environment.cron pending"
			if got := strings.Join(states, ", "); got != want && got != strings.Replace(want, "cron pending", "cron in_progress", 1) {
				t.Errorf("%s: activities are %s, want %s", name, got, want)
			}
			if got := strings.Join(w.outcomes(), " "); got != "succeeded/" {
				t.Errorf("%s: ended %q\n%s", name, got, w.logs)
			}
		})
	}
}

// wantVariables holds staging's and the project's variables against a list, in which nil is
// the variable that was there before.
func (w *world) wantVariables(want []string) {
	w.t.Helper()
	var got []string
	for _, place := range []string{"staging", ""} {
		for _, v := range w.sandbox.Variables(projectA, place) {
			if v.Value == "old" {
				continue
			}
			line := v.Name + "=" + v.Value
			if place == "" {
				line = "project " + line
			}
			if v.Sensitive {
				line += " (sensitive)"
			}
			got = append(got, line)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		w.t.Errorf("variables %q, want %q", got, want)
	}
}

// wantNowhere looks for a secret in the log and in every file of the data directory.
func (w *world) wantNowhere(secret string) {
	w.t.Helper()
	if strings.Contains(w.logs.String(), secret) {
		w.t.Errorf("%q is in the log", secret)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "data", "*"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no files of the ledger: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.Contains(string(data), secret) {
			w.t.Errorf("%q is in %s", secret, filepath.Base(f))
		}
	}
}

func TestRunner_AsksForNothingThatIsSoAlready(t *testing.T) {
	for _, task := range []string{
		"{deploy: {}}",
		"{variable_set: {name: OLD, value: old}}",
		"{variable_update: {name: OLD, level: project, value: old}}",
		"{variable_disable: {name: OLD}}",
		"{deploy_type: {type: automatic}}",
		"{activity_cancel: {}}",
		"{autoscaling_set: {service: app, instances_max: 8}}",
		"{domain_add: {name: staging.example}}",
		"{project_info: {description: Simulated by the automatond sandbox}}",
		"{environment_info: {title: staging, type: staging, parent: master, restrict_robots: false}}",
	} {
		inWorld(t, onStaging+"    task: "+task+"\n", func(w *world) {
			w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "OLD", Value: "old"})
			w.sandbox.AddVariable(projectA, "", sandbox.Variable{Name: "OLD", Value: "old"})
			w.addDomainsAndCertificate()
			w.fire()
			w.wait(time.Minute)
			if got := strings.Join(w.outcomes(), " "); got != "succeeded/" || len(w.changes()) > 0 {
				t.Errorf("%s: ended %q after %q, want a success without a request", task, got, w.changes())
			}
		})
	}
}

func TestRunner_ReportsWhatStandsInATasksWay(t *testing.T) {
	for task, outcome := range map[string]string{
		"{variable_create: {name: OLD, value: new}}":                    "failed/api_error",
		"{variable_update: {name: NONE, value: new}}":                   "failed/not_found",
		"{backup_restore: {}}":                                          "failed/not_found",
		"{backup_delete: {backup: none}}":                               "failed/not_found",
		"{backup_verify: {max_age: 26h}}":                               "failed/not_found",
		"{branch: {name: staging}}":                                     "failed/api_error",
		"{domain_add: {name: new.example, attach: none.example}}":       "failed/not_found",
		"{domain_delete: {name: none.example}}":                         "failed/not_found",
		"{certificate_add: {certificate_file: /none, key_file: /none}}": "failed/not_found",
		"{certificate_delete: {certificate: none}}":                     "failed/not_found",
		"{autoscaling_set: {service: none, instances_max: 2}}":          "failed/not_found",
		"{variable_delete: {name: NONE}}":                               "failed/not_found",
		"{operation: {operation: none}}":                                "failed/not_found",
		"{task_run: {task: none}}":                                      "failed/not_found",
		"{resources_set: {sizes: {none: '1'}}}":                         "failed/not_found",
		"{operation: {operation: clear-cache, app: api}}":               "failed/not_found",
		"{deactivate: {}}":                                              "failed/api_error", // it has a child
		"{environment_info: {parent: none}}":                            "failed/not_found",
		"{environment_info: {parent: child}}":                           "failed/api_error",
		"{variable_set: {name: A, value: b, level: environment}}":       "succeeded/",
	} {
		inWorld(t, onStaging+"    task: "+task+"\n", func(w *world) {
			w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "OLD", Value: "old"})
			w.sandbox.SetEnvironment(projectA, "child", func(e *sandbox.Environment) { e.Parent = "staging" })
			w.fire()
			w.wait(time.Minute)
			if got := strings.Join(w.outcomes(), " "); got != outcome {
				t.Errorf("%s: ended %q, want %q\n%s", task, got, outcome, w.logs)
			}
			if changed := len(w.changes()) > 0; changed != (outcome == "succeeded/") {
				t.Errorf("%s: requests %q", task, w.changes())
			}
		})
	}
}

func TestRunner_ChangesAProjectOnceForAllItsEnvironments(t *testing.T) {
	for name, yaml := range map[string]string{
		"declared": "    task: {variable_set: {name: A, value: b, level: project}}\n",
		"api":      "    task: {api: {method: POST, path: variables, body: {name: A, value: b}, witness: none}}\n",
		"script":   "    cmd: platform variable:create A --value b -l project -u -W\n",
	} {
		inWorld(t, "\ncrons:\n  it:\n    spec: '0 5 * * *'\n"+yaml, func(w *world) {
			w.fire()
			w.wait(2 * time.Minute)
			if got := strings.Join(w.changes(), ", "); got != "POST /variables" {
				t.Errorf("%s: requests %q for three environments, want one", name, got)
			}
			if got := w.posts("/variables"); got != 1 {
				t.Errorf("%s: %d requests left, want 1", name, got)
			}
			w.wantVariables([]string{"project A=b"})
		})
	}
}

func TestRunner_WaitsForWhatATaskDependsOn(t *testing.T) {
	inWorld(t, onStaging+"    task: {variable_set: {name: A, value: b}}\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/variables/A", Kind: sandbox.Status, Status: 503, Times: 20})
		w.fire()
		w.wait(9 * time.Minute)
		w.want("/variables", 1, "succeeded/")
	})
	inWorld(t, onStaging+"    task: {variable_set: {name: A, value: b}}\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/variables/A", Kind: sandbox.Status, Status: 503, Times: -1})
		w.fire()
		w.wait(15 * time.Minute)
		w.want("/variables", 0, "failed/api_error")
	})
}

func TestRunner_TellsOfABackupThatIsTooOld(t *testing.T) {
	inWorld(t, onStaging+"    task: {backup_verify: {max_age: 1d}}\n", func(w *world) {
		w.sandbox.AddBackup(projectA, "staging", sandbox.Backup{ID: "b1", CreatedAt: time.Now().Add(-30 * time.Hour)})
		w.fire()
		w.wait(time.Minute)
		if got := strings.Join(w.outcomes(), " "); got != "failed/not_found" || len(w.changes()) > 0 {
			t.Errorf("ended %q after %q", got, w.changes())
		}
		if !strings.Contains(w.logs.String(), "old, more than 24h") {
			t.Errorf("the log does not say why:\n%s", w.logs)
		}
	})
}

func TestRunner_LooksForALostRequestByItsTask(t *testing.T) {
	for _, tt := range []struct {
		task, method, suffix string
		kind                 sandbox.FaultKind
		requests             int
		outcome              string
	}{
		// Executed, its answer lost: the witness finds it.
		{"{http_access: {enabled: true}}", http.MethodPatch, "/staging", sandbox.ResetAfter, 1, "succeeded/"},
		{"{variable_create: {name: A, value: b}}", http.MethodPost, "/variables", sandbox.ResetAfter, 1, "succeeded/"},
		{"{variable_set: {name: A, value: b, level: project}}", http.MethodPost, "/variables", sandbox.ResetAfter, 1, "succeeded/"},
		{"{operation: {operation: clear-cache}}", http.MethodPost, "/operations", sandbox.ResetAfter, 1, "succeeded/"},
		{"{deactivate: {}}", http.MethodPost, "/deactivate", sandbox.ResetAfter, 1, "succeeded/"},
		{"{backup_restore: {backup: b1}}", http.MethodPost, "/restore", sandbox.ResetAfter, 1, "succeeded/"},
		{"{backup_delete: {backup: b1}}", http.MethodDelete, "/b1", sandbox.ResetAfter, 1, "succeeded/"},
		{"{branch: {name: new}}", http.MethodPost, "/branch", sandbox.ResetAfter, 1, "succeeded/"},
		{"{merge: {}}", http.MethodPost, "/merge", sandbox.ResetAfter, 1, "succeeded/"},
		{"{resources_set: {counts: {app: 2}}}", http.MethodPatch, "/next", sandbox.ResetBefore, 2, "succeeded/"},
		{"{task_run: {task: migrate}}", http.MethodPost, "/run", sandbox.ResetAfter, 1, "succeeded/"},
		{"{task_run: {task: migrate}}", http.MethodPost, "/run", sandbox.ResetBefore, 1, "unknown/in_doubt"},
		{"{clear_build_cache: {}}", http.MethodPost, "/clear_build_cache", sandbox.ResetAfter, 1, "succeeded/"},
		{"{api: {method: POST, path: 'environments/{environment}/redeploy', witness: environment.redeploy}}", http.MethodPost, "/redeploy", sandbox.ResetAfter, 1, "succeeded/"},
		{"{api: {method: POST, path: 'environments/{environment}/redeploy', witness: none}}", http.MethodPost, "/redeploy", sandbox.ResetAfter, 1, "unknown/in_doubt"},
		{"{api: {method: POST, path: clear_build_cache, witness: project.clear_build_cache}}", http.MethodPost, "/clear_build_cache", sandbox.ResetAfter, 1, "succeeded/"},
		{"{clear_build_cache: {}}", http.MethodPost, "/clear_build_cache", sandbox.ResetBefore, 2, "succeeded/"},
		{"{backup_restore: {backup: b1}}", http.MethodPost, "/restore", sandbox.ResetBefore, 1, "unknown/in_doubt"},
		{"{variable_delete: {name: OLD}}", http.MethodDelete, "/OLD", sandbox.ResetAfter, 1, "succeeded/"},
		{"{environment_info: {title: New}}", http.MethodPatch, "/staging", sandbox.ResetAfter, 1, "succeeded/"},
		{"{environment_info: {title: New}}", http.MethodPatch, "/staging", sandbox.ResetBefore, 2, "succeeded/"},
		// Lost before: repeated only when that does no harm.
		{"{http_access: {enabled: true}}", http.MethodPatch, "/staging", sandbox.ResetBefore, 2, "succeeded/"},
		{"{variable_set: {name: A, value: b}}", http.MethodPost, "/variables", sandbox.ResetBefore, 2, "succeeded/"},
		{"{variable_create: {name: A, value: b}}", http.MethodPost, "/variables", sandbox.ResetBefore, 1, "unknown/in_doubt"},
		{"{operation: {operation: clear-cache}}", http.MethodPost, "/operations", sandbox.ResetBefore, 1, "unknown/in_doubt"},
		{"{variable_delete: {name: OLD}}", http.MethodDelete, "/OLD", sandbox.ResetBefore, 1, "unknown/in_doubt"},
		{"{deactivate: {}}", http.MethodPost, "/deactivate", sandbox.ResetBefore, 1, "unknown/in_doubt"},
	} {
		inWorld(t, onStaging+"    task: "+tt.task+"\n", func(w *world) {
			w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "OLD", Value: "old"})
			w.sandbox.AddBackup(projectA, "staging", sandbox.Backup{ID: "b1"})
			w.sandbox.Inject(sandbox.Fault{Method: tt.method, PathSuffix: tt.suffix, Kind: tt.kind, Times: 1})
			w.fire()
			w.wait(9 * time.Minute)
			sent := 0
			for _, e := range w.sandbox.Journal() {
				if e.Method == tt.method && strings.HasSuffix(e.Path, tt.suffix) {
					sent++
				}
			}
			if got := strings.Join(w.outcomes(), " "); got != tt.outcome || sent != tt.requests {
				t.Errorf("%s after %s: %d requests, ended %q; want %d and %q\n%s", tt.task, tt.kind, sent, got, tt.requests, tt.outcome, w.logs)
			}
		})
	}
}

// TestRunner_GoesOnWithASecretAfterARestart restarts while the request waits: the record does not
// have the value, so it comes from the configuration again.
func TestRunner_GoesOnWithASecretAfterARestart(t *testing.T) {
	inWorld(t, onStaging+"    task: {variable_set: {name: A, value: pa55word}}\n", func(w *world) {
		w.sandbox.StartActivity(projectA, "staging", "environment.redeploy", "somebody")
		w.fire()
		w.wait(5 * time.Second)
		w.restart()
		w.wait(5 * time.Minute)
		w.want("/variables", 1, "succeeded/")
		w.wantVariables([]string{"A=pa55word"})
		w.wantNowhere("pa55word")
	})
}

func TestRunner_KeepsASecretThatARefusalRepeats(t *testing.T) {
	inWorld(t, onStaging+"    task: {variable_set: {name: A, value: 'the \"pa55word\"'}}\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{
			Method: "POST", PathSuffix: "/variables", Kind: sandbox.Status, Status: 400,
			Body: `{"message": "bad value: the \"pa55word\"", "detail": {"value": "the \"pa55word\""}}`,
		})
		w.fire()
		w.wait(time.Minute)
		w.want("/variables", 1, "failed/api_error")
		w.wantNowhere("pa55word")
		if !strings.Contains(w.logs.String(), "bad value: <redacted>") {
			t.Errorf("the refusal is not told:\n%s", w.logs)
		}
	})
}

func TestRunner_FollowsATaskWhoseCronIsGone(t *testing.T) {
	inWorld(t, onStaging+"    task: {variable_set: {name: A, value: pa55word}}\n", func(w *world) {
		w.fire()
		w.wait(5 * time.Second)
		w.jobs = nil
		w.restart()
		w.wait(5 * time.Minute)
		w.want("/variables", 1, "succeeded/")
	})
}
