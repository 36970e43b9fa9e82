package config

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// loadText loads a configuration as the check command does.
func loadText(t *testing.T, text string) (*Config, Diagnostics) {
	t.Helper()
	path := t.TempDir() + "/automatond.yaml"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Input{Paths: []string{path}, Offline: true})
}

func mustLoad(t *testing.T, text string) *Config {
	t.Helper()
	cfg, diagnostics := loadText(t, text)
	if cfg == nil {
		t.Fatalf("it does not load: %v", diagnostics)
	}
	return cfg
}

func TestDocuments_ExampleFileLoadsWithoutAWarning(t *testing.T) {
	cfg, diagnostics := Load(Input{Paths: []string{"../../config.example.yaml"}, Offline: true})
	if cfg == nil {
		t.Fatalf("it does not load: %v", diagnostics)
	}
	for _, d := range diagnostics {
		if d.Severity != Info {
			t.Errorf("unexpected %s: %s", d.Severity, d)
		}
	}
}

func TestDocuments_ExampleFileShowsEveryKey(t *testing.T) {
	text := read(t, "../../config.example.yaml")
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	collectPaths(root.Content[0], "", shown)
	if strings.Contains(text, "# timezone: ") {
		shown["timezone"] = true // it excludes defaults.timezone, so it can only stand in a comment
	}
	for _, key := range Keys() {
		if !shown[key.Path] {
			t.Errorf("config.example.yaml does not show %s", key.Path)
		}
	}
}

// collectPaths notes the path of every key, with <cron> and so on for names.
func collectPaths(n *yaml.Node, path string, into map[string]bool) {
	if n.Kind != yaml.MappingNode {
		return
	}
	names := map[string]string{"crons.": "<cron>", "projects.": "<project>", "automation_users.": "<user>"}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if name, ok := names[path]; ok {
			key = name
		}
		into[path+key] = true
		collectPaths(n.Content[i+1], path+key+".", into)
	}
}

func TestDocuments_ReferenceListsExactlyTheKnownKeys(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| (`[a-z_]+(?:\\.[a-z_<>]+)*`) \\| ([^|]*) \\| ([^|]*) \\| ([^|]+) \\|$")
	_, table, ok := strings.Cut(read(t, "../../docs/configuration.md"), "## Every key")
	if !ok {
		t.Fatal("the section Every key is missing")
	}
	var got, want []string
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		got = append(got, fmt.Sprintf("%s | %s | %s", m[1], m[2], strings.TrimSpace(m[3])))
	}
	for _, k := range Keys() {
		want = append(want, fmt.Sprintf("`%s` | %s | %s", k.Path, k.Type, k.Default))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/configuration.md against the decoder (-decoder +table):\n%s", diff)
	}
}

func TestDocuments_EverySnippetLoads(t *testing.T) {
	snippet := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	found := snippet.FindAllStringSubmatch(read(t, "../../docs/configuration.md"), -1)
	if len(found) < 4 {
		t.Fatalf("only %d snippets were found", len(found))
	}
	for i, m := range found {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			cfg, diagnostics := loadText(t, m[1])
			if cfg == nil || diagnostics.Count(Warning) > 0 {
				t.Errorf("%s\n%v", m[1], diagnostics)
			}
		})
	}
}

func TestDocuments_DemoActsOnMasterAndSkipsTheOther(t *testing.T) {
	cfg, diagnostics := Load(Input{
		Paths:     []string{"../../examples/demo.yaml"},
		LookupEnv: variablesOf("PLATFORM_PROJECT=abc", "PLATFORM_BRANCH=main", "UPSUN_CLI_TOKEN=token"),
	})
	if cfg == nil || len(diagnostics) > 0 {
		t.Fatalf("it does not load without a remark: %v", diagnostics)
	}
	got := map[string]string{}
	for _, j := range cfg.Jobs {
		got[j.Name] = j.Spec.String()
		if len(j.Projects) != 1 || j.Projects[0].ID != "abc" || j.Projects[0].Environment.Branch != "main" {
			t.Errorf("cron %s runs on %+v, want the sidecar's environment", j.Name, j.Projects)
		}
	}
	want := map[string]string{"snapshot": "* * * * *", "redeploy-staging": "* * * * *"}
	if !maps.Equal(got, want) {
		t.Errorf("crons = %v, want %v", got, want)
	}
	seed := "if [ \"$PLATFORM_BRANCH\" = master ]; then\n    platform snapshot:create --yes --no-wait\nfi\n"
	if script := cfg.Jobs[0].Script; script == nil || script.Source() != seed {
		t.Error("the first cron is not the vendor's documented one")
	}
	sandbox, diagnostics := Load(Input{Paths: []string{"../../examples/demo.yaml"}, Sandbox: true})
	if sandbox == nil || len(diagnostics) > 0 {
		t.Fatalf("it does not load for the sandbox: %v", diagnostics)
	}
	if e := sandbox.Projects[0].Environment; e.Branch != "master" || e.Type != "production" {
		t.Errorf("the sandbox's target is %+v, want master", e)
	}
}

func TestDocuments_ReferenceShowsRealDiagnostics(t *testing.T) {
	text := "crons:\n    snapshot:\n        spec: '60 5 * * *'\n        task: {backup: {}}\n        onyl: {branches: [master]}\n"
	document := read(t, "../../docs/configuration.md")
	if shown := printed(t, text); !strings.Contains(document, "```\n"+shown+"```\n") {
		t.Errorf("docs/configuration.md does not show\n%s", shown)
	}
}

// printed is what a person sees of the diagnostics of a text in automatond.yaml.
func printed(t *testing.T, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("automatond.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, diagnostics := Load(Input{Paths: []string{"automatond.yaml"}, Offline: true})
	var b strings.Builder
	if err := diagnostics.Print(&b, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
