package shell

import (
	"slices"
	"testing"
)

func TestParse_FindsWhatDashTakesAndNobodyMeans(t *testing.T) {
	const call = "platform redeploy --yes --no-wait"
	for _, tt := range []struct {
		src  string
		want []string // brief
	}{
		// A negative guard lets everything else pass.
		{`if [ "$PLATFORM_BRANCH" != main ]; then ` + call + "; fi", []string{"1:25-27 warning negative-guard"}},
		{`[ "$PLATFORM_BRANCH" != main ] && ` + call, []string{"1:22-24 warning negative-guard"}},
		{`[ "$PLATFORM_BRANCH" = main ] || ` + call, []string{"1:22-23 warning negative-guard"}},
		{`! [ "$PLATFORM_BRANCH" = main ] && ` + call, []string{"1:24-25 warning negative-guard"}},
		{`test ! "$PLATFORM_BRANCH" = main && ` + call, []string{"1:27-28 warning negative-guard"}},
		{`{ [ main != "$PLATFORM_ENVIRONMENT_TYPE" ]; } && ` + call, []string{"1:10-12 warning negative-guard"}},
		// It does not where something else says what must be, or the script knows of unset variables.
		{`[ "$PLATFORM_BRANCH" != main ] && [ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] && ` + call, nil},
		{`[ -n "$PLATFORM_BRANCH" ] && [ "$PLATFORM_BRANCH" != main ] && ` + call, nil},
		{`: "${PLATFORM_BRANCH:?}"; [ "$PLATFORM_BRANCH" != main ] && ` + call, nil},
		{`[ "$PLATFORM_BRANCH" != main ] && exit; ` + call, nil},
		{`if [ "$PLATFORM_BRANCH" != main ]; then exit 0; fi; ` + call, nil},
		{`[ "$PLATFORM_BRANCH" != main ] || ` + call, nil},
		{`[ "$PLATFORM_BRANCH" != "" ] && ` + call, nil},
		{`[ "$RUN" != no ] && ` + call, nil},
		// Brackets.
		{`[ "$PLATFORM_BRANCH"=main ] && ` + call, []string{"1:3-26 warning always-true"}},
		{`[ "$PLATFORM_BRANCH" ] && ` + call, nil},
		{`[ "$PLATFORM_BRANCH" = main && ` + call, []string{"1:1-2 error bracket-unclosed"}},
		// Comparisons that no environment makes true.
		{`[ "$PLATFORM_BRANCH" =~ ^release ] && ` + call, []string{"1:22-24 warning never-true"}},
		{`[ "$PLATFORM_BRANCH" eq main ] && ` + call, []string{"1:22-24 warning never-true"}},
		{`[ "$PLATFORM_BRANCH" -eq main ] && ` + call, []string{"1:26-30 warning never-true"}},
		{`[ "$PLATFORM_BRANCH" = "release/*" ] && ` + call, []string{"1:24-35 warning never-true"}},
		{`[ "$PLATFORM_ENVIRONMENT_TYPE" = prod ] && ` + call, []string{"1:34-38 warning never-true"}},
		{`[ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] && ` + call, nil},
		{`[ '$PLATFORM_BRANCH' = main ] && ` + call, []string{"1:3-21 warning never-true"}},
		{`[ PLATFORM_BRANCH = main ] && ` + call, []string{"1:3-18 warning never-true"}},
		{`[ main = "$PLATFORM_BRANCH" ] && ` + call, nil},
		{`[ "$COUNT" -eq 3 ] && ` + call, nil},
		{`[ "$X" = "a*" ] && ` + call, nil},
		{`[ a = a ] && ` + call, nil},
		{`[ "$X" -a "$Y" ] && ` + call, nil},
		{`["$PLATFORM_BRANCH" = main ] && ` + call, []string{"1:1-20 error bracket-space"}},
	} {
		_, problems := Parse(tt.src)
		var got []string
		for _, p := range problems {
			got = append(got, brief(p))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s\ngot  %q\nwant %q", tt.src, got, tt.want)
		}
	}
}

func TestParse_HintsAtWhatWasMeantByAProgram(t *testing.T) {
	const call = "\nplatform redeploy --yes --no-wait"
	for _, tt := range []struct{ src, want string }{
		{"X = 5" + call, "to set a variable write X=5, without spaces"},
		{"if PLATFORM_BRANCH == main; then :; fi" + call, `write [ "$PLATFORM_BRANCH" = main ]`},
		{"[x = y ]" + call, "write a space after ["},
		{"sudo platform redeploy -W", "write the call of the CLI itself, without sudo"},
		{"sh -c 'platform redeploy -W'", "write the script itself, without sh -c: the cron's text is a script already"},
		{"cat <<E\nstart\nE" + call, "write the text with echo"},
		{`X="$(cat /app/x)"` + call, "no file can be read here; write the variables under variables:"},
		{`export PLATFORMSH_CLI_TOKEN="$(cat /app/token)"` + call,
			"remove it: the automation user's token is configured once, and nothing else of the CLI's has to be prepared"},
		{"if [ -x ~/.platformsh/bin/platform ]; then platform redeploy -W; fi", "remove it: the CLI is built in"},
		{"platform --version" + call, "remove it: only calls that ask for something are of use here"},
		{"drush cr" + call, "make two crons of it, one with: platform redeploy --yes --no-wait — and one for the container with: drush cr"},
	} {
		_, problems := Parse(tt.src)
		if len(problems) != 1 || problems[0].Hint != tt.want {
			t.Errorf("%s: got %+v, want the hint %q", tt.src, problems, tt.want)
		}
	}
}

func TestScript_IsGuardedWhenItAsksWhereItRuns(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want bool
	}{
		{seed, true},
		{`case "$PLATFORM_ENVIRONMENT_TYPE" in production) platform redeploy -W;; esac`, true},
		{`b=$PLATFORM_BRANCH; [ "$b" = main ] && platform redeploy -W`, true},
		{"platform redeploy -W", false},
		{`platform redeploy -W -e "$PLATFORM_BRANCH"`, false},
		{`[ "$PLATFORM_PROJECT" = abc ] && platform redeploy -W`, false},
	} {
		s, problems := Parse(tt.src)
		if s == nil {
			t.Fatalf("%s: %+v", tt.src, problems)
		}
		if got := s.Guarded(); got != tt.want {
			t.Errorf("%s: got %v", tt.src, got)
		}
	}
}
