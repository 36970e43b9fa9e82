package guard

import (
	"errors"
	"testing"

	"github.com/automatond/automatond/internal/platform"
)

func TestPatterns_LetTheLastMatchDecide(t *testing.T) {
	tests := []struct {
		patterns []string
		branch   string
		want     bool
	}{
		{[]string{"main"}, "main", true},
		{[]string{"main"}, "Main", false},
		{[]string{"main"}, "main2", false},
		{[]string{"feature/*"}, "feature/a", true},
		{[]string{"feature/*"}, "feature/a/b", false},
		{[]string{"feature/**"}, "feature/a/b", true},
		{[]string{"**"}, "feature/a/b", true},
		{[]string{"*"}, "feature/a", false},
		{[]string{"**/demo"}, "a/b/demo", true},
		{[]string{"**/demo"}, "demo", true},
		{[]string{"pr-?"}, "pr-1", true},
		{[]string{"pr-[0-9]"}, "pr-x", false},
		{[]string{"{main,live}"}, "live", true},
		{[]string{"{feature,fix}/**"}, "fix/a/b", true},
		{[]string{`\$default_branch`}, "$default_branch", true},
		{[]string{"feature/**", "!feature/demo"}, "feature/demo", false},
		{[]string{"feature/**", "!feature/demo"}, "feature/other", true},
		{[]string{"feature/**", "!feature/*", "feature/keep"}, "feature/keep", true},
		{[]string{"!main"}, "dev", true},
		{[]string{"!main"}, "main", false},
		{[]string{"!main", "!live"}, "live", false},
		{[]string{"$default_branch"}, "trunk", true},
		{[]string{"$default_branch"}, "main", false},
		{[]string{"$production"}, "trunk", true},
		{[]string{"**", "!$production"}, "trunk", false},
	}
	for _, tt := range tests {
		target := Target{
			DefaultBranch: "trunk",
			Environment:   &platform.Environment{Name: tt.branch, Type: "development"},
		}
		if tt.branch == "trunk" {
			target.Environment.Type = "production"
		}
		g := Guard{Only: Condition{Branches: parse(t, tt.patterns...)}}
		if got := g.Evaluate(target).Pass; got != tt.want {
			t.Errorf("%q on branch %s = %v, want %v", tt.patterns, tt.branch, got, tt.want)
		}
	}
}

func TestParsePatterns_RefusesWhatCannotMeanWhatItSays(t *testing.T) {
	tests := []struct {
		patterns []string
		index    int
		message  string
	}{
		{[]string{"main", ""}, 1, "it is empty"},
		{[]string{"!"}, 0, "it is empty"},
		{[]string{"main live"}, 0, "it contains white space or a control character, which no branch has"},
		{[]string{"a\x00"}, 0, "it contains white space or a control character, which no branch has"},
		{[]string{"feature/[a"}, 0, "it is not a valid pattern"},
		{[]string{"feature/{a"}, 0, "it is not a valid pattern"},
		{[]string{`feature\`}, 0, "it is not a valid pattern"},
		{[]string{"feature**"}, 0, "** is not a segment of its own, so it would match no more than *"},
		{[]string{"main", "feature/"}, 1, "it matches no branch: no part of a name is empty or begins with a dot or ^"},
		{[]string{"/^feature/"}, 0, "it matches no branch: no part of a name is empty or begins with a dot or ^"},
		{[]string{"^main$"}, 0, "it matches no branch: no part of a name is empty or begins with a dot or ^"},
		{[]string{"feature/.*"}, 0, "it matches no branch: no part of a name is empty or begins with a dot or ^"},
		{[]string{"$default"}, 0, "it is not a value that is known here"},
		{[]string{"!feature/demo", "feature/**"}, 0, "an exclusion before every other pattern has no effect"},
	}
	for _, tt := range tests {
		_, err := ParsePatterns(tt.patterns)
		problem, ok := errors.AsType[*PatternError](err)
		if !ok {
			t.Errorf("ParsePatterns(%q) error = %v, want a PatternError", tt.patterns, err)
			continue
		}
		if problem.Index != tt.index || problem.Message != tt.message || problem.Pattern != tt.patterns[tt.index] {
			t.Errorf("ParsePatterns(%q) = %+v, want index %d, message %q", tt.patterns, problem, tt.index, tt.message)
		}
	}
}

func FuzzParsePatterns(f *testing.F) {
	for _, seed := range []string{"main", "!feature/**", "{a,b}/[c-d]?", "$production", `\`} {
		f.Add(seed, "feature/a")
	}
	f.Fuzz(func(t *testing.T, pattern, branch string) {
		ps, err := ParsePatterns([]string{pattern})
		if err != nil {
			return
		}
		g := Guard{Only: Condition{Branches: ps}}
		h := Guard{Except: Condition{Branches: ps}}
		at := Target{DefaultBranch: "main", Environment: &platform.Environment{Name: branch, Type: "staging"}}
		if g.Evaluate(at).Pass && h.Evaluate(at).Pass {
			t.Errorf("branch %q passes both only and except %q", branch, pattern)
		}
	})
}
