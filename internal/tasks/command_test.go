package tasks

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestByCommand_ResolvesAsSymfonyConsole(t *testing.T) {
	for _, tt := range []struct {
		name string
		want *Kind
	}{
		{"backup:create", backup},
		{"backup", backup}, // exact, although backup:list begins with it
		{"snapshot:create", backup},
		{"snapshot:cr", backup},
		{"snap:c", backup},
		{"environment:backup", backup},
		{"environment:back", backup},
		{"back:c", backup},
		{"backup:cre", backup},
		{"sync", synchronize},
		{"environment:sync", synchronize},
		{"environment:synchronize", synchronize},
		{"env:sync", synchronize},
		{"e:sync", synchronize},
		{"syn", synchronize},
		{"redeploy", redeploy},
		{"rede", redeploy},
		{"environment:red", redeploy},
		{"Environment:Redeploy", redeploy}, // the case counts only when something matches with it
		{"e:pause", pause},
		{"env:pa", pause},
		{"environment:resu", resume},
		{"source-operation:run", sourceOperation},
		{"source:r", sourceOperation},
		{"sou:ru", sourceOperation},
	} {
		if got, err := ByCommand(tt.name); got != tt.want {
			t.Errorf("%s: got %v, %v", tt.name, got, err)
		}
	}
}

func TestByCommand_SaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name string
		want UnknownCommandError
		text string
	}{
		{"b:c", UnknownCommandError{Ambiguous: true, Nearest: []string{"backup:create", "blue-green:conclude"}}, "is ambiguous: it may be backup:create or blue-green:conclude"},
		{"environment:syn", UnknownCommandError{}, ""},
		{"back", UnknownCommandError{Ambiguous: true, Nearest: []string{"backup:create", "backup:delete", "backup:get", "backup:list", "backup:restore"}}, "ambiguous"},
		{"environment:re", UnknownCommandError{Ambiguous: true, Nearest: []string{"environment:restore", "environment:redeploy", "environment:relationships", "environment:resume"}}, "ambiguous"},
		{"environment:res", UnknownCommandError{Ambiguous: true, Nearest: []string{"environment:restore", "environment:resume"}}, "ambiguous"},
		{"db:dump", UnknownCommandError{Unsupported: true, Command: "db:dump"}, `"db:dump" exists in the CLI, but automatond does not offer it`},
		{"push", UnknownCommandError{Unsupported: true, Command: "environment:push"}, "(environment:push) exists in the CLI, but automatond does not offer it: it pushes commits with git over SSH"},
		{"sql", UnknownCommandError{Unsupported: true, Command: "db:sql"}, "(db:sql)"},
		{"backup:li", UnknownCommandError{Unsupported: true, Command: "backup:list"}, "(backup:list)"},
		{"snapshot", UnknownCommandError{Ambiguous: true, Nearest: []string{"snapshot:create", "snapshots", "snapshot:list", "snapshot:restore"}}, "ambiguous"},
		{"e", UnknownCommandError{Ambiguous: true}, "more"},
		{"redploy", UnknownCommandError{Nearest: []string{"redeploy"}}, "did you mean redeploy?"},
		{"pause", UnknownCommandError{Nearest: []string{"environment:pause"}}, "did you mean environment:pause?"},
		{"frobnicate", UnknownCommandError{}, "is not defined"},
		{"", UnknownCommandError{}, `command "" is not defined`},
		{"environment:synchronize:now", UnknownCommandError{}, "is not defined"},
	} {
		k, err := ByCommand(tt.name)
		if tt.text == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		got, ok := errors.AsType[*UnknownCommandError](err)
		if !ok {
			t.Errorf("%s: got %v, %v", tt.name, k, err)
			continue
		}
		if got.Ambiguous != tt.want.Ambiguous || got.Unsupported != tt.want.Unsupported || got.Command != tt.want.Command {
			t.Errorf("%s: got %+v", tt.name, got)
		}
		if tt.want.Nearest != nil && !slices.Equal(got.Nearest, tt.want.Nearest) {
			t.Errorf("%s: nearest: got %q, want %q", tt.name, got.Nearest, tt.want.Nearest)
		}
		if got.Name != tt.name || !strings.Contains(got.Error(), tt.text) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.text)
		}
	}
}

func TestCommands_NoNameTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, names := range cliCommands {
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s stands twice", n)
			}
			seen[n] = true
		}
	}
}

func TestRefused_NamesCommandsThatExistAndAreNotOffered(t *testing.T) {
	for command, reason := range refused {
		_, err := ByCommand(command)
		unknown, ok := errors.AsType[*UnknownCommandError](err)
		if !ok || !unknown.Unsupported || unknown.Command != command || !strings.HasSuffix(err.Error(), ": "+reason) {
			t.Errorf("%s: got %v", command, err)
		}
	}
}

func FuzzByCommand(f *testing.F) {
	for _, names := range cliCommands {
		f.Add(names[0])
	}
	f.Add("::")
	f.Add("é:")
	f.Fuzz(func(t *testing.T, name string) {
		if k, err := ByCommand(name); (k == nil) == (err == nil) {
			t.Errorf("%q: got %v and %v", name, k, err)
		}
	})
}
