package shell

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestParse_SaysHowToDivideAScript(t *testing.T) {
	const call = "platform redeploy --yes --no-wait"
	for _, tt := range []struct{ src, calls, programs string }{
		{"drush cr; " + call, call, "drush cr"},
		{"set -e\n# First.\ndrush cr\n" + call, "set -e; " + call, "set -e; drush cr"},
		{call + " && drush cr || echo no", call + " || echo no", "drush cr || echo no"},
		{`[ "$A" = b ] && drush cr && ` + call, `[ "$A" = b ] && ` + call, `[ "$A" = b ] && drush cr`},
		{"if a=b; then drush cr; else " + call + "; fi", "if a=b; then :; else " + call + "; fi", "if a=b; then drush cr; else :; fi"},
		{"for x in a b; do drush $x; " + call + "; done", "for x in a b; do " + call + "; done", "for x in a b; do drush $x; done"},
		{"case $a in b) drush cr ;; *) " + call + " ;; esac", "case $a in b) ;; *) " + call + " ;; esac", "case $a in b) drush cr ;; *) ;; esac"},
		{"(drush cr; " + call + ")", "(" + call + ")", "(drush cr)"},
		{"{ drush cr; " + call + "; }; drush cron", "{ " + call + "; }", "{ drush cr; }; drush cron"},
		// A guard stays with both.
		{`[ "$A" = b ] || exit 0; drush cr; ` + call, `[ "$A" = b ] || exit 0; ` + call, `[ "$A" = b ] || exit 0; drush cr`},
		{`[ "$A" = b ] || { drush cr; exit; }; ` + call, `[ "$A" = b ] || { exit; }; ` + call, `[ "$A" = b ] || { drush cr; exit; }`},
		{`if [ "$A" != b ]; then drush cr; exit; fi; ` + call, `if [ "$A" != b ]; then exit; fi; ` + call, `if [ "$A" != b ]; then drush cr; exit; fi`},
		{`set -e; [ "$A" = b ] && drush cr; ` + call, "set -e; " + call, `set -e; [ "$A" = b ] && drush cr`},
		{"drush status || exit 1; " + call, call, "drush status || exit 1"},
		{`{ [ "$A" = b ] || drush cr; } && ` + call, call, `{ [ "$A" = b ] || drush cr; }`},
		{"drush list | drush run; " + call, call, "drush list | drush run"},
		// What depends on the other's result cannot be divided by leaving something out.
		{"if drush status; then " + call + "; fi", "", ""},
		{"drush status || " + call, "", ""},
		{"x=$(drush status); " + call, "", ""},
		{"drush list | while read -r x; do " + call + "; done", "", ""},
		{`platform redeploy -yW -e "$(git branch)"`, "", ""},
		{"f() { drush cr; " + call + "; }; f", "", ""},
		// Nothing is repeated that may be secret.
		{"drush cr; platform variable:set env:A hunter2 -W", "", ""},
		{"drush cr; platform " + `"$COMMAND"` + " hunter2 -W", "", ""},
	} {
		_, problems := Parse(tt.src)
		hint := ""
		for _, p := range problems {
			if p.Code == "other-program" && hint == "" {
				hint = p.Hint
			}
		}
		want := "make two crons of it, one with: " + tt.calls + " — and one for the container with: " + tt.programs
		if tt.calls == "" {
			want = "make two crons of it, one with the calls and one for the container with "
		}
		if !strings.HasPrefix(hint, want) || tt.calls != "" && hint != want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.src, hint, want)
		}
		if tt.calls != "" {
			for _, a := range []string{"b", "c"} {
				whole, half := callsOf(t, "drush() { :; }\n"+tt.src, a), callsOf(t, tt.calls, a)
				if !slices.Equal(whole, half) {
					t.Errorf("%s\ncalls %q, and divided %q", tt.src, whole, half)
				}
			}
		}
	}
}

// callsOf are the calls of a script where A has this value.
func callsOf(t *testing.T, src, a string) []string {
	t.Helper()
	script, problems := Parse(src)
	if script == nil {
		t.Fatalf("%s: %+v", src, problems)
	}
	var calls []string
	script.Run(t.Context(), map[string]string{"A": a}, func(_ context.Context, c Call) int {
		calls = append(calls, written(c.Args))
		return 0
	})
	return calls
}
