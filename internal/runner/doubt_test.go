package runner

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// TestRunner_ADoubtStaysOneWhenItsRepetitionCannotLeave pauses the environment before the request would
// be sent again. Nothing says that the first one was not executed.
func TestRunner_ADoubtStaysOneWhenItsRepetitionCannotLeave(t *testing.T) {
	inWorld(t, declared+"    in_doubt: redispatch\n", func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(30 * time.Second)
		w.sandbox.SetEnvironment(projectA, "master", func(e *sandbox.Environment) { e.Status = "paused" })
		w.wait(9 * time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
	})
}

// TestRunner_ARefusalIsNoDoubtAfterARestart refuses a request that was never in doubt.
func TestRunner_ARefusalIsNoDoubtAfterARestart(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 429, Times: -1})
		w.fire()
		w.wait(time.Minute)
		w.restart()
		w.wait(15 * time.Minute)
		if got := w.outcomes(); len(got) != 1 || got[0] != "failed/api_error" {
			t.Errorf("fires ended %q, want failed/api_error", got)
		}
	})
}

// TestRunner_ABackupTestifiesWhenItsActivityIsNotShown loses a request, whatever became of it, while the list of activities
// shows none, or only that somebody else makes one.
func TestRunner_ABackupTestifiesWhenItsActivityIsNotShown(t *testing.T) {
	for name, c := range map[string]struct {
		kind          sandbox.FaultKind
		hidden, other bool
		automated     bool
		outcome       string
	}{
		"it was made":              {kind: sandbox.ResetAfter, hidden: true, outcome: "succeeded/"},
		"it was not made":          {kind: sandbox.ResetBefore, hidden: true, outcome: "unknown/in_doubt"},
		"only an automated one":    {kind: sandbox.ResetBefore, hidden: true, automated: true, outcome: "unknown/in_doubt"},
		"somebody else's was made": {kind: sandbox.ResetBefore, other: true, outcome: "unknown/in_doubt"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, declared, func(w *world) {
				w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: c.kind})
				if c.hidden {
					w.sandbox.Inject(sandbox.Fault{Method: "GET", PathSuffix: "/activities", Kind: sandbox.Status, Status: 200, Body: "[]", Times: -1})
				}
				w.fire()
				w.wait(10 * time.Second)
				if c.automated {
					w.sandbox.AddBackup(projectA, "master", sandbox.Backup{CreatedAt: time.Now(), Automated: true})
				}
				if c.other {
					w.sandbox.StartActivity(projectA, "master", "environment.backup", "somebody")
				}
				w.wait(5 * time.Minute)
				w.want("/backup", 1, c.outcome)
			})
		})
	}
}
