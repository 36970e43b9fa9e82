package ledger

import (
	"errors"
	"testing"
	"time"
)

// mustDoubt claims a run whose only request is in doubt.
func mustDoubt(t *testing.T, l *Ledger, at time.Time, environment string) Run {
	t.Helper()
	u := mustRun(t, l, "a", at, environment)
	mustIntend(t, l, "a", dispatchOf(u, 0, environment+"key"))
	must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchInDoubt}))
	return u
}

// mustEndUnknown ends a run of mustDoubt without a trace of its request.
func mustEndUnknown(t *testing.T, l *Ledger, u Run, at time.Time) {
	t.Helper()
	r := Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Unknown, Reason: InDoubt, ExitStatus: 1}
	_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Unknown, Reason: InDoubt, At: at, Dispatches: []Result{r}})
	must(t, err)
}

func resolutionOf(u Run, outcome Outcome) Resolution {
	return Resolution{RunID: u.ID, Outcome: outcome, By: "ada", Note: "looked", At: time.Now()}
}

func mustResolve(t *testing.T, l *Ledger, r Resolution) Resolved {
	t.Helper()
	res, err := l.Resolve(t.Context(), r)
	must(t, err)
	return res
}

// wantInDoubt holds the count and the list of what is in doubt against each other.
func wantInDoubt(t *testing.T, l *Ledger, want int) {
	t.Helper()
	n, err := l.InDoubt(t.Context())
	must(t, err)
	runs, err := l.Runs(t.Context(), Filter{InDoubt: true})
	if err != nil || n != want || len(runs) != want {
		t.Errorf("%d requests and %d runs in doubt (%v), want %d", n, len(runs), err, want)
	}
}

func TestResolve_GivesARunThatEndedUnknownItsOutcome(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	u := mustDoubt(t, l, slotTime, "main")
	ended := slotTime.Add(time.Minute)
	mustEndUnknown(t, l, u, ended)
	wantInDoubt(t, l, 1)

	r := resolutionOf(u, Succeeded)
	res := mustResolve(t, l, r)
	if res.WasOpen || res.Requests != 1 || res.Run.Outcome != Succeeded || res.Run.Reason != "" || !res.Run.FinishedAt.Equal(ended) {
		t.Errorf("resolved %+v", res)
	}
	if want := "closed by hand by ada: looked"; res.Run.Message != want {
		t.Errorf("message %q, want %q", res.Run.Message, want)
	}
	wantInDoubt(t, l, 0)
	if d := mustDispatch(t, l, u.ID, 0); d.State != DispatchDone || d.Outcome != Succeeded || d.ExitStatus != 0 {
		t.Errorf("dispatch %+v", d)
	}
	if f, err := l.Fire(t.Context(), u.Cron, u.Project, u.Slot); err != nil || f.Outcome != Succeeded {
		t.Errorf("fire %+v (%v)", f, err)
	}
	// The work is as old as the run, not as the word of who looked.
	if targets, err := l.Targets(t.Context()); err != nil || len(targets) != 1 || !targets[0].LastSuccess.Equal(ended) {
		t.Errorf("targets %+v (%v), want a success at %s", targets, err, ended)
	}
	r.At = stored(r.At)
	if kept, err := l.Resolution(t.Context(), u.ID); err != nil || kept != r {
		t.Errorf("kept %+v (%v), want %+v", kept, err, r)
	}
	if h, err := Check(t.Context(), l.String()); err != nil || !h.Sound() {
		t.Errorf("Check = %+v, %v", h, err)
	}
}

func TestResolve_IsForgottenWithItsRun(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustDoubt(t, l, slotTime, "main")
		mustResolve(t, l, resolutionOf(u, Succeeded))
		pretend := micros(slotTime)
		must(t, l.write(t.Context(), opHeartbeat, "pretend", 1, func(s *session) error {
			_, err := s.exec(`UPDATE fires SET claimed_at = ?`, pretend)
			return err
		}))
		mustRun(t, l, "a", slotTime.Add(time.Hour), "main") // the newest fire stays
		if n, err := l.Prune(t.Context(), slotTime.Add(time.Minute), slotTime, 10); err != nil || n != 1 {
			t.Fatalf("pruned %d (%v), want 1", n, err)
		}
		if v, err := l.Resolution(t.Context(), u.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("resolution %+v (%v) is left", v, err)
		}
	})
}

