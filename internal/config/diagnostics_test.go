package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutExample are the codes about more than one file, or about a file as a whole.
var withoutExample = []string{"no-file", "file-unreadable", "file-repeated", "file-encoding", "cron-duplicate", "user-duplicate", "too-long"}

var documentedCode = regexp.MustCompile("(?s)^### ([a-z0-9-]+)\n\n.*?(?:\nWrong:\n\n```(yaml|sh)\n(.*?)\n```\n\nRight:\n\n```(yaml|sh)\n(.*?)\n```\n|$)")

// TestDocuments_DiagnosticsPageShowsWhatIsWrongAndRight loads every example of docs/diagnostics.md:
// the wrong one has the diagnostic, the right one loads and does not have it.
func TestDocuments_DiagnosticsPageShowsWhatIsWrongAndRight(t *testing.T) {
	page := read(t, "../../docs/diagnostics.md")
	for _, section := range strings.Split(page, "\n### ")[1:] {
		section, _, _ = strings.Cut("### "+section+"\n", "\n## ")
		m := documentedCode.FindStringSubmatch(section + "\n")
		if m == nil {
			t.Fatalf("section without a code: %.60q", section)
		}
		code := m[1]
		t.Run(code, func(t *testing.T) {
			if m[2] == "" {
				if !slices.Contains(withoutExample, code) {
					t.Error("it has no example")
				}
				return
			}
			if _, ds := loadExample(t, m[2], m[3]); !has(ds, code) {
				t.Errorf("the wrong example has the diagnostics %v", ds)
			}
			if cfg, ds := loadExample(t, m[4], m[5]); cfg == nil || has(ds, code) {
				t.Errorf("the right example has the diagnostics %v", ds)
			}
		})
	}
}

// TestDocuments_DiagnosticsPageShowsRealOutput holds the first block of the page against Print.
func TestDocuments_DiagnosticsPageShowsRealOutput(t *testing.T) {
	page := read(t, "../../docs/diagnostics.md")
	_, block, _ := strings.Cut(page, "```\n")
	block, _, _ = strings.Cut(block, "```")
	text := "crons:\n    nightly:\n        spec: '0 24 * * *'\n        task: {backup: {}}\n"
	if diff := cmp.Diff(printed(t, text), block); diff != "" {
		t.Errorf("docs/diagnostics.md (-Print +page):\n%s", diff)
	}
}

func has(ds Diagnostics, code string) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Code == code })
}

// loadExample loads a whole file, what stands below a cron's name, or a script.
func loadExample(t *testing.T, kind, text string) (*Config, Diagnostics) {
	t.Helper()
	indented := "    " + strings.ReplaceAll(text, "\n", "\n    ")
	switch {
	case kind == "sh":
		text = "crons:\n  nightly:\n    spec: '0 5 * * *'\n    cmd: |\n  " + strings.ReplaceAll(indented, "\n", "\n  ")
	case strings.HasPrefix(text, "spec:"):
		text = "crons:\n  nightly:\n" + indented
	}
	path := filepath.Join(t.TempDir(), "automatond.yaml")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := inputOf(t, path)
	return Load(in)
}
