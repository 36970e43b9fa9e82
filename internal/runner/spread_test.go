package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
)

const spreadOut = "crons: {deploys: {spec: '0 5 * * *', spread: 10m, start_deadline: 1m, task: {redeploy: {}}}}"

// offsets are those of the project's environments, in order.
func (w *world) offsets() []time.Duration {
	var list []time.Duration
	for _, environment := range []string{"master", "staging", "feature/x"} {
		list = append(list, w.jobs[0].Offset(projectA, environment))
	}
	slices.Sort(list)
	return list
}

func TestRunner_SpreadsTargetsAndKeepsTheScheduledTime(t *testing.T) {
	inWorld(t, spreadOut, func(w *world) {
		at := w.fire()
		for i, offset := range w.offsets() {
			if i == 1 {
				w.restart() // what has been claimed goes on waiting
			}
			w.wait(time.Until(at.Add(offset - time.Second)))
			if got := w.posts("/redeploy"); got != i {
				t.Errorf("%d requests before the offset %s, want %d", got, offset, i)
			}
			w.wait(2 * time.Second)
			if got := w.posts("/redeploy"); got != i+1 {
				t.Errorf("%d requests after the offset %s, want %d", got, offset, i+1)
			}
		}
		w.fireAgain(at)
		w.wait(10 * time.Minute)
		w.want("/redeploy", 3, "succeeded/")
	})
}

func TestRunner_StartDeadlineCountsFromTheOffset(t *testing.T) {
	inWorld(t, spreadOut, func(w *world) {
		at := w.fire()
		w.wait(time.Second)
		w.stop()
		latest := w.offsets()[2]
		w.wait(time.Until(at.Add(latest + 30*time.Second)))
		w.start()
		w.wait(10 * time.Minute)
		// The others' start deadlines have passed.
		w.want("/redeploy", 1, "missed/deadline")
	})
}

func TestRunner_AsksTheGuardAgainAfterTheOffset(t *testing.T) {
	guarded := strings.Replace(spreadOut, "task:", "except: {environment_types: [production]}, task:", 1)
	inWorld(t, guarded, func(w *world) {
		for _, environment := range []string{"master", "staging", "feature/x"} {
			w.sandbox.SetEnvironment(projectA, environment, func(e *sandbox.Environment) { e.Type = "development" })
		}
		w.fire()
		w.wait(time.Second)
		w.sandbox.SetEnvironment(projectA, "staging", func(e *sandbox.Environment) { e.Type = "production" })
		w.wait(10 * time.Minute)
		w.want("/redeploy", 2, "skipped/guard")
	})
}

func TestRunner_RunByHandDoesNotWaitForItsOffset(t *testing.T) {
	inWorld(t, spreadOut, func(w *world) {
		j := w.jobs[0]
		w.runner.Fire([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: time.Now(), Manual: "now"}})
		w.wait(2 * time.Second)
		if got := w.posts("/redeploy"); got != 3 {
			t.Errorf("%d requests, want 3", got)
		}
	})
}

// fireAgain lets every cron fire for a time that has been dealt with.
func (w *world) fireAgain(at time.Time) {
	for _, j := range w.jobs {
		w.runner.Fire([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: at}})
	}
}
