package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/secret"
	"github.com/automatond/automatond/internal/tasks"
	"github.com/google/go-cmp/cmp"
)

const seed = `crons:
    snapshot:
        spec: '0 5 * * *'
        cmd: |
            if [ "$PLATFORM_BRANCH" = master ]; then
                platform snapshot:create --yes --no-wait
            fi
`

func TestLoad_TakesTheVendorsBlockUnchanged(t *testing.T) {
	cfg, diagnostics := loadText(t, seed)
	if cfg == nil || len(diagnostics) > 0 {
		t.Fatalf("diagnostics: %v", diagnostics)
	}
	j := cfg.Jobs[0]
	if j.Name != "snapshot" || j.Spec.String() != "0 5 * * *" || !j.Script.UsesCLI() || j.Left != nil || j.Tasks != nil {
		t.Errorf("job = %+v", j)
	}
	if j.Source.Line != 2 || j.Source.Column != 5 {
		t.Errorf("source = %+v, want line 2, column 5", j.Source)
	}
}

func TestLoad_KnowsWhereAScriptBegins(t *testing.T) {
	for script, want := range map[string]int{
		"cmd: 'platform backup -y -W'":                                               4,
		"cmd: |\n      platform backup -y -W\n":                                      5,
		"cmd: |\n      set -e\n      platform backup -y -W\n":                        5,
		"commands:\n      start: |\n        set -e\n        platform redeploy -y -W": 6,
		`cmd: "set -e\nplatform backup -y -W"`:                                       0,
		"cmd: >\n      set -e\n\n      platform backup -y -W\n":                      0,
		"task: {backup: {}}":                                                         0,
	} {
		j := mustLoad(t, "crons:\n  c:\n    spec: '0 5 * * *'\n    "+script).Jobs[0]
		if j.ScriptLine != want {
			t.Errorf("%s\nbegins on line %d, want %d", script, j.ScriptLine, want)
		}
	}
}

func TestLoad_FillsInTheDefaults(t *testing.T) {
	j := mustLoad(t, seed).Jobs[0]
	got := []any{j.Location, j.StartDeadline, j.Timeout, j.MaxSuccessAge, j.Overlap, j.InDoubt, j.CatchUp, j.Suspended}
	want := []any{time.UTC, 10 * time.Minute, 24 * time.Hour, time.Duration(0), job.OverlapSkip, job.InDoubtGiveUp, job.CatchUpLatest, false}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults = %v, want %v", got, want)
	}
	cfg := mustLoad(t, seed)
	if cfg.APIURL != "https://api.upsun.com" || cfg.AuthURL != "https://auth.upsun.com" || cfg.ShutdownGrace != 8*time.Second ||
		cfg.Limits != (Limits{InFlight: 4096, PerProject: 4}) {
		t.Errorf("config = %+v", cfg)
	}
}

