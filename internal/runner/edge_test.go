package runner

import (
	"context"
	"database/sql"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
)

// lockStore makes every write fail until the returned function is called.
func (w *world) lockStore() func() {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "data", "ledger.db")+"?_busy_timeout=5000") // the runner may be writing
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
		conn.Close()
		db.Close()
	}
}

func TestRunner_StopsWhileTheStoreIsAway(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(60 * time.Second)
		unlock := w.lockStore()
		w.fire()
		w.wait(20 * time.Second)
		stopped := make(chan struct{})
		go func() { w.down(); close(stopped) }()
		select {
		case <-stopped:
		case <-time.After(5 * time.Minute):
			t.Error("the runner has not stopped 5 minutes after it was told to")
		}
		unlock()
		<-stopped
		w.start()
	})
}

func TestRunner_AdoptsWhenTheStoreIsBack(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(5 * time.Second)
		w.stop()
		var unlock func()
		w.opened = func() { unlock = w.lockStore() }
		w.start()
		w.wait(30 * time.Second)
		unlock()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_EverySlotHasARecord(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		j := w.jobs[0]
		keys := []ledger.ScheduleKey{{Cron: j.Name, Project: projectA, Hash: j.Hash}}
		if _, _, err := w.ledger.Schedules(context.Background(), time.Now(), keys); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.sandbox.Inject(sandbox.Fault{PathSuffix: "/environments", Kind: sandbox.Status, Status: 503, Times: -1})
		first := w.fire()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.sandbox.ClearFaults()
		second := w.fire()
		time.Sleep(1500 * time.Millisecond)
		w.restart()
		b, _, err := w.ledger.Schedules(context.Background(), time.Now(), keys)
		if err != nil {
			t.Fatal(err)
		}
		fires, _ := w.ledger.Fires(context.Background(), ledger.Filter{})
		for _, at := range []time.Time{first, second} {
			recorded := false
			for _, f := range fires {
				recorded = recorded || f.ScheduledAt.Equal(at)
			}
			if owed := at.After(b[0].At); !recorded && !owed {
				t.Errorf("slot %s: no record, and not owed (baseline %s)", at.UTC(), b[0].At)
			}
		}
	})
}

func TestRunner_OrphanOfARepeatableTask(t *testing.T) {
	inWorld(t, "\ncrons: {sleep: {spec: '0 20 * * *', only: {branches: [staging]}, task: {pause: {}}}}\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/pause", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(10 * time.Second)
		w.jobs = nil
		w.restart()
		w.wait(5 * time.Minute)
		if got := w.posts("/pause"); got != 1 {
			t.Errorf("%d requests, want 1: the cron left the configuration", got)
		}
	})
}

func TestRunner_GoesOnAfterTheLeaseWasLostDuringTheIntent(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire() // warms the listing
		w.wait(2 * time.Minute)
		// the claim is written, then the store goes away before the intent
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/environments/master", Kind: sandbox.Delay, Latency: 5 * time.Second, Times: 1})
		at := time.Now().Truncate(time.Second).Add(-10 * time.Second) // late: the environment is read afresh
		w.runner.Fire([]scheduler.Fire{{Job: w.jobs[0], Project: w.jobs[0].Projects[0], ScheduledAt: at}})
		w.wait(2 * time.Second)
		unlock := w.lockStore()
		w.wait(45 * time.Second)
		unlock()
		w.wait(10 * time.Minute)
		w.want("/backup", 2, "succeeded/ succeeded/")
		if g := w.gauge("automatond_run_open"); g != 0 {
			t.Errorf("run_open %v, want 0", g)
		}
	})
}

