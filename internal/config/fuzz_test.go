package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// FuzzLoad holds that no text makes Load panic, that every error has a place, that a configuration
// that is returned is complete, and that what is printed neither moves a terminal's cursor nor is out
// of line.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(seed))
	for _, layout := range []string{
		"name: app\ntype: 'php:8.3'\nweb: !include web.yaml\n" + backupCron,
		"- &app\n  name: app\n  type: 'php:8.3'\n  " + backupCron + "- {<<: *app, name: front}\n",
		"app:\n  type: 'php:8.3'\n  timezone: Europe/Paris\n  " + backupCron,
		"services: {}\napplications:\n  app: {stack: [php]}\n  api:\n    type: 'php:8.3'\n    " + redeployCron,
	} {
		f.Add([]byte(layout))
	}
	for _, pattern := range []string{"testdata/*.yaml", "testdata/broken/*.yaml", "testdata/questionable/*.yaml", "../../config.example.yaml", "../../examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	path := filepath.Join(f.TempDir(), "fuzz.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diagnostics := Load(Input{Paths: []string{path}, Offline: true, Now: now})
		if (cfg == nil) != diagnostics.HasErrors() {
			t.Fatalf("config %v with diagnostics %v", cfg, diagnostics)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		for _, d := range diagnostics {
			if d.Code == "" || d.Message == "" || d.Line < 0 || d.Column < 0 || d.Line > lines && !strings.ContainsAny(string(data), "\u0085\u2028\u2029") {
				t.Errorf("diagnostic %+v", d)
			}
		}
		printable(t, diagnostics)
		if cfg == nil {
			return
		}
		for _, j := range cfg.Jobs {
			planned := j.Hash != "" && (j.Script == nil) != (j.Tasks == nil)
			if j.Name == "" || j.Spec == nil || j.Location == nil || !planned && j.Left == nil {
				t.Errorf("job %+v is not complete", j)
			}
		}
	})
}

// printable holds that every excerpt is one line of harmless characters, with the carets beneath it.
func printable(t *testing.T, diagnostics Diagnostics) {
	if err := diagnostics.Print(io.Discard, true); err != nil {
		t.Fatal(err)
	}
	for _, d := range diagnostics {
		if d.source == nil || d.Line == 0 {
			continue
		}
		e := d.source.excerpt(d.Line, d.Column, d.EndColumn)
		if strings.ContainsFunc(e.text, unicode.IsControl) || len(e.text) > 4*maxExcerpt+8 {
			t.Errorf("%s: excerpt %q", d, e.text)
		}
		width := 0
		for _, char := range e.text {
			_, cells := shown(char)
			width += cells
		}
		if e.start < 0 || e.end <= e.start || e.end > width+2 {
			t.Errorf("%s: carets at %d-%d beneath %d columns %q", d, e.start, e.end, width, e.text)
		}
	}
}