func TestLoad_ReadsEveryField(t *testing.T) {
	cfg := mustLoad(t, `
timezone: Europe/Paris
defaults: {start_deadline: 5m, timeout: 7200, overlap: allow, in_doubt: redispatch, catch_up: none, max_success_age: 26h, spread: 20m}
shutdown_grace: 3
history: {keep: 30d, keep_failures: 2400h}
variables: {A: file, B: file, V: 1.10}
api: {url: 'https://api.example.org/base/', auth_url: 'https://auth.example.org', ca_file: ca.pem, max_in_flight: 10, max_in_flight_per_project: 2, requests_per_second: 0.5}
automation_users: {bot: {token_env: BOT_TOKEN, max_in_flight: 7}}
projects:
  shop: {id: abc, variables: {B: project}}
  blog: {id: def}
crons:
  plain: {spec: '0 5 * * *', task: {backup: {}}}
  own:
    spec: '0 5 * * *'
    projects: [blog]
    timezone: Asia/Kathmandu
    start_deadline: 90
    timeout: 1h30m
    overlap: skip
    in_doubt: give_up
    catch_up: latest
    max_success_age: 0
    suspended: true
    variables: {C: cron}
    only: {branches: [main], environment_types: [staging], status: [active]}
    except: {branches: ['x/**'], environment_types: [production], status: [dirty]}
    task: {source_operation: {operation: update, variables: {env: {A: 1}}}}
`)
	plain, own := cfg.Jobs[0], cfg.Jobs[1]
	if plain.Location.String() != "Europe/Paris" || plain.Spread != 20*time.Minute || plain.StartDeadline != 5*time.Minute || plain.Timeout != 2*time.Hour ||
		plain.MaxSuccessAge != 26*time.Hour || plain.Overlap != job.OverlapAllow || plain.InDoubt != job.InDoubtRedispatch || plain.CatchUp != job.CatchUpNone {
		t.Errorf("a cron without fields does not have the defaults: %+v", plain)
	}
	if own.Location.String() != "Asia/Kathmandu" || own.StartDeadline != 90*time.Second || own.Timeout != 90*time.Minute ||
		own.MaxSuccessAge != 0 || own.Overlap != job.OverlapSkip || own.InDoubt != job.InDoubtGiveUp || own.CatchUp != job.CatchUpLatest || !own.Suspended {
		t.Errorf("a cron's own fields do not win: %+v", own)
	}
	wantGuard := `only.branches["main"]only.environment_types["staging"]only.status["active"]` +
		`except.branches["x/**"]except.environment_types["production"]except.status["dirty"]`
	if got := own.Guard.String(); got != wantGuard {
		t.Errorf("guard = %s", got)
	}
	wantTask := &tasks.SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "1"}}}
	if diff := cmp.Diff([]tasks.Task{wantTask}, own.Tasks); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if len(plain.Projects) != 2 || len(own.Projects) != 1 || own.Projects[0] != cfg.Projects[1] {
		t.Errorf("projects = %v and %v", plain.Projects, own.Projects)
	}
	shop := cfg.Projects[0]
	if shop.User != "bot" || shop.Alias != "shop" || shop.Environment != nil ||
		!reflect.DeepEqual(shop.Variables, map[string]string{"A": "file", "B": "project", "V": "1.10"}) {
		t.Errorf("shop = %+v", shop)
	}
	if got := cfg.Users[0].MaxInFlight; got != 7 {
		t.Errorf("the user may have %d requests under way, want 7", got)
	}
	if !reflect.DeepEqual(own.Variables, map[string]string{"C": "cron"}) {
		t.Errorf("variables = %v", own.Variables)
	}
	if cfg.APIURL != "https://api.example.org/base" || cfg.AuthURL != "https://auth.example.org" || filepath.Base(cfg.CAFile) != "ca.pem" ||
		!filepath.IsAbs(cfg.CAFile) || cfg.ShutdownGrace != 3*time.Second || cfg.Limits != (Limits{10, 2, 0.5}) ||
		cfg.History != (History{30 * day, 100 * day}) {
		t.Errorf("config = %+v", cfg)
	}
}

func TestLoad_LeavesTheApplicationsOwnCronsToItsContainer(t *testing.T) {
	cfg, diagnostics := Load(Input{Paths: []string{"testdata/questionable/noteworthy.yaml"}, Offline: true})
	if cfg == nil {
		t.Fatalf("it does not load: %v", diagnostics)
	}
	for _, j := range cfg.Jobs {
		if left := j.Name == "drush"; left != (j.Left != nil) {
			t.Errorf("cron %s: Left = %v", j.Name, j.Left)
		}
	}
}

