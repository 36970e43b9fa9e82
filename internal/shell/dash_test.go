package shell

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The snippets below are run by dash, with programs named platform and upsun
// that record their arguments, and by this package. Both must make the same
// calls in every context.

// contexts are what a script may find in its environment.
var contexts = []struct {
	name string
	vars map[string]string
}{
	{"production", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "master", "PLATFORM_ENVIRONMENT": "master-7rqtwti", "PLATFORM_ENVIRONMENT_TYPE": "production", "RUN_CRON": "Yes"}},
	{"main", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "main", "PLATFORM_ENVIRONMENT": "main-bvxea6i", "PLATFORM_ENVIRONMENT_TYPE": "production", "RUN_CRON": "No", "UPDATES_ENVIRONMENT": "main"}},
	{"staging", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "staging", "PLATFORM_ENVIRONMENT": "staging-5em2ouy", "PLATFORM_ENVIRONMENT_TYPE": "staging", "S3_BACKUP": "On"}},
	{"feature", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "feature/x-1", "PLATFORM_ENVIRONMENT": "feature-x-1-abcdefg", "PLATFORM_ENVIRONMENT_TYPE": "development", "COUNT": "3"}},
	{"odd", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "a b*", "PLATFORM_ENVIRONMENT": "a-b", "PLATFORM_ENVIRONMENT_TYPE": "", "RUN_CRON": "-n", "COUNT": "x"}},
	{"empty", map[string]string{"PLATFORM_PROJECT": "", "PLATFORM_BRANCH": "", "PLATFORM_ENVIRONMENT": "", "PLATFORM_ENVIRONMENT_TYPE": "", "RUN_CRON": ""}},
}

// A call ends in --no-wait; B and C tell calls apart.
const (
	callA = "platform backup:create --yes --no-wait"
	callB = "platform environment:redeploy --yes --no-wait"
	callC = "upsun backup:create --live -yW"
)

