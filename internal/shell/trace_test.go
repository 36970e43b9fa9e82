package shell

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traced runs a script with a trace, and writes each condition in a line.
func traced(t *testing.T, src string, vars map[string]string) []string {
	t.Helper()
	script, problems := Parse(src)
	if script == nil {
		t.Fatalf("%q: %v", src, problems)
	}
	var lines []string
	for _, c := range script.Trace(t.Context(), vars, func(context.Context, Call) int { return 0 }) {
		line := fmt.Sprintf("%d %s:", c.Line, c.Text)
		for _, v := range c.Variables {
			line += fmt.Sprintf(" %s=%q", v.Name, v.Value)
			if !v.Set {
				line = strings.TrimSuffix(line, `=""`) + " unset"
			}
		}
		line += fmt.Sprintf(" %t", c.Holds)
		if c.Ended {
			line += " ended"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTrace_TellsEachConditionWithWhatItSaw(t *testing.T) {
	feature := map[string]string{"PLATFORM_BRANCH": "feature/x", "RUN": "Yes"}
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"if": {
			"if [ \"$PLATFORM_BRANCH\" = master ]; then\n  platform backup -yW\nfi",
			[]string{`1 [ "$PLATFORM_BRANCH" = master ]: PLATFORM_BRANCH="feature/x" false`},
		},
		"and, second not reached": {
			"[ \"$PLATFORM_BRANCH\" = master ] &&\n[ \"$RUN\" = Yes ] && platform backup -yW",
			[]string{`1 [ "$PLATFORM_BRANCH" = master ]: PLATFORM_BRANCH="feature/x" false`},
		},
		"and, both": {
			"[ \"$PLATFORM_BRANCH\" != master ] &&\n[ \"$RUN\" = Yes ] && platform backup -yW",
			[]string{
				`1 [ "$PLATFORM_BRANCH" != master ]: PLATFORM_BRANCH="feature/x" true`,
				`2 [ "$RUN" = Yes ]: RUN="Yes" true`,
			},
		},
		"test, negated, several variables": {
			"! test \"$RUN\" = \"$OTHER\" && platform backup -yW",
			[]string{`1 test "$RUN" = "$OTHER": RUN="Yes" OTHER unset false`},
		},
		"no variable": {"[ 1 -gt 2 ] || platform backup -yW", []string{`1 [ 1 -gt 2 ]: false`}},
		"case": {
			"case \"$PLATFORM_BRANCH\" in\n  main|master) ;;\n  feature/*|x) [ \"$RUN\" = No ] ;;\nesac && platform backup -yW",
			[]string{
				`1 case "$PLATFORM_BRANCH" in feature/*|x): PLATFORM_BRANCH="feature/x" true`,
				`3 [ "$RUN" = No ]: RUN="Yes" false`,
			},
		},
		"case without a match": {
			"case $PLATFORM_BRANCH in main) exit;; esac; platform backup -yW",
			[]string{`1 case $PLATFORM_BRANCH in: PLATFORM_BRANCH="feature/x" false`},
		},
		"a case that exits": {
			"case $PLATFORM_BRANCH in main) ;; *) exit 0;; esac; platform backup -yW",
			[]string{`1 case $PLATFORM_BRANCH in *): PLATFORM_BRANCH="feature/x" true`},
		},
		"an unset guard variable": {
			"[ -n \"$RUN\" ] || exit\nif [ \"$PLATFORM_ENVIRONMENT_TYPE\" = production ]; then platform backup -yW; fi",
			[]string{
				`1 [ -n "$RUN" ]: RUN="Yes" true`,
				`2 [ "$PLATFORM_ENVIRONMENT_TYPE" = production ]: PLATFORM_ENVIRONMENT_TYPE unset false ended`,
			},
		},
		"set -e": {
			"set -e\n[ \"$RUN\" = No ]\nplatform backup -yW",
			[]string{`2 [ "$RUN" = No ]: RUN="Yes" false ended`},
		},
		"set -u": {
			"set -eu\n[ \"${OTHER:-}\" = No ] || platform backup -yW",
			[]string{`2 [ "${OTHER:-}" = No ]: OTHER unset false`},
		},
		"a loop with new values, and one without": {
			"for b in main dev main; do [ \"$b\" = dev ] && platform backup -yW; done",
			[]string{`1 [ "$b" = dev ]: b="main" false`, `1 [ "$b" = dev ]: b="dev" true`},
		},
		"a function": {
			"on() { [ \"$PLATFORM_BRANCH\" = \"$1\" ]; }\non feature/x && platform backup -yW",
			[]string{`1 [ "$PLATFORM_BRANCH" = "$1" ]: PLATFORM_BRANCH="feature/x" 1="feature/x" true`},
		},
		"the status before a condition": {
			"false\n[ $? = 1 ] && platform backup -yW",
			[]string{`2 [ $? = 1 ]: true`},
		},
		"a wrong number": {
			"[ \"$RUN\" -gt 1 ]; platform backup -yW",
			[]string{`1 [ "$RUN" -gt 1 ]: RUN="Yes" false`},
		},
		"none": {"platform backup -yW", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, traced(t, c.src, feature)); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrace_EndsWithAnEndlessLoop(t *testing.T) {
	lines := traced(t, "i=0; while [ $i -ge 0 ]; do i=$((i+1)); done; platform backup -yW", nil)
	if len(lines) != maxConditions {
		t.Errorf("%d conditions, want %d", len(lines), maxConditions)
	}
}

// TestTrace_ChangesNothing compares the calls of both ways for scripts that look at statuses.
func TestTrace_ChangesNothing(t *testing.T) {
	for _, src := range []string{
		"false; [ $? = 1 ] && platform backup -yW",
		"case x in x) ;; esac && platform backup -yW",
		"false; case x in x) ;; esac && platform backup -yW",
		"false; case x in x) [ $? = 1 ] && platform backup -yW;; esac",
		"case x in y) ;; esac || platform backup -yW",
		"case x in x) false;; esac || platform backup -yW",
		"set -e; [ 1 = 2 ]; platform backup -yW",
		"set -e; [ 1 = 2 ] || platform backup -yW",
		"set -e; if ! [ 1 = 2 ]; then platform backup -yW; fi",
		"set -e; ! [ 1 = 1 ]; platform backup -yW",
		"f() { case $1 in a) return 3;; esac; }; f a; [ $? = 3 ] && platform backup -yW",
		"while :; do [ 1 = 1 ] && break; done; platform backup -yW",
		"[ \"$(case x in x) echo y;; esac)\" = y ] && platform backup -yW",
		"automatond() { :; }; eval '[ 1 = 1 ]' && platform backup -yW",
	} {
		script, problems := Parse(src)
		if script == nil {
			t.Errorf("%q: %v", src, problems)
			continue
		}
		count := func(n *int) CallFunc { return func(context.Context, Call) int { *n++; return 0 } }
		var ran, traced int
		script.Run(t.Context(), nil, count(&ran))
		script.Trace(t.Context(), nil, count(&traced))
		if ran != traced {
			t.Errorf("%q: %d calls when run, %d when traced", src, ran, traced)
		}
	}
}