func TestLoad_MergesAnchorsAndLetsOwnKeysWin(t *testing.T) {
	cfg := mustLoad(t, `
x-first: &first {spec: '1 1 * * *', timeout: 60}
x-second: &second {spec: '2 2 * * *', start_deadline: 60, task: &task {pause: {}}}
crons:
  a: {<<: [*first, *second]}
  b: {<<: *second, spec: '3 3 * * *', task: {resume: }}
  c: {spec: '4 4 * * *', task: *task}
`)
	var got []string
	for _, j := range cfg.Jobs {
		got = append(got, fmt.Sprint(j.Name, " ", j.Spec, " ", j.Timeout, " ", j.StartDeadline, " ", j.Tasks[0].Kind().Name))
	}
	want := []string{"a 1 1 * * * 1m0s 1m0s pause", "b 3 3 * * * 24h0m0s 1m0s resume", "c 4 4 * * * 24h0m0s 10m0s pause"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func TestLoad_ReadsADirectoryInLexicalOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, cron string) {
		text := fmt.Sprintf("crons: {%s: {spec: '0 5 * * *', task: {backup: {}}}}\n", cron)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("20.yaml", "second")
	write("10.yml", "first")
	write("30.txt", "ignored")
	write(".00.yaml", "hidden")
	if err := os.Mkdir(filepath.Join(dir, "sub.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	extra := filepath.Join(t.TempDir(), "extra.yaml")
	if err := os.WriteFile(extra, []byte("defaults: {timezone: Asia/Tokyo}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diagnostics := Load(Input{Paths: []string{dir, extra}, Offline: true})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	if len(cfg.Jobs) != 2 || cfg.Jobs[0].Name != "first" || cfg.Jobs[1].Name != "second" {
		t.Errorf("jobs = %v", cfg.Jobs)
	}
	if got := cfg.Jobs[0].Location.String(); got != "Asia/Tokyo" {
		t.Errorf("zone = %s, want the other file's default", got)
	}
}

func TestLoad_NamesFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		paths []string
		want  string
	}{
		"missing":         {[]string{dir + "/none.yaml"}, dir + "/none.yaml: read configuration: no such file or directory"},
		"empty directory": {[]string{t.TempDir()}, "the directory contains no *.yaml or *.yml file"},
		"twice":           {[]string{file, dir}, file + ": the file is read already"},
		"none":            {nil, "no configuration file is named"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, diagnostics := Load(Input{Paths: tt.paths, Offline: true})
			if cfg != nil || len(diagnostics) != 1 || !strings.HasSuffix(diagnostics[0].String(), tt.want) {
				t.Errorf("diagnostics = %v, want only %q", diagnostics, tt.want)
			}
		})
	}
}

func TestLoad_DoesNotMissWhatAnUnreadableFileMayHave(t *testing.T) {
	dir := t.TempDir()
	crons, malformed := filepath.Join(dir, "crons.yaml"), filepath.Join(dir, "projects.yaml")
	for path, text := range map[string]string{
		crons:     "projects: {shop: {id: k3qz7p2m5nwya, automation_user: bot}}\ncrons:\n  a: {spec: '0 5 * * *', projects: [blog], task: {backup: {}}}\n",
		malformed: "automation_users:\n\tbot: {token_env: BOT_TOKEN}\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		paths []string
		code  string
	}{
		"a file that does not exist": {[]string{filepath.Join(dir, "none.yaml")}, "file-unreadable"},
		"a file that is not YAML":    {[]string{crons, malformed}, "yaml-tab"},
	} {
		_, ds := Load(Input{Paths: tt.paths})
		if len(ds) != 1 || ds[0].Code != tt.code {
			t.Errorf("%s: diagnostics %v, want one with the code %s", name, ds, tt.code)
		}
	}
}

func TestLoad_SidecarTakesItsTargetAndTokenFromTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "automatond.yaml")
	if err := os.WriteFile(path, []byte(seed+"variables: {A: b}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := []string{"PLATFORM_PROJECT=abc", "PLATFORM_BRANCH=feature/x", "PLATFORM_ENVIRONMENT=feature-x-123",
		"PLATFORM_ENVIRONMENT_TYPE=development", "PLATFORM_APPLICATION_NAME=app"}
	cfg, diagnostics := Load(Input{Paths: []string{path}, LookupEnv: variablesOf(append(target,
		"UPSUN_CLI_TOKEN= t0ken\n", "PLATFORMSH_CLI_TOKEN=t0ken", "PLATFORMSH_CLI_API_URL=http://127.0.0.1:9/api/", "UPSUN_CLI_AUTH_URL=http://localhost:9")...)})
	if cfg == nil || len(diagnostics) > 0 {
		t.Fatalf("diagnostics: %v", diagnostics)
	}
	want := []*job.Project{{
		Alias: "abc", ID: "abc", User: "default", Variables: map[string]string{"A": "b"},
		Environment: &job.Sidecar{Branch: "feature/x", MachineName: "feature-x-123", Type: "development", Application: "app"},
	}}
	if diff := cmp.Diff(want, cfg.Projects); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	if len(cfg.Jobs[0].Projects) != 1 || cfg.Jobs[0].Projects[0] != cfg.Projects[0] {
		t.Errorf("the cron runs on %v", cfg.Jobs[0].Projects)
	}
	if cfg.APIURL != "http://127.0.0.1:9/api" || cfg.AuthURL != "http://localhost:9" {
		t.Errorf("endpoints = %s and %s", cfg.APIURL, cfg.AuthURL)
	}
	assertToken(t, cfg, "default", "t0ken")
}

