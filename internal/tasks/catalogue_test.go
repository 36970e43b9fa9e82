package tasks

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

func TestCatalogue_EveryEntryIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Catalogue() {
		t.Run(k.Name, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(k.Name) {
				t.Errorf("name %q is no key in snake case", k.Name)
			}
			if names[k.Name] {
				t.Errorf("name %q is taken twice", k.Name)
			}
			names[k.Name] = true
			if k.Summary == "" || strings.HasSuffix(k.Summary, ".") {
				t.Errorf("summary %q: want one clause without a full stop", k.Summary)
			}
			if !strings.HasPrefix(k.Link, "#") && k.Link != "self" && k.Link != "" {
				t.Errorf("link %q does not start with #", k.Link)
			}
			if !strings.HasPrefix(k.Route+"/", environmentRoute+"/") && !ProjectWide(k.New()) {
				t.Errorf("route %q is not under the environment", k.Route)
			}
			if !slices.Contains([]string{"viewer", "contributor", "admin"}, k.Role) && !k.Free {
				t.Errorf("role %q is none of the platform's", k.Role)
			}
			if len(k.Statuses) == 0 {
				t.Error("no status accepts it")
			}
			for _, s := range k.Statuses {
				if !slices.Contains([]string{"active", "inactive", "paused"}, s) {
					t.Errorf("status %q: no environment stays in it", s)
				}
			}
			if proven := len(k.Witness.Activities) > 0 || k.Witness.Status != "" || k.Witness.Done; proven == (k.ReadOnly || k.Free) {
				t.Errorf("something proves that it executed: %v, it only reads: %v, it is free: %v", proven, k.ReadOnly, k.Free)
			}
			if k.Witness.Status != "" && k.Accepts(k.Witness.Status) {
				t.Error("accepted in the status it leads to")
			}
			if k.Command != "" {
				checkCommand(t, k)
			}
			checkTask(t, k)
		})
	}
}

// checkCommand holds the entry against the list of the CLI's commands.
func checkCommand(t *testing.T, k *Kind) {
	t.Helper()
	i := slices.IndexFunc(cliCommands, func(names []string) bool { return names[0] == k.Command })
	if i < 0 {
		t.Fatalf("command %q is not one of the CLI's", k.Command)
	}
	if got, want := k.Aliases, cliCommands[i][1:]; !slices.Equal(got, want) {
		t.Errorf("aliases: got %q, the CLI has %q", got, want)
	}
	for _, name := range append([]string{k.Command}, k.Aliases...) {
		if got, err := ByCommand(name); err != nil || got.Command != k.Command {
			t.Errorf("ByCommand(%q) = %v, %v", name, got, err)
		}
	}
	if parsed, err := k.FromCLI(Input{}); err == nil && parsed.Kind().Command != k.Command {
		t.Error("FromCLI returns another command's kind")
	}
	for i, a := range k.Arguments {
		if a.Repeated && i != len(k.Arguments)-1 {
			t.Errorf("argument %q is repeated, but not the last", a.Name)
		}
	}
}

// checkTask holds the entry's Go type against what others do with it.
func checkTask(t *testing.T, k *Kind) {
	t.Helper()
	task := k.New()
	typ := reflect.TypeOf(task)
	if typ.Kind() != reflect.Pointer || typ.Elem().Kind() != reflect.Struct {
		t.Fatalf("New returns a %v, which is no pointer to a struct", typ)
	}
	if task.Kind() != k {
		t.Error("its task names another kind")
	}
	if k.New() == task && typ.Elem().Size() > 0 {
		t.Error("New returns the same task twice")
	}
	for i := range typ.Elem().NumField() {
		f := typ.Elem().Field(i)
		y, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		j, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if y == "" || y != j {
			t.Errorf("field %s: yaml key %q and json key %q differ or are missing", f.Name, y, j)
		}
	}
	if _, err := json.Marshal(task.Body()); err != nil {
		t.Errorf("body: %v", err)
	}
}

func TestByName_FindsOnlyWhatTheCatalogueHas(t *testing.T) {
	if k, ok := ByName("backup"); !ok || k.Command != "backup:create" {
		t.Errorf(`ByName("backup") = %v, %v`, k, ok)
	}
	if k, ok := ByName("restore"); ok {
		t.Errorf(`ByName("restore") = %v, want nothing`, k.Name)
	}
}

func TestKind_AcceptsDirtyAsActive(t *testing.T) {
	for _, tt := range []struct {
		kind   *Kind
		status string
		want   bool
	}{
		{backup, "active", true},
		{backup, "dirty", true},
		{backup, "paused", false},
		{backup, "inactive", false},
		{backup, "", false},
		{resume, "paused", true},
		{resume, "active", false},
		{resume, "dirty", false},
	} {
		if got := tt.kind.Accepts(tt.status); got != tt.want {
			t.Errorf("%s accepts %q: got %v", tt.kind.Name, tt.status, got)
		}
	}
}

