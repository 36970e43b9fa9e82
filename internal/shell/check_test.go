package shell

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// brief writes a problem on one line.
func brief(p Problem) string {
	return fmt.Sprintf("%d:%d-%d %s %s", p.Line, p.Column, p.EndColumn, p.Severity, p.Code)
}

func TestParse_ReportsProblemsWithTheirPlace(t *testing.T) {
	const call = "platform backup:create --yes --no-wait"
	for _, tt := range []struct {
		src  string
		want []string // brief
	}{
		{seed, nil},
		{call, nil},
		{"[[ $x ]] && " + call, []string{"1:1-3 error double-bracket"}},
		{"[[ a || b ]] && " + call, []string{"1:1-3 error double-bracket", "1:9-10 error other-program"}},
		{`if [ "$PLATFORM_BRANCH" == main ]; then ` + call + "; fi", []string{"1:25-27 error double-equals"}},
		{`if test "$PLATFORM_BRANCH" == main; then ` + call + "; fi", []string{"1:28-30 error double-equals"}},
		{"a=(1 2)\n" + call, []string{"1:3-3 error bash-only"}},
		{call + "\nsource ./env", []string{"2:1-7 error source"}},
		{". ./env\n" + call, []string{"1:1-2 error source"}},
		{"function f { :; }\n" + call, []string{"1:12-12 error bash-only"}},
		{"read x <<< y\n" + call, []string{"1:8-8 error bash-only"}},
		{"echo <(echo)\n" + call, []string{"1:6-6 error syntax"}},
		{"echo ${x/a/b}; " + call, []string{"1:9-9 error bash-only"}},
		{"x+=1; " + call, []string{"1:1-5 error bash-only"}},
		{"declare x=1; " + call, []string{"1:1-8 error bash-only"}},
		{"set -euo pipefail; " + call, []string{"1:10-18 error bash-only"}},
		{"trap 'x' ERR; " + call, []string{"1:10-13 error bash-only"}},
		{"if true; then\n" + call, []string{"1:1-1 error syntax"}},
		{call + "\nfi", []string{"2:1-1 error syntax"}},
		{`echo "`, []string{"1:6-6 error syntax"}},
		{call + " &", []string{"1:1-41 error background"}},
		{call + "\n  drush cr", []string{"2:3-8 error other-program"}},
		{"sleep 5; " + call + "; sleep 6", []string{"1:1-6 error other-program", "1:50-55 error other-program"}},
		{"cd /app && " + call, nil},
		{"pwd && " + call, []string{"1:1-4 error unsupported-builtin"}},
		{"timeout soon " + call, []string{"1:1-8 error other-program"}},
		{"timeout --nonsense 5 " + call, []string{"1:1-8 error other-program"}},
		{"nice -n much " + call, []string{"1:1-5 error other-program"}},
		{"sudo " + call, []string{"1:1-5 error other-program"}},
		{"env A=b nohup " + call, []string{"1:1-4 info wrapper", "1:9-14 info wrapper"}},
		{"croncape bash -lc '" + call + "'", []string{"1:1-9 error other-program"}},
		{"cli=platform; drush cr; $cli backup:create", []string{"1:15-20 error other-program"}},
		{call + " >> /var/log/x.log 2>&1", []string{"1:40-57 warning file-unwritten"}},
		{call + " < /etc/x", []string{"1:40-48 error file-refused"}},
		{call + " > /dev/tty", []string{"1:40-50 error file-refused"}},
		{call + " 3>&1", []string{"1:40-44 error file-descriptor"}},
		{"platform() { :; }; " + call, nil},
		{"exit() { :; }; " + call, []string{"1:1-5 error hides-builtin"}},
		{"echo ${#%}; " + call, []string{"1:6-11 error syntax"}},
		{"exec true; " + call, []string{"1:6-10 error other-program"}},
		{"eval \"f() { echo \\\"a\\\"; }\"; f; " + call, nil},
		{"echo \"${x:?isn't set}\" \"${x:-it's}\"; " + call, nil},
		{"echo \"${x:?isn't set}\" ${x:-it's}; " + call, []string{"1:6-6 error syntax"}},
		{"log-it() { :; }; " + call, []string{"1:1-1 error syntax"}},
		{"echo $$; " + call, []string{"1:6-8 error not-deterministic"}},
		{"echo ${RANDOM}; " + call, []string{"1:6-15 error bash-only"}},
		{"echo $((x++)); " + call, []string{"1:9-12 error bash-only"}},
		{"echo $((2 ** 3)); " + call, []string{"1:9-15 error bash-only"}},
		{"echo ${x:-$(echo y)}; " + call, nil},
		{call + " | " + call, []string{"1:1-39 error calls-in-pipe"}},
		{"f() { " + call + "; }; f | read x", []string{"1:50-51 error calls-in-pipe"}},
		{"x=$(" + call + ")", []string{"1:3-44 error calls-in-pipe"}},
		{"echo | " + call, nil},
		{call + " >&3", []string{"1:40-43 error file-descriptor"}},
		{"echo $0; " + call, []string{"1:6-8 error not-deterministic"}},
		{"echo ${LINENO}; " + call, []string{"1:6-15 error not-deterministic"}},
		{"echo \"${x:-'$y'}\"; " + call, []string{"1:12-16 error bash-only"}},
		{"echo \"${x:-'y'}${x#'$y'}$(echo '$y')\"; " + call, nil},
		{"{ (:) >/dev/null }; " + call, []string{"1:3-17 error syntax"}},
		{"{ (:) }; if (:) </dev/null; then " + call + "; fi", nil},
		{"test x -a; " + call, []string{"1:8-10 error syntax"}},
		{"f() { " + call + "; } && f", nil},
		{": || f() { " + call + "; } && f", []string{"1:6-7 error syntax"}},
		{"! f() { " + call + "; } && f", []string{"1:3-4 error syntax"}},
		{": <<E\n$*E\n" + call, []string{"1:3-3 error syntax"}},
		{": <<-E\n\t$x\n\tE\n" + call, nil},
		{": <<E; case a in a) :; :\nesac\nE\n" + call, []string{"1:3-6 error syntax"}},
		{"x=$(read y <<E; echo $y)\nE\n" + call, []string{"1:12-15 error syntax"}},
		{"x=$(read y <<E; echo $y\nE\n); x=$(:); read x <<F\nF\n" + call, nil},
		{"read x <<E; if :; then\na\nE\n" + call + "; fi", nil},
		{"read x <<E; read x <<-F\na\nE\n\tF\n" + call, nil},
		{"read x <<E\nE\n" + call, nil},
		{"in; " + call, []string{"1:1-3 error syntax"}},
		{"for 1 in a; do " + call + "; done", []string{"1:5-6 error syntax"}},
		{"case x in x) : $y#z\n;; esac # " + call, []string{"1:18-20 error syntax"}},
		{"echo `echo \\`echo a\\``; " + call, nil},
		{"echo `echo \\`echo \\\\\\$a\\``; " + call, []string{"1:13-26 error syntax"}},
		{": `# a comment\n: b`; " + call, nil},
		{"echo $(echo `echo a`# b\n); " + call, []string{"1:21-24 error syntax"}},
		{": a#b $x#c; " + call + " # and a comment", nil},
		{"platform redeploy \\\n # --yes \\\n --no-wait", []string{"2:2-12 error syntax"}},
		{"f() { local - x=1 =y; }; " + call, []string{"1:19-21 error syntax"}},
		{"echo ${@#x} ${*-x}; " + call, []string{"1:6-12 error bash-only"}},
		{"echo $((1 + \"2\")); " + call, []string{"1:13-16 error bash-only"}},
		{"eval 'if'; " + call, []string{"1:6-10 error syntax"}},
		{"trap '[[ a ]]' EXIT; " + call, []string{"1:6-15 error double-bracket"}},
		{call + "\r\n", []string{"1:39-40 error syntax"}},
		{"platform redploy -W", []string{"1:10-17 error unknown-command"}},
		{"platform db:dump -W", []string{"1:10-17 error unsupported-command"}},
		{`platform db:dump -W "$x"`, []string{"1:10-17 error unsupported-command"}},
		{"platform backup:create --no-wait --frobnicate", []string{"1:34-46 error command-line"}},
		{"platform sync -W", []string{"1:10-14 error command-line"}},
		{"platform backup:create --yes", []string{"1:1-9 warning no-wait-missing"}},
		{`platform backup:create -e "$x"`, []string{"1:1-9 warning no-wait-missing"}},
		{"platform backup:create --wait", nil},
		{"platform backup:create -yW", nil},
		{"platform backup:create -W --proj x", []string{"1:1-9 info abbreviated-option"}},
		{"if [ $PLATFORM_BRANCH = main ]; then " + call + "; fi", []string{"1:6-22 warning unquoted-variable"}},
		{"if [ -f /etc/x ]; then " + call + "; fi", []string{"1:6-8 warning file-test"}},
		{"PLATFORMSH_CLI_TOKEN=abc " + call, []string{"1:1-25 warning token-in-script"}},
		{"", []string{"1:1-1 warning does-nothing"}},
		{"# nothing", []string{"1:1-1 warning does-nothing"}},
		// What only runs the application's programs is not judged as ours.
		{"cd /app && drush cr >> /tmp/log &", nil},
		{"php bin/console x; [ a == b ]", []string{"1:24-26 warning double-equals"}},
	} {
		s, problems := Parse(tt.src)
		var got []string
		for _, p := range problems {
			got = append(got, brief(p))
			if p.Message == "" {
				t.Errorf("%s: %s has no message", tt.src, brief(p))
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s\ngot  %q\nwant %q", tt.src, got, tt.want)
		}
		if refused := slices.ContainsFunc(tt.want, func(w string) bool { return strings.Contains(w, " error ") }); (s == nil) != refused {
			t.Errorf("%s: script %v", tt.src, s)
		}
	}
}

func TestParse_TellsWhoseScriptItIs(t *testing.T) {
	for _, tt := range []struct {
		src      string
		usesCLI  bool
		programs []string
	}{
		{seed, true, nil},
		{"upsun sync data -W", true, nil},
		{"/app/.platformsh/bin/platform redeploy -W", true, nil},
		{"/usr/local/bin/upsun.phar redeploy -W", true, nil},
		{"vendor/bin/platform redeploy -W", true, nil},
		{`"$HOME/.platformsh/bin/platform" redeploy -W`, true, nil},
		{"$HOME/bin/platform redeploy -W", true, nil},
		{"exec platform redeploy -W", true, nil},
		{"command platform redeploy -W", true, nil},
		{"eval 'platform redeploy -W'", true, nil},
		{"trap 'platform redeploy -W' EXIT", true, nil},
		{"drush cr && drush cron; php -r 1", false, []string{"drush", "php"}},
		{"if true; then cd x; ./bin/run; fi", false, []string{"./bin/run"}},
		{"echo platform", false, nil},
		{"true", false, nil},
		{"croncape -e ops@example.com platform redeploy -W", true, nil},
		{"/usr/bin/timeout -k 5 --signal=INT --verbose 1.5m platform redeploy -W", true, nil},
		{"timeout \"$LIMIT\" platform redeploy -W", true, nil},
		{"nice -n -5 nice -10 nice --adjustment 3 nice platform redeploy -W", true, nil},
		{"php -d memory_limit=-1 platform.phar redeploy -W", true, nil},
		{"exec timeout 5 platform redeploy -W", true, nil},
		{"timeout -- 5 \"$HOME/bin/platform\" redeploy -W", true, nil},
		{"timeout 5; nice; php -; croncape -e", false, []string{"timeout", "nice", "php", "croncape"}},
		{"timeout 5 php bin/console platform", false, []string{"timeout"}},
		{"npm run platform; php bin/console platform:sync platform", false, []string{"npm", "php"}},
		{"bash -c 'php bin/console sync-platform'", false, []string{"bash"}},
		{"cli=/app/platform; $cli redeploy -W; timeout 5 $cli redeploy -W", true, nil},
		{"cli=drush; $cli cr", false, nil},
	} {
		s, problems := Parse(tt.src)
		if s == nil {
			t.Errorf("%s: %+v", tt.src, problems)
			continue
		}
		if s.UsesCLI() != tt.usesCLI || !slices.Equal(s.Programs(), tt.programs) {
			t.Errorf("%s: got %v and %q", tt.src, s.UsesCLI(), s.Programs())
		}
		if s.Source() != tt.src {
			t.Errorf("%s: got source %q", tt.src, s.Source())
		}
	}
}

func TestParse_RefusesAnOverlongScript(t *testing.T) {
	for _, src := range []string{strings.Repeat("#", maxSource+1), strings.Repeat("(", maxParentheses+1)} {
		_, problems := Parse(src)
		if len(problems) != 1 || problems[0].Code != "too-long" {
			t.Errorf("%.10s... got %+v", src, problems)
		}
	}
}

func TestParse_TakesTimeInProportionToTheText(t *testing.T) {
	if raced {
		t.Skip("the race detector takes time and memory of its own")
	}
	for _, src := range []string{
		":" + strings.Repeat(" | :", maxSource/4-4),
		":" + strings.Repeat(" && :", maxSource/5-4),
		"echo " + strings.Repeat("${x:-", maxSource/7) + strings.Repeat("}", maxSource/7),
		"echo " + strings.Repeat("$(echo ", maxParentheses) + strings.Repeat(")", maxParentheses),
		strings.Repeat("{ ", maxSource/5) + ":" + strings.Repeat("; }", maxSource/5),
		strings.Repeat("platform redeploy -W\n", maxSource/22),
		"f() { " + strings.Repeat("x=$x$x; ", maxSource/9) + "}",
		strings.Repeat("(", maxParentheses) + ":" + strings.Repeat(")", maxParentheses),
		"echo " + strings.Repeat("\"${x:-", maxSource/9) + strings.Repeat("}\"", maxSource/9),
		"echo \"" + strings.Repeat("${x:-it's}", maxSource/11) + "\"",
		"echo $((" + strings.Repeat("-", maxSource/3) + "1))",
		"echo $((" + strings.Repeat("(", maxParentheses-2) + "1" + strings.Repeat(")", maxParentheses-2) + "))",
		strings.Repeat("if :; then ", maxSource/17) + ":" + strings.Repeat("; fi", maxSource/17),
		strings.Repeat("f() { ", maxParentheses) + ":" + strings.Repeat("; }", maxParentheses),
		strings.Repeat("read x <<E\nE\n", maxSource/13),
		"x=$(" + strings.Repeat("read x <<E\nE\n", maxSource/14) + ")",
		strings.Repeat("x=`:`; ", maxSource/7-1),
		strings.Repeat("eval 'eval x'; ", maxSource/15),
	} {
		before := processorTime(t)
		held := peak(func() { Parse(src) })
		if took := processorTime(t) - before; took > time.Second {
			t.Errorf("%.40s... took %v of a processor", src, took)
		}
		if held > 64<<20 {
			t.Errorf("%.40s... held %d MiB", src, held>>20)
		}
	}
}
