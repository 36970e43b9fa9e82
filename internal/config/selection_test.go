package config

import (
	"strings"
	"testing"
)

func TestLoad_ChoosesProjectsByPatterns(t *testing.T) {
	tests := map[string]struct{ list, want string }{
		"pattern":                     {`['shop-*']`, "shop-de shop-fr shop-old"},
		"exclusion":                   {`['shop-*', '!shop-old']`, "shop-de shop-fr"},
		"last match decides":          {`['shop-*', '!shop-*', shop-fr]`, "shop-fr"},
		"exclusions alone":            {`['!shop-*']`, "blog team/blog a*b"},
		"segments":                    {`['*']`, "shop-de blog shop-fr shop-old a*b"},
		"across segments":             {`['**']`, "shop-de blog shop-fr shop-old team/blog a*b"},
		"alternatives":                {`['{blog,shop-[df]?}']`, "shop-de blog shop-fr"},
		"a name beside a pattern":     {`[blog, 'shop-f?']`, "blog shop-fr"},
		"an alias that looks like it": {`['a*b']`, "a*b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := mustLoad(t, `
projects: {shop-de: {id: a}, blog: {id: b}, shop-fr: {id: c}, shop-old: {id: d}, team/blog: {id: e}, a*b: {id: f}}
crons:
  first: {spec: '0 5 * * *', projects: `+tt.list+`, task: {backup: {}}}
  second: {spec: '0 6 * * *', projects: `+tt.list+`, task: {backup: {}}}
`)
			for _, j := range cfg.Jobs {
				var got []string
				for _, p := range j.Projects {
					got = append(got, p.Alias)
				}
				if got := strings.Join(got, " "); got != tt.want {
					t.Errorf("%s: projects %q, want %q", j.Name, got, tt.want)
				}
			}
		})
	}
}

func TestConfig_WithChoosesAmongDiscoveredProjects(t *testing.T) {
	tests := map[string]struct{ list, want string }{
		"everything":            {"", "shop blog b1 b2 c1"},
		"an organization":       {"projects: [acme], ", "shop b1 b2"},
		"listed ones":           {"projects: [shop, blog], ", "shop blog"},
		"listed beside":         {"projects: [blog, seen], ", "blog b1 c1"},
		"names by pattern":      {"projects: ['a*'], ", "shop b1 b2"},
		"titles":                {"projects: ['Old *'], ", "b2"},
		"all but some":          {"projects: [acme, '!Old*', '!b1'], ", "shop"},
		"but an organization":   {"projects: ['!acme'], ", "blog c1"},
		"what nobody knows yet": {"projects: ['new-*'], ", ""},
	}
	for name, tt := range tests {
		cfg := mustLoad(t, `
projects:
  shop: {id: a1}
  blog: {id: a2, variables: {A: own}}
  acme: {organization: acme, variables: {A: acme}}
  seen: {discover: all}
crons:
  nightly: {spec: '0 5 * * *', `+tt.list+`task: {backup: {}}}
`)
		found := map[string][]Found{
			"acme": {{"b2", "Old shop"}, {"b1", ""}, {"a1", "Shop"}}, "seen": {{"c1", "C"}, {"b1", "B"}},
			"former": {{"x", "X"}},
		}
		stale := cfg.With(map[string][]Found{"acme": {{"gone", ""}}})
		for _, with := range []*Config{cfg.With(found), stale.With(found)} {
			var got []string
			for _, p := range with.Jobs[0].Projects {
				got = append(got, p.Alias)
				if want := map[string]string{"a1": "", "a2": "own", "b1": "acme", "b2": "acme", "c1": ""}[p.ID]; p.Variables["A"] != want || p.User != DefaultUser {
					t.Errorf("%s: %s has variable %q and user %q, want %q", name, p.ID, p.Variables["A"], p.User, want)
				}
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("%s: projects %q, want %q", name, got, tt.want)
			}
			if len(with.Projects) != 5 || with.Jobs[0].Hash != cfg.Jobs[0].Hash {
				t.Errorf("%s: %d projects, and hash %s instead of %s", name, len(with.Projects), with.Jobs[0].Hash, cfg.Jobs[0].Hash)
			}
		}
		if len(cfg.Projects) != 2 {
			t.Errorf("%s: the configuration itself has %d projects", name, len(cfg.Projects))
		}
	}
}
