package guard

import (
	"testing"

	"github.com/automatond/automatond/internal/platform"
	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, patterns ...string) Patterns {
	t.Helper()
	ps, err := ParsePatterns(patterns)
	if err != nil {
		t.Fatalf("ParsePatterns(%q): %v", patterns, err)
	}
	return ps
}

// target describes an environment of a project whose default branch is main.
func target(branch, environmentType, status string) Target {
	return Target{
		DefaultBranch: "main",
		Environment:   &platform.Environment{ID: branch, Name: branch, Type: environmentType, Status: status},
	}
}

func TestGuard_AdmitsByBranchAndTypeWithoutTheDefaultBranch(t *testing.T) {
	main := Guard{Only: Condition{Branches: parse(t, "main"), EnvironmentTypes: []string{"production"}}}
	byDefault := Guard{Only: Condition{Branches: parse(t, "$default_branch")}}
	for _, tt := range []struct {
		guard                   *Guard
		branch, environmentType string
		want                    bool
	}{
		{&main, "main", "production", true},
		{&main, "main", "staging", false},
		{&main, "dev", "production", false},
		{&byDefault, "main", "production", false},
		{&Guard{}, "dev", "development", true},
	} {
		if got := tt.guard.Admits(tt.branch, tt.environmentType); got != tt.want {
			t.Errorf("%s admits %s of type %s = %v, want %v", tt.guard, tt.branch, tt.environmentType, got, tt.want)
		}
	}
}

func TestGuard_LetsEverythingPassWhenNothingIsAsked(t *testing.T) {
	var g Guard
	for _, target := range []Target{{}, target("", "", ""), target("main", "production", "active")} {
		if v := g.Evaluate(target); !v.Pass || v.Message != "" {
			t.Errorf("Evaluate(%+v) = %+v, want a pass", target, v)
		}
	}
	if !g.IsZero() || g.String() != "" {
		t.Error("the zero guard is not zero")
	}
}

func TestGuard_PassesOnlyWhereAllOfOnlyAndNotAllOfExceptMatch(t *testing.T) {
	production := []string{"production"}
	tests := []struct {
		name   string
		guard  Guard
		target Target
		want   string // the veto's message, "" for a pass
	}{
		{"only branch", Guard{Only: Condition{Branches: parse(t, "main")}}, target("main", "", ""), ""},
		{"only another branch", Guard{Only: Condition{Branches: parse(t, "main", "live")}}, target("dev", "", ""),
			"branch dev is not in only.branches [main, live]"},
		{"only type", Guard{Only: Condition{EnvironmentTypes: production}}, target("main", "production", ""), ""},
		{"only another type", Guard{Only: Condition{EnvironmentTypes: production}}, target("dev", "development", ""),
			"environment type development is not in only.environment_types [production]"},
		{"only both, one fails", Guard{Only: Condition{Branches: parse(t, "main"), EnvironmentTypes: production}},
			target("main", "staging", ""), "environment type staging is not in only.environment_types [production]"},
		{"only status", Guard{Only: Condition{Status: []string{"paused"}}}, target("main", "", "active"),
			"status active is not in only.status [paused]"},
		{"dirty is active", Guard{Only: Condition{Status: []string{"active"}}}, target("main", "", "dirty"), ""},
		{"active is not dirty", Guard{Only: Condition{Status: []string{"dirty"}}}, target("main", "", "active"),
			"status active is not in only.status [dirty]"},
		{"except branch", Guard{Except: Condition{Branches: parse(t, "main")}}, target("main", "", ""),
			"branch main is in except.branches [main]"},
		{"except another branch", Guard{Except: Condition{Branches: parse(t, "main")}}, target("dev", "", ""), ""},
		{"except both, one differs", Guard{Except: Condition{Branches: parse(t, "main"), EnvironmentTypes: production}},
			target("main", "staging", ""), ""},
		{"except both", Guard{Except: Condition{Branches: parse(t, "main"), EnvironmentTypes: production}},
			target("main", "production", ""),
			"branch main is in except.branches [main] and environment type production is in except.environment_types [production]"},
		{"only and except", Guard{Only: Condition{Branches: parse(t, "feature/**")}, Except: Condition{Status: []string{"dirty"}}},
			target("feature/a/b", "development", "dirty"), "status dirty is in except.status [dirty]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := tt.guard.Evaluate(tt.target)
			if v.Message != tt.want || v.Pass != (tt.want == "") {
				t.Errorf("Evaluate = %+v, want message %q", v, tt.want)
			}
		})
	}
}

