package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestCPUTime_GrowsWithWork(t *testing.T) {
	for name, read := range map[string]func(int) (time.Duration, error){"scheduler": cpuTime, "ticks": cpuTicks} {
		before, err := read(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		own := ownCPU()
		for ownCPU()-own < 60*time.Millisecond {
		}
		after, err := read(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if got := after - before; got < 30*time.Millisecond || got > time.Second {
			t.Errorf("%s: got %s of processor time for 60ms of work", name, got)
		}
	}
}

func TestOverTheDay_LeavesTheNextQuarterOfAnHourFree(t *testing.T) {
	now := time.Date(2026, 3, 1, 23, 52, 30, 0, time.UTC)
	crons := overTheDay(10000, []string{"a", "b"}, now)
	specs := map[string]int{}
	for _, c := range crons {
		specs[c.spec]++
	}
	for at := now.Truncate(time.Minute); at.Before(now.Add(14 * time.Minute)); at = at.Add(time.Minute) {
		if n := specs[at.Format("4 15")+" * * *"]; n != 0 {
			t.Errorf("%d crons are due at %s", n, at.Format("15:04"))
		}
	}
	if got, want := len(specs), 24*60-15; got != want {
		t.Errorf("got %d different minutes, want %d", got, want)
	}
	if crons[0].project != "a" || crons[1].project != "b" {
		t.Errorf("got projects %s and %s, want them in turn", crons[0].project, crons[1].project)
	}
}

func TestOptions_RefuseUnknownParts(t *testing.T) {
	var messages strings.Builder
	if _, err := parseOptions([]string{"-only", "dispatch,speed"}, &messages); err == nil {
		t.Error("an unknown part was accepted")
	}
	if !strings.Contains(messages.String(), `there is no part "speed"`) {
		t.Errorf("got message %q", messages.String())
	}
	o, err := parseOptions([]string{"-short", "-only", "slow"}, &messages)
	if err != nil || len(o.counts) != 2 || o.rounds != 1 || len(o.only) != 1 {
		t.Errorf("got %+v, %v", o, err)
	}
}
