package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/ledger"
)

func (w *world) suspend(cron string, until time.Duration) {
	w.t.Helper()
	s := control.Suspend{Cron: cron, Note: "a test"}
	if until != 0 {
		s.Until = time.Now().Add(until)
	}
	_, err := w.app.suspend(context.Background(), s)
	w.must(err)
}

func (w *world) resume(cron string) {
	w.t.Helper()
	_, err := w.app.resume(context.Background(), cron)
	w.must(err)
}

func TestSuspend_RecordsWhatIsDueUntilItIsResumed(t *testing.T) {
	for name, cron := range map[string]string{"one": "backup", "all": control.AllCrons} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, shop+backup, func(w *world) {
				w.suspend(cron, 0)
				if got := w.metric("automatond_cron_suspended", "cron=backup"); got != 1 {
					t.Errorf("cron_suspended is %v, want 1", got)
				}
				w.wait(period + time.Second)
				w.want(0, "backup 00:05 skipped/suspended")
				if got := w.metric("automatond_runs_total", "cron=backup", "reason=suspended"); got != 1 {
					t.Errorf("%v suspended fires are counted, want 1", got)
				}
				w.resume(cron)
				if got := w.metric("automatond_cron_suspended", "cron=backup"); got != 0 {
					t.Errorf("cron_suspended is %v, want 0", got)
				}
				w.wait(time.Minute)
				w.want(0, "backup 00:05 skipped/suspended")
				w.wait(period)
				w.want(1, "backup 00:05 skipped/suspended", "backup 00:10 succeeded/")
			})
		})
	}
}

func TestSuspend_EndsByItself(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.suspend("backup", 2*period) // what is due at its very end is not covered
		w.wait(2*period + time.Minute)
		w.want(1, "backup 00:05 skipped/suspended", "backup 00:10 succeeded/")
		if got := w.metric("automatond_cron_suspended", "cron=backup"); got != 0 {
			t.Errorf("cron_suspended is %v after its end, want 0", got)
		}
	})
}

func TestSuspend_OutlivesARestart(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.suspend("backup", 0)
		_, err := w.app.suspend(context.Background(), control.Suspend{Cron: "backup"}) // the note stays
		w.must(err)
		w.restart()
		w.logged("still suspended", "a test")
		w.wait(period + time.Second)
		w.want(0, "backup 00:05 skipped/suspended")
		w.app.announce(w.app.current.Load().config.Jobs)
		if strings.Contains(w.logs.String(), "first fire scheduled") {
			t.Error("a fire of a suspended cron is announced")
		}
		w.resume("backup")
		w.app.announce(w.app.current.Load().config.Jobs)
		w.logged("first fire scheduled", "backup")
		w.restart()
		w.wait(period + time.Minute)
		w.want(1, "backup 00:05 skipped/suspended", "backup 00:10 succeeded/")
	})
}

// TestSuspend_OwesNothingAfterwards lets suspensions end while the daemon is down.
func TestSuspend_OwesNothingAfterwards(t *testing.T) {
	t.Run("ended by itself", func(t *testing.T) {
		inWorld(t, shop+backup, func(w *world) {
			w.wait(period + time.Minute)
			w.suspend("backup", period) // until 00:11
			w.down()
			time.Sleep(period + time.Minute)
			w.start() // at 00:12, when 00:10 would be run late
			w.wait(time.Minute)
			w.want(1, "backup 00:05 succeeded/")
		})
	})
	t.Run("resumed after the fact", func(t *testing.T) {
		inWorld(t, shop+backup, func(w *world) {
			w.wait(period + time.Minute)
			w.suspend("backup", 0)
			w.down()
			time.Sleep(period)
			w.start() // 00:10 is owed, and recorded
			w.wait(time.Second)
			w.resume("backup")
			w.wait(time.Minute)
			w.want(1, "backup 00:05 succeeded/", "backup 00:10 skipped/suspended")
		})
	})
}

// TestSuspend_StopsWhatHasBegun suspends between a script's two calls, of which the second waits.
func TestSuspend_StopsWhatHasBegun(t *testing.T) {
	inWorld(t, shop+twice, func(w *world) {
		w.wait(period + 5*time.Second)
		w.suspend(control.AllCrons, 0)
		w.wait(time.Minute)
		w.want(1, "twice 00:05 skipped/suspended")
		w.resume(control.AllCrons)
		w.wait(time.Minute)
		w.want(1, "twice 00:05 skipped/suspended")
	})
}

