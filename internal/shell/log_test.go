package shell

import (
	"context"
	"slices"
	"testing"
)

// TestScript_PrintsToNowhereForALog has every call fail, which the end of a pipe does not tell.
func TestScript_PrintsToNowhereForALog(t *testing.T) {
	for src, want := range map[string][]string{
		"platform redeploy -W | tee -a /app/log && platform backup -yW":                                 {"redeploy", "backup"},
		"set -e; platform redeploy -W 2>&1 | logger -t cron; platform backup -yW":                       {"redeploy", "backup"},
		"platform redeploy -W | /usr/bin/tee \"$PLATFORM_BRANCH.log\"; platform backup -yW":             {"redeploy"},
		"echo \"$(date) start\" | tee -a log; platform redeploy -W; logger -t cron end":                 {"redeploy"},
		"log() { echo \"[$(date +%F) $(id -un)] $*\" >&2; }; log start; platform redeploy -W || log no": {"redeploy"},
		"{ echo x; platform redeploy -W; } | tee /app/log >/dev/null || platform backup -yW; exit":      {"redeploy"},
	} {
		script := parsed(t, src)
		var got []string
		script.Run(t.Context(), nil, func(_ context.Context, c Call) int {
			got = append(got, c.Task.Kind().Name)
			return 1
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
	for _, src := range []string{
		"platform redeploy -W | tee log | grep x", "tee() { cat; }; platform redeploy -W | tee",
		"x=$(echo main | tee log); platform redeploy -W", "x=$(echo $(date)); platform redeploy -W", "echo $(date) | { read x; platform redeploy -W; }",
		"printf %s $(date); platform redeploy -W", "echo $(rm x); platform redeploy -W", "x=$(logger y); platform redeploy -W | cat",
		`echo "${day:=$(date +%u)}"; [ "$day" = 7 ] || platform redeploy -W`, `echo $((n=$(date +%u))); [ "$n" = 7 ] || platform redeploy -W`,
		`echo "$(d=$(date +%u); [ "$d" = 7 ] || platform redeploy -W)"`, `echo "$([ "$(date +%u)" = 7 ] || platform redeploy -W)"`} {
		if script, _ := Parse(src); script != nil {
			t.Errorf("%s is taken", src)
		}
	}
}

// What a function prints may be read by who calls it, which the checker does not look for.
func TestScript_FailsWhereALogIsRead(t *testing.T) {
	for _, src := range []string{
		`now() { echo "$(date +%u)"; }; [ "$(now)" = 7 ] || platform redeploy -W`,
		`f() { echo main | tee log; }; [ "$(f)" = main ] || platform redeploy -W`,
		`eval 'echo "${day:=$(da'te' +%u)}"'; [ "$day" = 7 ] || platform redeploy -W`,
		`f() { logger -s x 2>&1; }; [ "$(f)" = x ] || platform redeploy -W`,
	} {
		made := 0
		res := parsed(t, src).Run(t.Context(), nil, func(context.Context, Call) int { made++; return 0 })
		if res.Err == nil || made > 0 {
			t.Errorf("%s: error %v and %d calls", src, res.Err, made)
		}
	}
}
