package shell

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestScript_CallsWhatWrappersPassOn(t *testing.T) {
	const call = "platform redeploy --no-wait"
	for _, tt := range []struct {
		src  string
		want []string
	}{
		{"croncape " + call, []string{call}},
		{"set -- 5m; timeout $1 " + call, []string{call}},
		{"w='nice -n 5'; $w " + call, []string{call}},
		{"php /app/platform.phar redeploy --no-wait", []string{call}},
		{"exec timeout 5 nice " + call + "; " + call, []string{call}},
		{"/usr/bin/env " + call + "; env A=1 B=\"$x\" " + call, []string{call, call}},
		{"nohup ionice -c3 setsid -f stdbuf -oL chronic " + call, []string{call}},
		{"ionice -c 2 -n 7 nice " + call, []string{call}},
		{"flock -n /tmp/lock " + call + "; flock -w 5 -x \"$HOME/lock\" " + call, []string{call, call}},
		{"timeout() { :; }; timeout 5 " + call, nil},
		{"limit=soon; timeout $limit " + call, nil},
		{"trap '" + call + "' EXIT; exec nice " + call, []string{call}},
	} {
		script, problems := Parse(tt.src)
		if script == nil {
			t.Errorf("%s: %+v", tt.src, problems)
			continue
		}
		var got []string
		script.Run(t.Context(), nil, func(_ context.Context, c Call) int {
			got = append(got, strings.Join(c.Args, " "))
			return 0
		})
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestParse_RefusesWhatDoesMoreThanToPassACallOn(t *testing.T) {
	const call = "platform redeploy --no-wait"
	for _, src := range []string{
		"env -i " + call, "env PLATFORM_BRANCH=main " + call, "env " + call + " | env", "flock -n /tmp/lock -c '" + call + "'", "flock " + call, "env A=1; " + call,
	} {
		if script, _ := Parse(src); script != nil {
			t.Errorf("%s is taken", src)
		}
	}
}

func TestMentions_FindsTheCLIWhereItMayBeACommand(t *testing.T) {
	for src, want := range map[string]bool{
		"platform redeploy &> log":           true,
		"cd x;upsun redeploy &> log":         true,
		`"$HOME/platform" redeploy &> log`:   true,
		"x=$(/opt/upsun.phar list) &> log":   true,
		"php bin/console sync-platform &> x": false,
		"./platform.sh &> x":                 false,
		"multiplatform &> x":                 false,
	} {
		if got := Mentions(src); got != want {
			t.Errorf("%s: got %v", src, got)
		}
	}
}
