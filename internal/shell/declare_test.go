package shell

import (
	"strings"
	"testing"
)

func TestScript_DeclaresWhatIsNoMoreThanAGuardAndItsCalls(t *testing.T) {
	const call = "platform backup:create --yes --no-wait"
	for _, tc := range []struct{ src, want string }{
		{call, " backup"},
		{"croncape " + call + " >> /var/log/cron.log 2>&1", " backup"},
		{"platform backup -y --wait", " backup"},
		{"exec " + call, " backup"},
		{call + " || exit $?", " backup"},
		{"( cd /app && " + call + " )", " backup"},
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; fi`, "BRANCH=main backup"},
		{`if [ $PLATFORM_BRANCH = "main" ]; then ` + call + `; fi`, "BRANCH=main backup"},
		{`[ main = "$PLATFORM_BRANCH" ] && ` + call, "BRANCH=main backup"},
		{`if [ x"$PLATFORM_BRANCH" != x"main" ]; then exit 0; fi; ` + call, "BRANCH=main backup"},
		{`[ "x${PLATFORM_ENVIRONMENT_TYPE}" = xproduction ] && ` + call, "ENVIRONMENT_TYPE=production backup"},
		{`[ "${PLATFORM_BRANCH:-}" = main ] && ` + call, "BRANCH=main backup"},
		{`set -eu; if [ "${PLATFORM_BRANCH:-none}" != main ]; then exit 0; fi; ` + call, "BRANCH=main backup"},
		{`case "${PLATFORM_BRANCH-}" in main|dev) ` + call + `;; esac`, "BRANCH=main|dev backup"},
		{`[ -n "$PLATFORM_BRANCH" ] && [ "$PLATFORM_BRANCH" = main ] && ` + call, "BRANCH=main backup"},
		{`[ -z "$PLATFORM_ENVIRONMENT_TYPE" ] && exit 0; [ "$PLATFORM_ENVIRONMENT_TYPE" != production ] && ` + call, "ENVIRONMENT_TYPE!=production backup"},
		{call + ` -e "$PLATFORM_BRANCH"`, " backup"},
		{`[ "$PLATFORM_BRANCH" = main ] && ` + call + ` --environment=main`, "BRANCH=main backup"},
		{`case $PLATFORM_BRANCH in main|dev) ` + call + ` -e $PLATFORM_BRANCH;; esac`, "BRANCH=main|dev backup"},
		{`[ "$PLATFORM_BRANCH" != main ] && ` + call + ` --environment "$PLATFORM_BRANCH"`, "BRANCH!=main backup"},
		{`echo "$(date) $PLATFORM_ENVIRONMENT_TYPE"; logger start; [ "$PLATFORM_ENVIRONMENT_TYPE" = production ] && ` + call, "ENVIRONMENT_TYPE=production backup"},
		{`if ! [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; fi`, "BRANCH!=main backup"},
		{`[ "$PLATFORM_BRANCH" = main ] || [ "$PLATFORM_BRANCH" = dev ] && ` + call, "BRANCH=main|dev backup"},
		{`if [ "$PLATFORM_BRANCH" = main -o "$PLATFORM_BRANCH" = dev ]; then ` + call + `; fi`, "BRANCH=main|dev backup"},
		{`test "${PLATFORM_ENVIRONMENT_TYPE}" != 'production' && ` + call, "ENVIRONMENT_TYPE!=production backup"},
		{`[ "$PLATFORM_BRANCH" = main ] || exit 0; ` + call, "BRANCH=main backup"},
		{`[ "$PLATFORM_BRANCH" = main ] || { echo "not on $PLATFORM_BRANCH"; exit 0; }; ` + call, "BRANCH=main backup"},
		{`if [ "$PLATFORM_BRANCH" != main ]; then exit; fi; ` + call, "BRANCH=main backup"},
		{`if [ "$PLATFORM_BRANCH" != main ]; then echo no; exit; fi; ` + call, "BRANCH=main backup"},
		{`case $PLATFORM_BRANCH in main|dev) ` + call + `;; *) exit 0;; esac`, "BRANCH=main|dev backup"},
		{`case $PLATFORM_BRANCH in main) ;; *) exit 0;; esac; ` + call, "BRANCH=main backup"},
		{"set -eu\n" + `[ "$PLATFORM_BRANCH" = main ] && [ "$PLATFORM_ENVIRONMENT_TYPE" = production ] && ` + call + "\nexit 0",
			"BRANCH=main ENVIRONMENT_TYPE=production backup"},
		{"cd /app && " + call, " backup"},
		{`cd "$PLATFORM_APP_DIR" || exit 1` + "\n" + call, " backup"},
		{`cd /app && [ "$PLATFORM_BRANCH" = main ] && echo "backing up $PLATFORM_BRANCH" && ` + call, "BRANCH=main backup"},
		{`export PATH="$HOME/.platformsh/bin:$PATH"; LOG=/tmp/x; ` + call, " backup"},
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; else echo "nothing on $PLATFORM_BRANCH"; fi`, "BRANCH=main backup"},
	} {
		d, err := parsed(t, tc.src).Declare()
		if got := declaredIn(d); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.src, got, err, tc.want)
		}
	}
}

