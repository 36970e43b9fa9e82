package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

func TestReload_CausesNoRun(t *testing.T) {
	edited := strings.Replace(backup, "*/5 * * * *", "8 * * * *", 1)
	for name, yaml := range map[string]string{
		"unchanged":        shop + backup,
		"edited spec":      shop + edited,
		"edited task":      shop + strings.Replace(backup, "backup: {}", "redeploy: {}", 1),
		"a project more":   "\nprojects: {shop: {id: shopid}, blog: {id: blogid}}\n" + backup,
		"a cron more":      shop + backup + "  other: {spec: '*/3 * * * *', task: {redeploy: {}}}\n",
		"another deadline": shop + strings.Replace(backup, "only:", "start_deadline: 5h, only:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, shop+backup, func(w *world) {
				w.wait(period + 4*time.Minute + 20*time.Second)
				w.want(1, "backup 00:05 succeeded/")
				w.reload(yaml)
				w.wait(30 * time.Second)
				w.want(1, "backup 00:05 succeeded/")
			})
		})
	}
}

func TestReload_AnEditedCronGoesOnFromTheEdit(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(period + 2*time.Minute)
		res := w.reload(shop + strings.Replace(backup, "*/5 * * * *", "6,8 * * * *", 1))
		if !slices.Equal(res.changed, []string{"backup"}) || len(res.added)+len(res.removed) > 0 {
			t.Errorf("reload says %+v, want backup changed", res)
		}
		w.wait(period)
		w.want(2, "backup 00:05 succeeded/", "backup 00:08 succeeded/")
	})
}

func TestReload_TellsOfAChangedPolicyAndLeavesTheScheduleAlone(t *testing.T) {
	for _, policy := range []string{"timeout: 5h", "start_deadline: 5h", "spread: 1s", "overlap: allow", "retries: 3", "variables: {A: b}"} {
		inWorld(t, shop+backup, func(w *world) {
			w.wait(time.Minute)
			res := w.reload(shop + strings.Replace(backup, "only:", policy+", only:", 1))
			if !slices.Equal(res.changed, []string{"backup"}) || len(res.added)+len(res.removed) > 0 {
				t.Errorf("%s: reload says %+v, want backup changed", policy, res)
			}
			w.wait(period)
			w.want(1, "backup 00:05 succeeded/")
		})
	}
}

func TestReload_ACronThatComesBackOwesNothing(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(period + time.Minute)
		res := w.reload(shop + "crons: {other: {spec: '0 0 1 1 *', task: {backup: {}}}}")
		if !slices.Equal(res.removed, []string{"backup"}) || !slices.Equal(res.added, []string{"other"}) {
			t.Errorf("reload says %+v, want backup removed and other added", res)
		}
		w.wait(2 * period)
		w.reload(shop + backup)
		w.wait(period)
		w.want(2, "backup 00:05 succeeded/", "backup 00:20 succeeded/")
	})
}

func TestReload_NoLongerSuspendedInTheFileOwesNothing(t *testing.T) {
	suspended := strings.Replace(backup, "spec:", "suspended: true, spec:", 1)
	inWorld(t, shop+suspended, func(w *world) {
		w.wait(period + time.Minute)
		w.want(0, "backup 00:05 skipped/suspended")
		w.down()
		time.Sleep(period) // 00:10 passes by while nothing runs
		w.configure(shop + backup)
		w.start()
		w.wait(time.Minute)
		w.want(0, "backup 00:05 skipped/suspended")
		w.reload(shop + suspended)
		w.wait(period)
		w.reload(shop + backup)
		w.wait(period)
		w.want(1, "backup 00:05 skipped/suspended", "backup 00:15 skipped/suspended", "backup 00:20 succeeded/")
	})
}

func TestReload_FollowsWhatAProjectThatLeftHadSent(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(period + 2*time.Second)
		w.want(1, "backup 00:05 /")
		// Cron, project and automation user leave together, and which of the others to ask nobody can say.
		w.must(os.WriteFile(filepath.Join(w.dir, "automatond.yaml"), []byte(
			strings.Replace(preamble, "bot: {token_env: TOKEN}", "other: {token_env: TOKEN}, third: {token_env: TOKEN}", 1)+
				"projects: {blog: {id: blogid, automation_user: other}}\ncrons: {other: {spec: '0 0 1 1 *', task: {backup: {}}}}"), 0o600))
		if _, err := w.app.reload(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Minute)
		w.want(1, "backup 00:05 succeeded/")
		if got := w.metric("automatond_token_valid", "user=bot"); got != -1 {
			t.Errorf("the user that left has a series of value %v", got)
		}
		if got := w.metric("automatond_inventory_last_success_timestamp_seconds", "project=shopid"); got != -1 {
			t.Errorf("the project that left has a series of value %v", got)
		}
		w.reload(strings.TrimPrefix(shop, "\n") + backup)
		if n := len(w.app.current.Load().former); n != 0 {
			t.Errorf("%d clients of projects that left are kept with nothing open there, want 0", n)
		}
	})
}