func TestTask_ReadsItsYAMLSection(t *testing.T) {
	for _, tt := range []struct {
		kind, yaml string
		want       Task
	}{
		{"backup", "{}", &Backup{}},
		{"backup", "live: true", &Backup{Live: true}},
		{"synchronize", "{code: true, rebase: true}", &Synchronize{Code: true, Rebase: true}},
		{"source_operation", "{operation: update, variables: {env: {A: b}}}",
			&SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "b"}}}},
		{"activate", "resources_init: minimum", &Activate{ResourcesInit: "minimum"}},
		{"deactivate", "allow_parent: true", &Deactivate{AllowParent: true}},
		{"deploy", "strategy: rolling", &Deploy{Strategy: "rolling"}},
		{"http_access", "{enabled: true, access: ['allow:192.0.2.0/24', 'deny:any'], auth: {guest: secret}}", &HTTPAccess{
			Enabled: new(true), Access: []string{"allow:192.0.2.0/24", "deny:any"}, Auth: map[string]Confidential{"guest": "secret"}}},
		{"http_access", "{clear_access: true, clear_auth: true}", &HTTPAccess{ClearAccess: true, ClearAuth: true}},
		{"operation", "{operation: migrate, app: app, parameters: [a, b]}", &Operation{Operation: "migrate", App: "app", Parameters: []string{"a", "b"}}},
		{"variable_set", "{name: 'env:A', value: ''}", &VariableSet{Name: "env:A", Value: new(Confidential(""))}},
		{"variable_create", "{name: A, value: b, level: project, json: true, sensitive: true, visible_build: false, visible_runtime: true}",
			&VariableCreate{Name: "A", Value: new(Confidential("b")), Level: "project", JSON: new(true), Sensitive: new(true),
				VisibleBuild: new(false), VisibleRuntime: new(true)}},
		{"variable_update", "{name: A, enabled: false, inheritable: false}", &VariableUpdate{Name: "A", Enabled: new(false), Inheritable: new(false)}},
		{"variable_update", "{name: A, app_scope: [app, api]}", &VariableUpdate{Name: "A", AppScope: []string{"app", "api"}}},
		{"variable_update", "{name: A, app_scope: []}", &VariableUpdate{Name: "A", AppScope: []string{}}},
		{"variable_delete", "{name: A, level: project}", &VariableDelete{Name: "A", Level: "project"}},
		{"backup_restore", "{backup: b1, target: x, branch_from: main, no_code: true, no_resources: true, resources_init: backup}",
			&BackupRestore{Backup: "b1", Target: "x", BranchFrom: "main", NoCode: true, NoResources: true, ResourcesInit: "backup"}},
		{"backup_delete", "{backup: b1}", &BackupDelete{Backup: "b1"}},
		{"backup_verify", "{max_age: 26h, automated: false}", &BackupVerify{MaxAge: Duration(26 * time.Hour), Automated: new(false)}},
		{"branch", "{name: x, title: X, type: staging, no_clone_parent: true, resources_init: parent}",
			&Branch{Name: "x", Title: "X", Type: "staging", NoCloneParent: true, ResourcesInit: "parent"}},
		{"resources_set", "{sizes: {app: '0.5'}, counts: {app: 2}, disks: {db: 1024}}",
			&ResourcesSet{Sizes: map[string]string{"app": "0.5"}, Counts: map[string]int{"app": 2}, Disks: map[string]int{"db": 1024}}},
		{"task_run", "{task: migrate, variables: {env: {A: b}}}", &TaskRun{Task: "migrate", Variables: map[string]map[string]string{"env": {"A": "b"}}}},
		{"merge", "{resources_init: child}", &Merge{ResourcesInit: "child"}},
		{"deploy_type", "{type: manual}", &DeployType{Type: "manual"}},
		{"activity_cancel", "{types: [cron], exclude_types: ['integration.*']}", &ActivityCancel{Types: []string{"cron"}, ExcludeTypes: []string{"integration.*"}}},
		{"project_info", "{title: T, description: D, default_domain: d.example, default_branch: b}",
			&ProjectInfo{Title: "T", Description: "D", DefaultDomain: "d.example", DefaultBranch: "b"}},
		{"environment_delete", "{allow_parent: true}", &EnvironmentDelete{AllowParent: true}},
		{"environment_info", "{title: T, type: staging, parent: main, restrict_robots: true, enable_smtp: false}",
			&EnvironmentInfo{Title: "T", Type: "staging", Parent: "main", RestrictRobots: new(true), EnableSMTP: new(false)}},
		{"environment_info", "{clear_parent: true}", &EnvironmentInfo{ClearParent: true}},
		{"domain_add", "{name: a.example, attach: b.example}", &DomainAdd{Name: "a.example", Attach: "b.example"}},
		{"domain_delete", "{name: a.example}", &DomainDelete{Name: "a.example"}},
		{"certificate_add", "{certificate_file: /c, key_file: /k, chain_files: [/a]}", &CertificateAdd{Certificate: "/c", Key: "/k", Chain: []string{"/a"}}},
		{"certificate_delete", "{certificate: c1}", &CertificateDelete{Certificate: "c1"}},
		{"autoscaling_set", "{service: app, metric: cpu, enabled: true, threshold_up: 80, duration_up: 5m, cooldown_up: 10m, threshold_down: 20.5, duration_down: 60m, cooldown_down: 1m, instances_min: 1, instances_max: 4}",
			&AutoscalingSet{Service: "app", Metric: "cpu", Enabled: new(true), ThresholdUp: new(80.0), DurationUp: Duration(5 * time.Minute), CooldownUp: Duration(10 * time.Minute),
				ThresholdDown: new(20.5), DurationDown: Duration(time.Hour), CooldownDown: Duration(time.Minute), InstancesMin: 1, InstancesMax: 4}},
		{"variable_enable", "{name: 'env:A'}", &VariableEnable{Name: "env:A"}},
		{"variable_disable", "{name: 'env:A'}", &VariableDisable{Name: "env:A"}},
	} {
		k, _ := ByName(tt.kind)
		got := k.New()
		if err := yaml.Unmarshal([]byte(tt.yaml), got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s: got %+v", tt.kind, tt.yaml, got)
		}
	}
}