func TestRunner_DefaultBranchAfterARestart(t *testing.T) {
	yaml := strings.ReplaceAll(declared, "[master]", "[$default_branch]")
	inWorld(t, yaml, func(w *world) {
		w.sandbox.SetEnvironment(projectA, "master", func(e *sandbox.Environment) { e.Dirty = true })
		w.fire()
		w.wait(20 * time.Second)
		w.restart()
		w.wait(20 * time.Second)
		w.sandbox.SetEnvironment(projectA, "master", func(e *sandbox.Environment) { e.Dirty = false })
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_DivergedScriptSendsNothingFurther(t *testing.T) {
	script := func(first string) string {
		return "\ncrons:\n  sync:\n    spec: '0 5 * * *'\n    cmd: |\n      [ \"$PLATFORM_BRANCH\" = staging ] || exit 0\n      " + first + "\n      platform redeploy --yes --no-wait\n"
	}
	inWorld(t, script("platform backup --yes --no-wait"), func(w *world) {
		w.fire()
		w.wait(3 * time.Second)
		w.configure(script("platform backup --live --yes --no-wait"))
		w.restart()
		w.wait(10 * time.Minute)
		if got := w.posts("/redeploy"); got != 0 {
			t.Errorf("%d further requests after the call that differs\n%s", got, w.logs)
		}
	})
}

func TestRunner_DuplicatesAreSkippedNotMissed(t *testing.T) {
	inWorld(t, `
crons:
  deploy:
    spec: '0 5 * * *'
    start_deadline: 15s
    cmd: platform redeploy -y --no-wait -e master
`, func(w *world) {
		// master's own run goes first; the others find it dirty
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/environments/master", Kind: sandbox.Delay, Latency: 2 * time.Second, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		runs, _ := w.ledger.Runs(context.Background(), ledger.Filter{})
		ended := map[string]int{}
		for _, u := range runs {
			ended[string(u.Outcome)+"/"+string(u.Reason)]++
		}
		if want := map[string]int{"succeeded/": 1, "skipped/duplicate": 2}; !maps.Equal(ended, want) {
			t.Errorf("runs ended %v, want %v", ended, want)
		}
	})
}

func TestRunner_DelayCountsSentRequestsOnly(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Refuse, Times: 5})
		w.fire()
		w.wait(5 * time.Minute)
		families, _ := w.registry.Gather()
		observed := uint64(0)
		for _, f := range families {
			if f.GetName() == "automatond_dispatch_delay_seconds" {
				observed = f.Metric[0].GetHistogram().GetSampleCount()
			}
		}
		if observed != 1 {
			t.Errorf("%d delays observed for 1 request that was sent", observed)
		}
	})
}

func TestRunner_RedispatchWaitsForTheSettleTime(t *testing.T) {
	yaml := declared + "    in_doubt: redispatch\n    timeout: 10s\n"
	inWorld(t, yaml, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		p := w.sandbox.Posts("/backup")
		if len(p) > 1 {
			t.Errorf("sent again %s after the first, and after the run's timeout of 10 s; settle time is 60 s", p[1].At.Sub(p[0].At))
		}
	})
}

func TestRunner_RedispatchCountsDoubtsNotRefusals(t *testing.T) {
	yaml := declared + "    in_doubt: redispatch\n"
	inWorld(t, yaml, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Refuse, Times: 1})
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(9 * time.Minute)
		w.want("/backup", 2, "succeeded/")
	})
}

func TestRunner_SeriesOfADeletedEnvironmentGo(t *testing.T) {
	all := strings.ReplaceAll(declared, "    only: {branches: [master]}\n", "")
	inWorld(t, all, func(w *world) {
		w.fire()
		w.wait(3 * time.Minute)
		w.sandbox.SetEnvironment(projectA, "feature/x", func(e *sandbox.Environment) { e.Status = "deleting" })
		w.fire()
		w.wait(3 * time.Minute)
		families, _ := w.registry.Gather()
		for _, f := range families {
			if f.GetName() == "automatond_last_success_timestamp_seconds" {
				for _, m := range f.Metric {
					for _, l := range m.Label {
						if l.GetValue() == "feature/x" {
							t.Error("series of an environment that is gone is still exported")
						}
					}
				}
			}
		}
	})
}

func TestRunner_SettleTimeCountsFromTheSend(t *testing.T) {
	inWorld(t, declared+"    in_doubt: redispatch\n", func(w *world) {
		w.fire()
		w.wait(2 * time.Minute)
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/environments/master", Kind: sandbox.Delay, Latency: 5 * time.Second, Times: 1})
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		// keep the lease alive by hand, to look at this defect alone
		at := time.Now().Truncate(time.Second).Add(-10 * time.Second)
		w.runner.Fire([]scheduler.Fire{{Job: w.jobs[0], Project: w.jobs[0].Projects[0], ScheduledAt: at}})
		w.wait(2 * time.Second)
		unlock := w.lockStore()
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second / 2):
					w.lease.mu.Lock()
					w.lease.renewed = time.Now()
					w.lease.mu.Unlock()
				}
			}
		}()
		w.wait(90 * time.Second)
		unlock()
		w.wait(5 * time.Minute)
		close(stop)
		p := w.sandbox.Posts("/backup")
		if len(p) != 3 {
			t.Fatalf("%d requests, want the first, the lost one and its repetition\n%s", len(p), w.logs)
		}
		if gap := p[2].At.Sub(p[1].At); gap < 30*time.Second {
			t.Errorf("sent again %s after the lost one, want at least the settle time", gap)
		}
	})
}

