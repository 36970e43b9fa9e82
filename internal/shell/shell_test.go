package shell

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// seed is the cron of the vendor's documentation.
const seed = "if [ \"$PLATFORM_BRANCH\" = master ]; then\n    platform snapshot:create --yes --no-wait\nfi"

// play parses a script, runs it and returns what it called.
func play(t *testing.T, src string, vars map[string]string) (Result, []string) {
	t.Helper()
	s, problems := Parse(src)
	if s == nil {
		t.Fatalf("%s\ndoes not parse: %+v", src, problems)
	}
	var calls []string
	result := s.Run(context.Background(), vars, func(_ context.Context, c Call) int {
		calls = append(calls, strings.Join(c.Args, " "))
		return 0
	})
	return result, calls
}

func TestRun_SeedCronCallsOnItsBranchOnly(t *testing.T) {
	result, calls := play(t, seed, map[string]string{"PLATFORM_BRANCH": "master"})
	if want := []string{"platform snapshot:create --yes --no-wait"}; !slices.Equal(calls, want) {
		t.Errorf("on master: got calls %q, want %q", calls, want)
	}
	if result != (Result{Calls: 1}) {
		t.Errorf("on master: got %+v", result)
	}
	result, calls = play(t, seed, map[string]string{"PLATFORM_BRANCH": "feature"})
	if len(calls) != 0 || result != (Result{}) {
		t.Errorf("on another branch: got %+v and calls %q", result, calls)
	}
}

func BenchmarkRun_FalseGuard(b *testing.B) {
	s, _ := Parse(seed)
	vars := map[string]string{"PLATFORM_PROJECT": "abc", "PLATFORM_BRANCH": "feature", "PLATFORM_ENVIRONMENT": "feature-x", "PLATFORM_ENVIRONMENT_TYPE": "development"}
	b.ReportAllocs()
	for b.Loop() {
		s.Run(context.Background(), vars, nil)
	}
}

func BenchmarkRun_OneCall(b *testing.B) {
	s, _ := Parse(seed)
	vars := map[string]string{"PLATFORM_BRANCH": "master"}
	b.ReportAllocs()
	for b.Loop() {
		s.Run(context.Background(), vars, func(context.Context, Call) int { return 0 })
	}
}