var snippets = []string{
	seed,
	`[ "$PLATFORM_BRANCH" = main ] && ` + callA,
	`if [ "$PLATFORM_ENVIRONMENT_TYPE" = production ]; then ` + callA + `; fi`,
	`if [ "$PLATFORM_BRANCH" != "main" ]; then ` + callA + `; fi`,
	`if [ $PLATFORM_BRANCH = "master" ]; then ` + callA + `; fi`,
	`if [ "$PLATFORM_BRANCH" = "$UPDATES_ENVIRONMENT" ]; then ` + callA + `; fi`,
	`if [ "$RUN_CRON" = "Yes" ]; then ` + callA + `; fi`,
	`if [ "$RUN_CRON" ]; then ` + callA + `; fi`,
	`if [ -n "$RUN_CRON" -a "$PLATFORM_BRANCH" = main ]; then ` + callA + `; fi`,
	`if [ -z "$RUN_CRON" -o "$PLATFORM_BRANCH" = main ]; then ` + callA + `; fi`,
	`if [ ! -n "$RUN_CRON" ]; then ` + callA + `; fi`,
	`if ! [ "$RUN_CRON" = Yes ]; then ` + callA + `; fi`,
	`if [ \( "$RUN_CRON" = Yes \) ]; then ` + callA + `; fi`,
	`if [ "$RUN_CRON" = "$RUN_CRON" -a ! "$PLATFORM_BRANCH" = main ]; then ` + callA + `; fi`,
	`if test "$PLATFORM_BRANCH" = master; then ` + callA + `; fi`,
	`test "$RUN_CRON" -a "$COUNT" && ` + callA,
	`[ "$COUNT" -gt 2 ] && ` + callA,
	`if [ "$COUNT" -gt 2 ] || [ "$PLATFORM_BRANCH" = main ]; then ` + callA + `; fi`,
	`[ a = b ] || ` + callA,
	`[ a = a ] && [ b = c ] || ` + callA + ` && ` + callB,
	`case "$PLATFORM_BRANCH" in main|master) ` + callA + ` ;; feature/*) ` + callB + ` ;; *) ` + callC + ` ;; esac`,
	`case $PLATFORM_ENVIRONMENT in master-*) ` + callA + ` ;; [sm]*) ` + callB + `;; esac`,
	`case "$PLATFORM_BRANCH" in "a b*") ` + callA + ` ;; a*) ` + callB + ` ;; "") ` + callC + ` ;; esac`,
	`if [ "$PLATFORM_BRANCH" = main ]; then ` + callA + `; elif [ "$PLATFORM_BRANCH" = staging ]; then ` + callB + `; else ` + callC + `; fi`,
	`set -e; [ "$PLATFORM_BRANCH" = main ]; ` + callA,
	`set -e; false || true; ` + callA + `; false; ` + callB,
	`set -e; if false; then :; fi; ` + callA,
	`set -e; f() { false; ` + callA + `; }; f && ` + callB + `; ` + callC,
	`set -e; x=$(false); ` + callA,
	`set -u; echo "$NOT_SET_AT_ALL"; ` + callA,
	`set -u; echo "${NOT_SET_AT_ALL:-x}"; ` + callA,
	`set -eu -o errexit; ` + callA,
	`set -x; ` + callA,
	`set -- a "b c" d; for i in "$@"; do platform backup:create -e "$i" -W; done`,
	`set -- a "b c" d; for i in $*; do platform backup:create -e "$i" -W; done`,
	`set -- a b c; shift; platform backup:create -e "$1" -W; shift 2; [ $# = 0 ] && ` + callA,
	`set -- a; shift 2; ` + callA,
	`for e in main staging dev; do platform backup:create -W -e $e; done`,
	`for e in main staging dev; do [ $e = staging ] && continue; platform backup:create -W -e $e; done`,
	`for e in main staging dev; do [ $e = staging ] && break; platform backup:create -W -e $e; done`,
	`i=0; while [ $i -lt 3 ]; do i=$((i+1)); platform backup:create -W -e e$i; done`,
	`i=3; until [ $i -eq 0 ]; do i=$((i - 1)); platform backup:create -W -e e$i; done`,
	`platform backup:create -W -e "$PLATFORM_BRANCH"`,
	`platform backup:create -W -e $PLATFORM_BRANCH`,
	`platform backup:create -W -e "${PLATFORM_BRANCH:-fallback}"`,
	`platform backup:create -W -e "${PLATFORM_BRANCH%/*}"`,
	`platform backup:create -W -e "${PLATFORM_BRANCH##*/}"`,
	`platform backup:create -W -e "x${#PLATFORM_BRANCH}"`,
	`platform backup:create -W -e "${RUN_CRON:+set}${RUN_CRON-unset}x"`,
	`b="$PLATFORM_BRANCH"; b=${b:=x}; platform backup:create -W -e "$b"`,
	`b=$(echo "$PLATFORM_BRANCH" ); platform backup:create -W -e "x$b"`,
	"b=`printf '%s-%s' a b`; platform backup:create -W -e \"$b\"",
	`platform backup:create -W -e "$(printf '%03d' 7)"`,
	`platform backup:create -W -e "$(echo 'a\tb')"`,
	`platform backup:create -W -e "$(echo -n x; echo -e y)"`,
	`f() { platform backup:create -W -e "$1"; }; f main; f "a b"`,
	`f() { return 3; }; f; [ $? = 3 ] && ` + callA,
	`f() { local x=1; x=2; platform backup:create -W -e e$x; }; x=9; f; platform backup:create -W -e e$x`,
	`f() { x=2; }; x=9; f; platform backup:create -W -e e$x`,
	`x=1; (x=2; platform backup:create -W -e e$x); platform backup:create -W -e e$x`,
	`x=1; { x=2; }; platform backup:create -W -e e$x`,
	`(exit 3); [ $? -eq 3 ] && ` + callA,
	`exit 0; ` + callA,
	callA + `; exit 5; ` + callB,
	callA + ` && ` + callB + ` || ` + callC,
	`! ` + callA + ` || ` + callB,
	callA + ` > /dev/null 2>&1`,
	callA + ` >/dev/null 2>&1 && ` + callB + ` 2>/dev/null`,
	`{ ` + callA + `; ` + callB + `; } 2>&1 >/dev/null`,
	`eval "` + callA + `"`,
	`x='platform backup:create -W'; $x -e main`,
	`x='platform backup:create -W'; eval "$x -e main"`,
	`trap '` + callA + `' EXIT; ` + callB,
	`trap '` + callA + `' 0; exit 4`,
	`trap '' INT TERM; ` + callA,
	`trap 'x' NOSUCH; ` + callA,
	`unset PLATFORM_BRANCH; [ -z "$PLATFORM_BRANCH" ] && ` + callA,
	`export X=1; readonly Y=2; [ "$X$Y" = 12 ] && ` + callA,
	`echo main | { read b; platform backup:create -W -e "$b"; }`,
	`echo "a b c" | { read a b; platform backup:create -W -e "$a" ; platform backup:create -W -e "$b"; }`,
	"read b <<EOF\nmain\nEOF\nplatform backup:create -W -e \"$b\"",
	"while read b; do platform backup:create -W -e \"$b\"; done <<EOF\none\ntwo\nEOF",
	`command -v platform >/dev/null && ` + callA,
	`type platform >/dev/null 2>&1 && ` + callA,
	`command ` + callA,
	`exec ` + callA,
	`platform backup:create -W -e a{b,c}`,
	`platform backup:create -W -e 'a{b,c}' && ` + callB,
	`IFS=,; x=a,b; for i in $x; do platform backup:create -W -e "$i"; done`,
	`[ "$PLATFORM_BRANCH" ] && ` + callA,
	`[ "$RUN_CRON" = -n ] && ` + callA,
	`[ -n ] && ` + callA,
	`[ -n "$NOT_SET_AT_ALL" ] || ` + callA,
	`[ 1 -eq 1 -a 2 -lt 3 -o x = y ] && ` + callA,
	`[ "$COUNT" -eq 3 ] 2>/dev/null && ` + callA + `; ` + callB,
	`: ${X:=main}; platform backup:create -W -e "$X"`,
	`X=a; X=b ` + callA + `; platform backup:create -W -e "$X"`,
	`if true; then ` + callA + `; fi; if false; then ` + callB + `; fi`,
	`while :; do ` + callA + `; break; done`,
	`return 0; ` + callA,
	`platform backup:create -W -e "$((1 + 2 * 3))$((7 % 4))$((5 > 3))"`,
	`while getopts ab: o -a -b main; do [ "$o" = b ] && platform backup:create -W -e "$OPTARG"; done`,
	`. /nonexistent-file; ` + callA,
	`printf '%s\n' one two | while read e; do platform backup:create -W -e "$e"; done`,
	`true && false || ` + callA,
	"# a comment\n\n" + callA + " # another",
	"platform backup:create \\\n  --yes \\\n  --no-wait",
	`if [ "$PLATFORM_BRANCH" = main ] && [ "$PLATFORM_ENVIRONMENT_TYPE" = production ]; then ` + callA + `; fi`,
	`[ "$PLATFORM_BRANCH" = "main" -o "$PLATFORM_BRANCH" = "master" ] && ` + callA,
	`[ "$PLATFORM_BRANCH" \> "m" ] && ` + callA,
}

