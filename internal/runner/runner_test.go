package runner

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/automatond/automatond/internal/sandbox"
)

const (
	seed = `
crons:
  snapshot:
    spec: '0 5 * * *'
    cmd: |
      if [ "$PLATFORM_BRANCH" = master ]; then
          platform snapshot:create --yes --no-wait
      fi
`
	declared = `
crons:
  snapshot:
    spec: '0 5 * * *'
    only: {branches: [master]}
    task: {backup: {}}
`
)

func TestRunner_AsksOnceAndFollowsTheActivity(t *testing.T) {
	for name, yaml := range map[string]string{"script": seed, "declared": declared} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, yaml, func(w *world) {
				w.fire()
				w.wait(2 * time.Minute)
				w.want("/backup", 1, "succeeded/")
				if body := w.sandbox.Posts("/backup")[0].Body; body != `{"safe":true}` {
					t.Errorf("body %s, want {\"safe\":true}", body)
				}
			})
		})
	}
}

func TestRunner_SkipsByGuard(t *testing.T) {
	none := strings.ReplaceAll(seed, "master", "production-that-is-not-there")
	inWorld(t, none, func(w *world) {
		w.fire()
		w.wait(time.Minute)
		w.want("/backup", 0, "skipped/guard")
	})
}

func TestRunner_AdoptsActivityFoundAfterLostResponse(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetAfter, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_DoesNotRepeatWhenTheRequestWasLost(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
	})
}

func TestRunner_RedispatchesOnceWhenTheCronSaysSo(t *testing.T) {
	yaml := declared + "    in_doubt: redispatch\n"
	for name, lost := range map[string]struct {
		times   int
		posts   int
		outcome string
	}{
		"once":   {1, 2, "succeeded/"},
		"always": {9, 2, "unknown/in_doubt"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, yaml, func(w *world) {
				w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: lost.times})
				w.fire()
				w.wait(9 * time.Minute)
				w.want("/backup", lost.posts, lost.outcome)
			})
		})
	}
}

func TestRunner_SendsOnceTheConnectionIsBack(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Refuse, Times: 3})
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_GivesUpAtTheStartDeadline(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Refuse, Times: 1000})
		w.fire()
		w.wait(15 * time.Minute)
		w.want("/backup", 0, "failed/api_error")
	})
}

func TestRunner_WaitsAsLongAsItIsTold(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 429, RetryAfter: 90 * time.Second, Times: 1})
		at := w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 2, "succeeded/")
		if delay := w.sandbox.Posts("/backup")[1].At.Sub(at); delay < 90*time.Second {
			t.Errorf("sent again after %s, want at least the 90 s of Retry-After", delay)
		}
	})
}

func TestRunner_RenewsTheAccessTokenOnceAndKeepsTheBody(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 401, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 2, "succeeded/")
		posts := w.sandbox.Posts("/backup")
		if posts[1].Body != posts[0].Body || posts[1].Body == "" {
			t.Errorf("repeated with body %q, first with %q", posts[1].Body, posts[0].Body)
		}
	})
}

func TestRunner_AsksOnceForOneOperationOfManyEnvironments(t *testing.T) {
	inWorld(t, `
crons:
  snapshot:
    spec: '0 5 * * *'
    cmd: platform backup:create -y --no-wait -e master
`, func(w *world) {
		w.fire()
		w.wait(5 * time.Minute)
		if got := w.posts("/backup"); got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
	})
}

func TestRunner_WaitsForACleanEnvironmentBetweenCalls(t *testing.T) {
	inWorld(t, `
crons:
  sync:
    spec: '0 5 * * *'
    cmd: |
      [ "$PLATFORM_BRANCH" = staging ] || exit 0
      platform sync data --yes --no-wait
      platform backup --yes --no-wait
`, func(w *world) {
		w.fire()
		w.wait(10 * time.Minute)
		w.want("/synchronize", 1, "succeeded/")
		w.want("/backup", 1, "succeeded/")
		first, second := w.sandbox.Posts("/synchronize")[0], w.sandbox.Posts("/backup")[0]
		if gap := second.At.Sub(first.At); gap < 20*time.Second {
			t.Errorf("second request %s after the first, want it after the first activity's 20 s", gap)
		}
	})
}

func TestRunner_FollowsAfterARestart(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(3 * time.Second)
		w.restart()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_ReplaysAScriptAfterARestart(t *testing.T) {
	inWorld(t, `
crons:
  sync:
    spec: '0 5 * * *'
    cmd: |
      [ "$PLATFORM_BRANCH" = staging ] || exit 0
      platform sync data --yes --no-wait && platform backup --yes --no-wait
`, func(w *world) {
		w.fire()
		w.wait(10 * time.Second) // the second call waits for the first one's activity
		w.restart()
		w.wait(10 * time.Minute)
		w.want("/synchronize", 1, "succeeded/")
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_SkipsWhileThePreviousRunIsOpen(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(5 * time.Second)
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "skipped/overlap succeeded/")
	})
}

// TestRunner_ObservesWithoutSending observes a fire on three environments, of which its guard lets one or two pass.
func TestRunner_ObservesWithoutSending(t *testing.T) {
	both := strings.Replace(declared, "[master]", "[master, staging]", 1)
	for crons, asked := range map[string]string{declared: "backup on master", both: "backup on master, backup on staging"} {
		inWorld(t, crons, func(w *world) {
			w.stop()
			w.observe = true
			w.start()
			w.fire()
			w.wait(time.Minute)
			w.want("/backup", 0, "skipped/observe")
			w.logged("observing: would ask for " + asked)
		})
	}
}

func TestRunner_ReportsWhatTheUserMayNotDo(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.SetRole(token, "viewer")
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 0, "failed/forbidden")
		w.logged(`"detail":"the platform does not offer backup on environment \"master\"; the automation user needs the role admin there; it has viewer"`)
	})
}

func TestRunner_ReportsTheRoleOfWhoIsRefused(t *testing.T) {
	for _, tt := range []struct{ role, want string }{
		{"viewer", "the automation user needs the role admin there; it has viewer"},
		{"staging:admin", "the automation user needs the role admin there; it has none"},
		{"viewer production:admin", `the automation user needs the role admin there"`}, // so that is not why
	} {
		inWorld(t, declared, func(w *world) {
			w.sandbox.SetRole(token, tt.role)
			w.sandbox.SetEnvironment(projectA, "master", func(e *sandbox.Environment) { e.Role = "admin" })
			w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 403})
			w.fire()
			w.wait(5 * time.Minute)
			w.want("/backup", 1, "failed/forbidden")
			w.logged("403 Forbidden: Injected by the sandbox; " + tt.want)
		})
	}
}

func TestMetrics_AreCleanAndSurviveARestart(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(2 * time.Minute)
		problems, err := testutil.GatherAndLint(w.registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		before := w.gauge("automatond_last_success_timestamp_seconds")
		w.restart()
		if after := w.gauge("automatond_last_success_timestamp_seconds"); after != before || after == 0 {
			t.Errorf("last success %v after a restart, want %v", after, before)
		}
		w.jobs = nil // the cron leaves the configuration
		w.restart()
		if got := w.gauge("automatond_last_success_timestamp_seconds"); got != -1 {
			t.Errorf("the series of a cron that is gone has the value %v", got)
		}
	})
}
