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
