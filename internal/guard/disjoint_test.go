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