func assertToken(t *testing.T, cfg *Config, user, want string) {
	t.Helper()
	for _, u := range cfg.Users {
		if u.Name == user {
			if got, err := u.Token.Read(); err != nil || got.Reveal() != want {
				t.Errorf("token of %s = %q, %v, want %q", user, got.Reveal(), err, want)
			}
			return
		}
	}
	t.Errorf("there is no user %s", user)
}

func TestLoad_FindsTokensInVariablesFilesAndCredentials(t *testing.T) {
	dir := t.TempDir()
	credentials := t.TempDir()
	files := map[string]string{
		dir + "/file-token":       "from-file",
		credentials + "/cred":     "from-credentials",
		credentials + "/named":    "from-name",
		dir + "/automatond.yaml":  "automation_users: {a: {token_env: A_TOKEN}, b: {token_file: ./file-token}, c: {token_file: $CREDENTIALS_DIRECTORY/cred}, named: {}}\nprojects: {p: {id: p, automation_user: a}}\n" + seed,
		credentials + "/default":  "from-default",
		dir + "/sub/sidecar.yaml": seed,
	}
	if err := os.Mkdir(dir+"/sub", 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := variablesOf("A_TOKEN=from-variable", "CREDENTIALS_DIRECTORY="+credentials, "PLATFORM_PROJECT=p", "PLATFORM_BRANCH=main")
	cfg, diagnostics := Load(Input{Paths: []string{dir + "/automatond.yaml"}, LookupEnv: env})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	assertToken(t, cfg, "a", "from-variable")
	assertToken(t, cfg, "b", "from-file")
	assertToken(t, cfg, "c", "from-credentials")
	assertToken(t, cfg, "named", "from-name")
	cfg, diagnostics = Load(Input{Paths: []string{dir + "/sub/sidecar.yaml"}, LookupEnv: env})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	assertToken(t, cfg, "default", "from-default")
}

func TestLoad_NeedsTheProcessOnlyToRun(t *testing.T) {
	fleet := "automation_users: {a: {token_env: A_TOKEN}, b: {token_file: /no/such/file}, c: {}}\n" +
		"projects: {p: {id: p, automation_user: b}}\n" + seed
	for name, text := range map[string]string{"sidecar": seed, "fleet": fleet} {
		path := filepath.Join(t.TempDir(), name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if cfg, diagnostics := Load(Input{Paths: []string{path}, Offline: true}); cfg == nil || len(diagnostics) > 0 {
			t.Errorf("%s offline: %v", name, diagnostics)
		}
		if cfg, diagnostics := Load(Input{Paths: []string{path}, Sandbox: true}); cfg == nil || len(diagnostics) > 0 {
			t.Errorf("%s in the sandbox: %v", name, diagnostics)
		}
		if cfg, _ := Load(Input{Paths: []string{path}}); cfg != nil {
			t.Errorf("%s runs without a token", name)
		}
	}
}

func TestLoad_KeepsTokensOutOfTheConfigurationsText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diagnostics := Load(Input{Paths: []string{path},
		LookupEnv: variablesOf("PLATFORM_PROJECT=p", "PLATFORM_BRANCH=b", "UPSUN_CLI_TOKEN=s3cr3t")})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	for _, u := range append(cfg.Users, &User{Token: secret.FromEnv("X", "s3cr3t")}) {
		if text := fmt.Sprintf("%v %+v %#v %s", u, *u, *u, u.Token); strings.Contains(text, "s3cr3t") {
			t.Errorf("the token shows: %s", text)
		}
	}
}

func TestLoad_WarnsOfATokenOnTheWrongWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"PLATFORM_PROJECT=p", "PLATFORM_BRANCH=b", "UPSUN_CLI_TOKEN=t"}
	tests := map[string]struct {
		variable string
		want     string
	}{
		"only the API is elsewhere": {"UPSUN_CLI_API_URL=https://api.example.org", "endpoint-half"},
		"no encryption":             {"UPSUN_CLI_AUTH_URL=http://auth.example.org", "endpoint-insecure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, diagnostics := Load(Input{Paths: []string{path}, LookupEnv: variablesOf(append(env, tt.variable)...)})
			if cfg == nil || len(diagnostics) != 1 || diagnostics[0].Code != tt.want || diagnostics[0].Severity != Warning {
				t.Errorf("diagnostics = %v, want one %s", diagnostics, tt.want)
			}
		})
	}
}

