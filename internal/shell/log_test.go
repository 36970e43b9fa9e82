package shell

import (
	"context"
	"slices"
	"testing"
)

// TestScript_PrintsToNowhereForALog has every call fail, which the end of a pipe does not tell.
func TestScript_PrintsToNowhereForALog(t *testing.T) {
	for src, want := range map[string][]string{
		"platform redeploy -W | tee -a /app/log && platform backup -yW":                            {"redeploy", "backup"},
		"set -e; platform redeploy -W 2>&1 | logger -t cron; platform backup -yW":                  {"redeploy", "backup"},
		"platform redeploy -W | /usr/bin/tee \"$PLATFORM_BRANCH.log\"; platform backup -yW":        {"redeploy"},
		"{ echo x; platform redeploy -W; } | tee /app/log >/dev/null || platform backup -yW; exit": {"redeploy"},
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
	for _, src := range []string{"platform redeploy -W | tee log | grep x", "tee() { cat; }; platform redeploy -W | tee", "echo x | tee log; platform redeploy -W"} {
		if script, _ := Parse(src); script != nil {
			t.Errorf("%s is taken", src)
		}
	}
}