func TestSuspend_AllAndOneAreApart(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.suspend("backup", 0)
		w.suspend(control.AllCrons, 0)
		w.resume(control.AllCrons)
		w.wait(period + time.Second)
		w.want(0, "backup 00:05 skipped/suspended")
		w.resume("backup")
		w.wait(period + time.Minute)
		w.want(1, "backup 00:05 skipped/suspended", "backup 00:10 succeeded/")
	})
}

func TestSuspend_RefusesWhatMakesNoSense(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		for name, s := range map[string]control.Suspend{
			"unknown cron": {Cron: "nightly"},
			"in the past":  {Cron: "backup", Until: time.Now().Add(-time.Second)},
		} {
			var refusal *control.Refusal
			if _, err := w.app.suspend(context.Background(), s); !errors.As(err, &refusal) {
				t.Errorf("%s: error %v, want a refusal", name, err)
			}
		}
	})
}

func TestSuspend_IsNotCutShortByAnother(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		for _, former := range []time.Duration{period, 2 * period, 0} { // the last one has no end
			w.suspend("backup", former)
			_, err := w.app.suspend(context.Background(), control.Suspend{Cron: "backup", Until: time.Now().Add(time.Minute)})
			var refusal *control.Refusal
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, "a test") {
				t.Errorf("after one of %s: error %v, want a refusal with its note", former, err)
			}
		}
		w.suspend(control.AllCrons, time.Minute) // is another one
		w.wait(3*period + time.Second)
		w.want(0, "backup 00:05 skipped/suspended", "backup 00:10 skipped/suspended", "backup 00:15 skipped/suspended")
	})
}

// TestSuspend_HeedsAnotherReplicaAtOnce asks this one before it has read what the other has written.
func TestSuspend_HeedsAnotherReplicaAtOnce(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		_, _, err := w.app.store.Suspend(context.Background(), ledger.Suspension{Cron: ledger.AllCrons, Since: time.Now()})
		w.must(err)
		active, err := w.app.suspend(context.Background(), control.Suspend{Cron: "backup"})
		if err != nil || len(active) != 2 {
			t.Errorf("suspended: %+v, %v; want the other's too", active, err)
		}
		_, err = w.app.suspend(context.Background(), control.Suspend{Cron: control.AllCrons, Until: time.Now().Add(time.Minute)})
		if _, ok := errors.AsType[*control.Refusal](err); !ok {
			t.Errorf("error %v, want a refusal to shorten the other's", err)
		}
		w.resume(control.AllCrons)
		w.resume("backup")
		w.wait(period + time.Minute)
		w.want(1, "backup 00:05 succeeded/")
	})
}

func (w *world) trigger(request control.Trigger) control.Asked {
	w.t.Helper()
	asked, err := w.app.trigger(context.Background(), request)
	w.must(err)
	return asked
}

func TestTrigger_GoesTheWayOfAFireAndMovesNoBaseline(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.wait(period + time.Minute)
		w.trigger(control.Trigger{Cron: "backup"})
		w.wait(time.Minute)
		w.want(2, "backup 00:05 succeeded/", "backup 00:06 succeeded/")
		w.restart()
		w.wait(period)
		w.want(3, "backup 00:05 succeeded/", "backup 00:06 succeeded/", "backup 00:10 succeeded/")
	})
}

func TestTrigger_AsksOnceUnderOneID(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		first := w.trigger(control.Trigger{Cron: "backup", ID: "release"})
		w.wait(time.Minute)
		w.restart()
		second := w.trigger(control.Trigger{Cron: "backup", ID: "release"})
		w.wait(time.Minute)
		w.want(1, "backup 00:00 succeeded/")
		history, err := control.OpenHistory(context.Background(), w.app.Data)
		w.must(err)
		defer history.Close()
		ended := func(p control.Progress) bool { return p.Outcome != "" }
		for _, test := range []struct {
			asked   control.Asked
			already bool
		}{{first, false}, {second, true}} {
			all, err := history.Await(context.Background(), test.asked, ended)
			w.must(err)
			if len(all) != 1 || all[0].Already != test.already || len(all[0].Runs) != 1 {
				t.Errorf("progress %+v, want one with a run and already %t", all, test.already)
			}
		}
	})
}