func TestLoad_UnderlinesExactlyTheWrongPart(t *testing.T) {
	_, diagnostics := loadText(t, "crons: {a: {spec: '0 5 * 13 *', task: {backup: {}}}}\n")
	if len(diagnostics) != 1 || diagnostics[0].Column != 26 || diagnostics[0].EndColumn != 28 {
		t.Errorf("diagnostics = %+v, want columns 26 to 28", diagnostics)
	}
}

func TestLoad_HashFollowsTheFiles(t *testing.T) {
	first, same, other := mustLoad(t, seed), mustLoad(t, seed), mustLoad(t, seed+"# a note\n")
	if first.Hash == "" || first.Hash != same.Hash || first.Hash == other.Hash {
		t.Errorf("hashes = %s, %s, %s", first.Hash, same.Hash, other.Hash)
	}
}

func TestLoad_JobHashFollowsWhatTheCronDoes(t *testing.T) {
	base := "crons: {a: {spec: '0 5 * * *', task: {backup: {}}%s}}\n"
	hash := func(text string) string { return mustLoad(t, text).Jobs[0].Hash }
	first := hash(fmt.Sprintf(base, ""))
	same := map[string]string{
		"policies": fmt.Sprintf(base, ", timeout: 60, overlap: allow, suspended: true"),
		"projects": "projects: {p: {id: p}}\n" + fmt.Sprintf(base, ""),
		"position": "\n\n" + fmt.Sprintf(base, ""),
	}
	for what, text := range same {
		if got := hash(text); got != first {
			t.Errorf("%s change the hash", what)
		}
	}
	other := map[string]string{
		"the spec":      strings.Replace(fmt.Sprintf(base, ""), "0 5", "1 5", 1),
		"the zone":      fmt.Sprintf(base, ", timezone: Europe/Paris"),
		"the guard":     fmt.Sprintf(base, ", only: {branches: [main]}"),
		"the veto":      fmt.Sprintf(base, ", except: {branches: [main]}"),
		"the task":      strings.Replace(fmt.Sprintf(base, ""), "backup: {}", "backup: {live: true}", 1),
		"the variables": fmt.Sprintf(base, ", variables: {A: b}"),
		"the form":      "crons: {a: {spec: '0 5 * * *', cmd: platform backup -y --no-wait}}\n",
	}
	seen := map[string]string{first: "the base"}
	for what, text := range other {
		got := hash(text)
		if before, ok := seen[got]; ok {
			t.Errorf("%s has the hash of %s", what, before)
		}
		seen[got] = what
	}
}

