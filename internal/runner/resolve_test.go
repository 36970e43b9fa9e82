package runner

import (
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

const twoCalls = `
crons:
  two:
    spec: '0 5 * * *'
    cmd: |
      [ "$PLATFORM_BRANCH" = master ] || exit 0
      platform backup --yes --no-wait
      platform redeploy --yes --no-wait
`

// loseAnswer lets the next backup's answer be lost, and nothing be found of it.
func (w *world) loseAnswer() {
	w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
}

func (w *world) resolve(outcome ledger.Outcome) {
	w.t.Helper()
	runs, err := w.ledger.Runs(w.t.Context(), ledger.Filter{InDoubt: true})
	if err != nil || len(runs) != 1 {
		w.t.Fatalf("runs in doubt: %+v (%v), want one", runs, err)
	}
	_, err = w.runner.Resolve(w.t.Context(), ledger.Resolution{RunID: runs[0].ID, Outcome: outcome, By: "ada", At: time.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestResolve_EndsARunThatIsLookedForAndSendsNothing(t *testing.T) {
	inWorld(t, twoCalls, func(w *world) {
		w.loseAnswer()
		w.fire()
		w.wait(5 * time.Second)
		if got := w.gauge("automatond_run_open"); got != 1 {
			t.Fatalf("%v runs open, want one that is looked for", got)
		}
		w.resolve(ledger.Succeeded)
		w.wait(time.Second)
		if got := w.gauge("automatond_run_open"); got != 0 {
			t.Errorf("%v runs open", got)
		}
		if got := w.gauge("automatond_last_success_timestamp_seconds"); got == 0 {
			t.Error("its success is not seen")
		}
		w.wait(10 * time.Minute) // the search would have ended by now
		w.want("/redeploy", 0, "succeeded/")
		w.want("/backup", 1, "succeeded/")
		if strings.Contains(w.logs.String(), "left open") || strings.Count(w.logs.String(), "run closed by hand") != 1 {
			t.Errorf("log:\n%s", w.logs)
		}
		w.restart()
		w.wait(10 * time.Minute)
		w.want("/redeploy", 0, "succeeded/")
	})
}

func TestResolve_CountsARunThatHadEndedOnce(t *testing.T) {
	inWorld(t, declared, func(w *world) {
		w.loseAnswer()
		at := w.fire()
		w.wait(10 * time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
		w.resolve(ledger.Succeeded)
		w.want("/backup", 1, "succeeded/")
		ended := w.gauge("automatond_last_success_timestamp_seconds")
		if late := ended - float64(at.Unix()); late <= 0 || late > 300 {
			t.Errorf("its success is %v s after its time; want when it ended, not when it was closed", late)
		}
	})
}