func TestGuard_FailsClosedOnUnknownValues(t *testing.T) {
	unknownDefault := Target{Environment: &platform.Environment{Name: "main"}}
	tests := []struct {
		name   string
		guard  Guard
		target Target
		want   string
	}{
		{"no environment", Guard{Only: Condition{Branches: parse(t, "**")}}, Target{},
			"the branch is not known, and only.branches asks for it"},
		{"no branch, only exclusions", Guard{Only: Condition{Branches: parse(t, "!main")}}, target("", "production", ""),
			"the branch is not known, and only.branches asks for it"},
		{"no type", Guard{Only: Condition{EnvironmentTypes: []string{"production"}}}, target("main", "", ""),
			"the environment type is not known, and only.environment_types asks for it"},
		{"no type under except", Guard{Except: Condition{EnvironmentTypes: []string{"production"}}}, target("main", "", ""),
			"the environment type is not known, and except.environment_types asks for it"},
		{"no status under except", Guard{Except: Condition{Status: []string{"paused"}}}, target("main", "", ""),
			"the status is not known, and except.status asks for it"},
		{"no type under except, but another branch",
			Guard{Except: Condition{Branches: parse(t, "live"), EnvironmentTypes: []string{"production"}}}, target("main", "", ""), ""},
		{"no default branch", Guard{Only: Condition{Branches: parse(t, "$default_branch")}}, unknownDefault,
			"what $default_branch or $production stands for is not known, and only.branches asks for it"},
		{"no default branch, excluded", Guard{Only: Condition{Branches: parse(t, "**", "!$default_branch")}}, unknownDefault,
			"what $default_branch or $production stands for is not known, and only.branches asks for it"},
		{"no default branch, another pattern decides", Guard{Only: Condition{Branches: parse(t, "$default_branch", "main")}}, unknownDefault, ""},
		{"no type for $production under except", Guard{Except: Condition{Branches: parse(t, "$production")}}, unknownDefault,
			"what $default_branch or $production stands for is not known, and except.branches asks for it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := tt.guard.Evaluate(tt.target)
			if v.Message != tt.want || v.Pass != (tt.want == "") {
				t.Errorf("Evaluate = %+v, want message %q", v, tt.want)
			}
		})
	}
}

func TestGuard_ExplainsEveryField(t *testing.T) {
	g := Guard{
		Only:   Condition{Branches: parse(t, "main", "release/*"), EnvironmentTypes: []string{"staging"}},
		Except: Condition{Status: []string{"dirty"}},
	}
	got := g.Explain(target("main", "production", "active"))
	want := []Check{
		{`only.branches [main, release/*]`, `branch is "main"`, true},
		{`only.environment_types [staging]`, `environment type is "production"`, false},
		{`except.status [dirty]`, `status is "active"`, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
}

func TestGuard_ExplainsWhatIsNotKnown(t *testing.T) {
	g := Guard{
		Only:   Condition{Branches: parse(t, "$default_branch"), EnvironmentTypes: []string{"staging"}},
		Except: Condition{Status: []string{"dirty"}},
	}
	nameless := target("main", "", "")
	nameless.DefaultBranch = ""
	want := []Check{
		{`only.branches [$default_branch]`, `branch is "main", $default_branch is not known`, false},
		{`only.environment_types [staging]`, "environment type is not known", false},
		{`except.status [dirty]`, "status is not known", true},
	}
	if diff := cmp.Diff(want, g.Explain(nameless)); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
}

func TestGuard_HasOneTextPerMeaning(t *testing.T) {
	guards := []Guard{
		{},
		{Only: Condition{Branches: parse(t, "main")}},
		{Except: Condition{Branches: parse(t, "main")}},
		{Only: Condition{Branches: parse(t, "main", "live")}},
		{Only: Condition{Branches: parse(t, "live", "main")}},
		{Only: Condition{Status: []string{"active"}}},
		{Only: Condition{EnvironmentTypes: []string{"production"}, Status: []string{"active"}}},
	}
	seen := map[string]int{}
	for i := range guards {
		if j, ok := seen[guards[i].String()]; ok {
			t.Errorf("guards %d and %d both read %q", i, j, guards[i].String())
		}
		seen[guards[i].String()] = i
	}
}

func TestGuard_PassesWithoutAllocating(t *testing.T) {
	g := Guard{
		Only: Condition{
			Branches: parse(t, "main", "feature/**", "!feature/demo", "$default_branch", "$production"),
			Status:   []string{"active"},
		},
		Except: Condition{EnvironmentTypes: []string{"production"}},
	}
	passing := target("feature/a/b", "development", "dirty")
	if n := testing.AllocsPerRun(100, func() {
		if !g.Evaluate(passing).Pass {
			t.Fatal("it does not pass")
		}
	}); n != 0 {
		t.Errorf("Evaluate allocates %v times on a pass", n)
	}
}
