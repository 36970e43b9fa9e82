package tasks

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

func TestPrepare_FollowsTheLinkAndSendsTheBody(t *testing.T) {
	for _, tt := range []struct {
		task Task
		body string
	}{
		{&Backup{}, `{"safe":true}`},
		{&Backup{Live: true}, `{"safe":false}`},
		{&Redeploy{}, ``},
		{&Synchronize{Data: true}, `{"synchronize_code":false,"synchronize_data":true,"rebase":false}`},
		{&Synchronize{Code: true, Resources: true, Rebase: true},
			`{"synchronize_code":true,"synchronize_data":false,"rebase":true,"synchronize_resources":true}`},
		{&Pause{}, ``},
		{&Resume{}, ``},
		{&Activate{}, `{}`},
		{&Activate{ResourcesInit: "minimum"}, `{"resources":{"init":"minimum"}}`},
		{&Deactivate{AllowParent: true}, ``},
		{&Merge{}, `{}`},
		{&Merge{ResourcesInit: "child"}, `{"resources":{"init":"child"}}`},
	} {
		k := tt.task.Kind()
		// The path is the link's, wherever that leads; the plural has been seen.
		env := &platform.Environment{ID: "main", Links: platform.Links{k.Link: "/api/odd/path?x=1"}}
		got, err := Prepare(tt.task, env, nil)
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if got.Method != http.MethodPost || got.Path != "/api/odd/path?x=1" || got.Endpoint != k.Route {
			t.Errorf("%s: got %s %s (%s)", k.Name, got.Method, got.Path, got.Endpoint)
		}
		if string(got.Body) != tt.body {
			t.Errorf("%s: got body %s, want %s", k.Name, got.Body, tt.body)
		}
	}
}

func TestPrepare_SaysWhatHTTPAccessIsToBe(t *testing.T) {
	env := &platform.Environment{ID: "main", Status: "active", Links: platform.Links{"#edit": "/api/main"}}
	for _, tt := range []struct {
		task *HTTPAccess
		body string
	}{
		{&HTTPAccess{Enabled: new(false)}, `{"is_enabled":false}`},
		{&HTTPAccess{ClearAccess: true}, `{"addresses":[]}`},
		{&HTTPAccess{ClearAuth: true}, `{"basic_auth":{}}`},
		{&HTTPAccess{Access: []string{"allow:192.0.2.1", "allow:2001:db8::1", "deny:192.0.2.0/24", "deny:any"}},
			`{"addresses":[{"permission":"allow","address":"192.0.2.1/32"},{"permission":"allow","address":"2001:db8::1/128"},` +
				`{"permission":"deny","address":"192.0.2.0/24"},{"permission":"deny","address":"0.0.0.0/0"}]}`},
		{&HTTPAccess{Enabled: new(true), Auth: map[string]Confidential{"guest": "secret"}}, `{"is_enabled":true,"basic_auth":{"guest":"secret"}}`},
	} {
		got, err := Prepare(tt.task, env, nil)
		if err != nil || got.Method != http.MethodPatch || got.Path != "/api/main" || string(got.Body) != `{"http_access":`+tt.body+`}` {
			t.Errorf("got %s %s %s, %v, want %s", got.Method, got.Path, got.Body, err, tt.body)
		}
	}
}

// nothingThere is a Lookup that finds nothing.
func nothingThere(string, string) (*platform.Resource, error) { return nil, nil }

// resources is a Lookup that finds these, by route and name.
func resources(bodies map[string]string) Lookup {
	return func(route, name string) (*platform.Resource, error) {
		body, ok := bodies[strings.TrimSuffix(route+" "+name, " ")]
		if !ok {
			return nil, nil
		}
		return platform.NewResource([]byte(body)), nil
	}
}

// asked is what is asked for where there are these resources: method, path and body, or a Refusal's reason.
func asked(t *testing.T, task Task, env *platform.Environment, there map[string]string) string {
	t.Helper()
	r, err := Prepare(task, env, resources(there))
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.Method + " " + r.Path + " " + string(r.Body)
}

const (
	testEnvironment  = "/projects/{project}/environments/{environment}"
	ownVariable      = testEnvironment + "/variables/{variable} env:A"
	projectVariable  = "/projects/{project}/variables/{variable} env:A"
	theProject       = "/projects/{project}"
	sourceOperations = testEnvironment + "/source-operations"
	theDeployment    = testEnvironment + "/deployments/current"
	theBackup        = testEnvironment + "/backups/{backup} b1"
	environments     = "/projects/{project}/environments"
	domains          = "/projects/{project}/domains"
	unfinished       = testEnvironment + "/activities?count=50&state=pending&state=in_progress"
	ownDomain        = testEnvironment + "/domains/{domain} new.example"
)