func TestReload_SendsNothingMoreForACronThatLeft(t *testing.T) {
	inWorld(t, shop+twice, func(w *world) {
		w.wait(period + 5*time.Second)
		w.reload(shop + "crons: {other: {spec: '0 0 1 1 *', task: {backup: {}}}}")
		w.wait(2 * time.Minute)
		w.want(1, "twice 00:05 canceled/not_found")
	})
}

func TestReload_SaysThatOnlyItsProjectLeft(t *testing.T) {
	inWorld(t, shop+twice, func(w *world) {
		w.wait(period + 5*time.Second)
		w.reload("projects: {blog: {id: blogid}}" + twice)
		w.wait(2 * time.Minute)
		runs, err := w.app.store.Runs(context.Background(), ledger.Filter{Project: "shopid"})
		w.must(err)
		if want := "its project is not one of its cron's any more before it was sent"; len(runs) != 1 || runs[0].Message != want {
			t.Errorf("runs %+v, want one that says %q", runs, want)
		}
	})
}

func TestReload_AnEditedCronEndsWhatItHadBegun(t *testing.T) {
	inWorld(t, shop+twice, func(w *world) {
		w.wait(period + 5*time.Second)
		w.reload(shop + strings.Replace(twice, "      platform backup --yes --no-wait\n", "", 1))
		w.wait(2 * time.Minute)
		w.want(2, "twice 00:05 succeeded/")
	})
}

func TestReload_LeavesAllAsItWasWhenTheFileIsBad(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(2 * time.Minute)
		loaded := w.metric("automatond_config_last_reload_success_timestamp_seconds")
		before := w.app.current.Load()
		w.configure(shop + backup + "  broken: {spec: '* * * *', task: {backup: {}}}\n  worse: {spec: '@hourly', task: {bakcup: {}}}\n")
		_, err := w.app.reload(context.Background())
		var invalid *ConfigError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), `cron "broken"`) {
			t.Errorf("error %v, want a diagnostic of the broken cron", err)
		}
		w.logged(`"level":"error"`, `"cron":"broken"`, `"code":"spec-`)
		w.logged(`"level":"error"`, `"cron":"worse"`, `"hint":`, "backup")
		if w.app.current.Load() != before {
			t.Error("another setup is in force")
		}
		if got := w.metric("automatond_config_last_reload_successful"); got != 0 {
			t.Errorf("config_last_reload_successful is %v, want 0", got)
		}
		if got := w.metric("automatond_config_last_reload_success_timestamp_seconds"); got != loaded {
			t.Errorf("last success at %v, want %v as before", got, loaded)
		}
		w.wait(4 * time.Minute)
		w.want(1, "backup 00:05 succeeded/")
		w.reload(shop + backup)
		if got := w.metric("automatond_config_last_reload_successful"); got != 1 {
			t.Errorf("config_last_reload_successful is %v after a good one, want 1", got)
		}
	})
}

func TestReload_KeepsAccessTokensAndSeries(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(period + time.Minute)
		exchanges := w.exchanges()
		success := w.metric("automatond_last_success_timestamp_seconds", "cron=backup")
		if exchanges == 0 || success <= 0 {
			t.Fatalf("%d token exchanges, last success %v; want some before the reload", exchanges, success)
		}
		for range 5 {
			w.reload(shop + backup + "  other: {spec: '0 0 1 1 *', task: {backup: {}}}\n")
			w.reload(shop + backup)
		}
		w.wait(time.Second)
		if got := w.exchanges(); got != exchanges {
			t.Errorf("%d token exchanges after the reloads, want %d as before", got, exchanges)
		}
		if got := w.metric("automatond_last_success_timestamp_seconds", "cron=backup"); got != success {
			t.Errorf("last success %v after the reloads, want %v", got, success)
		}
		if got := w.metric("automatond_runs_total", "cron=backup", "outcome=succeeded"); got != 1 {
			t.Errorf("%v successes are counted, want 1", got)
		}
		if got := w.metric("automatond_cron_info", "cron=other"); got != -1 {
			t.Error("the cron that left has a series")
		}
	})
}

func TestReload_SaysWhatNeedsARestart(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		if res := w.reload(shop + backup); res.restart {
			t.Error("the same settings need a restart")
		}
		if res := w.reload(shop + backup + "shutdown_grace: 20s\n"); !res.restart {
			t.Error("another grace needs no restart")
		}
	})
}