// declaredIn is a declared script in a line: its conditions, and its calls.
func declaredIn(d Declared) string {
	var conditions, calls []string
	for _, c := range d.Conditions {
		operator := map[bool]string{false: "=", true: "!="}[c.Differs]
		conditions = append(conditions, strings.TrimPrefix(c.Variable, "PLATFORM_")+operator+strings.Join(c.Values, "|"))
	}
	for _, c := range d.Calls {
		calls = append(calls, c.Task.Kind().Name)
	}
	separator := map[bool]string{false: "; ", true: " && "}[d.Stops]
	return strings.Join(conditions, " ") + " " + strings.Join(calls, separator)
}

func TestScript_DeclaresHowItsCallsFollowEachOther(t *testing.T) {
	const sync, redeploy, backup = "platform sync data -y", "platform redeploy -y", "platform backup -yW"
	for _, tc := range []struct{ src, want string }{
		{sync + " --no-wait; " + redeploy + " --no-wait\n" + backup, " synchronize; redeploy; backup"},
		{sync + " --wait; " + redeploy + " --wait", " synchronize; redeploy"},
		{sync + " --wait && " + redeploy + " --wait && " + backup, " synchronize && redeploy && backup"},
		{sync + " --wait && " + redeploy + " --no-wait || true", " synchronize && redeploy"},
		{"set -e\n" + sync + " --wait\n" + redeploy + " --wait\n" + backup, " synchronize && redeploy && backup"},
		{"set -e\n" + sync + " --wait || true\n" + redeploy + " --wait || echo failed\n" + backup, " synchronize; redeploy; backup"},
		{sync + " --wait || exit 1; " + redeploy + " -W", " synchronize && redeploy"},
		{"if " + sync + " --wait; then " + redeploy + " -W; fi", " synchronize && redeploy"},
		{"if ! " + sync + " --wait; then echo failed >&2; exit 1; fi\n" + redeploy + " -W", " synchronize && redeploy"},
		{"{ " + sync + " -W; " + redeploy + " -W; } >> /app/log 2>&1", " synchronize; redeploy"},
		{`[ "$PLATFORM_BRANCH" = dev ] && ` + sync + " --wait && " + redeploy + " -W", "BRANCH=dev synchronize && redeploy"},
		{`if [ "$PLATFORM_BRANCH" = dev ]; then cd /app; ` + sync + " -W; " + redeploy + " -W; fi", "BRANCH=dev synchronize; redeploy"},
		{`case "$PLATFORM_BRANCH" in dev) ` + sync + " -W; sleep=1; " + redeploy + " -W;; *) ;; esac", "BRANCH=dev synchronize; redeploy"},
		{`[ "$PLATFORM_BRANCH" = dev ] || exit 0; set -e; ` + sync + " --wait; " + redeploy + " -W", "BRANCH=dev synchronize && redeploy"},
		{"platform variable:update x --level project --value y --wait; " + redeploy + " -W", " variable_update; redeploy"},
	} {
		d, err := parsed(t, tc.src).Declare()
		if got := declaredIn(d); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.src, got, err, tc.want)
		}
	}
}