func TestTrigger_ObeysGuardOverlapAndSuspension(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.trigger(control.Trigger{Cron: "backup", Environment: "staging"})
		w.wait(time.Second)
		w.trigger(control.Trigger{Cron: "backup", Environment: "nowhere"})
		w.wait(time.Second)
		w.trigger(control.Trigger{Cron: "backup"})
		w.wait(time.Second)
		w.trigger(control.Trigger{Cron: "backup"})
		w.wait(time.Minute)
		w.suspend("backup", 0)
		w.trigger(control.Trigger{Cron: "backup"})
		w.wait(time.Second)
		w.want(1, "backup 00:00 skipped/guard", "backup 00:00 skipped/no_target", "backup 00:00 succeeded/",
			"backup 00:00 skipped/overlap", "backup 00:01 skipped/suspended")
	})
}

func TestTrigger_OfOneEnvironmentKeepsTheSeriesOfTheOthers(t *testing.T) {
	everywhere := strings.Replace(backup, "only: {branches: [main]}, ", "", 1)
	inWorld(t, shop+everywhere, func(w *world) {
		w.wait(period + time.Minute)
		w.trigger(control.Trigger{Cron: "backup", Environment: "staging"})
		w.wait(time.Minute)
		if got := w.metric("automatond_last_success_timestamp_seconds", "environment=main"); got <= 0 {
			t.Errorf("last success on main is %v, want the time of its run", got)
		}
	})
}

func TestCommand_RunsByHandBesideTheCrons(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		asked, err := w.app.command(context.Background(), control.Command{Args: []string{"environment:pause", "-e", "staging", "--yes"}})
		w.must(err)
		w.wait(time.Minute)
		w.want(1, " 00:00 succeeded/")
		history, err := control.OpenHistory(context.Background(), w.app.Data)
		w.must(err)
		defer history.Close()
		records, err := history.List(context.Background(), control.Filter{Limit: 9})
		w.must(err)
		if len(records) != 1 || records[0].Manual != asked.ID || records[0].Environment != "staging" {
			t.Fatalf("records %+v, want the one of the command", records)
		}
		detail, err := history.Show(context.Background(), records[0].ID)
		w.must(err)
		if got := strings.Join(detail.Dispatches[0].CommandLine, " "); got != "platform environment:pause -e staging --yes" {
			t.Errorf("command line %q is recorded", got)
		}
		// What has no environment, no project or no sense is refused before anything is asked for.
		for _, args := range [][]string{{"backup"}, {"backup", "-e", "."}, {"environment:destroy", "-e", "main"}} {
			var refusal *control.Refusal
			if _, err := w.app.command(context.Background(), control.Command{Args: args}); !errors.As(err, &refusal) {
				t.Errorf("%q: error %v, want a refusal", args, err)
			}
		}
	})
}

func TestCommand_KeepsNoSecretOfItsCommandLine(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		args := []string{"variable:create", "A", "--level", "environment", "--value", "pa55word", "-e", "main"}
		_, err := w.app.command(context.Background(), control.Command{Args: args})
		w.must(err)
		w.wait(time.Minute)
		w.want(1, " 00:00 succeeded/")
		if strings.Contains(w.logs.String(), "pa55word") {
			t.Error("the value is in the log")
		}
		files, err := filepath.Glob(filepath.Join(w.app.Data, "ledger.db*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of the ledger: %v", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			w.must(err)
			if strings.Contains(string(data), "pa55word") {
				t.Errorf("the value is in %s", filepath.Base(file))
			}
		}
	})
}

func TestCommand_IsFollowedAfterARestart(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		_, err := w.app.command(context.Background(), control.Command{Args: []string{"backup", "-e", "main", "--yes"}})
		w.must(err)
		w.wait(2 * time.Second)
		w.want(1, " 00:00 /")
		w.restart()
		w.wait(time.Minute)
		w.want(1, " 00:00 succeeded/")
	})
}

func TestCommand_IsStoppedByTheKillSwitch(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.suspend(control.AllCrons, 0)
		_, err := w.app.command(context.Background(), control.Command{Args: []string{"backup", "-e", "main", "--yes"}})
		w.must(err)
		w.wait(time.Minute)
		w.want(0, " 00:00 skipped/suspended")
	})
}
