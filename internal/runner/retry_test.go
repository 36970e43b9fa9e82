package runner

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

const (
	retriedBackup = `
crons:
    snapshot: {spec: '0 5 * * *', only: {branches: [master]}, task: {backup: {}}, retries: 2, start_deadline: 1h}
`
	retriedPause = `
crons:
    sleep: {spec: '0 5 * * *', only: {branches: [staging]}, task: {pause: {}}, retries: 2}
`
)

// only returns the one run that there is, with its one dispatch.
func (w *world) only() (ledger.Run, ledger.Dispatch) {
	w.t.Helper()
	runs, err := w.ledger.Runs(context.Background(), ledger.Filter{})
	if err != nil || len(runs) != 1 {
		w.t.Fatalf("%d runs, %v; want one", len(runs), err)
	}
	_, dispatches, err := w.ledger.Run(context.Background(), runs[0].ID)
	if err != nil || len(dispatches) != 1 {
		w.t.Fatalf("%d dispatches, %v; want one", len(dispatches), err)
	}
	return runs[0], dispatches[0]
}

func (w *world) refuse(status, times int) {
	w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: status, Times: times})
}

func TestRunner_RetriesWhatWasRefused(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.refuse(403, 1)
		w.fire()
		w.wait(20 * time.Second)
		w.want("/backup", 1, "/")
		if got := w.gauge("automatond_run_open"); got != 1 {
			t.Errorf("run_open = %v while it waits for a retry", got)
		}
		w.wait(2 * time.Minute)
		w.want("/backup", 2, "succeeded/")
		_, d := w.only()
		if len(d.Earlier) != 1 || d.Earlier[0].StatusCode != 403 || d.Earlier[0].Reason != ledger.Forbidden || d.Earlier[0].SentAt.IsZero() {
			t.Fatalf("earlier attempts = %+v, want the refused one", d.Earlier)
		}
		if first := d.Earlier[0]; first.AnsweredAt.Before(first.SentAt) || !first.AnsweredAt.Before(d.SentAt) || d.AnsweredAt.Before(d.SentAt) {
			t.Errorf("answered %s and %s, want each after it was sent: %+v", first.AnsweredAt, d.AnsweredAt, d)
		}
	})
}

func TestRunner_EndsAsItsLastAttempt(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.refuse(403, -1)
		w.fire()
		w.wait(10 * time.Minute)
		w.want("/backup", 3, "failed/forbidden")
		if u, _ := w.only(); !strings.HasSuffix(u.Message, "(attempt 3)") {
			t.Errorf("message = %q, want the number of attempts in it", u.Message)
		}
	})
}

func TestRunner_NeverRetriesWhatMayHaveExecuted(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: -1})
		w.fire()
		w.wait(50 * time.Minute)
		w.want("/backup", 1, "unknown/in_doubt")
	})
}

func TestRunner_RetriesNoRefusalAfterADoubt(t *testing.T) {
	inWorld(t, strings.Replace(retriedBackup, "retries: 2", "retries: 2, in_doubt: redispatch", 1), func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1})
		w.fire()
		w.wait(10 * time.Second)
		w.refuse(403, -1)
		w.wait(50 * time.Minute)
		w.want("/backup", 2, "unknown/in_doubt")
	})
}

func TestRunner_RetriesFailedActivitiesOfRepeatableTasksOnly(t *testing.T) {
	inWorld(t, retriedPause, func(w *world) {
		w.sandbox.NextResult(projectA, "staging", sandbox.Failure)
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/pause", 2, "succeeded/")
		_, d := w.only()
		if len(d.Earlier) != 1 || len(d.Earlier[0].Activities) != 1 || d.Earlier[0].Activities[0].ID == d.Activities[0].ID {
			t.Errorf("dispatch = %+v, want each attempt's own activity", d)
		}
	})
	inWorld(t, retriedBackup, func(w *world) {
		w.sandbox.NextResult(projectA, "master", sandbox.Failure)
		w.fire()
		w.wait(5 * time.Minute)
		w.want("/backup", 1, "failed/activity_failed")
	})
}

func TestRunner_RetriesAcrossARestart(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.refuse(403, 1)
		w.fire()
		w.wait(10 * time.Second)
		w.restart()
		w.wait(10 * time.Second)
		w.want("/backup", 1, "/")
		w.wait(2 * time.Minute)
		w.want("/backup", 2, "succeeded/")
	})
}

func TestRunner_RetriesOnceAfterATakeOver(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.stop()
		w.shared = true
		w.start()
		w.refuse(403, 1)
		w.fire()
		w.wait(10 * time.Second)
		w.takenAndLeft("other")
		w.wait(30 * time.Minute)
		w.want("/backup", 2, "succeeded/")
		if u, d := w.only(); u.Owner != w.lease.Owner() || len(d.Earlier) != 1 {
			t.Errorf("owner %s, want %s; attempts before the last: %+v", u.Owner, w.lease.Owner(), d.Earlier)
		}
	})
}

func TestRunner_EarlierAttemptsTestifyForNoLaterOne(t *testing.T) {
	inWorld(t, strings.Replace(retriedPause, "retries: 2", "retries: 1", 1), func(w *world) {
		w.sandbox.NextResult(projectA, "staging", sandbox.Failure)
		w.fire()
		w.wait(25 * time.Second)
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/pause", Kind: sandbox.ResetBefore, Times: -1})
		w.wait(time.Hour)
		if got := w.outcomes(); !slices.Equal(got, []string{"unknown/in_doubt"}) {
			t.Errorf("fires ended %q\n%s", got, w.logs)
		}
	})
}

func TestRunner_NextFireWinsOverARetry(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.refuse(403, 1)
		w.fire()
		w.wait(10 * time.Second)
		w.fire()
		w.wait(30 * time.Minute)
		w.want("/backup", 2, "succeeded/ failed/forbidden")
		if got := w.gauge("automatond_run_open"); got != 0 {
			t.Errorf("run_open = %v after all has ended", got)
		}
		if n := strings.Count(w.logs.String(), `"message":"run ended"`); n != 2 {
			t.Errorf("%d runs were said to have ended, want each once\n%s", n, w.logs)
		}
	})
}

func TestRunner_RetriesNothingAfterTheStartDeadline(t *testing.T) {
	inWorld(t, strings.Replace(retriedBackup, "start_deadline: 1h", "start_deadline: 20s", 1), func(w *world) {
		w.refuse(403, -1)
		w.fire()
		w.wait(30 * time.Minute)
		w.want("/backup", 1, "failed/forbidden")
	})
}

func TestRunner_SuspendedRetryEndsAsItsLastAttempt(t *testing.T) {
	inWorld(t, retriedBackup, func(w *world) {
		w.refuse(403, -1)
		w.fire()
		w.wait(10 * time.Second)
		w.configure(strings.Replace(retriedBackup, "retries: 2", "suspended: true", 1))
		w.wait(10 * time.Minute)
		w.want("/backup", 1, "failed/forbidden")
	})
}