func TestRunner_SuspendedIsNotMissed(t *testing.T) {
	suspended := &job.Job{Name: "x", Suspended: true}
	r := New(Options{Job: func(string) *job.Job { return suspended }})
	c, _ := r.recordOnly(scheduler.Fire{Job: suspended, Project: &job.Project{ID: "p"}, Missed: &scheduler.Missed{Count: 3}})
	if c.row.Fire.Outcome != ledger.Skipped {
		t.Errorf("a suspended cron's times are recorded as %s/%s", c.row.Fire.Outcome, c.row.Fire.Reason)
	}
}

func TestRunner_OneBrokenActivityDoesNotHoldUpTheOthers(t *testing.T) {
	all := strings.ReplaceAll(declared, "    only: {branches: [master]}\n", "")
	inWorld(t, all, func(w *world) {
		w.fire()
		w.wait(2 * time.Second)
		runs, _ := w.ledger.Runs(context.Background(), ledger.Filter{Environment: "master"})
		_, ds, _ := w.ledger.Run(context.Background(), runs[0].ID)
		id := ds[0].Activities[0].ID
		// not in the listing any more, and its own resource answers 403
		w.runner.tracker.mu.Lock()
		for _, p := range w.runner.tracker.projects {
			for _, d := range p.dispatches {
				if d.activities[0].ID == id {
					d.activities[0].ID = "gone"
				}
			}
		}
		w.runner.tracker.mu.Unlock()
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/activities/gone", Kind: sandbox.Status, Status: 403, Times: -1})
		w.wait(30 * time.Minute)
		runs, _ = w.ledger.Runs(context.Background(), ledger.Filter{})
		for _, u := range runs {
			if u.Environment != "master" && u.Outcome == "" {
				t.Errorf("%s still open 30 minutes after its activity ended", u.Environment)
			}
		}
	})
}

func TestRunner_ActivityWithoutCreationTimeIsEvidence(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.stop()
		w.simulate(sandbox.Options{NullCreatedAt: true, PendingDuration: 5 * time.Minute, ActivityDuration: 20 * time.Second})
		w.start()
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetAfter, Times: 1})
		w.fire()
		w.wait(15 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_OpenSinceIsTheOldestOpenRun(t *testing.T) {
	s := targetSeries{environment: "e"}
	t0 := time.Unix(1000, 0)
	s.opened(ledger.Run{ID: "first", ScheduledAt: t0})
	s.opened(ledger.Run{ID: "second", ScheduledAt: t0.Add(time.Hour)})
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	m.crons["c"] = &cronSeries{projects: map[string]*projectSeries{"p": {targets: []*targetSeries{&s}}}}
	w := &world{t: t, registry: registry}
	if got := w.gauge("automatond_run_open_since_timestamp_seconds"); got != 1000 {
		t.Errorf("open since %v, want 1000", got)
	}
	m.finished(&ledger.Run{ID: "first", Cron: "c", Project: "p", Environment: "e", ScheduledAt: t0}, ledger.Finish{Outcome: ledger.Succeeded, At: t0})
	if got := w.gauge("automatond_run_open_since_timestamp_seconds"); got != 1000+3600 {
		t.Errorf("open since %v once the older run ended, want 4600", got)
	}
}

func TestRunner_DeclaredCronThatChangedStillFollowsWhatItSent(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetAfter, Times: 1})
		w.fire()
		w.wait(time.Second / 2)
		w.configure(strings.ReplaceAll(declared, "{backup: {}}", "{backup: {live: true}}"))
		w.restart()
		w.wait(10 * time.Minute)
		runs, _ := w.ledger.Runs(context.Background(), ledger.Filter{})
		for _, u := range runs {
			_, ds, _ := w.ledger.Run(context.Background(), u.ID)
			for _, d := range ds {
				t.Logf("run %s/%s %q; dispatch %s activities %v", u.Outcome, u.Reason, u.Message, d.State, d.Activities)
				if d.State != ledger.DispatchDone {
					t.Errorf("run is over, its dispatch is for ever %s", d.State)
				}
			}
		}
	})
}

func TestRunner_NothingLeavesAfterTheTimeout(t *testing.T) {
	inWorld(t, declared+"    timeout: 30s\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 429, RetryAfter: 60 * time.Second, Times: 1})
		at := w.fire()
		w.wait(5 * time.Minute)
		for _, p := range w.sandbox.Posts("/backup") {
			if d := p.At.Sub(at); d > 30*time.Second {
				t.Errorf("sent %s after the scheduled time, timeout is 30 s; outcomes %v", d, w.outcomes())
			}
		}
	})
}

func TestRunner_TargetsGaugeSurvivesAFailedListing(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(3 * time.Minute)
		before := w.gauge("automatond_targets")
		w.runner.Metrics.claimed(ledger.Claimed{Fire: ledger.Fire{Cron: "snapshot", Project: projectA, Outcome: ledger.Missed, Reason: ledger.Deadline, MissedCount: 3}})
		if after := w.gauge("automatond_targets"); after != before {
			t.Errorf("targets %v after a record of missed times, %v before", after, before)
		}
	})
}