// refusedHere are snippets that dash runs and this package refuses when they
// are loaded. Everything else in the list must agree.
var refusedHere = map[string]bool{
	`. /nonexistent-file; ` + callA: true,
}

func TestScript_MakesTheSameCallsAsDash(t *testing.T) {
	dash, err := exec.LookPath("dash")
	if err != nil {
		t.Skip("dash is not installed, so there is nothing to compare with")
	}
	bin := t.TempDir()
	for _, name := range []string{"platform", "upsun"} {
		// One line per argument and a blank one after each call.
		stub := "#!" + dash + "\n{ printf '<%s>\\n' " + name + " \"$@\"; echo; } >> \"$CALLS\"\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, src := range snippets {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			script, problems := Parse(src)
			if script == nil {
				if !refusedHere[src] {
					t.Fatalf("%s\nis refused: %+v", src, problems)
				}
				return
			}
			if refusedHere[src] {
				t.Fatalf("%s\nis not refused", src)
			}
			for _, c := range contexts {
				want, stderr := runDash(t, dash, bin, src, c.vars)
				var got []string
				result := script.Run(context.Background(), c.vars, func(_ context.Context, call Call) int {
					got = append(got, recorded(call.Args))
					return 0
				})
				// Command lines the CLI itself would refuse are recorded by the
				// stand-in, but are no calls here.
				want = slices.DeleteFunc(want, func(line string) bool {
					_, err := ParseCommandLine(arguments(line))
					return err != nil
				})
				if !slices.Equal(got, want) {
					t.Errorf("%s\nin %s: got calls %q\ndash makes %q\nresult %+v\ndash says %s", src, c.name, got, want, result, stderr)
				}
			}
		})
	}
}

// recorded writes a call as the stand-ins do.
func recorded(args []string) string {
	return "<" + strings.Join(args, ">\n<") + ">"
}

func arguments(line string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "<"), ">"), ">\n<")
}

func runDash(t *testing.T, dash, bin, src string, vars map[string]string) (calls []string, stderr string) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "calls")
	cmd := exec.Command(dash, "-c", src)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + bin, "CALLS=" + record}
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var messages bytes.Buffer
	cmd.Stderr = &messages
	_ = cmd.Run() // the exit status is the script's
	text, err := os.ReadFile(record)
	if err != nil {
		return nil, messages.String()
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n\n"), "\n\n") {
		calls = append(calls, line)
	}
	return calls, messages.String()
}
