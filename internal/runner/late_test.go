package runner

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
)

// fireLate lets the first cron fire for a time that has passed.
func (w *world) fireLate(by time.Duration) {
	j := w.jobs[0]
	w.runner.Fire([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: time.Now().Add(-by).Truncate(time.Second)}})
}

func TestRunner_MakesALateBackupUnlessAManualOneWasMadeSince(t *testing.T) {
	for name, c := range map[string]struct {
		backup  sandbox.Backup
		posts   int
		outcome string
	}{
		"a manual one since":     {sandbox.Backup{}, 0, "skipped/overlap"},
		"an automated one since": {sandbox.Backup{Automated: true}, 1, "succeeded/"},
		"a manual one before":    {sandbox.Backup{CreatedAt: time.Unix(1, 0)}, 1, "succeeded/"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, declared, func(w *world) {
				if c.backup.CreatedAt.IsZero() {
					c.backup.CreatedAt = time.Now()
				}
				w.sandbox.AddBackup(projectA, "master", c.backup)
				w.wait(time.Second)
				w.fireLate(time.Minute)
				w.wait(5 * time.Minute)
				w.want("/backup", c.posts, c.outcome)
			})
		})
	}
}

func TestRunner_MakesNoLateBackupWhileItCannotSeeThoseMadeSince(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/backups", Kind: sandbox.Status, Times: -1})
		w.fireLate(time.Minute)
		w.wait(3 * time.Minute)
		if n := w.posts("/backup"); n != 0 {
			t.Errorf("%d requests while the backups could not be listed", n)
		}
		w.sandbox.ClearFaults()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "succeeded/")
	})
}

func TestRunner_GivesALateBackupUpWhenItCannotSeeThoseMadeSince(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/backups", Kind: sandbox.Status, Times: -1})
		w.fireLate(time.Minute)
		w.wait(15 * time.Minute)
		w.want("/backup", 0, "failed/api_error")
	})
}

// TestRunner_LooksForAPendingBackupUntilItSees lets the first look at a dirty environment fail: the
// backup that keeps it so is somebody else's.
func TestRunner_LooksForAPendingBackupUntilItSees(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.StartActivity(projectA, "master", "environment.backup", "somebody")
		w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/environments/master/activities", Kind: sandbox.Status, Times: 6})
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 0, "skipped/overlap")
	})
}

func TestRunner_RecordsAFireWhoseListingIsNeverAnswered(t *testing.T) {
	inWorld(t, "crons: {a: {spec: '0 5 * * *', start_deadline: 1m, task: {backup: {}}}}", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{PathSuffix: "/environments", Kind: sandbox.Delay, Latency: time.Hour, Times: -1})
		w.fire()
		w.wait(62 * time.Second)
		w.want("/backup", 0, "failed/api_error")
	})
}

// A claim says that nothing before it is owed any more, so the record of what was missed has to come first,
// although the fire after it has its project's listing at once.
func TestRunner_RecordsWhatWasMissedBeforeTheFireAfterIt(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		j := w.jobs[0]
		at := time.Now().Truncate(time.Second)
		w.runner.Suspended = func(string, time.Time) string {
			time.Sleep(time.Second) // that is when others have got further
			return ""
		}
		w.runner.Fire([]scheduler.Fire{
			{Job: j, Project: j.Projects[0], ScheduledAt: at.Add(-time.Hour), Missed: &scheduler.Missed{From: at.Add(-2 * time.Hour), Count: 2}},
			{Job: j, Project: j.Projects[0], ScheduledAt: at},
			{Job: j, Project: &job.Project{ID: "elsewhere"}, ScheduledAt: at.Add(time.Second)},
		})
		w.wait(time.Minute)
		w.want("/backup", 1, "failed/not_found succeeded/ missed/deadline")
	})
}

// Nothing finds a trigger owed at the next start, so one that waits when the daemon stops is recorded.
func TestRunner_RecordsATriggerThatWaitsWhenTheDaemonStops(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{PathSuffix: "/environments", Kind: sandbox.Delay, Latency: time.Hour, Times: -1})
		j := w.jobs[0]
		trigger := func(id string) bool {
			return w.runner.Trigger([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: time.Now(), Manual: id}})
		}
		taken := trigger("first")
		w.wait(time.Second) // it waits for its listing
		taken = trigger("second") && taken
		w.restart()
		w.want("/backup", 0, "missed/deadline missed/deadline")
		if !taken {
			t.Error("a trigger was refused")
		}
	})
}

func TestRunner_TakesNoTriggerOnceTheDaemonStops(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		stopped := w.runner
		w.restart()
		j := w.jobs[0]
		if stopped.Trigger([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: time.Now(), Manual: "late"}}) {
			t.Error("a runner that has ended took a trigger")
		}
	})
}
