package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSource_ReadsAFileAgainAtEveryCall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	source := FromFile(path)
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(" \t"+want+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := source.Read()
		if err != nil || got.Reveal() != want {
			t.Errorf("Read() = %q, %v, want %q", got.Reveal(), err, want)
		}
	}
	if got := source.String(); got != "file "+path {
		t.Errorf("String() = %q", got)
	}
}

func TestSource_KeepsAVariableAsItWasAtLoad(t *testing.T) {
	source := FromEnv("TOKEN", "value\n")
	if got, err := source.Read(); err != nil || got.Reveal() != "value" {
		t.Errorf("Read() = %q, %v", got.Reveal(), err)
	}
	if got := source.String(); got != "variable TOKEN" {
		t.Errorf("String() = %q", got)
	}
}

func TestSource_RefusesNothingAndTooMuch(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := map[string]struct {
		source Source
		want   string
	}{
		"empty variable": {FromEnv("TOKEN", "  "), "variable TOKEN is empty"},
		"empty file":     {FromFile(write("empty", "\n")), "is empty"},
		"huge file":      {FromFile(write("huge", strings.Repeat("x", maxFile+1))), "larger than 64 KiB"},
		"missing file":   {FromFile(filepath.Join(dir, "none")), "no such file"},
		"directory":      {FromFile(dir), "is a directory"},
		"nothing":        {Source{}, "no source"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := tt.source.Read(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read() error = %v, want it to contain %q", err, tt.want)
			}
		})
	}
}

func TestSource_EqualTellsOtherSecretsApart(t *testing.T) {
	a := FromEnv("TOKEN", "one")
	if !a.Equal(FromEnv("TOKEN", "one")) || !FromFile("f").Equal(FromFile("f")) {
		t.Error("equal sources differ")
	}
	for _, other := range []Source{FromEnv("TOKEN", "two"), FromEnv("OTHER", "one"), FromFile("f"), {}} {
		if a.Equal(other) {
			t.Errorf("%s with another secret is taken for the same", other)
		}
	}
}
