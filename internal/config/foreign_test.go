package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	backupCron   = "crons: {snapshot: {spec: 'H 5 * * *', cmd: platform backup:create --yes --no-wait}}\n"
	redeployCron = "crons: {renew: {spec: '0 6 * * *', cmd: platform redeploy --yes --no-wait}}\n"
)

// loadFiles loads files as the check command does, in the order of their names' bytes.
func loadFiles(t *testing.T, lookup func(string) (string, bool), files ...string) (*Config, Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	in := Input{Offline: true, LookupEnv: lookup}
	for i, text := range files {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		in.Paths = append(in.Paths, path)
	}
	return Load(in)
}

func cronNames(cfg *Config) []string {
	names := []string{}
	for _, j := range cfg.Jobs {
		names = append(names, j.Name)
	}
	return names
}

func TestLoad_RecognisesAnApplicationsFileByItsContent(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // the application of its cron, or the code of the first error
	}{
		"one application":                        {"name: app\ntype: 'php:8.3'\n" + backupCron, "app"},
		"one without a name":                     {"type: 'php:8.3'\n" + backupCron, ""},
		"one with a part called like it":         {"name: app\nhooks: {build: make}\nworkers: {web: {commands: {start: x}}}\n" + backupCron, "app"},
		"a list":                                 {"- name: app\n  type: 'php:8.3'\n  " + backupCron, "app"},
		"a section by name":                      {"app:\n  type: 'php:8.3'\n  " + backupCron, "app"},
		"a section, called like a key":           {"api:\n  type: 'php:8.3'\n  " + backupCron, "api"},
		"a section, called like a part":          {"web:\n  type: 'php:8.3'\n  " + backupCron, "web"},
		"a section, called as in Upsun":          {"services:\n  type: 'php:8.3'\n  " + backupCron, "services"},
		"Upsun":                                  {"applications:\n  app:\n    type: 'php:8.3'\n    " + backupCron, "app"},
		"Upsun with little in it":                {"applications:\n  app:\n    " + backupCron, "app"},
		"Upsun with a list":                      {"applications:\n- name: app\n  " + backupCron, "app"},
		"Upsun with an application called stack": {"applications:\n  stack:\n    type: 'php:8.3'\n    " + backupCron, "stack"},
		"crons alone":                            {backupCron, ""},
		"a cron called like a part":              {"crons: {stack: {spec: '0 5 * * *', cmd: platform backup -yW}}", ""},
		"automatond's with a part":               {"name: app\ndefaults: {}\n" + backupCron, "foreign-file"},
		"crons beside services":                  {"services: {}\n" + backupCron, "foreign-file"},
		"services alone":                         {"db: {type: 'mariadb:11.4', disk: 256}\n", "unknown-key"},
		"routes alone":                           {"'https://{default}/': {type: upstream, upstream: 'app:http'}\n", "unknown-key"},
		"a list of crons":                        {"- name: nightly\n  spec: '0 5 * * *'\n", "wrong-type"},
		"a list of texts":                        {"- nightly\n", "wrong-type"},
		"a cron beside crons":                    {"crons:\nnightly: {spec: '0 5 * * *', type: 'a:b'}\n", "cron-misplaced"},
		"an application that contains itself":    {"app: &app\n  type: 'php:8.3'\n  <<: *app\n  " + backupCron, "app"},
		"applications without crons":             {"applications:\n  app: {type: 'php:8.3', crons: }\n", "no-crons"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := loadFiles(t, nil, c.text)
			got := ""
			switch {
			case cfg == nil:
				for _, d := range ds {
					if d.Severity == Error && got == "" {
						got = d.Code
					}
				}
			case len(cfg.Jobs) != 1:
				t.Errorf("it has %d crons", len(cfg.Jobs))
			default:
				got = cfg.Jobs[0].Application
			}
			if got != c.want {
				t.Errorf("got %q, want %q: %v", got, c.want, ds)
			}
		})
	}
}

func TestLoad_NamesCronsByTheirApplicationWhereThereAreSeveral(t *testing.T) {
	const (
		api   = "name: api\ntype: 'php:8.3'\n"
		front = "name: front\ntype: 'nodejs:22'\n"
		own   = "projects: {shop: {id: k3qz7p2m5nwya}}\n"
	)
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"one":                              {[]string{api + backupCron}, []string{"snapshot"}},
		"one, beside a file of our own":    {[]string{own + redeployCron, api + backupCron}, []string{"renew", "snapshot"}},
		"two in two files":                 {[]string{api + backupCron, front + backupCron}, []string{"api:snapshot", "front:snapshot"}},
		"two, of which one has no crons":   {[]string{api + backupCron, front}, []string{"api:snapshot"}},
		"two, beside a file of our own":    {[]string{api + backupCron, own + redeployCron, front + backupCron}, []string{"api:snapshot", "renew", "front:snapshot"}},
		"two in a file with other content": {[]string{"services: {db: {type: 'mariadb:11.4'}}\napplications:\n  api:\n    " + backupCron + "  front:\n    " + redeployCron}, []string{"api:snapshot", "front:renew"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := loadFiles(t, nil, c.files...)
			if cfg == nil {
				t.Fatal(ds)
			}
			if diff := cmp.Diff(c.want, cronNames(cfg)); diff != "" {
				t.Errorf("crons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_LeavesOutOtherApplicationsCronsInASidecarAlone(t *testing.T) {
	const (
		several = "applications:\n  api:\n    " + backupCron + "  front:\n    " + redeployCron
		one     = "name: api\ntype: 'php:8.3'\n" + backupCron
		fleet   = "projects: {shop: {id: k3qz7p2m5nwya}}\n"
	)
	beside := variablesOf("PLATFORM_APPLICATION_NAME=front")
	for name, c := range map[string]struct {
		lookup func(string) (string, bool)
		files  []string
		want   []string
	}{
		"beside none":                       {nil, []string{several}, []string{"api:snapshot", "front:renew"}},
		"beside one":                        {beside, []string{several}, []string{"front:renew"}},
		"beside another than the only one":  {beside, []string{one}, []string{"snapshot"}},
		"beside one, in a fleet":            {beside, []string{fleet, several}, []string{"api:snapshot", "front:renew"}},
		"beside one, with crons of our own": {beside, []string{several, "crons: {own: {spec: '0 7 * * *', task: {backup: {}}}}"}, []string{"front:renew", "own"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := loadFiles(t, c.lookup, c.files...)
			if cfg == nil {
				t.Fatal(ds)
			}
			if diff := cmp.Diff(c.want, cronNames(cfg)); diff != "" {
				t.Errorf("crons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_TakesTheZoneFromTheApplicationOrFromDefaults(t *testing.T) {
	cfg, ds := loadFiles(t, nil, "defaults: {timezone: Europe/Paris}\n",
		"- {name: api, type: 'php:8.3', timezone: America/New_York, crons: {a: {spec: '0 5 * * *', cmd: platform backup -yW}}}\n"+
			"- {name: front, type: 'nodejs:22', crons: {b: {spec: '0 5 * * *', cmd: platform backup -yW, timeout: 30}}}\n")
	if cfg == nil {
		t.Fatal(ds)
	}
	for i, want := range []string{"America/New_York", "Europe/Paris"} {
		if got := cfg.Jobs[i].Location.String(); got != want {
			t.Errorf("cron %s is in %s, want %s", cfg.Jobs[i].Name, got, want)
		}
	}
	if has(ds, "no-unit") {
		t.Error("a number in the vendor's files has no other unit than seconds")
	}
}
