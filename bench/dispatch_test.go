package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// newBench returns a bench whose daemon is the stand-in.
func newBench(t *testing.T) *bench {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a, err := startAPI()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: t.TempDir(), binary: self, api: a, messages: io.Discard, patience: time.Second}
	t.Cleanup(func() { a.Close() })
	return b
}

func TestDaemonRound_MeasuresFromTheScheduledTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := time.Now().Add(1500 * time.Millisecond)
	writeScript(t, b.dir, at.Add(40*time.Millisecond), "late by 40 ms")
	samples, err := b.daemonRoundAt(t.Context(), at, 1, 1, projectIDs("p", 20), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := samples[0]
	if got := time.Duration(s.P50); got < 40*time.Millisecond || got > 500*time.Millisecond {
		t.Errorf("got a median delay of %s, want a little more than 40ms", got)
	}
	if s.P99 < s.P50 || s.Max < s.P99 {
		t.Errorf("got p50 %s, p99 %s, max %s out of order", s.P50, s.P99, s.Max)
	}
	if s.cpu <= 0 || s.cpuToEnd < s.cpu {
		t.Errorf("got CPU %s in the window and %s to the end", s.cpu, s.cpuToEnd)
	}
	if s.unlisted != 0 || s.unfollowed != 0 {
		t.Errorf("got %d projects not listed and %d activities not followed, want none", s.unlisted, s.unfollowed)
	}
}

func TestDaemonRound_SeesFastProjectsApartFromSlowOnes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := time.Now().Add(1500 * time.Millisecond)
	writeScript(t, b.dir, at, "")
	// The stand-in posts one after the other, so all but the first come after the slow one.
	slowFirst := func(i int) time.Duration {
		if i == 0 {
			return 300 * time.Millisecond
		}
		return 0
	}
	samples, err := b.daemonRoundAt(t.Context(), at, 1, 1, projectIDs("p", 3), slowFirst, func(i int) bool { return i > 0 })
	if err != nil {
		t.Fatal(err)
	}
	s := samples[0]
	if got := time.Duration(s.P50); got < 300*time.Millisecond {
		t.Errorf("got a median delay of %s for the others, want at least the slow one's 300ms", got)
	}
}

func TestDaemonRound_SaysWhenThePromiseIsBroken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, want string }{
		{"twice", "2 POSTs beyond one per cron"},
		{"missing", "2 of 3 POSTs arrived within 1s of the scheduled time"},
		{"early", "3 POSTs arrived before the scheduled time"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			at := time.Now().Add(1500 * time.Millisecond)
			writeScript(t, b.dir, at, c.fault)
			_, err := b.daemonRoundAt(t.Context(), at, 1, 1, projectIDs("p", 3), nil, nil)
			var broken *brokenPromise
			if !errors.As(err, &broken) || broken.message != c.want {
				t.Errorf("got error %v, want the broken promise %q", err, c.want)
			}
		})
	}
}

func TestDaemonRound_ExplainsADaemonThatEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := time.Now().Add(1500 * time.Millisecond)
	writeScript(t, b.dir, at, "crash")
	_, err := b.daemonRoundAt(t.Context(), at, 1, 1, projectIDs("p", 1), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "told to crash") {
		t.Errorf("got error %v, want the last lines of the daemon's output", err)
	}
}

func TestBareRound_PostsOncePerProjectAtTheGivenTimes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	samples, err := b.bareRound(t.Context(), 200, time.Now().Add(1500*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range samples {
		if got := time.Duration(s.P50); got <= 0 || got > time.Second {
			t.Errorf("fire %d: got a median delay of %s, want one just after the scheduled time", i+1, got)
		}
		if s.cpu <= 0 || s.first != (i == 0) {
			t.Errorf("fire %d: got CPU %s per dispatch, first %t", i+1, s.cpu, s.first)
		}
	}
	if len(samples) != fires {
		t.Errorf("got %d samples, want %d", len(samples), fires)
	}
}

func TestCondense_TakesTheFirstFireOfAProgramApart(t *testing.T) {
	t.Parallel()
	of := func(first bool, p99 duration) sample { return sample{first: first, summary: summary{P99: p99}} }
	f := condense([]sample{of(true, 100), of(false, 3), of(false, 1), of(true, 200), of(false, 2)})
	if f.Fires != 3 || f.P99 != 2 || f.FirstP99 != 150 {
		t.Errorf("got %d fires, p99 %d and %d at first, want 3, 2 and 150", f.Fires, f.P99, f.FirstP99)
	}
}
