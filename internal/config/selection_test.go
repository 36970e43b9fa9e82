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