func TestResolve_EndsAnOpenRunWhoeverOwnsIt(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustDoubt(t, l, slotTime, "main")
		res := mustResolve(t, l, resolutionOf(u, Failed))
		if !res.WasOpen || res.Run.State != RunDone || res.Run.Outcome != Failed || res.Run.Reason != InDoubt {
			t.Errorf("resolved %+v", res)
		}
		if _, err := l.Adopt(t.Context(), u.ID, 0, "a", Activity{ID: "found", Project: "p"}); !errors.Is(err, ErrNotOwned) {
			t.Errorf("its owner could go on: %v", err)
		}
		// The way is free for the next run.
		mustRun(t, l, "a", slotTime.Add(time.Hour), "main")
	})
}

func TestResolve_LeavesAFireItsWorstRun(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		runs := mustClaim(t, l, "a", claimOf(slotTime, "main", "staging")).Runs
		for i, u := range runs {
			mustIntend(t, l, "a", dispatchOf(u, 0, u.Environment))
			mustEndUnknown(t, l, u, slotTime.Add(time.Duration(i)*time.Minute))
		}
		for i, want := range []Outcome{Unknown, Succeeded} {
			mustResolve(t, l, resolutionOf(runs[i], Succeeded))
			if f, err := l.Fire(t.Context(), "nightly", "p", slotAt(slotTime)); err != nil || f.Outcome != want {
				t.Errorf("after %d resolutions the fire is %q (%v), want %q", i+1, f.Outcome, err, want)
			}
		}
	})
}

func TestResolve_LeavesARunItsOwnWorseOutcome(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustDoubt(t, l, slotTime, "main")
		r := Result{RunID: u.ID, Owner: "a", State: DispatchDone, Outcome: Unknown, Reason: InDoubt}
		_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: Failed, Reason: Script, Dispatches: []Result{r}})
		must(t, err)
		res := mustResolve(t, l, resolutionOf(u, Succeeded))
		if res.Run.Outcome != Failed || res.Run.Reason != Script {
			t.Errorf("resolved %+v", res)
		}
		wantInDoubt(t, l, 0)
	})
}

func TestResolve_RefusesWhatIsNotInDoubt(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		_, err := l.Register(t.Context(), Replica{ID: "a"}, time.Minute)
		must(t, err)
		refused := func(u Run, want error) {
			t.Helper()
			if _, err := l.Resolve(t.Context(), resolutionOf(u, Succeeded)); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
		refused(Run{ID: "nothing"}, ErrNotFound)

		claimed := mustRun(t, l, "a", slotTime, "claimed")
		refused(claimed, ErrNotInDoubt)

		waiting := mustRun(t, l, "a", slotTime.Add(time.Hour), "waiting")
		mustIntend(t, l, "a", dispatchOf(waiting, 0, "1"))
		refused(waiting, ErrNotInDoubt)
		must(t, l.Release(t.Context(), "a")) // nobody waits for the answer any more
		mustResolve(t, l, resolutionOf(waiting, Failed))

		tracked := mustDoubt(t, l, slotTime.Add(2*time.Hour), "tracked")
		mustIntend(t, l, "a", dispatchOf(tracked, 1, "2"))
		must(t, l.Record(t.Context(), Result{RunID: tracked.ID, Ordinal: 1, Owner: "a", State: DispatchTracking}))
		refused(tracked, ErrNotInDoubt)

		over := mustDoubt(t, l, slotTime.Add(3*time.Hour), "over")
		mustResolve(t, l, resolutionOf(over, Succeeded))
		refused(over, ErrNotInDoubt)
		if d := mustDispatch(t, l, over.ID, 0); d.Outcome != Succeeded {
			t.Errorf("a refused resolution has written: %+v", d)
		}
		if _, err := l.Resolve(t.Context(), resolutionOf(claimed, Skipped)); err == nil {
			t.Error("resolved as skipped")
		}
	})
}
