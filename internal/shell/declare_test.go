package shell

import (
	"strings"
	"testing"
)

func TestScript_DeclaresWhatIsNoMoreThanAGuardAndACall(t *testing.T) {
	const call = "platform backup:create --yes --no-wait"
	for _, tc := range []struct{ src, want string }{
		{call, ""},
		{"croncape " + call + " >/dev/null 2>&1", ""},
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; fi`, "BRANCH=main"},
		{`if ! [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; fi`, "BRANCH!=main"},
		{`[ "$PLATFORM_BRANCH" = main ] || [ "$PLATFORM_BRANCH" = dev ] && ` + call, "BRANCH=main|dev"},
		{`if [ "$PLATFORM_BRANCH" = main -o "$PLATFORM_BRANCH" = dev ]; then ` + call + `; fi`, "BRANCH=main|dev"},
		{`test "${PLATFORM_ENVIRONMENT_TYPE}" != 'production' && ` + call, "ENVIRONMENT_TYPE!=production"},
		{`[ "$PLATFORM_BRANCH" = main ] || exit 0; ` + call, "BRANCH=main"},
		{`if [ "$PLATFORM_BRANCH" != main ]; then exit; fi; ` + call, "BRANCH=main"},
		{`case $PLATFORM_BRANCH in main|dev) ` + call + `;; *) exit 0;; esac`, "BRANCH=main|dev"},
		{`case $PLATFORM_BRANCH in main) ;; *) exit 0;; esac; ` + call, "BRANCH=main"},
		{"set -e\n" + `[ "$PLATFORM_BRANCH" = main ] && [ "$PLATFORM_ENVIRONMENT_TYPE" = production ] && ` + call + "\nexit 0", "BRANCH=main ENVIRONMENT_TYPE=production"},
	} {
		d, err := parsed(t, tc.src).Declare()
		if err != nil {
			t.Errorf("%s: %v", tc.src, err)
			continue
		}
		var got []string
		for _, c := range d.Conditions {
			operator := map[bool]string{false: "=", true: "!="}[c.Differs]
			got = append(got, strings.TrimPrefix(c.Variable, "PLATFORM_")+operator+strings.Join(c.Values, "|"))
		}
		if got := strings.Join(got, " "); got != tc.want || d.Call.Task.Kind().Name != "backup" {
			t.Errorf("%s: got %q %v, want %q", tc.src, got, d.Call.Task, tc.want)
		}
	}
}

func TestScript_SaysWhyItCannotBeDeclared(t *testing.T) {
	const call = "platform backup:create --yes --no-wait"
	for _, tc := range []struct{ src, want string }{
		{call + "; " + call, "one call"},
		{"platform backup -y --wait", "waits"},
		{call + " -e main", "names a project or an environment"},
		{call + ` -e "$PLATFORM_BRANCH"`, "only known when it runs"},
		{`if [ $PLATFORM_BRANCH = main ]; then ` + call + `; fi`, "quotation marks"},
		{`if [ "$PLATFORM_BRANCH" = 'main*' ]; then ` + call + `; fi`, "plain names"},
		{`if [ "$RUN" = yes ]; then ` + call + `; fi`, "plain names"},
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + call + `; else platform redeploy -yW; fi`, "one call"},
		{`case $PLATFORM_BRANCH in release/*) ` + call + `;; esac`, "plain names"},
		{`case $PLATFORM_BRANCH in main) ;; esac; ` + call, "one call"},
		{`[ "$PLATFORM_BRANCH" = main ] && exit 0; [ "$PLATFORM_BRANCH" = dev ]; ` + call, "one call"},
		{`[ "$PLATFORM_BRANCH" = a ] || [ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] && ` + call, "plain names"},
		{`f() { ` + call + `; }; f`, "one call"},
		{`[ "$PLATFORM_BRANCH" != a -a "$PLATFORM_BRANCH" != b ] && ` + call, "plain names"},
		{`[ "$PLATFORM_BRANCH" = a -o "$PLATFORM_BRANCH" = b ] || ` + call, "plain names"},
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