func TestTask_ValidateNamesWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		task Task
		want string // part of the error, or empty
	}{
		{&Backup{}, ""},
		{&Synchronize{Data: true}, ""},
		{&Synchronize{}, "at least one of code, data and resources"},
		{&Synchronize{Data: true, Rebase: true}, ""}, // the CLI only remarks that it changes nothing
		{&SourceOperation{Operation: "update"}, ""},
		{&SourceOperation{}, "operation is missing"},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"": {"a": "b"}}}, `"" is not a type`},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"env": {"": "b"}}}, `"" is not the name of a variable of the type env`},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"env": {"A-B.C:d|e/f": "b"}}}, ""},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"env": {"A B": "b"}}}, `"A B" is not the name`},
		{&TaskRun{}, "task is missing"},
		{&ResourcesSet{}, "nothing to change"},
		{&ResourcesSet{Sizes: map[string]string{"*": "1"}}, "not the name of one"},
		{&ResourcesSet{Sizes: map[string]string{"app": "min"}}, "does not say what is asked for"},
		{&ResourcesSet{Sizes: map[string]string{"app": "default"}}, "does not say what is asked for"},
		{&ResourcesSet{Counts: map[string]int{"app": 0}}, "less than 1"},
		{&ResourcesSet{Disks: map[string]int{"app": -1}}, "less than 0"},
		{&TaskRun{Task: "x", Variables: map[string]map[string]string{"e v": {"a": "b"}}}, `"e v" is not a type`},
		{&Activate{}, ""},
		{&Activate{ResourcesInit: "big"}, `resources_init "big" is not known`},
		{&Deploy{Strategy: "slow"}, `strategy "slow" is not known`},
		{&HTTPAccess{}, "nothing to change"},
		{&HTTPAccess{Enabled: new(false)}, ""},
		{&HTTPAccess{Access: []string{"allow:any"}, ClearAccess: true}, "contradict"},
		{&HTTPAccess{Auth: map[string]Confidential{"guest": "secret"}, ClearAuth: true}, "contradict"},
		{&HTTPAccess{Access: []string{"allow:2001:db8::1", "deny:2001:db8::/32", "allow:192.0.2.7/24"}}, ""},
		{&HTTPAccess{Access: []string{""}}, "write allow: or deny:"},
		{&HTTPAccess{Access: []string{"permit:any"}}, "write allow: or deny:"},
		{&HTTPAccess{Access: []string{"allow:"}}, "no IP address"},
		{&HTTPAccess{Access: []string{"allow:192.0.2.1/33"}}, "no IP address"},
		{&HTTPAccess{Access: []string{"allow:192.0.2"}}, "no IP address"},
		{&HTTPAccess{Access: []string{"allow:fe80::1%eth0"}}, "no IP address"},
		{&HTTPAccess{Auth: map[string]Confidential{"g": "secret"}}, `user "g" is not valid`},
		{&HTTPAccess{Auth: map[string]Confidential{"guest": "short"}}, `password of user "guest" is shorter than 6`},
		{&Operation{}, "operation is missing"},
		{&VariableSet{Name: "A"}, "value is missing"},
		{&VariableSet{Value: new(Confidential("b"))}, "name is missing"},
		{&VariableSet{Name: "A", Value: new(Confidential(""))}, ""},
		{&VariableSet{Name: "A", Value: new(Confidential("{")), JSON: new(true)}, "not valid JSON"},
		{&VariableSet{Name: "A", Value: new(Confidential(`{"b":1}`)), JSON: new(true)}, ""},
		{&VariableSet{Name: "A B", Value: new(Confidential("b"))}, "has a space"},
		{&VariableSet{Name: "env:1", Value: new(Confidential("b"))}, "behind env:"},
		{&VariableSet{Name: "php:memory_limit", Value: new(Confidential("b"))}, ""},
		{&VariableSet{Name: strings.Repeat("a", 257), Value: new(Confidential("b"))}, "longer than 256"},
		{&VariableCreate{Name: "A"}, "value is missing"},
		{&VariableCreate{Name: "A", Value: new(Confidential("b")), Level: "galaxy"}, `level "galaxy" is not known`},
		{&VariableCreate{Name: "A", Value: new(Confidential("b")), Level: "project", Enabled: new(true)}, "level environment only"},
		{&VariableUpdate{Name: "A"}, "nothing to change"},
		{&VariableUpdate{Name: "A", Sensitive: new(true)}, ""},
		{&VariableDelete{Name: "A", Level: "galaxy"}, `level "galaxy" is not known`},
		{&VariableDelete{}, "name is missing"},
		{&BackupRestore{}, ""},
		{&BackupRestore{ResourcesInit: "child"}, "write backup, parent, default or minimum"},
		{&BackupDelete{}, "backup is missing"},
		{&BackupVerify{}, "max_age is missing"},
		{&API{Method: "POST", Path: "environments/{environment}/redeploy", Evidence: "environment.redeploy"}, ""},
		{&API{Method: "DELETE", Path: "variables/env:A", Evidence: "none"}, ""},
		{&API{Path: "x", Evidence: "none"}, "method is missing"},
		{&API{Method: "GET", Path: "x", Evidence: "none"}, `method "GET" is not one that changes`},
		{&API{Method: "post", Path: "x", Evidence: "none"}, "write POST, PATCH, PUT or DELETE"},
		{&API{Method: "POST", Path: "x"}, "witness is missing"},
		{&API{Method: "POST", Path: "x", Evidence: "redeploy"}, "not the type of an activity"},
		{&API{Method: "POST", Evidence: "none"}, "path is missing"},
		{&API{Method: "POST", Path: "/projects/other", Evidence: "none"}, "must begin below the project"},
		{&API{Method: "POST", Path: "https://example.org/x", Evidence: "none"}, "must begin below the project"},
		{&API{Method: "POST", Path: "..", Evidence: "none"}, "that is .., . or empty"},
		{&API{Method: "POST", Path: "x/../../other", Evidence: "none"}, "that is .., . or empty"},
		{&API{Method: "POST", Path: "x//y", Evidence: "none"}, "that is .., . or empty"},
		{&API{Method: "POST", Path: "x/", Evidence: "none"}, "that is .., . or empty"},
		{&API{Method: "POST", Path: ".", Evidence: "none"}, "that is .., . or empty"},
		{&API{Method: "POST", Path: "x/%2e%2e/y", Evidence: "none"}, `segment "%2e%2e" may have`},
		{&API{Method: "POST", Path: "x?y=z", Evidence: "none"}, `segment "x?y=z" may have`},
		{&API{Method: "POST", Path: "x#y", Evidence: "none"}, `segment "x#y" may have`},
		{&API{Method: "POST", Path: `x\..`, Evidence: "none"}, "may have"},
		{&API{Method: "POST", Path: "environments/${environment}", Evidence: "none"}, "or be {environment}"},
		{&API{Method: "POST", Path: "environments/x{environment}", Evidence: "none"}, "or be {environment}"},
		{&Branch{}, "name is missing"},
		{&Branch{Name: "x", Type: "production"}, `type "production" is not known`},
		{&Branch{Name: "x", ResourcesInit: "child"}, "write parent, default or minimum"},
		{&Merge{ResourcesInit: "parent"}, "write child, default, minimum or manual"},
		{&DeployType{}, `type "" is not known`},
		{&ActivityCancel{}, ""},
		{&ActivityCancel{Types: []string{""}}, "a type is empty"},
		{&ProjectInfo{}, "nothing to change"},
		{&EnvironmentInfo{}, "nothing to change"},
		{&EnvironmentInfo{Type: "test"}, `type "test" is not known`},
		{&EnvironmentInfo{Parent: "main", ClearParent: true}, "contradict"},
		{&DomainAdd{Name: "*.a.example"}, ""},
		{&DomainAdd{}, "not a domain's"},
		{&DomainAdd{Name: "a.example/x"}, "not a domain's"},
		{&DomainDelete{Name: "localhost"}, "not a domain's"},
		{&CertificateAdd{Certificate: "/c"}, "both needed"},
		{&CertificateAdd{Certificate: "/c", Key: "k"}, `"k" has no absolute path`},
		{&CertificateAdd{Certificate: "/c", Key: "/k", Chain: []string{"../a"}}, "no absolute path"},
		{&CertificateDelete{}, "certificate is missing"},
		{&AutoscalingSet{InstancesMin: 1}, "service is missing"},
		{&AutoscalingSet{Service: "app"}, "nothing to change"},
		{&AutoscalingSet{Service: "app", Metric: "cpu"}, "nothing to change"},
		{&AutoscalingSet{Service: "app", Metric: "disk", Enabled: new(true)}, `metric "disk" is not known`},
		{&AutoscalingSet{Service: "app", Enabled: new(true)}, "metric is missing"},
		{&AutoscalingSet{Service: "app", InstancesMin: 3, InstancesMax: 2}, "more than instances_max"},
		{&AutoscalingSet{Service: "app", Metric: "cpu", ThresholdUp: new(100.5)}, "not a number from 0 to 100"},
		{&AutoscalingSet{Service: "app", CooldownUp: Duration(time.Second)}, "duration 1s is not one of the platform's"},
		{&VariableEnable{}, "name is missing"},
		{&VariableDisable{Name: "A B"}, "has a space"},
	} {
		err := tt.task.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.task, err, tt.want)
		}
	}
}

