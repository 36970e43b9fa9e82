package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/postgrestest"
	"github.com/automatond/automatond/internal/sandbox"
)

var (
	killedRuns = flag.Int("kill.runs", 500, "how many runs are due together")
	kills      = flag.Int("kill.kills", 5, "how often the daemon is killed")
)

// TestRun_NeverRepeatsARequestAfterAKill kills the daemon again and again in the middle of a burst of
// runs. In the end every scheduled time has its record, and no request that may have left was sent
// again.
func TestRun_NeverRepeatsARequestAfterAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for half a minute")
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		killInBurst(t, "", *killedRuns, *kills)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		killInBurst(t, postgrestest.URL(t), *killedRuns, *kills)
	})
}

// killInBurst has so many runs due together, kills the daemon so often, and lets the last one end them.
func killInBurst(t *testing.T, store string, crons, kills int) {
	at := justNow()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 2 * time.Second}, hourly(crons, at))
	s.store = store
	s.owe(at.Add(-time.Minute))
	options := []string{"--test.settle", "1s", "--test.request-timeout", "5s", "--test.lease", "3s"}
	if store != "" {
		options = append(options, "--store", store)
	}

	inBurst := 0 // kills
	said := map[string]int{}
	for kill := range kills {
		d := s.start(options...)
		before := len(s.posts())
		// Kill at some point between the start and the end of what is left of the burst.
		target := before + 1 + rand.N((crons-before)/(kills-kill)+1)
		// What was lost at an earlier kill is never asked for, so the target may be out of reach:
		// the platform then hears nothing more of this process.
		silent := s.silence()
		d.eventually("some requests", func() bool { return len(s.posts()) >= target || silent() })
		time.Sleep(rand.N(20 * time.Millisecond))
		d.kill()
		d.count(said)
		after := len(s.posts())
		t.Logf("kill %d after %d requests", kill+1, after)
		if before < after && after < crons {
			inBurst++
		}
	}

	d := s.start(options...)
	d.eventually("ready", d.ready) // all may have ended already, and before that a signal is not heeded
	for n := s.settled(); n < crons; n = s.settled() {
		d.eventually("more runs to end", func() bool {
			time.Sleep(time.Second) // asking costs the daemon something
			return s.settled() > n
		})
	}
	d.stop()
	d.count(said)

	for path, n := range s.asked() {
		if n > 1 {
			t.Errorf("%d requests to %s, want at most 1", n, path)
		}
	}
	if inBurst == 0 {
		t.Error("no kill came in the middle of the burst")
	}
	outcomes := map[string]int{}
	recorded := map[string]bool{} // by cron
	records := s.records()
	for _, f := range records {
		outcomes[strings.TrimSuffix(string(f.Outcome)+"/"+string(f.Reason), "/")]++
		recorded[f.Cron] = recorded[f.Cron] || f.ScheduledAt.Equal(at) && f.Outcome != ""
	}
	if len(records) != crons || len(recorded) != crons {
		t.Errorf("%d records of %d crons, want one for each of %d", len(records), len(recorded), crons)
	}
	t.Logf("%d runs, killed %d times, %d of them in the burst: %d requests; %d in doubt, %d of these adopted, %d unknown; fires ended %v",
		crons, kills, inBurst, len(s.asked()), said["request in doubt"], said["activity adopted"], outcomes["unknown/in_doubt"], outcomes)
}

// silence returns a function that reports whether the platform has heard something from now on, and then
// nothing for five seconds.
func (s *site) silence() func() bool {
	before := len(s.server.Journal())
	heard, since, looked := before, time.Now(), time.Now()
	return func() bool {
		if time.Since(looked) < 250*time.Millisecond {
			return false // the journal may be long
		}
		looked = time.Now()
		if n := len(s.server.Journal()); n != heard {
			heard, since = n, looked
		}
		return heard > before && looked.Sub(since) > 5*time.Second
	}
}

// count adds up what the process has said about doubts.
func (d *daemon) count(said map[string]int) {
	for _, message := range []string{"request in doubt", "activity adopted"} {
		said[message] += strings.Count(d.log.String(), fmt.Sprintf("%q", message))
	}
}

// settled counts the fires that have ended.
func (s *site) settled() int {
	n := 0
	for _, f := range s.records() {
		if f.Outcome != "" {
			n++
		}
	}
	return n
}

func (d *daemon) ready() bool {
	_, probes := d.addresses()
	status, _ := d.get(probes + "/-/ready")
	return status == 200
}
