package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
)

const apiToken = "doctor-token-that-must-never-be-seen"

// fitting is the role that the patient's cron needs, and nothing more.
const fitting = "viewer production:admin"

const oneProject = `
projects: {shop: {id: shopid}}
`

const nightly = oneProject + `
crons:
    nightly: {spec: '0 2 * * *', only: {branches: [main]}, task: {backup: {}}}
`

// patient is an installation beside a simulated platform in memory.
type patient struct {
	yaml     string
	role     string      // default fitting
	mode     os.FileMode // of the token's file, default 0600
	variable string      // in the process's environment, NAME=VALUE
	data     string      // default an empty directory
	change   func(*sandbox.Sandbox)
}

// examine returns what is not in order, a line for each finding.
func (p patient) examine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "automatond.yaml")
	if err := os.WriteFile(file, []byte(p.yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(apiToken), 0o600); err != nil {
		t.Fatal(err)
	}
	if p.mode == 0 {
		p.mode = 0o600
	}
	if err := os.Chmod(token, p.mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	if p.role == "" {
		p.role = fitting
	}
	if p.data == "" {
		p.data = dir
	}
	there := sandbox.New(sandbox.Options{
		Users:    []sandbox.User{{Token: apiToken, ID: "automation-id", Name: "automation", Role: p.role}},
		Projects: []sandbox.Project{{ID: "shopid"}, {ID: "blogid"}},
	})
	if p.change != nil {
		p.change(there)
	}
	cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, LookupEnv: func(name string) (string, bool) {
		for _, pair := range []string{"PLATFORMSH_CLI_TOKEN=" + apiToken, p.variable, "PLATFORM_PROJECT=shopid"} {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	clients := map[string]*platform.Client{}
	for _, u := range cfg.Users {
		client, err := platform.New(platform.Options{
			APIURL: "http://sandbox.test", AuthURL: "http://sandbox.test", User: u.Name, Token: u.Token, Transport: there.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		clients[u.Name] = client
	}
	var lines strings.Builder
	err := Examine(t.Context(), Options{Config: cfg, Clients: clients, Data: p.data, Report: func(f Finding) {
		if f.Status != OK {
			fmt.Fprintf(&lines, "%s %s: %s\n", f.Check, f.Status, strings.ReplaceAll(f.Message, p.data, "DATA"))
		}
	}})
	if err != nil {
		t.Error(err)
	}
	for _, post := range there.Posts("") {
		if post.Path != "/oauth2/token" {
			t.Errorf("it sent %s %s", post.Method, post.Path)
		}
	}
	if strings.Contains(lines.String(), apiToken) {
		t.Error("the API token is in a finding")
	}
	return lines.String()
}

// TestExamine_SaysWhatIsWrong has one fault a case.
func TestExamine_SaysWhatIsWrong(t *testing.T) {
	cron := func(rest string) string { return oneProject + "crons:\n    it: {spec: '0 2 * * *', " + rest + "}\n" }
	strike := func(f sandbox.Fault) func(*sandbox.Sandbox) {
		return func(s *sandbox.Sandbox) { f.Times = -1; s.Inject(f) }
	}
	for _, tt := range []struct {
		name    string
		patient patient
		want    string
	}{
		{"nothing", patient{yaml: nightly}, ""},
		{"an API that fails", patient{yaml: nightly, change: strike(sandbox.Fault{PathSuffix: "/", Kind: sandbox.Status})},
			"api failed: https://api.upsun.com does not answer: GET http://sandbox.test/: 503 Service Unavailable\n"},
		{"a token endpoint that resets", patient{yaml: nightly, change: strike(sandbox.Fault{PathSuffix: "/oauth2/token", Kind: sandbox.ResetBefore})},
			"auth failed: https://auth.upsun.com does not answer: GET http://sandbox.test/oauth2/token: read tcp: read: connection reset by peer\n"},
		{"a token endpoint that is none", patient{yaml: nightly, change: strike(sandbox.Fault{Method: "POST", PathSuffix: "/oauth2/token", Kind: sandbox.Status, Status: 404})},
			"auth failed: https://auth.upsun.com answers, and not as a token endpoint does: get access token: POST /oauth2/token: 404 Not Found: Injected by the sandbox; not examined: project shop\n"},
		{"a proxy before the token endpoint", patient{yaml: nightly, change: strike(sandbox.Fault{Method: "POST", PathSuffix: "/oauth2/token", Kind: sandbox.HTML, Status: 200})},
			"auth failed: https://auth.upsun.com answers, and not as a token endpoint does: get access token: POST /oauth2/token: 200 OK: the answer holds no access token; not examined: project shop\n"},
		{"a proxy before the API", patient{yaml: nightly, change: strike(sandbox.Fault{PathSuffix: "/users/me", Kind: sandbox.HTML, Status: 200})},
			"api failed: https://api.upsun.com answers, and not as the API does: GET /users/me: 200 OK: read the answer: invalid character '<' looking for beginning of value; not examined: project shop\n"},
		{"an API at another path, for two users", patient{yaml: "automation_users: {a: {token_env: PLATFORMSH_CLI_TOKEN}, b: {token_env: PLATFORMSH_CLI_TOKEN}}\n" +
			"projects: {shop: {id: shopid, automation_user: a}, blog: {id: blogid, automation_user: b}}\n" +
			"crons: {nightly: {spec: '0 2 * * *', only: {branches: [main]}, task: {backup: {}}}}\n",
			change: strike(sandbox.Fault{PathSuffix: "/users/me", Kind: sandbox.Status, Status: 404})},
			"api failed: https://api.upsun.com answers, and not as the API does: GET /users/me: 404 Not Found: Injected by the sandbox; not examined: project shop, blog\n"},
		{"an environment that is inactive", patient{yaml: nightly, change: func(s *sandbox.Sandbox) {
			s.SetEnvironment("shopid", "main", func(e *sandbox.Environment) { e.Status = "inactive" })
		}}, `targets warning: cron "nightly" has 1 environment to run for, and none is active` + "\n"},
		{"a token that a group may read", patient{yaml: "automation_users: {bot: {token_file: ./token}}\n" + nightly, mode: 0o640},
			`token warning: automation user "bot": its group may read the file DATA/token` + "\n"},
		{"a token that everybody may read", patient{yaml: "automation_users: {bot: {token_file: ./token}}\n" + nightly, mode: 0o644},
			`token warning: automation user "bot": everybody on this machine may read the file DATA/token` + "\n"},
		{"an account that is not told", patient{yaml: nightly, change: strike(sandbox.Fault{PathSuffix: "/users/me", Kind: sandbox.Status, Status: 403})},
			`account failed: automation user "default": GET /users/me: 403 Forbidden: Injected by the sandbox; not examined: project shop` + "\n"},
		{"environments that are not told", patient{yaml: nightly, change: strike(sandbox.Fault{PathSuffix: "/environments", Kind: sandbox.Status, Status: 403})},
			`project failed: project shop cannot be read by automation user "default": GET /projects/{project}/environments: 403 Forbidden: Injected by the sandbox` + "\n"},
		{"a role that is not told", patient{yaml: nightly, change: strike(sandbox.Fault{Match: "/user-access/", Kind: sandbox.Status, Status: 403})},
			`role warning: project shop: the role of automation user "default" is not known: GET /projects/{project}/user-access/{user}: 403 Forbidden: Injected by the sandbox` + "\n"},
		{"a sidecar's branch", patient{yaml: "crons:\n    it: {spec: '0 2 * * *', task: {backup: {}}}\n", variable: "PLATFORM_BRANCH=gone"},
			`project failed: project shopid has no environment "gone"` + "\n"},
		{"an environment that a script names", patient{yaml: cron("cmd: platform backup:create -e gone --yes --no-wait")},
			`task failed: project shop, cron "it": the environment "gone" does not exist` + "\n"},
		{"a project that a script names", patient{yaml: cron("cmd: platform backup:create -p lost -e main --yes --no-wait"), role: "viewer"},
			`project failed: project lost cannot be read by automation user "default": GET /projects/{project}: 404 Not Found: Project not found` + "\n"},
		{"a script that fails", patient{yaml: cron("cmd: 'x=$((1/0)); platform redeploy --yes --no-wait'"), role: "viewer"},
			`task failed: cron "it": arithmetic expression: division by zero` + "\n"},
		{"a role on a type", patient{yaml: nightly, role: "viewer staging:contributor"},
			`role failed: project shop: automation user "default" is viewer on production environments, and admin is wanted: backup (cron "nightly")` + "\n"},
		{"a role on the project", patient{yaml: cron("only: {branches: [main]}, task: {clear_build_cache: {}}")},
			`role failed: project shop: automation user "default" is viewer of the project, and admin is wanted: clear_build_cache (cron "it")` + "\n"},
		{"a role on the project, for a later step", patient{yaml: cron("only: {branches: [main]}, steps: [{backup: {}}, " +
			"{variable_set: {name: A, value: a}}, {variable_set: {name: B, value: b, level: project}}]")},
			`role failed: project shop: automation user "default" is viewer of the project, and admin is wanted: variable_set (cron "it")` + "\n"},
		{"a variable", patient{yaml: cron("only: {branches: [main]}, task: {variable_enable: {name: GONE}}")},
			`task failed: project shop, cron "it": there is no variable "GONE" at the level environment; one of the project's wants the level project` + "\n"},
		{"an operation that is not offered", patient{yaml: nightly, change: func(s *sandbox.Sandbox) {
			s.SetEnvironment("shopid", "main", func(e *sandbox.Environment) { e.Role = "viewer" })
		}}, `task failed: project shop, cron "nightly": the platform does not offer backup on environment "main"; the automation user needs the role admin there` + "\n"},
		{"more than is needed", patient{yaml: nightly, role: "viewer production:admin staging:admin"},
			`privilege warning: project shop: automation user "default" is administrator on staging environments, and no cron needs that` + "\n"},
		{"a missing environment", patient{yaml: cron("only: {branches: [gone]}, task: {backup: {}}")},
			`targets warning: cron "it" has no environment to run for: branch main is not in only.branches [gone]` + "\n"},
		{"a data directory that is a file", patient{yaml: nightly, data: "/dev/null"},
			"store failed: the data directory DATA cannot be written to: not a directory\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.patient.examine(t)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExamine_IsContentWithWhatPasses has what is no fault: what may be otherwise tomorrow.
func TestExamine_IsContentWithWhatPasses(t *testing.T) {
	cron := func(rest string) string { return oneProject + "crons:\n    it: {spec: '0 2 * * *', " + rest + "}\n" }
	set := func(change func(*sandbox.Environment)) func(*sandbox.Sandbox) {
		return func(s *sandbox.Sandbox) { s.SetEnvironment("shopid", "main", change) }
	}
	for name, p := range map[string]patient{
		"an environment at work":      {yaml: nightly, change: set(func(e *sandbox.Environment) { e.Dirty = true })},
		"one that is paused":          {yaml: nightly, change: set(func(e *sandbox.Environment) { e.Status = "paused" })},
		"one to resume":               {yaml: cron("only: {branches: [main]}, task: {resume: {}}")},
		"a guard on another status":   {yaml: cron("only: {branches: [main], status: [paused]}, task: {resume: {}}")},
		"a suspended cron":            {yaml: cron("suspended: true, only: {branches: [main]}, task: {backup: {}}")},
		"a script":                    {yaml: cron(`cmd: '[ "$PLATFORM_BRANCH" = main ] && platform backup:create --yes --no-wait'`)},
		"a second call on a new one":  {yaml: cron(`cmd: '[ "$PLATFORM_BRANCH" = main ] && platform redeploy --yes --no-wait && platform backup:create -e new --yes --no-wait'`)},
		"a second call on a variable": {yaml: cron(`cmd: '[ "$PLATFORM_BRANCH" = main ] && platform redeploy --yes --no-wait && platform variable:enable NEW --yes --no-wait'`)},
		"a type without environments": {yaml: nightly, role: "viewer production:admin testing:admin"},
		"a project's administrator":   {yaml: cron("only: {branches: [main]}, task: {clear_build_cache: {}}"), role: "admin"},
		"an application's own cron":   {yaml: nightly + "    own: {spec: '0 3 * * *', cmd: php worker.php}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.examine(t); got != "" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestExamine_LooksAtTheLedger(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "to", "be", "made")
	if got := (patient{yaml: nightly, data: missing}).examine(t); got != "" {
		t.Errorf("without a directory: %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "to")); !os.IsNotExist(err) {
		t.Errorf("the directory was made: %v", err)
	}
	store, err := ledger.Open(t.Context(), ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if got := (patient{yaml: nightly, data: dir}).examine(t); got != "" {
		t.Errorf("beside a daemon: %s", got)
	}
	if leftover, _ := filepath.Glob(filepath.Join(dir, ".automatond-doctor-*")); leftover != nil {
		t.Errorf("it left %q", leftover)
	}
}

func TestExamine_FindsOutTheProjects(t *testing.T) {
	const yaml = `
projects: {acme: {organization: sandbox}, seen: {discover: all}, shop: {id: shopid}}
crons:
    nightly: {spec: '0 2 * * *', only: {branches: [main]}, task: {backup: {}}}
`
	for name, tt := range map[string]struct {
		change func(*sandbox.Sandbox)
		want   string
	}{
		"what is found is examined": {func(s *sandbox.Sandbox) {
			s.SetEnvironment("blogid", "main", func(e *sandbox.Environment) { e.Type = "staging" })
		}, `role failed: project blogid: automation user "default" is viewer on staging environments, and admin is wanted: backup (cron "nightly")` + "\n"},
		"a list that fails": {func(s *sandbox.Sandbox) {
			s.Inject(sandbox.Fault{PathSuffix: "/projects", Kind: sandbox.Status, Status: 403})
		}, `discovery failed: the projects of acme cannot be found out by automation user "default": page 1: ` +
			"GET /organizations/{organization}/projects: 403 Forbidden: Injected by the sandbox\n"},
		"an empty one": {func(s *sandbox.Sandbox) {
			s.Inject(sandbox.Fault{PathSuffix: "/projects", Kind: sandbox.Status, Status: 200, Body: `{"items":[]}`})
		}, "discovery warning: acme stands for no project\n"},
	} {
		if diff := cmp.Diff(tt.want, patient{yaml: yaml, change: tt.change}.examine(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
