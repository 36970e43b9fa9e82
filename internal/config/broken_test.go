package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected diagnostics of testdata/broken")

// now is when the coming year of testdata begins: a Thursday, before both nights on which clocks
// change in Europe.
var now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// TestPrint_NamesEveryProblem loads the files of testdata/broken, one rule each, and compares what
// is printed with the text beside them. A first line "# run NAME=value …" loads the file as the
// daemon does, with these variables, "# check PATH …" loads these files; the others are loaded as
// the check command does.
func TestPrint_NamesEveryProblem(t *testing.T) {
	testdata(t, "broken", 100, func(t *testing.T, cfg *Config, ds Diagnostics) {
		if cfg != nil || !ds.HasErrors() {
			t.Errorf("it loads, with the diagnostics %v", ds)
		}
	})
}

// TestPrint_NamesWhatIsProbablyNotMeant does the same for testdata/questionable, whose files load.
func TestPrint_NamesWhatIsProbablyNotMeant(t *testing.T) {
	testdata(t, "questionable", 20, func(t *testing.T, cfg *Config, ds Diagnostics) {
		if cfg == nil || len(ds) == 0 {
			t.Errorf("it does not load with a remark, but with the diagnostics %v", ds)
		}
	})
}

func testdata(t *testing.T, dir string, least int, check func(*testing.T, *Config, Diagnostics)) {
	t.Chdir(filepath.Join("testdata", dir))
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && filepath.Ext(name) != ".yaml" || e.IsDir() && name == "empty-directory" {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			cfg, diagnostics := Load(inputOf(t, name))
			check(t, cfg, diagnostics)
			compareDiagnostics(t, strings.TrimSuffix(name, ".yaml")+".txt", diagnostics)
		})
	}
	if tested < least {
		t.Errorf("only %d configurations were tested", tested)
	}
}

func inputOf(t *testing.T, name string) Input {
	t.Helper()
	in := Input{Paths: []string{name}, Offline: true, Now: now}
	data, err := os.ReadFile(name)
	if err != nil {
		return in // a directory
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if variables, ok := strings.CutPrefix(line, "# run"); ok {
		in.Offline, in.Now = false, time.Time{}
		in.LookupEnv = variablesOf(strings.Fields(variables)...)
	}
	if paths, ok := strings.CutPrefix(line, "# check"); ok {
		in.Paths = strings.Fields(paths)
	}
	return in
}

// variablesOf is a process's environment of NAME=value.
func variablesOf(list ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range list {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}

func compareDiagnostics(t *testing.T, golden string, diagnostics Diagnostics) {
	t.Helper()
	var got bytes.Buffer
	if err := diagnostics.Print(&got, false); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("diagnostics of %s (-want +got):\n%s", golden, diff)
	}
	for _, leak := range []string{"MYVERYSECRET", "MyVerySecret", "eyJhbGciOi", "u:pw", "hunter"} {
		if strings.Contains(got.String(), leak) {
			t.Errorf("a secret is shown: %q", leak)
		}
	}
}
