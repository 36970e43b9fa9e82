package guard

import "testing"

func TestDisjoint_IsTrueOnlyWhenNoEnvironmentCanPassBoth(t *testing.T) {
	on := func(branches ...string) Guard {
		p, err := ParsePatterns(branches)
		if err != nil {
			t.Fatal(err)
		}
		return Guard{Only: Condition{Branches: p}}
	}
	types := func(types ...string) Guard { return Guard{Only: Condition{EnvironmentTypes: types}} }
	status := func(status ...string) Guard { return Guard{Only: Condition{Status: status}} }
	for _, tt := range []struct {
		name string
		a, b Guard
		want bool
	}{
		{"no guards", Guard{}, Guard{}, false},
		{"one guard", on("main"), Guard{}, false},
		{"other branches", on("main", "updates"), on("staging"), true},
		{"a common branch", on("main", "staging"), on("staging"), false},
		{"a pattern", on("feature/*"), on("main"), false},
		{"an exclusion", on("!main"), on("main"), false},
		{"the default branch", on("$default_branch"), on("main"), false},
		{"other types", types("production"), types("staging", "development"), true},
		{"a common type", types("production", "staging"), types("staging"), false},
		{"other statuses", status("paused"), status("active"), true},
		{"dirty is active", status("dirty"), status("active"), false},
	} {
		if got := Disjoint(&tt.a, &tt.b); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
		if got := Disjoint(&tt.b, &tt.a); got != tt.want {
			t.Errorf("%s, the other way round: got %v", tt.name, got)
		}
	}
}

func TestGuard_IsNeverWhenExceptTakesAwayAllOfOnly(t *testing.T) {
	on := func(branches ...string) Condition {
		p, err := ParsePatterns(branches)
		if err != nil {
			t.Fatal(err)
		}
		return Condition{Branches: p}
	}
	types := func(types ...string) Condition { return Condition{EnvironmentTypes: types} }
	for _, tt := range []struct {
		name         string
		only, except Condition
		want         bool
	}{
		{"nothing asked", Condition{}, Condition{}, false},
		{"only", on("main"), Condition{}, false},
		{"except", Condition{}, on("main"), false},
		{"the same branches", on("main", "dev"), on("dev", "main", "x"), true},
		{"a branch left", on("main", "dev"), on("main"), false},
		{"branches within a pattern", on("release/1", "release/2"), on("release/*"), true},
		{"a pattern within itself", on("release/*"), on("release/*"), false},
		{"the default branch", on("main"), on("$default_branch"), false},
		{"the same types", types("staging"), types("production", "staging"), true},
		{"other fields", types("staging"), on("main"), false},
		{"one of two fields", on("main"), Condition{Branches: on("main").Branches, EnvironmentTypes: []string{"staging"}}, false},
		{"dirty is active", Condition{Status: []string{"dirty"}}, Condition{Status: []string{"active"}}, true},
	} {
		g := Guard{Only: tt.only, Except: tt.except}
		if got := g.IsNever(); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}
