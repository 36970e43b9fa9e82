package config

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected diagnostics of testdata/broken")

// TestLoad_NamesEveryProblem loads the files of testdata/broken, one rule each, and compares the
// diagnostics with the text beside them. A first line "# run NAME=value …" loads the file as the
// daemon does, with these variables; the others are loaded as the check command does.
func TestLoad_NamesEveryProblem(t *testing.T) {
	t.Chdir("testdata/broken")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && filepath.Ext(name) != ".yaml" {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			cfg, diagnostics := Load(brokenInput(t, name))
			if cfg != nil || !diagnostics.HasErrors() {
				t.Errorf("it loads, with the diagnostics %v", diagnostics)
			}
			compareDiagnostics(t, strings.TrimSuffix(name, ".yaml")+".txt", diagnostics)
		})
	}
	if tested < 30 {
		t.Errorf("only %d broken configurations were tested", tested)
	}
}

func brokenInput(t *testing.T, name string) Input {
	t.Helper()
	in := Input{Paths: []string{name}, Offline: true}
	data, err := os.ReadFile(name)
	if err != nil {
		return in // a directory
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if variables, ok := strings.CutPrefix(line, "# run"); ok {
		in.Offline = false
		in.LookupEnv = variablesOf(strings.Fields(variables)...)
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
	for _, d := range diagnostics {
		fmt.Fprintf(&got, "%s [%s]\n", d, d.Code)
		if d.Hint != "" {
			fmt.Fprintf(&got, "    %s\n", d.Hint)
		}
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
	for _, leak := range []string{"MYVERYSECRET", "MyVerySecret", "eyJhbGciOi", "u:pw"} {
		if strings.Contains(got.String(), leak) {
			t.Errorf("a secret is shown: %q", leak)
		}
	}
}
