package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/postgrestest"
	"github.com/automatond/automatond/internal/sandbox"
)

// TestReplicas_ShareABurstAndTakeOverFromTheDead starts two daemons on one database that owes four hours.
// Each cron asks once, for the latest, and has one record of the hours before; and when one daemon is
// killed while activities are under way, the other sees their runs to the end.
func TestReplicas_ShareABurstAndTakeOverFromTheDead(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs processes for half a minute")
	}
	const crons = 200
	store := postgrestest.URL(t)
	latest := justNow()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 10 * time.Second}, hourly(crons, latest))
	s.store = store
	s.owe(latest.Add(-3*time.Hour - time.Minute))
	// The lease outlasts a machine that is busy: both have to keep theirs until one is killed.
	options := []string{"--store", store, "--test.settle", "1s", "--test.request-timeout", "5s", "--test.lease", "10s"}
	first := s.startIn("first", options...)
	second := s.startIn("second", options...)
	for _, d := range []*daemon{first, second} {
		d.eventually("two replicas", func() bool { return d.metric("automatond_replicas") == "2" })
		if got := d.metric("automatond_replicas_config_mismatch"); got != "0" {
			t.Errorf("%s replicas have another configuration, want 0", got)
		}
	}
	first.eventually("every cron has asked", func() bool { return len(s.asked()) == crons })
	victim, survivor := first, second
	if second.open() > first.open() {
		victim, survivor = second, first
	}
	victim.kill()
	survivor.eventually("every run has ended", func() bool { return s.openRuns() == 0 })
	survivor.stop()

	for path, n := range s.asked() {
		if n > 1 {
			t.Errorf("%d requests to %s, want 1", n, path)
		}
	}
	outcomes, owners := map[ledger.Outcome]int{}, map[string]int{}
	for _, f := range s.records() {
		outcomes[f.Outcome]++
		owners[f.Owner]++
		if f.Outcome == ledger.Missed && (f.MissedCount != 3 || !f.MissedFrom.Equal(latest.Add(-3*time.Hour))) {
			t.Errorf("%s: a record of %d hours from %s, want the three before %s", f.Cron, f.MissedCount, f.MissedFrom, latest)
		}
	}
	if outcomes[ledger.Succeeded] != crons || outcomes[ledger.Missed] != crons || len(outcomes) != 2 {
		t.Errorf("outcomes %v, want %d that succeeded and as many records of missed hours", outcomes, crons)
	}
	adopted := len(survivor.lines("run adopted"))
	if adopted == 0 {
		t.Error("the dead replica left nothing to take over")
	}
	t.Logf("%d fires by replica %v; %d runs adopted", crons, owners, adopted)
	for _, d := range []*daemon{first, second} {
		if strings.Contains(d.log.String(), postgrestest.Password) || strings.Contains(d.log.String(), "never%2Fbe") {
			t.Error("the database's password is in the log")
		}
	}
}

// TestReplicas_ShareTheWork lets two daemons fire until each claims about half. One that has not heard of
// the other yet, or gets no processor for the grace that others leave it, claims more or less for a while.
func TestReplicas_ShareTheWork(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs processes for ten seconds")
	}
	const crons, every = 200, 5 * time.Second
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 10 * time.Millisecond}, hourly(crons, justNow()))
	s.store = postgrestest.URL(t)
	options := []string{"--store", s.store, "--test.every", every.String(), "--test.lease", "3s"}
	first, second := s.startIn("first", options...), s.startIn("second", options...)
	for _, d := range []*daemon{first, second} {
		d.eventually("two replicas", func() bool { return d.metric("automatond_replicas") == "2" })
	}
	first.eventually("each claims about half", func() bool {
		from := time.Now()
		time.Sleep(every)
		owners, all := s.owners(from, time.Now())
		t.Logf("shares %v", owners)
		for _, n := range owners {
			if n < all*3/10 || n > all*7/10 {
				return false
			}
		}
		return len(owners) == 2
	})
	first.stop()
	second.stop()
}

// owners counts the fires of a time by who claimed them.
func (s *site) owners(from, to time.Time) (owners map[string]int, all int) {
	owners = map[string]int{}
	for _, f := range s.records() {
		if f.ScheduledAt.After(from) && f.ScheduledAt.Before(to) {
			owners[f.Owner]++
			all++
		}
	}
	return owners, all
}

// openRuns counts what is still going on in a store that daemons work on.
func (s *site) openRuns() int {
	s.t.Helper()
	reader, err := ledger.OpenReader(context.Background(), s.store)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reader.Close()
	open, err := reader.OpenProjects(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return len(open) // each run has a project of its own
}

// open counts the targets with a run that the daemon has in hand.
func (d *daemon) open() int {
	web, _ := d.addresses()
	_, page := d.get(web + "/metrics")
	n := 0
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "automatond_run_open{") && strings.HasSuffix(line, " 1\n") {
			n++
		}
	}
	return n
}

func TestReplicas_HeedEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true}, yearly)
	s.store = postgrestest.URL(t)
	options := []string{"--store", s.store, "--test.lease", "3s"}
	first := s.start(options...)
	first.eventually("ready", first.ready)
	s.write("automatond.yaml", yearly+"# edited\n")
	second := s.startIn("second", options...)
	for _, d := range []*daemon{first, second} {
		d.eventually("a difference", func() bool { return d.metric("automatond_replicas_config_mismatch") == "1" })
		d.eventually("a warning", func() bool {
			return len(d.lines("replicas have another configuration: whichever claims a scheduled time acts by its own")) > 0
		})
	}
	s.mustCommand("reload")
	first.eventually("no difference", func() bool { return first.metric("automatond_replicas_config_mismatch") == "0" })
	s.mustCommand("suspend", "--all")
	second.eventually("suspended", func() bool { return second.metric(`automatond_cron_suspended{cron="backup"}`) == "1" })
	contains(t, s.mustCommand("trigger", "backup", "--store", s.store), "skipped (suspended)")
	contains(t, s.mustCommand("runs", "--store", s.store), "suspended")
	for _, forgotten := range [][]string{{"trigger", "backup"}, {"runs"}} {
		s.failing(1, "--store", forgotten...)
	}
	first.stop()
	second.stop()
}