// property is the command line that sets a property.
func property(name, value string) Input {
	return Input{Arguments: map[string][]string{"property": {name}, "value": {value}}}
}

func TestKind_FromCLI(t *testing.T) {
	for _, tt := range []struct {
		kind *Kind
		in   Input
		want Task
		err  string
	}{
		{backup, Input{}, &Backup{}, ""},
		{backup, Input{Options: map[string][]string{"live": {""}}}, &Backup{Live: true}, ""},
		{backup, Input{Options: map[string][]string{"unsafe": {""}}}, &Backup{Live: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"data", "code"}}}, &Synchronize{Code: true, Data: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"both"}}}, &Synchronize{Code: true, Data: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"all"}}}, nil, `"all" cannot be synchronized`},
		{sourceOperation, Input{
			Arguments: map[string][]string{"operation": {"update"}},
			Options:   map[string][]string{"variable": {"env:A=b:c", "env:B=", "env: C= d ", "env:A=e"}},
		}, &SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "e", "B": "", "C": "d "}}}, ""},
		{sourceOperation, Input{Options: map[string][]string{"variable": {"env:A=b=c"}}}, nil, `"env:A" has a second =`},
		{sourceOperation, Input{Options: map[string][]string{"variable": {"A=b"}}}, nil, `"A" has no type`},
		{sourceOperation, Input{Options: map[string][]string{"variable": {"env:A"}}}, nil, "has no value"},
		{taskRun, Input{Arguments: map[string][]string{"task": {"migrate"}}, Options: map[string][]string{"variable": {"env:A=b"}, "wait": {""}}},
			&TaskRun{Task: "migrate", Variables: map[string]map[string]string{"env": {"A": "b"}}}, ""},
		{resourcesSet, Input{Options: map[string][]string{"size": {"app:0.1,db:.25", "app:1"}, "count": {"app:3"}, "disk": {"db:2048"}, "force": {""}}},
			&ResourcesSet{Sizes: map[string]string{"app": "1", "db": ".25"}, Counts: map[string]int{"app": 3}, Disks: map[string]int{"db": 2048}}, ""},
		{resourcesSet, Input{Options: map[string][]string{"size": {"app"}}}, nil, "write name:value"},
		{resourcesSet, Input{Options: map[string][]string{"count": {"app:many"}}}, nil, "no whole number"},
		{resourcesSet, Input{Options: map[string][]string{"object-storage": {"app:1"}}}, nil, "not offered"},
		{resourcesSet, Input{Options: map[string][]string{"dry-run": {""}}}, nil, "nothing would be done"},
		{taskRun, Input{Options: map[string][]string{"variable": {"A=b"}}}, nil, "has no type"},
		{activate, Input{Options: map[string][]string{"resources-init": {"parent"}}}, &Activate{ResourcesInit: "parent"}, ""},
		{activate, Input{Options: map[string][]string{"parent": {"main"}}}, nil, "--parent is not offered"},
		{deactivate, Input{Options: map[string][]string{"no-delete-branch": {""}}}, &Deactivate{}, ""},
		{deactivate, Input{Options: map[string][]string{"allow-delete-parent": {""}}}, &Deactivate{AllowParent: true}, ""},
		{deactivate, Input{Options: map[string][]string{"delete-branch": {""}, "allow-delete-parent": {""}}}, &EnvironmentDelete{AllowParent: true}, ""},
		{environmentDelete, Input{}, &Deactivate{}, ""},
		{deployType, Input{Arguments: map[string][]string{"type": {"manual"}}}, &DeployType{Type: "manual"}, ""},
		{deployType, Input{}, nil, "only reads"},
		{activityCancel, Input{}, &ActivityCancel{}, ""},
		{activityCancel, Input{Options: map[string][]string{"type": {"cron,backup", "environment.push"}, "exclude-type": {"a b"}}},
			&ActivityCancel{Types: []string{"cron", "backup", "environment.push"}, ExcludeTypes: []string{"a", "b"}}, ""},
		{activityCancel, Input{Arguments: map[string][]string{"id": {"abc"}}}, nil, "not offered"},
		{activityCancel, Input{Options: map[string][]string{"all": {""}}}, nil, "--all is not offered"},
		{projectInfo, property("title", "T"), &ProjectInfo{Title: "T"}, ""},
		{projectInfo, property("description", "T"), &ProjectInfo{Description: "T"}, ""},
		{projectInfo, property("default_domain", "T"), &ProjectInfo{DefaultDomain: "T"}, ""},
		{projectInfo, property("default_branch", "T"), &ProjectInfo{DefaultBranch: "T"}, ""},
		{projectInfo, property("region", "T"), nil, "cannot be set"},
		{environmentDelete, Input{Options: map[string][]string{"delete-branch": {""}, "no-delete-branch": {""}}}, nil, "contradict"},
		{environmentDelete, Input{Options: map[string][]string{"delete-branch": {""}, "inactive": {""}}}, nil, "--inactive is not offered"},
		{environmentInfo, property("title", "New name"), &EnvironmentInfo{Title: "New name"}, ""},
		{environmentInfo, property("type", "staging"), &EnvironmentInfo{Type: "staging"}, ""},
		{environmentInfo, property("parent", "main"), &EnvironmentInfo{Parent: "main"}, ""},
		{environmentInfo, property("parent", "-"), &EnvironmentInfo{ClearParent: true}, ""},
		{environmentInfo, property("restrict_robots", "0"), &EnvironmentInfo{RestrictRobots: new(false)}, ""},
		{environmentInfo, property("enable_smtp", "true"), &EnvironmentInfo{EnableSMTP: new(true)}, ""},
		{environmentInfo, property("enable_smtp", "yes"), nil, `is "yes"; write true or false`},
		{environmentInfo, property("title", ""), nil, "is empty"},
		{environmentInfo, property("status", "paused"), nil, "cannot be set"},
		{environmentInfo, property("deployment_type", "manual"), nil, "environment:deploy:type"},
		{environmentInfo, Input{Arguments: map[string][]string{"property": {"title"}}}, nil, "only reads"},
		{deactivate, Input{Options: map[string][]string{"merged": {""}}}, nil, "--merged is not offered"},
		{deactivate, Input{Arguments: map[string][]string{"environment": {"feature/%"}}}, nil, "not the name of one"},
		{deploy, Input{Options: map[string][]string{"strategy": {"rolling"}}}, &Deploy{Strategy: "rolling"}, ""},
		{httpAccess, Input{Options: map[string][]string{"access": {"allow:192.0.2.1", "deny:any"}, "auth": {"guest:se:cret"}, "enabled": {"1"}}},
			&HTTPAccess{Access: []string{"allow:192.0.2.1", "deny:any"}, Auth: map[string]Confidential{"guest": "se:cret"}, Enabled: new(true)}, ""},
		{httpAccess, Input{Options: map[string][]string{"access": {"0"}, "auth": {"0"}, "enabled": {"0"}}},
			&HTTPAccess{ClearAccess: true, ClearAuth: true, Enabled: new(false)}, ""},
		{httpAccess, Input{Options: map[string][]string{"auth": {"guest"}}}, nil, "write user:password"},
		{httpAccess, Input{Options: map[string][]string{"enabled": {"perhaps"}}}, nil, "write true or false"},
		{httpAccess, Input{Options: map[string][]string{"enabled": {"false"}}}, &HTTPAccess{Enabled: new(false)}, ""},
		{httpAccess, Input{Options: map[string][]string{"enabled": {"no"}}}, nil, "takes for a yes"},
		{operation, Input{Arguments: map[string][]string{"operation": {"migrate"}}, Options: map[string][]string{"app": {"web"}, "parameter": {"a", "b"}}},
			&Operation{Operation: "migrate", App: "web", Parameters: []string{"a", "b"}}, ""},
		{operation, Input{Options: map[string][]string{"app": {"web"}, "worker": {"mail"}}}, &Operation{App: "web--mail"}, ""},
		{operation, Input{Options: map[string][]string{"worker": {"web--mail"}}}, &Operation{App: "web--mail"}, ""},
		{operation, Input{Options: map[string][]string{"app": {"web"}, "worker": {"web--mail"}}}, &Operation{App: "web--mail"}, ""},
		{operation, Input{Options: map[string][]string{"app": {"api"}, "worker": {"web--mail"}}}, nil, "is not one of the application"},
		{operation, Input{Options: map[string][]string{"worker": {"mail"}}}, &Operation{App: "--mail"}, ""},
		{variableSet, Input{Arguments: map[string][]string{"name": {"env:A"}, "value": {""}}},
			&VariableSet{Name: "env:A", Value: new(Confidential("")), JSON: new(false), Enabled: new(true)}, ""},
		{variableSet, Input{Arguments: map[string][]string{"name": {"A"}, "value": {"b"}}, Options: map[string][]string{"json": {""}, "disabled": {""}}},
			&VariableSet{Name: "A", Value: new(Confidential("b")), JSON: new(true), Enabled: new(false)}, ""},
		{variableCreate, Input{Arguments: map[string][]string{"name": {"A"}}, Options: map[string][]string{"value": {"b"}, "level": {"e"}, "prefix": {"env"}}},
			&VariableCreate{Name: "env:A", Value: new(Confidential("b")), Level: "environment"}, ""},
		{variableCreate, Input{Options: map[string][]string{"name": {"A"}, "value": {"b"}, "level": {"Proj"}, "prefix": {"none"}, "sensitive": {"TRUE"},
			"json": {"no"}, "visible-build": {"0"}, "visible-runtime": {"y"}}},
			&VariableCreate{Name: "A", Value: new(Confidential("b")), Level: "project", Sensitive: new(true), JSON: new(false),
				VisibleBuild: new(false), VisibleRuntime: new(true)}, ""},
		{variableCreate, Input{Options: map[string][]string{"name": {"A"}, "value": {"b"}, "level": {"environment"}, "update": {""}}},
			&VariableSet{Name: "A", Value: new(Confidential("b")), Level: "environment"}, ""},
		{variableCreate, Input{Options: map[string][]string{"name": {"A"}, "value": {"b"}}}, nil, "--level is missing"},
		{variableCreate, Input{Arguments: map[string][]string{"name": {"A"}}, Options: map[string][]string{"name": {"A"}}}, nil, "given twice"},
		{variableCreate, Input{Arguments: map[string][]string{"name": {"env:A"}}, Options: map[string][]string{"prefix": {"env"}, "level": {"e"}}}, nil, "a prefix already"},
		{variableCreate, Input{Arguments: map[string][]string{"name": {"A"}}, Options: map[string][]string{"sensitive": {"maybe"}}}, nil, `--sensitive is "maybe"`},
		{variableUpdate, Input{Arguments: map[string][]string{"name": {"A"}}, Options: map[string][]string{"value": {""}, "enabled": {"false"}, "inheritable": {"N"}}},
			&VariableUpdate{Name: "A", Enabled: new(false), Inheritable: new(false)}, ""},
		{variableDelete, Input{Arguments: map[string][]string{"name": {"A"}}, Options: map[string][]string{"level": {"p"}}},
			&VariableDelete{Name: "A", Level: "project"}, ""},
		{variableDelete, Input{Arguments: map[string][]string{"name": {"A"}}}, &VariableDelete{Name: "A"}, ""},
		{backupRestore, Input{}, &BackupRestore{}, ""},
		{backupRestore, Input{
			Arguments: map[string][]string{"backup": {"b1"}},
			Options: map[string][]string{"target": {"x"}, "branch-from": {"main"}, "no-code": {""}, "restore-code": {""},
				"no-resources": {""}, "resources-init": {"parent"}},
		}, &BackupRestore{Backup: "b1", Target: "x", BranchFrom: "main", NoCode: true, NoResources: true, ResourcesInit: "parent"}, ""},
		{backupDelete, Input{Arguments: map[string][]string{"backup": {"b1"}}}, &BackupDelete{Backup: "b1"}, ""},
		{branch, Input{
			Arguments: map[string][]string{"id": {"x"}},
			Options:   map[string][]string{"title": {"X"}, "type": {"staging"}, "no-clone-parent": {""}, "no-checkout": {""}, "resources-init": {"minimum"}},
		}, &Branch{Name: "x", Title: "X", Type: "staging", NoCloneParent: true, ResourcesInit: "minimum"}, ""},
		{branch, Input{Options: map[string][]string{"dry-run": {""}}}, nil, "nothing would be done"},
		{merge, Input{Options: map[string][]string{"resources-init": {"manual"}}}, &Merge{ResourcesInit: "manual"}, ""},
		{clearBuildCache, Input{}, &ClearBuildCache{}, ""},
		{domainAdd, Input{Arguments: map[string][]string{"name": {"a.example"}}}, &DomainAdd{Name: "a.example"}, ""},
		{domainAdd, Input{Arguments: map[string][]string{"name": {"a.example"}}, Options: map[string][]string{"attach": {"b.example"}, "replace": {"c.example"}}},
			&DomainAdd{Name: "a.example", Attach: "b.example"}, ""},
		{domainAdd, Input{Arguments: map[string][]string{"name": {"a.example"}}, Options: map[string][]string{"replace": {"c.example"}}},
			&DomainAdd{Name: "a.example", Attach: "c.example"}, ""},
		{domainAdd, Input{Options: map[string][]string{"key": {"/k"}}}, nil, "certificate:add"},
		{domainDelete, Input{Arguments: map[string][]string{"name": {"a.example"}}}, &DomainDelete{Name: "a.example"}, ""},
		{certificateAdd, Input{Options: map[string][]string{"cert": {"/c"}, "key": {"/k"}, "chain": {"/a", "/b"}}},
			&CertificateAdd{Certificate: "/c", Key: "/k", Chain: []string{"/a", "/b"}}, ""},
		{certificateDelete, Input{Arguments: map[string][]string{"id": {"c1"}}}, &CertificateDelete{Certificate: "c1"}, ""},
		{autoscalingSet, Input{Options: map[string][]string{"service": {"app"}, "metric": {"cpu"}, "enabled": {"false"}, "threshold-up": {"80.5"}, "duration-up": {"60m"},
			"cooldown-up": {"1m"}, "threshold-down": {"0"}, "duration-down": {"2m"}, "cooldown-down": {"30m"}, "instances-min": {"1"}, "instances-max": {"3"}}},
			&AutoscalingSet{Service: "app", Metric: "cpu", Enabled: new(false), ThresholdUp: new(80.5), DurationUp: Duration(time.Hour), CooldownUp: Duration(time.Minute),
				ThresholdDown: new(0.0), DurationDown: Duration(2 * time.Minute), CooldownDown: Duration(30 * time.Minute), InstancesMin: 1, InstancesMax: 3}, ""},
		{autoscalingSet, Input{Options: map[string][]string{"duration-up": {"1h"}}}, nil, "write 1m, 2m"},
		{autoscalingSet, Input{Options: map[string][]string{"instances-min": {"0"}}}, nil, "above 0"},
		{autoscalingSet, Input{Options: map[string][]string{"threshold-up": {"high"}}}, nil, "no number"},
		{autoscalingSet, Input{Options: map[string][]string{"enabled": {"perhaps"}}}, nil, "write true or false"},
		{autoscalingSet, Input{Options: map[string][]string{"dry-run": {""}}}, nil, "nothing would be done"},
		{variableEnable, Input{Arguments: map[string][]string{"name": {"A"}}}, &VariableEnable{Name: "A"}, ""},
		{variableDisable, Input{Arguments: map[string][]string{"name": {"A"}}}, &VariableDisable{Name: "A"}, ""},
	} {
		got, err := tt.kind.FromCLI(tt.in)
		if err != nil {
			if tt.err == "" || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %v: got error %v, want %q", tt.kind.Name, tt.in, err, tt.err)
			}
			continue
		}
		if tt.err != "" || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %v: got %+v, want %+v, error %q", tt.kind.Name, tt.in, got, tt.want, tt.err)
		}
	}
}

func TestVariable_WitnessAndScopeFollowTheLevel(t *testing.T) {
	for level, prefix := range map[string]string{"": "environment", "environment": "environment", "project": "project"} {
		for task, want := range map[Task]string{
			&VariableSet{Level: level}:    prefix + ".variable.create " + prefix + ".variable.update",
			&VariableCreate{Level: level}: prefix + ".variable.create",
			&VariableUpdate{Level: level}: prefix + ".variable.update",
			&VariableDelete{Level: level}: prefix + ".variable.delete",
		} {
			if got := strings.Join(WitnessOf(task).Activities, " "); got != want || ProjectWide(task) != (level == "project") {
				t.Errorf("%s at level %q: got witness %q, project-wide %v", task.Kind().Name, level, got, ProjectWide(task))
			}
		}
	}
	if got := WitnessOf(&Backup{}); ProjectWide(&Backup{}) || !slices.Equal(got.Activities, backup.Witness.Activities) {
		t.Errorf("backup: got witness %+v, project-wide %v", got, ProjectWide(&Backup{}))
	}
}
