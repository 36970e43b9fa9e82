package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

// TestRun_NeverRepeatsARequestAfterAKill kills the daemon again and again in the middle of a burst
// of 1,000 runs. In the end every scheduled time has its record, and no request that may have left
// was sent again.
func TestRun_NeverRepeatsARequestAfterAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for half a minute")
	}
	const crons, kills = 1000, 6
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 2 * time.Second}, hourly(crons))
	s.owe(time.Now().Truncate(time.Hour).Add(-time.Minute))
	options := []string{"--test.settle", "1s", "--test.request-timeout", "2s"}

	inBurst := 0 // kills
	for kill := range kills {
		d := s.start(options...)
		before := len(s.asked())
		// Kill at some point between the start and the end of what is left of the burst.
		target := before + 1 + rand.N((crons-before)/(kills-kill)+1)
		// What was lost at an earlier kill is never asked for, so the target may be out of reach:
		// the platform then hears nothing more of this process.
		silent := len(s.server.Journal())
		heard, since := silent, time.Now()
		d.eventually("some requests", func() bool {
			if n := len(s.server.Journal()); n != heard {
				heard, since = n, time.Now()
			}
			return len(s.asked()) >= target || heard > silent && time.Since(since) > 2*time.Second
		})
		time.Sleep(rand.N(20 * time.Millisecond))
		d.kill()
		after := len(s.asked())
		t.Logf("kill %d after %d requests", kill+1, after)
		if before < after && after < crons {
			inBurst++
		}
	}

	d := s.start(options...)
	d.eventually("every cron has had its run", func() bool {
		time.Sleep(time.Second) // asking costs the daemon as much as a run
		return d.settled() == crons
	})
	d.stop()

	for path, n := range s.asked() {
		if n > 1 {
			t.Errorf("%d requests to %s, want at most 1", n, path)
		}
	}
	if inBurst == 0 {
		t.Error("no kill came in the middle of the burst")
	}
	outcomes := map[ledger.Outcome]int{}
	slots := map[string]int{}
	for _, f := range s.records() {
		outcomes[f.Outcome]++
		if f.Outcome != ledger.Missed {
			slots[f.Cron]++
		}
	}
	if len(slots) != crons {
		t.Errorf("%d crons have a record of their latest scheduled time, want %d", len(slots), crons)
	}
	if outcomes[""] != 0 {
		t.Errorf("%d records have no outcome", outcomes[""])
	}
	t.Logf("%d requests for %d crons, outcomes %v", len(s.asked()), crons, outcomes)
}

// settled counts the targets that had a run and have none open.
func (d *daemon) settled() int {
	web, _ := d.addresses()
	_, page := d.get(web + "/metrics")
	n := 0
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "automatond_last_scheduled_timestamp_seconds{"):
			n++
		case strings.HasPrefix(line, "automatond_run_open{") && strings.HasSuffix(line, " 1\n"):
			n--
		}
	}
	return n
}

func (d *daemon) ready() bool {
	_, probes := d.addresses()
	status, _ := d.get(probes + "/-/ready")
	return status == 200
}
