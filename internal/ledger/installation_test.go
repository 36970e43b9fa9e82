package ledger

import (
	"errors"
	"testing"
	"time"
)

var (
	onMain    = Place{Project: "p", Branch: "main"}
	onFeature = Place{Project: "p", Branch: "feature"}
)

func mustInstall(t *testing.T, l *Ledger, here Place, adopt string) Installation {
	t.Helper()
	i, err := l.Install(t.Context(), here, adopt)
	must(t, err)
	return i
}

func TestInstall_NamesALedgerOnceAndForAll(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	first := mustInstall(t, l, onMain, "")
	if first.ID == "" || first.Place != onMain {
		t.Errorf("installation %+v", first)
	}
	must(t, l.Close())
	l = open(t, Options{Dir: dir})
	if again := mustInstall(t, l, onMain, ""); again != first {
		t.Errorf("after a restart %+v, want %+v", again, first)
	}
	if h, err := Check(t.Context(), File(dir)); err != nil || h.Installation != first {
		t.Errorf("Check says %+v (%v), want %+v", h, err, first)
	}
}

func TestInstall_RefusesTheLedgerOfAnotherEnvironment(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		first := mustInstall(t, l, onMain, "")
		_, err := l.Install(t.Context(), onFeature, "another id")
		var foreign *ForeignError
		if !errors.As(err, &foreign) || foreign.Ledger != first || foreign.Here != onFeature {
			t.Errorf("error = %v, want a ForeignError with both", err)
		}
		if again := mustInstall(t, l, onMain, ""); again != first {
			t.Errorf("after the refusal %+v, want %+v", again, first)
		}
	})
}

func TestInstall_GivesALedgerForNoOneEnvironmentThePlaceItIsFirstUsedIn(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		fleet := mustInstall(t, l, Place{}, "")
		sidecar := mustInstall(t, l, onMain, "")
		if sidecar.ID != fleet.ID || sidecar.Place != onMain {
			t.Errorf("%+v became %+v", fleet, sidecar)
		}
		if back := mustInstall(t, l, Place{}, ""); back != sidecar {
			t.Errorf("with a list of projects it is %+v, want %+v", back, sidecar)
		}
		if _, err := l.Install(t.Context(), onFeature, ""); err == nil {
			t.Error("a place was forgotten")
		}
	})
}

func TestInstall_AdoptsALedgerButNotWhatIsStillTheFormerOnes(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		first := mustInstall(t, l, onMain, "")
		keys := []ScheduleKey{{Cron: "nightly", Project: "p", Hash: "h"}}
		_, _, err := l.Schedules(t.Context(), slotTime, keys)
		must(t, err)
		over := mustRun(t, l, "a", slotTime, "main")
		_, err = l.Finish(t.Context(), Finish{RunID: over.ID, Owner: "a", Outcome: Succeeded})
		must(t, err)
		sent := mustRun(t, l, "a", slotTime.Add(time.Hour), "main")
		mustIntend(t, l, "a", dispatchOf(sent, 0, "key"))

		began := stored(time.Now())
		adopted := mustInstall(t, l, onFeature, first.ID)
		if adopted.ID == first.ID || adopted.Place != onFeature {
			t.Errorf("adopted as %+v", adopted)
		}
		if again := mustInstall(t, l, onFeature, first.ID); again != adopted {
			t.Errorf("adopted once more, as %+v", again)
		}
		if left, err := l.TakeOver(t.Context(), "b", true); err != nil || len(left) != 0 {
			t.Errorf("open runs %+v (%v), want none", left, err)
		}
		u, _, err := l.Run(t.Context(), sent.ID)
		if err != nil || u.Outcome != Canceled || u.Reason != NotFound || u.Message != movedAway {
			t.Errorf("the open run is %+v (%v)", u, err)
		}
		if d := mustDispatch(t, l, sent.ID, 0); d.State != DispatchDone || d.Outcome != Canceled {
			t.Errorf("its dispatch is %+v", d)
		}
		if u, _, err := l.Run(t.Context(), over.ID); err != nil || u.Outcome != Succeeded {
			t.Errorf("the run that was over is %+v (%v)", u, err)
		}
		if targets, err := l.Targets(t.Context()); err != nil || len(targets) != 0 {
			t.Errorf("targets %+v (%v), want none", targets, err)
		}
		baselines, fresh, err := l.Schedules(t.Context(), time.Now(), keys)
		if err != nil || fresh || baselines[0].At.Before(began) {
			t.Errorf("baselines %+v, fresh %v (%v); nothing from before %s is owed", baselines, fresh, err, began)
		}
	})
}
