package runner

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

const refresh = `
crons:
    refresh:
        spec: '0 5 * * *'
        only: {branches: [staging]}
        steps: [{synchronize: {data: true}}, {redeploy: {}}]
`

const refreshAnyway = refresh + "        on_failure: continue\n"

// wantSteps holds the requests that the platform saw of both steps, and the fire's outcome, against
// what must be.
func (w *world) wantSteps(synchronized, redeployed int, outcome string) {
	w.t.Helper()
	w.want("/synchronize", synchronized, outcome)
	if got := w.posts("/redeploy"); got != redeployed {
		w.t.Errorf("%d requests to …/redeploy, want %d\n%s", got, redeployed, w.logs)
	}
}

func TestRunner_AsksForAStepWhenTheOneBeforeIsOver(t *testing.T) {
	inWorld(t, refresh, func(w *world) {
		w.fire()
		w.wait(15 * time.Second)
		w.wantSteps(1, 0, "/")
		w.wait(5 * time.Minute)
		w.wantSteps(1, 1, "succeeded/")
	})
}

func TestRunner_GoesOnWithStepsAfterARestart(t *testing.T) {
	inWorld(t, refresh, func(w *world) {
		w.fire()
		w.wait(10 * time.Second)
		w.restart()
		w.wantSteps(1, 0, "/")
		w.wait(5 * time.Minute)
		w.wantSteps(1, 1, "succeeded/")
	})
}

func TestRunner_StopsOrContinuesAfterAStepThatFailed(t *testing.T) {
	faults := map[string]struct {
		inject  func(*world)
		outcome string
	}{
		"its activity failed": {func(w *world) { w.sandbox.NextResult(projectA, "staging", sandbox.Failure) }, "failed/activity_failed"},
		"it was refused": {func(w *world) {
			w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/synchronize", Kind: sandbox.Status, Status: 403, Times: 1})
		}, "failed/forbidden"},
		"it is in doubt": {func(w *world) {
			w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/synchronize", Kind: sandbox.ResetBefore, Times: 1})
		}, "unknown/in_doubt"},
	}
	for name, f := range faults {
		for yaml, redeployed := range map[string]int{refresh: 0, refreshAnyway: 1} {
			t.Run(name, func(t *testing.T) {
				inWorld(t, yaml, func(w *world) {
					f.inject(w)
					w.fire()
					w.wait(10 * time.Minute)
					w.wantSteps(1, redeployed, f.outcome)
				})
			})
		}
	}
}

func TestRunner_StepsAfterALostAnswerThatWasAdopted(t *testing.T) {
	inWorld(t, refresh, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/synchronize", Kind: sandbox.ResetAfter, Times: 1})
		w.fire()
		w.wait(10 * time.Minute)
		w.wantSteps(1, 1, "succeeded/")
	})
}

func TestRunner_AsksTheGuardBeforeEveryStep(t *testing.T) {
	nap := strings.Replace(refresh, "{branches: [staging]}", "{branches: [staging], status: [active]}", 1)
	nap = strings.Replace(nap, "{synchronize: {data: true}}, {redeploy: {}}", "{pause: {}}, {resume: {}}", 1)
	inWorld(t, nap, func(w *world) {
		w.fire()
		w.wait(10 * time.Minute)
		w.want("/resume", 0, "skipped/guard")
	})
	without := strings.Replace(nap, ", status: [active]", "", 1)
	inWorld(t, without, func(w *world) {
		w.fire()
		w.wait(10 * time.Minute)
		w.want("/resume", 1, "succeeded/")
	})
}

func TestRunner_AsksForNoStepAfterTheStartDeadlineWhenNoneWasAccepted(t *testing.T) {
	inWorld(t, refreshAnyway, func(w *world) {
		w.sandbox.SetEnvironment(projectA, "staging", func(e *sandbox.Environment) { e.Status = "dirty" })
		w.fire()
		w.wait(40 * time.Minute)
		w.wantSteps(0, 0, "missed/dirty")
	})
}

func TestRunner_RetriesAStepBeforeItGoesOn(t *testing.T) {
	yaml := strings.Replace(refresh, "{synchronize: {data: true}}", "{pause: {}}", 1)
	yaml = strings.Replace(yaml, "{redeploy: {}}", "{resume: {}}", 1) + "        retries: 1\n"
	inWorld(t, yaml, func(w *world) {
		w.sandbox.NextResult(projectA, "staging", sandbox.Failure)
		w.fire()
		w.wait(10 * time.Minute)
		w.want("/pause", 2, "succeeded/")
		w.want("/resume", 1, "succeeded/")
		runs, err := w.ledger.Runs(context.Background(), ledger.Filter{})
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v", len(runs), err)
		}
		_, dispatches, err := w.ledger.Run(context.Background(), runs[0].ID)
		if err != nil || len(dispatches) != 2 || len(dispatches[0].Earlier) != 1 {
			t.Errorf("dispatches = %+v, %v; want two, the first with an earlier attempt", dispatches, err)
		}
	})
}