func TestPrepare_LooksBeforeItAsks(t *testing.T) {
	value := Confidential("b")
	project := map[string]string{theProject: `{"_links":{"#manage-variables":{"href":"/api/pv"}}}`}
	with := func(bodies map[string]string, route, body string) map[string]string {
		all := maps.Clone(bodies)
		if all == nil {
			all = map[string]string{}
		}
		all[route] = body
		return all
	}
	const settings = `"_links":{"self":{"href":"https://eu.invalid/api/x/settings"}}`
	const cron, push = `{"type":"environment.cron","_links":{"#cancel":{"href":"/api/cron/cancel"}}}`, `{"type":"environment.push","_links":{"#cancel":{"href":"/api/push/cancel"}}}`
	const restorable = `"_links":{"#restore":{"href":"/api/b1/restore"}}`
	containers := map[string]string{testEnvironment + "/deployments/next": `{"webapps":{"app":{"resources":{"profile_size":"1"},"instance_count":null,"disk":512}},
		"workers":{"app--w":{"resources":null}},"services":{"db":{"resources":{"profile_size":null},"disk":512}},"tasks":{"report":{}},"_links":{"#edit":{"href":"/api/next"}}}`}
	const itself = `{"_links":{"self":{"href":"https://eu.invalid/api/x"}}}`
	scaling := map[string]string{theDeployment: containers[testEnvironment+"/deployments/next"], testEnvironment + "/autoscaling/settings": `{
		"defaults":{"instances":{"min":1,"max":8}},"services":{"app":{"triggers":{"cpu":{"enabled":false,"up":{"threshold":80,"duration":300}}},"instances":{"min":1,"max":8}}}}`}
	const editable = `"_links":{"#edit":{"href":"/api/v/A"}}`
	apps := func(body string) map[string]string {
		return map[string]string{theDeployment: `{"webapps":` + body + `,"workers":{"app--w":{"operations":{"drain":{}}}},"_links":{"#operations":{"href":"/api/ops"}}}`}
	}
	for _, tt := range []struct {
		name  string
		task  Task
		there map[string]string
		want  string // method, path and body; or a Refusal's reason
	}{
		{"set what is missing", &VariableSet{Name: "env:A", Value: &value}, nil,
			`POST /api/vars {"name":"env:A","value":"b","is_json":false,"is_sensitive":false,"is_enabled":true,"is_inheritable":true}`},
		{"set what exists", &VariableSet{Name: "env:A", Value: &value, JSON: new(false)}, map[string]string{ownVariable: `{"value":"c",` + editable + `}`},
			`PATCH /api/v/A {"value":"b","is_json":false}`},
		{"set what is so", &VariableSet{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{"value":"b",` + editable + `}`}, "already"},
		{"set what is sensitive", &VariableSet{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{"is_sensitive":true,` + editable + `}`},
			`PATCH /api/v/A {"value":"b"}`},
		{"enable what has the value", &VariableSet{Name: "env:A", Value: &value, Enabled: new(true)},
			map[string]string{ownVariable: `{"value":"b","is_enabled":false,` + editable + `}`}, `PATCH /api/v/A {"value":"b","is_enabled":true}`},
		{"set what is inherited", &VariableSet{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{"value":"c","inherited":true}`},
			`POST /api/vars {"name":"env:A","value":"b","is_json":false,"is_sensitive":false,"is_enabled":true,"is_inheritable":true}`},
		{"set what may not be edited", &VariableSet{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{"value":"c"}`}, "forbidden"},
		{"create", &VariableCreate{Name: "env:A", Value: &value, Sensitive: new(true), VisibleBuild: new(true)}, nil,
			`POST /api/vars {"name":"env:A","value":"b","is_json":false,"is_sensitive":true,"is_enabled":true,"is_inheritable":true,"visible_build":true}`},
		{"create what exists", &VariableCreate{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{` + editable + `}`}, "conflict"},
		{"update", &VariableUpdate{Name: "env:A", Enabled: new(false)}, map[string]string{ownVariable: `{"is_enabled":true,` + editable + `}`},
			`PATCH /api/v/A {"is_enabled":false}`},
		{"update what is so", &VariableUpdate{Name: "env:A", Enabled: new(false)}, map[string]string{ownVariable: `{"is_enabled":false,` + editable + `}`}, "already"},
		{"update what is missing", &VariableUpdate{Name: "env:A", Enabled: new(false)}, nil, "missing"},
		{"create for one application", &VariableCreate{Name: "env:A", Value: &value, AppScope: []string{"app"}}, nil,
			`POST /api/vars {"name":"env:A","value":"b","is_json":false,"is_sensitive":false,"is_enabled":true,"is_inheritable":true,"application_scope":["app"]}`},
		{"update for all applications", &VariableUpdate{Name: "env:A", AppScope: []string{}}, map[string]string{ownVariable: `{"application_scope":["app"],` + editable + `}`},
			`PATCH /api/v/A {"application_scope":[]}`},
		{"update for the same applications", &VariableUpdate{Name: "env:A", AppScope: []string{"app"}}, map[string]string{ownVariable: `{"application_scope":["app"]}`}, "already"},
		{"update JSON with something else", &VariableUpdate{Name: "env:A", Value: &value}, map[string]string{ownVariable: `{"is_json":true,"value":"{}",` + editable + `}`}, "conflict"},
		{"make JSON of something else", &VariableUpdate{Name: "env:A", JSON: new(true)}, map[string]string{ownVariable: `{"value":"{",` + editable + `}`}, "conflict"},
		{"make JSON of what is not told", &VariableUpdate{Name: "env:A", JSON: new(true)}, map[string]string{ownVariable: `{"is_sensitive":true,` + editable + `}`},
			`PATCH /api/v/A {"is_json":true}`},
		{"create in the project", &VariableCreate{Name: "env:A", Value: &value, Level: "project"}, project,
			`POST /api/pv {"name":"env:A","value":"b","is_json":false,"is_sensitive":false,"visible_build":true,"visible_runtime":true}`},
		{"set in the project", &VariableSet{Name: "env:A", Value: &value, Level: "project"}, with(project, projectVariable, `{"value":"c",`+editable+`}`),
			`PATCH /api/v/A {"value":"b"}`},
		{"create in a project of others", &VariableCreate{Name: "env:A", Value: &value, Level: "project"}, map[string]string{theProject: `{}`}, "forbidden"},

		{"delete", &VariableDelete{Name: "env:A"}, map[string]string{ownVariable: `{"_links":{"#delete":{"href":"/api/v/A"}}}`}, `DELETE /api/v/A `},
		{"delete in the project", &VariableDelete{Name: "env:A", Level: "project"},
			with(project, projectVariable, `{"_links":{"#delete":{"href":"/api/v/A"}}}`), `DELETE /api/v/A `},
		{"delete what is missing", &VariableDelete{Name: "env:A"}, nil, "missing"},
		{"delete what is inherited", &VariableDelete{Name: "env:A"}, map[string]string{ownVariable: `{"inherited":true}`}, "conflict"},
		{"delete what may not be deleted", &VariableDelete{Name: "env:A"}, map[string]string{ownVariable: `{` + editable + `}`}, "forbidden"},
		{"enable", &VariableEnable{Name: "env:A"}, map[string]string{ownVariable: `{"is_enabled":false,` + editable + `}`}, `PATCH /api/v/A {"is_enabled":true}`},
		{"enable what is enabled", &VariableEnable{Name: "env:A"}, map[string]string{ownVariable: `{"is_enabled":true,` + editable + `}`}, "already"},
		{"enable what is missing", &VariableEnable{Name: "env:A"}, nil, "missing"},
		{"disable", &VariableDisable{Name: "env:A"}, map[string]string{ownVariable: `{"is_enabled":true,` + editable + `}`}, `PATCH /api/v/A {"is_enabled":false}`},
		{"disable what is disabled", &VariableDisable{Name: "env:A"}, map[string]string{ownVariable: `{"is_enabled":false,` + editable + `}`}, "already"},

		{"run an operation", &Operation{Operation: "migrate", Parameters: []string{"x"}}, apps(`{"app":{"operations":{"migrate":{}}}}`),
			`POST /api/ops {"operation":"migrate","service":"app","parameters":["x"]}`},
		{"run a worker's operation", &Operation{Operation: "drain"}, apps(`{"app":{}}`), `POST /api/ops {"operation":"drain","service":"app--w"}`},
		{"run an operation of one of two", &Operation{Operation: "drain", App: "app"}, apps(`{"app":{"operations":{"drain":{}}}}`),
			`POST /api/ops {"operation":"drain","service":"app"}`},
		{"run a worker's operation, whose application is not named", &Operation{Operation: "drain", App: "--w"}, apps(`{"app":{"operations":{"drain":{}}}}`),
			`POST /api/ops {"operation":"drain","service":"app--w"}`},
		{"run an operation of no such worker", &Operation{Operation: "drain", App: "--v"}, apps(`{"app":{"operations":{"drain":{}}}}`), "missing"},
		{"run an operation of two", &Operation{Operation: "drain"}, apps(`{"app":{"operations":{"drain":{}}}}`), "conflict"},
		{"run an operation of nobody", &Operation{Operation: "migrate"}, apps(`{"app":{}}`), "missing"},
		{"run an operation of another", &Operation{Operation: "migrate", App: "api"}, apps(`{"app":{"operations":{"migrate":{}}}}`), "missing"},
		{"run a forbidden operation", &Operation{Operation: "migrate"}, map[string]string{theDeployment: `{}`}, "forbidden"},
		{"run an operation of no deployment", &Operation{Operation: "migrate"}, nil, "forbidden"},

		{"run a source operation", &SourceOperation{Operation: "update"}, map[string]string{sourceOperations: `[{"operation":"x"},{"operation":"update"}]`},
			`POST /api/source {"operation":"update","variables":{}}`},
		{"run a source operation with variables", &SourceOperation{Operation: "x", Variables: map[string]map[string]string{"env": {"B": "2", "A": "1"}}},
			map[string]string{sourceOperations: `[{"operation":"x"}]`}, `POST /api/source {"operation":"x","variables":{"env":{"A":"1","B":"2"}}}`},
		{"run a source operation of nobody", &SourceOperation{Operation: "y"}, map[string]string{sourceOperations: `[{"operation":"x"}]`}, "missing"},
		{"run a source operation where there are none", &SourceOperation{Operation: "y"}, map[string]string{sourceOperations: `[]`}, "missing"},
		{"run a source operation where they are not listed", &SourceOperation{Operation: "y"}, nil, `POST /api/source {"operation":"y","variables":{}}`},
		{"run a task", &TaskRun{Task: "a/b"}, map[string]string{testEnvironment: itself, testEnvironment + "/tasks": `[{"name":"x"},{"name":"a/b"}]`},
			`POST /api/x/tasks/a%2Fb/run {"variables":{}}`},
		{"run a task with variables", &TaskRun{Task: "x", Variables: map[string]map[string]string{"env": {"A": "b"}}},
			map[string]string{testEnvironment: itself, testEnvironment + "/tasks": `[{"name":"x"}]`}, `POST /api/x/tasks/x/run {"variables":{"env":{"A":"b"}}}`},
		{"run a task of nobody", &TaskRun{Task: "y"}, map[string]string{testEnvironment + "/tasks": `[{"name":"x"}]`}, "missing"},
		{"run a task where there are none", &TaskRun{Task: "y"}, nil, "missing"},
		{"size what there is", &ResourcesSet{Sizes: map[string]string{"app": "1", "db": "0.5", "report": "2"}, Counts: map[string]int{"app": 2, "app--w": 1}, Disks: map[string]int{"app": 512, "db": 1024}}, containers,
			`PATCH /api/next {"services":{"db":{"resources":{"profile_size":"0.5"},"disk":1024}},"tasks":{"report":{"resources":{"profile_size":"2"}}},` +
				`"webapps":{"app":{"instance_count":2}}}`},
		{"size what is so", &ResourcesSet{Sizes: map[string]string{"app": "1"}, Counts: map[string]int{"app--w": 1}, Disks: map[string]int{"app": 512}}, containers, "already"},
		{"size by another spelling", &ResourcesSet{Sizes: map[string]string{"app": "1.0", "db": ".25"}}, containers,
			`PATCH /api/next {"services":{"db":{"resources":{"profile_size":"0.25"}}}}`},
		{"size by a name", &ResourcesSet{Sizes: map[string]string{"db": "infinity"}}, containers,
			`PATCH /api/next {"services":{"db":{"resources":{"profile_size":"infinity"}}}}`},
		{"size nobody", &ResourcesSet{Sizes: map[string]string{"api": "1"}}, containers, "missing"},
		{"count a service", &ResourcesSet{Counts: map[string]int{"db": 2}}, containers, "conflict"},
		{"a disk for a task", &ResourcesSet{Disks: map[string]int{"report": 2}}, containers, "conflict"},
		{"size without the right", &ResourcesSet{Sizes: map[string]string{"app": "2"}}, map[string]string{testEnvironment + "/deployments/next": `{}`}, "forbidden"},
		{"size without a deployment", &ResourcesSet{Sizes: map[string]string{"app": "2"}}, nil, "forbidden"},
		{"restore", &BackupRestore{Backup: "b1"}, map[string]string{theBackup: `{"id":"b1",` + restorable + `}`}, `POST /api/b1/restore {"environment_name":"x"}`},
		{"restore the newest", &BackupRestore{Target: "y", BranchFrom: "main", NoCode: true, NoResources: true, ResourcesInit: "backup"},
			map[string]string{testEnvironment + "/backups": `[{"id":"b1",` + restorable + `},{"id":"b0"}]`, environments: `[{"id":"main"}]`},
			`POST /api/b1/restore {"environment_name":"y","branch_from":"main","restore_code":false,"restore_resources":false,"resources":{"init":"backup"}}`},
		{"restore to a branch from nowhere", &BackupRestore{Backup: "b1", Target: "y", BranchFrom: "main"}, map[string]string{theBackup: `{"id":"b1",` + restorable + `}`}, "missing"},
		{"restore the newest of none", &BackupRestore{}, map[string]string{testEnvironment + "/backups": `[]`}, "missing"},
		{"restore what is missing", &BackupRestore{Backup: "b1"}, nil, "missing"},
		{"restore what cannot be restored", &BackupRestore{Backup: "b1"}, map[string]string{theBackup: `{"restorable":false,` + restorable + `}`}, "conflict"},
		{"restore what may not be restored", &BackupRestore{Backup: "b1"}, map[string]string{theBackup: `{}`}, "forbidden"},
		{"delete a backup", &BackupDelete{Backup: "b1"}, map[string]string{theBackup: `{"_links":{"self":{"href":"https://eu.invalid/api/b1"}}}`}, `DELETE /api/b1 `},
		{"delete a backup by its link", &BackupDelete{Backup: "b1"}, map[string]string{theBackup: `{"_links":{"#delete":{"href":"/api/b1/d"}}}`}, `DELETE /api/b1/d `},
		{"delete a backup that is missing", &BackupDelete{Backup: "b1"}, nil, "missing"},
		{"delete a backup without links", &BackupDelete{Backup: "b1"}, map[string]string{theBackup: `{}`}, "forbidden"},
		{"branch", &Branch{Name: "new"}, map[string]string{environments: `[{"id":"x"}]`}, `POST /api/branch {"name":"new","title":"new","clone_parent":true}`},
		{"branch with everything", &Branch{Name: "new", Title: "New", Type: "staging", NoCloneParent: true, ResourcesInit: "parent"}, nil,
			`POST /api/branch {"name":"new","title":"New","clone_parent":false,"type":"staging","resources":{"init":"parent"}}`},
		{"branch to a name that is taken", &Branch{Name: "new"}, map[string]string{environments: `[{"id":"x"},{"id":"new"}]`}, "conflict"},
		{"clear the build cache", &ClearBuildCache{}, map[string]string{theProject: `{"_links":{"#clear-build-cache":{"href":"/api/p/clear"}}}`}, `POST /api/p/clear `},
		{"clear the build cache without a link", &ClearBuildCache{}, map[string]string{theProject: `{"_links":{"self":{"href":"https://eu.invalid/api/p"}}}`},
			`POST /api/p/clear_build_cache `},
		{"clear the build cache of nothing", &ClearBuildCache{}, map[string]string{theProject: `{}`}, "forbidden"},
		{"clear the build cache of no project", &ClearBuildCache{}, nil, "missing"},

		{"deactivate", &Deactivate{}, map[string]string{environments: `[{"id":"main","parent":null},{"id":"x","parent":"main"}]`}, `POST /api/deactivate `},
		{"deactivate a parent", &Deactivate{}, map[string]string{environments: `[{"id":"x","parent":"main"},{"id":"y","parent":"x"}]`}, "conflict"},
		{"deactivate a parent on purpose", &Deactivate{AllowParent: true}, map[string]string{environments: `[{"id":"y","parent":"x"}]`}, `POST /api/deactivate `},
		{"deploy nothing", &Deploy{}, nil, "already"},
		{"delete what is active", &EnvironmentDelete{}, nil, "inactive"},

		{"deploy by hand", &DeployType{Type: "manual"}, map[string]string{testEnvironment + "/settings": `{"enable_manual_deployments":false,` + settings + `}`},
			`PATCH /api/x/settings {"enable_manual_deployments":true}`},
		{"deploy as it comes", &DeployType{Type: "automatic"}, map[string]string{testEnvironment + "/settings": `{"enable_manual_deployments":false}`}, "already"},
		{"deploy without settings", &DeployType{Type: "manual"}, nil, "forbidden"},
		{"cancel the newest", &ActivityCancel{}, map[string]string{unfinished: `[` + cron + `,` + push + `]`}, `POST /api/cron/cancel `},
		{"cancel of a type", &ActivityCancel{Types: []string{"push"}}, map[string]string{unfinished: `[` + cron + `,` + push + `]`}, `POST /api/push/cancel `},
		{"cancel of other types", &ActivityCancel{ExcludeTypes: []string{"environment.c*"}}, map[string]string{unfinished: `[` + cron + `,` + push + `]`}, `POST /api/push/cancel `},
		{"cancel what is no text", &ActivityCancel{Types: []string{"\xff"}}, map[string]string{unfinished: `[` + cron + `]`}, "already"},
		{"cancel nothing", &ActivityCancel{Types: []string{"backup"}}, map[string]string{unfinished: `[` + cron + `]`}, "already"},
		{"cancel what may not be cancelled", &ActivityCancel{}, map[string]string{unfinished: `[{"type":"environment.cron"}]`}, "forbidden"},
		{"set the project's title", &ProjectInfo{Title: "T"}, map[string]string{theProject: `{"title":"S","_links":{"#edit":{"href":"/api/p"}}}`}, `PATCH /api/p {"title":"T"}`},
		{"set what the project has", &ProjectInfo{Title: "T"}, map[string]string{theProject: `{"title":"T"}`}, "already"},
		{"set a project of others", &ProjectInfo{Title: "T"}, map[string]string{theProject: `{"title":"S"}`}, "forbidden"},
		{"set no project", &ProjectInfo{Title: "T"}, nil, "missing"},

		{"add a domain where production has none", &DomainAdd{Name: "new.example"}, nil, "missing"},
		{"add a domain", &DomainAdd{Name: "new.example", Attach: "shop.example"}, map[string]string{domains: `[{"name":"shop.example"},{"name":"b.example"}]`},
			`POST /api/domains {"name":"new.example","replacement_for":"shop.example"}`},
		{"add a domain to the only one", &DomainAdd{Name: "new.example"}, map[string]string{domains: `[{"name":"shop.example"}]`},
			`POST /api/domains {"name":"new.example","replacement_for":"shop.example"}`},
		{"add a domain to the default one", &DomainAdd{Name: "new.example"},
			map[string]string{domains: `[{"name":"a.example"},{"name":"b.example"}]`, theProject: `{"default_domain":"b.example"}`},
			`POST /api/domains {"name":"new.example","replacement_for":"b.example"}`},
		{"add a domain to one of two", &DomainAdd{Name: "new.example"},
			map[string]string{domains: `[{"name":"a.example"},{"name":"b.example"}]`, theProject: `{}`}, "conflict"},
		{"add a domain to a missing one", &DomainAdd{Name: "new.example", Attach: "c.example"}, map[string]string{domains: `[{"name":"a.example"}]`}, "missing"},
		{"add a domain that is there", &DomainAdd{Name: "new.example"}, map[string]string{ownDomain: `{"name":"new.example","replacement_for":"a.example"}`}, "already"},
		{"add a domain that is attached elsewhere", &DomainAdd{Name: "new.example", Attach: "b.example"},
			map[string]string{ownDomain: `{"name":"new.example","replacement_for":"a.example"}`}, "conflict"},
		{"delete a domain", &DomainDelete{Name: "new.example"}, map[string]string{ownDomain: itself}, `DELETE /api/x `},
		{"delete a domain by its link", &DomainDelete{Name: "new.example"}, map[string]string{ownDomain: `{"_links":{"#delete":{"href":"/api/d"}}}`}, `DELETE /api/d `},
		{"delete a domain that is missing", &DomainDelete{Name: "new.example"}, nil, "missing"},
		{"delete a domain without links", &DomainDelete{Name: "new.example"}, map[string]string{ownDomain: `{}`}, "forbidden"},
		{"delete a certificate", &CertificateDelete{Certificate: "c1"}, map[string]string{oneCertificate + "c1": itself}, `DELETE /api/x `},
		{"delete a certificate by its start", &CertificateDelete{Certificate: "c"},
			map[string]string{certificates: `[{"id":"b1"},{"id":"c1"}]`, oneCertificate + "c1": itself}, `DELETE /api/x `},
		{"delete one of two certificates", &CertificateDelete{Certificate: "c"}, map[string]string{certificates: `[{"id":"c1"},{"id":"c2"}]`}, "conflict"},
		{"delete a certificate that is missing", &CertificateDelete{Certificate: "c1"}, map[string]string{certificates: `[]`}, "missing"},
		{"delete the platform's certificate", &CertificateDelete{Certificate: "c1"}, map[string]string{oneCertificate + "c1": `{"is_provisioned":true}`}, "conflict"},
		{"delete a certificate without links", &CertificateDelete{Certificate: "c1"}, map[string]string{oneCertificate + "c1": `{}`}, "forbidden"},
		{"scale", &AutoscalingSet{Service: "app", Metric: "cpu", Enabled: new(true), ThresholdUp: new(70.5), DurationUp: Duration(time.Hour), InstancesMax: 4}, scaling,
			`PATCH /api/scaling {"services":{"app":{"instances":{"max":4},"triggers":{"cpu":{"enabled":true,"up":{"duration":3600,"threshold":70.5}}}}}}`},
		{"scale a worker down", &AutoscalingSet{Service: "app--w", Metric: "memory", ThresholdDown: new(0.0), DurationDown: Duration(time.Minute),
			CooldownUp: Duration(5 * time.Minute), CooldownDown: Duration(time.Minute), InstancesMin: 2}, scaling,
			`PATCH /api/scaling {"services":{"app--w":{"instances":{"min":2},"scale_cooldown":{"down":60,"up":300},"triggers":{"memory":{"down":{"duration":60,"threshold":0}}}}}}`},
		{"scale what is so", &AutoscalingSet{Service: "app", Metric: "cpu", ThresholdUp: new(80.0), InstancesMin: 1}, scaling, "already"},
		{"scale nobody", &AutoscalingSet{Service: "api", InstancesMin: 2}, scaling, "missing"},
		{"scale too far", &AutoscalingSet{Service: "app", InstancesMax: 9}, scaling, "conflict"},
		{"scale without a deployment", &AutoscalingSet{Service: "app", InstancesMax: 2}, nil, "missing"},

		{"set properties", &EnvironmentInfo{Title: "X", EnableSMTP: new(false)}, map[string]string{testEnvironment: `{"title":"X","enable_smtp":true}`},
			`PATCH /api/x {"enable_smtp":false,"title":"X"}`},
		{"set properties that are so", &EnvironmentInfo{Title: "X", EnableSMTP: new(false)},
			map[string]string{testEnvironment: `{"title":"X","enable_smtp":false}`}, "already"},
		{"set a parent", &EnvironmentInfo{Parent: "y"}, map[string]string{environments: `[{"id":"x"},{"id":"y"}]`}, `PATCH /api/x {"parent":"y"}`},
		{"set a parent that is missing", &EnvironmentInfo{Parent: "y"}, map[string]string{environments: `[{"id":"x"}]`}, "missing"},
		{"set a child as parent", &EnvironmentInfo{Parent: "y"}, map[string]string{environments: `[{"id":"y","parent":"x"}]`}, "conflict"},
		{"set itself as parent", &EnvironmentInfo{Parent: "x"}, map[string]string{environments: `[{"id":"x"}]`}, "conflict"},
		{"take the parent away", &EnvironmentInfo{ClearParent: true}, map[string]string{testEnvironment: `{"parent":"main"}`}, `PATCH /api/x {"parent":null}`},
		{"take no parent away", &EnvironmentInfo{ClearParent: true}, map[string]string{testEnvironment: `{"parent":null}`}, "already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := &platform.Environment{ID: "x", Status: "active", Links: platform.Links{
				"#manage-variables": "/api/vars", "#deactivate": "/api/deactivate", "#branch": "/api/branch", "#deploy": "/api/deploy", "#edit": "/api/x",
				"#domains": "/api/domains", "#manage-autoscaling": "/api/scaling", "#source-operation": "/api/source"}}
			if got := asked(t, tt.task, env, tt.there); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPrepare_PassesOnThatItCouldNotLook(t *testing.T) {
	away := errors.New("away")
	look := func(string, string) (*platform.Resource, error) { return nil, away }
	env := &platform.Environment{ID: "x", Status: "active", Parent: "p", Links: platform.Links{"#manage-variables": "/v", "#deactivate": "/d", "#branch": "/b", "#domains": "/o", "#manage-autoscaling": "/s", "#source-operation": "/c"}}
	value := Confidential("b")
	for _, task := range []Task{
		&VariableSet{Name: "A", Value: &value}, &VariableCreate{Name: "A", Value: &value, Level: "project"},
		&VariableUpdate{Name: "A", Value: &value}, &BackupRestore{}, &BackupRestore{Backup: "b"}, &BackupDelete{Backup: "b"}, &BackupVerify{}, &API{Path: "x"}, &TaskRun{Task: "t"}, &SourceOperation{Operation: "o"}, &Merge{}, &ResourcesSet{}, &Branch{Name: "y"}, &ClearBuildCache{},
		&VariableDelete{Name: "A"}, &VariableEnable{Name: "A"}, &VariableDisable{Name: "A"}, &Operation{Operation: "o"}, &Deactivate{},
		&EnvironmentInfo{Title: "T"}, &DeployType{Type: "manual"}, &ActivityCancel{}, &ProjectInfo{Title: "T"},
		&DomainAdd{Name: "a.example"}, &DomainDelete{Name: "a.example"}, &AutoscalingSet{Service: "app"}, &CertificateDelete{Certificate: "c"},
		&CertificateAdd{Certificate: testFile(t, "certificate.pem"), Key: testFile(t, "key.pem")},
	} {
		if _, err := Prepare(task, env, look); !errors.Is(err, away) {
			t.Errorf("%s: got %v", task.Kind().Name, err)
		}
	}
}

func TestPrepare_DeploysWhatIsStaged(t *testing.T) {
	env := &platform.Environment{ID: "x", Status: "active", HasStagedActivities: true, CanRollingDeploy: true, Links: platform.Links{"#deploy": "/api/deploy"}}
	for task, want := range map[*Deploy]string{{}: `{"strategy":"stopstart"}`, {Strategy: "rolling"}: `{"strategy":"rolling"}`} {
		if r, err := Prepare(task, env, nil); err != nil || string(r.Body) != want {
			t.Errorf("%+v: got %s, %v, want %s", task, r.Body, err, want)
		}
	}
	env.CanRollingDeploy = false
	if got := asked(t, &Deploy{Strategy: "rolling"}, env, nil); got != RefusedConflict {
		t.Errorf("rolling where that is not possible: got %s", got)
	}
}

func TestPrepare_SaysThatTheParentIsInTheWay(t *testing.T) {
	env := &platform.Environment{ID: "x", Status: "active", Parent: "main"}
	for _, task := range []Task{&Synchronize{Data: true}, &Merge{}} {
		for status, want := range map[string]string{"paused": RefusedInactive, "inactive": RefusedInactive, "dirty": RefusedForbidden, "active": RefusedForbidden} {
			if got := asked(t, task, env, map[string]string{environments: `[{"id":"x"},{"id":"main","status":"` + status + `"}]`}); got != want {
				t.Errorf("%s, the parent %s: got %s, want %s", task.Kind().Name, status, got, want)
			}
		}
	}
}

func TestPrepare_ReadsAMissingLinkWithTheEnvironment(t *testing.T) {
	for _, tt := range []struct {
		name    string
		task    Task
		env     platform.Environment
		reason  string
		message string
	}{
		{"dirty flag", &Backup{}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending or in progress"},
		{"dirty status", &Backup{}, platform.Environment{Status: "dirty"}, "dirty", "pending or in progress"},
		{"paused and waking up", &Backup{}, platform.Environment{Status: "paused", IsDirty: true}, "dirty", "pending"},
		{"paused and waking up, to be paused", &Pause{}, platform.Environment{Status: "paused", IsDirty: true}, "dirty", "pending"},
		{"inactive", &Backup{}, platform.Environment{Status: "inactive"}, "inactive", `"x" is inactive, backup wants it active`},
		{"paused", &Redeploy{}, platform.Environment{Status: "paused"}, "inactive", "is paused"},
		{"deleting", &Backup{}, platform.Environment{Status: "deleting", IsDirty: true}, "inactive", "being deleted"},
		{"no status", &Backup{}, platform.Environment{}, "inactive", "unknown status"},
		{"forbidden", &Backup{}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"no parent", &Synchronize{Data: true}, platform.Environment{Status: "active"}, "missing", "no parent"},
		{"parent", &Synchronize{Data: true}, platform.Environment{Status: "active", Parent: "main"}, "forbidden", "role admin"},
		{"already paused", &Pause{}, platform.Environment{Status: "paused"}, "already", "is paused already"},
		{"already awake", &Resume{}, platform.Environment{Status: "active"}, "already", "is active already"},
		{"inactive, to be resumed", &Resume{}, platform.Environment{Status: "inactive"}, "inactive", "wants it paused"},
		{"active already", &Activate{}, platform.Environment{Status: "active"}, "already", "is active already"},
		{"paused, to be activated", &Activate{}, platform.Environment{Status: "paused"}, "inactive", "wants it inactive"},
		{"inactive already", &Deactivate{}, platform.Environment{Status: "inactive"}, "already", "is inactive already"},
		{"variables of a dirty one", &VariableUpdate{Name: "A", Enabled: new(true)}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"no parent to merge into", &Merge{}, platform.Environment{Status: "active"}, "missing", "no parent, and merge"},
		{"merge forbidden", &Merge{}, platform.Environment{Status: "active", Parent: "main"}, "forbidden", "role admin"},
		{"merge a dirty one", &Merge{}, platform.Environment{Status: "active", Parent: "main", IsDirty: true}, "dirty", "pending"},
		{"branch a paused one", &Branch{Name: "y"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"branch forbidden", &Branch{Name: "y"}, platform.Environment{Status: "active"}, "forbidden", "role viewer"},
		{"deletion on a dirty one", &VariableDelete{Name: "A"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"deletion on a paused one", &VariableDelete{Name: "A"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"deletion forbidden", &VariableDelete{Name: "A"}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"task of a paused one", &TaskRun{Task: "t"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"task of a dirty one", &TaskRun{Task: "t"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"operation of a paused one", &Operation{Operation: "o"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"delete what is paused", &EnvironmentDelete{}, platform.Environment{Status: "paused"}, "inactive", "wants it inactive"},
		{"delete what is being deactivated", &EnvironmentDelete{}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"delete what is being deleted", &EnvironmentDelete{}, platform.Environment{Status: "deleting"}, "already", "being deleted already"},
		{"delete the default branch", &EnvironmentDelete{}, platform.Environment{Status: "inactive", IsMain: true}, "conflict", "default branch"},
		{"deployment type of a dirty one", &DeployType{Type: "manual"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"manual deployments of a paused one", &DeployType{Type: "manual"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"properties of a dirty one", &EnvironmentInfo{Title: "T"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"properties forbidden", &EnvironmentInfo{Title: "T"}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"domain of a dirty one", &DomainAdd{Name: "a.example"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"domain of a paused one", &DomainAdd{Name: "a.example"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"domain forbidden", &DomainAdd{Name: "a.example"}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"scaling of a dirty one", &AutoscalingSet{Service: "app"}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending"},
		{"scaling of a paused one", &AutoscalingSet{Service: "app"}, platform.Environment{Status: "paused"}, "inactive", "wants it active"},
		{"scaling forbidden", &AutoscalingSet{Service: "app"}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"paused, resume forbidden", &Resume{}, platform.Environment{Status: "paused"}, "forbidden", "role admin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.env.ID = "x"
			tt.env.Links = platform.Links{"self": "/projects/p/environments/x"}
			_, err := Prepare(tt.task, &tt.env, nothingThere)
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatalf("got %v, want a refusal", err)
			}
			if refusal.Reason != tt.reason || !strings.Contains(refusal.Message, tt.message) {
				t.Errorf("got %s: %s", refusal.Reason, refusal.Message)
			}
		})
	}
}

// TestPrepare_RefusesEachTaskWhereItCannotBe has every entry of the catalogue say why, where the platform
// offers nothing: because of an activity, of the environment's status, or of the user's role.
func TestPrepare_RefusesEachTaskWhereItCannotBe(t *testing.T) {
	anyway := map[string]string{theProject: `{}`, certificates: `[]`, oneCertificate + "c1": `{}`, unfinished: `[{"type":"environment.push"}]`}
	there := map[string]string{
		testEnvironment: `{}`, theBackup: `{}`, testEnvironment + "/backups": `[{"id":"b1"}]`, testEnvironment + "/settings": `{}`,
		testEnvironment + "/tasks": `[{"name":"migrate"}]`, theDeployment: `{"webapps":{"app":{"operations":{"migrate":{}}}}}`,
		testEnvironment + "/deployments/next": `{}`, testEnvironment + "/domains/{domain} a.example": `{}`,
	}
	for _, kind := range Catalogue() {
		if kind.ReadOnly || kind.Free {
			continue // what a check or the api needs is its own affair
		}
		t.Run(kind.Name, func(t *testing.T) {
			all := append(samples(), confiding("pa55word")...)
			i := slices.IndexFunc(all, func(task Task) bool { return task.Kind() == kind })
			if i < 0 {
				t.Fatal("it has no sample")
			}
			task := all[i]
			if c, ok := task.(*CertificateAdd); ok {
				c.Certificate, c.Key = testFile(t, "certificate.pem"), testFile(t, "key.pem")
			}
			for _, status := range []string{"active", "paused", "inactive", "deleting"} {
				env := &platform.Environment{ID: "x", Status: status, Parent: "main", Type: "staging", HasStagedActivities: true}
				if ProjectWide(task) || kind == activityCancel {
					// Nothing of the environment's state is in the way of what changes the project, or ends what keeps it busy.
					for _, env.IsDirty = range []bool{false, true} {
						if got := asked(t, task, env, anyway); got != RefusedForbidden {
							t.Errorf("%s, busy %v, without the right: got %s", status, env.IsDirty, got)
						}
					}
					continue
				}
				want := []string{RefusedForbidden}
				if !kind.Accepts(status) {
					want = []string{RefusedInactive, RefusedAlready}
				}
				if got := asked(t, task, env, there); !slices.Contains(want, got) {
					t.Errorf("%s: got %s, want one of %s", status, got, want)
				}
				if env.IsDirty = true; status == kind.Statuses[0] && asked(t, task, env, there) != RefusedDirty {
					t.Errorf("%s and busy: got %s", status, asked(t, task, env, there))
				}
			}
		})
	}
}

func TestPrepare_DeletesAnInactiveEnvironment(t *testing.T) {
	const itself, linked = `{"_links":{"self":{"href":"/api/x"}}}`, `{"_links":{"self":{"href":"/api/x"},"#delete":{"href":"/api/d"}}}`
	const child, none = `[{"id":"y","parent":"x"}]`, `[{"id":"x"}]`
	for _, tt := range []struct {
		name         string
		task         *EnvironmentDelete
		dirty        bool
		environments string
		environment  string
		want         string
	}{
		{"by its link", &EnvironmentDelete{}, false, none, linked, "DELETE /api/d"},
		{"by itself", &EnvironmentDelete{}, false, none, itself, "DELETE /api/x"},
		{"by itself while it is dirty", &EnvironmentDelete{}, true, none, itself, "dirty"},
		{"without any link", &EnvironmentDelete{}, false, none, `{}`, "forbidden"},
		{"a parent", &EnvironmentDelete{}, false, child, itself, "conflict"},
		{"a parent on purpose", &EnvironmentDelete{AllowParent: true}, false, child, itself, "DELETE /api/x"},
	} {
		env := &platform.Environment{ID: "x", Status: "inactive", IsDirty: tt.dirty}
		there := map[string]string{environments: tt.environments, testEnvironment: tt.environment}
		if got := strings.TrimSpace(asked(t, tt.task, env, there)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	env := &platform.Environment{ID: "x", Status: "inactive"}
	if _, err := Prepare(&EnvironmentDelete{}, env, nothingThere); !Done(&EnvironmentDelete{}, err) {
		t.Errorf("gone: %v", err)
	}
}

func TestPrepare_AttachesNoDomainOfProduction(t *testing.T) {
	for _, env := range []*platform.Environment{{ID: "main", IsMain: true}, {ID: "live", Type: "production"}} {
		env.Status, env.Links = "active", platform.Links{"#domains": "/api/domains"}
		if r, err := Prepare(&DomainAdd{Name: "a.example"}, env, nothingThere); err != nil || string(r.Body) != `{"name":"a.example"}` {
			t.Errorf("%s: got %s, %v", env.ID, r.Body, err)
		}
		_, err := Prepare(&DomainAdd{Name: "a.example", Attach: "b.example"}, env, nothingThere)
		if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Reason != RefusedConflict {
			t.Errorf("%s, attached: got %v", env.ID, err)
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	env := &platform.Environment{ID: "main", Status: "active", Links: platform.Links{"#backup": "/api/projects/p/environments/main/backup"}}
	task := &Backup{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Prepare(task, env, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPrepare_WaitsWithADeletionUntilTheEnvironmentIsClean(t *testing.T) {
	there := resources(map[string]string{theBackup: `{"_links":{"self":{"href":"/api/b1"}}}`, ownDomain: `{"_links":{"self":{"href":"/api/d"}}}`})
	for _, task := range []Task{&BackupDelete{Backup: "b1"}, &BackupRestore{Backup: "b1"}, &DomainDelete{Name: "new.example"}} {
		_, err := Prepare(task, &platform.Environment{ID: "x", Status: "active", IsDirty: true}, there)
		if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Reason != RefusedDirty {
			t.Errorf("%s: got %v", task.Kind().Name, err)
		}
	}
}