func TestLoad_JobHashTellsCronsOfOneFileApart(t *testing.T) {
	cfg := mustLoad(t, `crons:
  a: {spec: '0 5 * * *', task: {backup: {}}}
  b: {spec: '0 5 * * *', task: {backup: {}}}
  zone: {spec: '0 5 * * *', timezone: Europe/Paris, task: {backup: {}}}
  guard: {spec: '0 5 * * *', only: {branches: [main]}, task: {backup: {}}}
  task: {spec: '0 5 * * *', task: {backup: {live: true}}}
  script: {spec: '0 5 * * *', cmd: platform backup -y --no-wait}
  variables: {spec: '0 5 * * *', task: {backup: {}}, variables: {A: b}}
`)
	if cfg.Jobs[0].Hash != cfg.Jobs[1].Hash {
		t.Error("two equal crons have different hashes")
	}
	seen := map[string]string{}
	for _, j := range cfg.Jobs[1:] {
		if before, ok := seen[j.Hash]; ok {
			t.Errorf("cron %s has the hash of %s", j.Name, before)
		}
		seen[j.Hash] = j.Name
		if want := j.Fingerprint(); j.Hash != want {
			t.Errorf("cron %s has hash %s, want its fingerprint %s", j.Name, j.Hash, want)
		}
	}
}

func TestLoad_FileVariablesReachScriptsWithoutATarget(t *testing.T) {
	cfg := mustLoad(t, "variables: {A: file, B: file}\ncrons: {a: {spec: '0 5 * * *', cmd: platform backup -y --no-wait, variables: {B: cron}}}\n")
	if got := cfg.Jobs[0].Variables; !reflect.DeepEqual(got, map[string]string{"A": "file", "B": "cron"}) {
		t.Errorf("variables = %v", got)
	}
}

// manyCrons is a fleet with one declared backup cron for each of n projects.
func manyCrons(n int) string {
	var b strings.Builder
	b.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&b, "    p%05d: {id: p%05d}\n", i, i)
	}
	b.WriteString("crons:\n")
	for i := range n {
		fmt.Fprintf(&b, "    backup-%05d:\n        spec: 'H 2 * * *'\n        projects: [p%05d]\n        only: {branches: [main]}\n        task: {backup: {}}\n", i, i)
	}
	return b.String()
}

func TestLoad_SharesWhatEqualCronsHaveInCommon(t *testing.T) {
	cfg := mustLoad(t, manyCrons(2)+"    a: {spec: '0 5 * * *', cmd: platform backup -y --no-wait}\n    b: {spec: '0 5 * * *', cmd: platform backup -y --no-wait}\n")
	first, second, a, b := cfg.Jobs[0], cfg.Jobs[1], cfg.Jobs[2], cfg.Jobs[3]
	if first.Spec != second.Spec || first.Location != second.Location || &first.Tasks[0] != &second.Tasks[0] ||
		&first.Guard.Only.Branches[0] != &second.Guard.Only.Branches[0] {
		t.Error("two equal declared crons do not share spec, zone, task and guard")
	}
	if a.Script != b.Script || &a.Projects[0] != &b.Projects[0] {
		t.Error("two equal scripts do not share script and projects")
	}
}

func TestLoad_KeepsLittleInMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.yaml")
	const n = 10_000
	if err := os.WriteFile(path, []byte(manyCrons(n)), 0o600); err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	cfg, diagnostics := Load(Input{Paths: []string{path}, Offline: true})
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	// A job is about 400 bytes, a project about 100; the YAML of a cron would be over 2 KiB.
	if perCron := (heap() - before) / n; perCron > 900 {
		t.Errorf("%d bytes are kept per cron and project, want at most 900", perCron)
	}
	runtime.KeepAlive(cfg)
}

func BenchmarkLoad_10000DeclaredCrons(b *testing.B) {
	path := filepath.Join(b.TempDir(), "many.yaml")
	if err := os.WriteFile(path, []byte(manyCrons(10_000)), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if cfg, diagnostics := Load(Input{Paths: []string{path}, Offline: true}); cfg == nil {
			b.Fatal(diagnostics)
		}
	}
}