func TestScript_SaysWhyItCannotBeDeclared(t *testing.T) {
	const call = "platform backup:create --yes --no-wait"
	for _, tc := range []struct{ src, want string }{
		{call + " -e main", "names a project or an environment"},
		{call + "; " + call + " -e main", "names a project or an environment"},
		{"export PLATFORM_BRANCH=dev; " + call, "make calls"},
		{"PLATFORM_BRANCH=dev " + call, "make calls"},
		{call + ` -e "$PLATFORM_ENVIRONMENT"`, "only known when it runs"},
		{call + ` -e "$PLATFORM_BRANCH-x"`, "names a project or an environment"},
		{call + ` -p "$PLATFORM_PROJECT" -e "$PLATFORM_BRANCH"`, "only known when it runs"},
		{`platform source-operation:run x --variable env:B="$PLATFORM_BRANCH" -W`, "only known when it runs"},
		{`case $PLATFORM_BRANCH in main|dev) ` + call + ` -e main;; esac`, "names a project or an environment"},
		{`[ "$PLATFORM_BRANCH" = dev ] && ` + call + ` -e main`, "names a project or an environment"},
		{`[ "${PLATFORM_BRANCH:-}" != main ] && ` + call, "plain names"},
		{`[ "${PLATFORM_BRANCH:-main}" = main ] && ` + call, "plain names"},
		{`[ -n "$PLATFORM_ENVIRONMENT_TYPE" ] && ` + call, "plain names"},
		{`[ -z "$PLATFORM_BRANCH" ] && ` + call, "plain names"},
		{`[ -n $PLATFORM_BRANCH ] && [ "$PLATFORM_BRANCH" = main ] && ` + call, "plain names"},
		{`[ "x$PLATFORM_BRANCH" = main ] && ` + call, "plain names"},
		{`if [ "$PLATFORM_BRANCH" = 'main*' ]; then ` + call + `; fi`, "plain names"},
		{`if [ "$RUN" = yes ]; then ` + call + `; fi`, "plain names"},
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; else platform redeploy -yW; fi`, "make calls"},
		{`case $PLATFORM_BRANCH in release/*) ` + call + `;; esac`, "plain names"},
		{`case $PLATFORM_BRANCH in main) ;; esac; ` + call, "make calls"},
		{`[ "$PLATFORM_BRANCH" = main ] && exit 0; [ "$PLATFORM_BRANCH" = dev ]; ` + call, "make calls"},
		{`[ "$PLATFORM_BRANCH" = a ] || [ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] && ` + call, "plain names"},
		{`f() { ` + call + `; }; f`, "make calls"},
		{`[ "$PLATFORM_BRANCH" != a -a "$PLATFORM_BRANCH" != b ] && ` + call, "plain names"},
		{`[ "$PLATFORM_BRANCH" = a -o "$PLATFORM_BRANCH" = b ] || ` + call, "plain names"},
		{`echo "on $PLATFORM_BRANCH"; ` + call, "makes no call where that is not set"},
		{`set -u; cd "$PLATFORM_APP_DIR" && ` + call, "make calls"},
		{"set -e; false; " + call, "make calls"},
		{`[ "$PLATFORM_BRANCH" = main ] && ` + call + "; " + call, "make calls"},
		{call + " && " + call, "as soon as the one before is accepted"},
		{"set -e; " + call + "; " + call, "as soon as the one before is accepted"},
		{call + " || exit 1; " + call, "as soon as the one before is accepted"},
		{call + " || " + call, "in a way that steps do not"},
		{"platform redeploy -y --wait && " + call + "; platform sync data -yW", "in a way that steps do not"},
		{"set -e; platform redeploy -y --wait && platform sync data -y --wait; " + call, "in a way that steps do not"},
		{call + "; platform variable:update x --level project --value y -W", "need not wait for the one before"},
		{"platform variable:update x --level project --value y -W; " + call, "need not wait for the one before"},
		{strings.Repeat(call+"\n", 9), "more than 8 calls"},
	} {
		if d, err := parsed(t, tc.src).Declare(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %+v, %v; want %s", tc.src, d, err, tc.want)
		}
	}
}

func parsed(t *testing.T, src string) *Script {
	t.Helper()
	s, problems := Parse(src)
	if s == nil {
		t.Fatalf("%s: %v", src, problems)
	}
	return s
}