// TestRunner_DoesNotAdoptWhatAnotherRequestMade loses one of two requests to one environment while
// the other's answer is on its way: the only activity there is that one's.
func TestRunner_DoesNotAdoptWhatAnotherRequestMade(t *testing.T) {
	two := declared + `
  hourly:
    spec: '0 * * * *'
    only: {branches: [master]}
    task: {backup: {}}
`
	inWorld(t, two, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Delay, Executed: true, Latency: 5 * time.Second, Times: 1})
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(5 * time.Minute)
		if got := w.posts("/backup"); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
		ended := w.outcomes()
		slices.Sort(ended)
		if got := strings.Join(ended, " "); got != "succeeded/ unknown/in_doubt" {
			t.Errorf("fires ended %q, want the lost one in doubt\n%s", got, w.logs)
		}
	})
}

// TestRunner_AdoptsAcrossARestartWhenThePlatformsClockIsBehind looks only once, after the settle
// time, and has asked the platform nothing before.
func TestRunner_AdoptsAcrossARestartWhenThePlatformsClockIsBehind(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.stop()
		w.simulate(sandbox.Options{ClockSkew: -20 * time.Second})
		w.start()
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetAfter, Times: 1})
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/activities", Kind: sandbox.Status, Status: 503, Times: -1})
		w.fire()
		w.wait(3 * time.Second)
		w.stop()
		w.sandbox.ClearFaults()
		time.Sleep(5 * time.Minute)
		w.start()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_TakesNobodysActivityWhileItsUserIsNotKnown(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/users/me", Kind: sandbox.Status, Status: 503, Times: 12})
		w.fire()
		w.wait(time.Second / 2)
		w.sandbox.StartActivity(projectA, "master", "environment.backup", "somebody")
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
	})
}

func TestRunner_AnEndBeforeTheTimeoutCountsWhenItIsSeenLater(t *testing.T) {
	inWorld(t, declared+"    timeout: 60s\n", func(w *world) {
		w.fire()
		w.wait(3 * time.Second)
		w.stop()
		time.Sleep(5 * time.Minute)
		w.start()
		w.wait(time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

// TestRunner_ARequestOfAnUnknownKindStaysInDoubt finds a record that a newer version has left.
func TestRunner_ARequestOfAnUnknownKindStaysInDoubt(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(3 * time.Second)
		w.stop()
		db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "data", "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("UPDATE dispatches SET kind = 'teleport'"); err != nil {
			t.Fatal(err)
		}
		db.Close()
		w.jobs = nil
		w.start()
		w.wait(time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
	})
}

// TestRunner_EndsWhatADeletedProjectLeftOpen deletes the project of requests that were accepted, or whose
// answers were lost.
func TestRunner_EndsWhatADeletedProjectLeftOpen(t *testing.T) {
	pause := strings.ReplaceAll(declared, "backup: {}", "pause: {}")
	for _, test := range []struct {
		name, crons, path string
		lost              bool
		outcome           string
	}{
		{"accepted", declared, "/backup", false, "unknown/not_found"},
		{"lost", declared, "/backup", true, "unknown/in_doubt"},
		{"lost and repeatable", pause, "/pause", true, "unknown/in_doubt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, test.crons, func(w *world) {
				if test.lost {
					w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: test.path, Kind: sandbox.ResetBefore})
				}
				w.fire()
				w.wait(time.Second)
				w.sandbox.RemoveProject(projectA)
				w.wait(15 * time.Minute)
				w.want(test.path, 1, test.outcome)
			})
		})
	}
}

// TestRunner_WaitsWhileNothingIsFound has something between answer 404 to everything for some minutes.
func TestRunner_WaitsWhileNothingIsFound(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.fire()
		w.wait(time.Second)
		w.sandbox.Inject(sandbox.Fault{Method: "GET", Match: "/projects/", Kind: sandbox.Status, Status: 404, Times: -1})
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "/")
		w.sandbox.ClearFaults()
		w.wait(2 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_SendsNothingAgainWhileTheActivitiesAreNotFound(t *testing.T) {
	again := strings.ReplaceAll(declared, "    task: {backup: {}}", "    in_doubt: redispatch\n    task: {redeploy: {}}")
	inWorld(t, again, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/redeploy", Kind: sandbox.ResetAfter})
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/activities", Kind: sandbox.Status, Status: 404, Times: -1})
		w.fire()
		w.wait(15 * time.Minute)
		w.want("/redeploy", 1, "unknown/in_doubt")
	})
}
