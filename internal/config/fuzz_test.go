package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad holds that no text makes Load panic, that every error has a place, and that a
// configuration that is returned is complete.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(seed))
	for _, pattern := range []string{"testdata/*.yaml", "testdata/broken/*.yaml", "../../config.example.yaml", "../../examples/*.yaml"} {
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
		cfg, diagnostics := Load(Input{Paths: []string{path}, Offline: true})
		if (cfg == nil) != diagnostics.HasErrors() {
			t.Fatalf("config %v with diagnostics %v", cfg, diagnostics)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		for _, d := range diagnostics {
			if d.Code == "" || d.Message == "" || d.Line < 0 || d.Column < 0 || d.Line > lines && !strings.ContainsAny(string(data), "\u0085\u2028\u2029") {
				t.Errorf("diagnostic %+v", d)
			}
		}
		if cfg == nil {
			return
		}
		for _, j := range cfg.Jobs {
			if j.Name == "" || j.Spec == nil || j.Location == nil || j.Hash == "" || (j.Script == nil) == (j.Tasks == nil) {
				t.Errorf("job %+v is not complete", j)
			}
		}
	})
}
