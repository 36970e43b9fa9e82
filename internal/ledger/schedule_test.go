package ledger

import (
	"testing"
	"time"
)

func key(cron, hash string) ScheduleKey { return ScheduleKey{Cron: cron, Project: "p", Hash: hash} }

// baselines asks for baselines and returns how long after slotTime each is.
func baselines(t *testing.T, l *Ledger, now time.Time, keys ...ScheduleKey) (offsets []time.Duration, got []Baseline, fresh bool) {
	t.Helper()
	got, fresh, err := l.Schedules(t.Context(), now, keys)
	must(t, err)
	for i, b := range got {
		if b.Cron != keys[i].Cron || b.Project != keys[i].Project {
			t.Fatalf("baseline %d is of %s/%s", i, b.Cron, b.Project)
		}
		offsets = append(offsets, b.At.Sub(slotTime))
	}
	return offsets, got, fresh
}

func TestSchedules_StartsAnEmptyLedgerNow(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		at, _, fresh := baselines(t, l, slotTime, key("a", "1"), key("b", "1"))
		if at[0] != 0 || at[1] != 0 || !fresh {
			t.Errorf("baselines %v, fresh %t; want now and true", at, fresh)
		}
		at, _, fresh = baselines(t, l, slotTime.Add(time.Hour), key("b", "1"), key("new", "1"))
		if at[0] != 0 || at[1] != time.Hour || fresh {
			t.Errorf("baselines %v, fresh %t; want the known one kept, the new one now, false", at, fresh)
		}
	})
}

func TestSchedules_AnEditOwesNothingFromBefore(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime, key("a", "1"))
		for hour, want := range []time.Duration{0, time.Hour, time.Hour, 3 * time.Hour} {
			hash := "1"
			if hour > 0 {
				hash = "2"
			}
			if hour > 2 {
				hash = "1"
			}
			at, _, _ := baselines(t, l, slotTime.Add(time.Duration(hour)*time.Hour), key("a", hash))
			if at[0] != want {
				t.Errorf("after %d h: baseline after %s, want %s", hour, at[0], want)
			}
		}
	})
}

func TestSchedules_TheNewestFireCounts(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime, key("nightly", "1"))
		mustClaim(t, l, "a", claimOf(slotTime.Add(2*time.Hour)))
		mustClaim(t, l, "a", claimOf(slotTime.Add(time.Hour))) // claimed later, scheduled earlier
		manual := claimOf(slotTime.Add(3 * time.Hour))
		manual.Fire.Slot = "manual:1"
		mustClaim(t, l, "a", manual)
		at, got, _ := baselines(t, l, slotTime.Add(5*time.Hour), key("nightly", "1"))
		if at[0] != 2*time.Hour || got[0].WatermarkAhead {
			t.Errorf("baseline after %s, want 2h: %+v", at[0], got)
		}
	})
}

func TestSchedules_AFireOfAnUnknownScheduleIsNoHistory(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustClaim(t, l, "a", claimOf(slotTime))
		at, _, fresh := baselines(t, l, slotTime.Add(time.Hour), key("nightly", "1"))
		if at[0] != time.Hour || !fresh {
			t.Errorf("baseline after %s, fresh %t; want now and true", at[0], fresh)
		}
	})
}

func TestSchedules_AFireInTheFutureDoesNotCount(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime, key("nightly", "1"), key("other", "1"))
		mustClaim(t, l, "a", claimOf(slotTime.Add(time.Hour)))
		mustClaim(t, l, "a", claimOf(slotTime.Add(1000*time.Hour)))
		now := slotTime.Add(2 * time.Hour)
		at, got, _ := baselines(t, l, now, key("nightly", "1"), key("other", "1"))
		if at[0] != time.Hour || !got[0].WatermarkAhead {
			t.Errorf("baseline after %s, ahead %t; want 1h, the newest fire before now, and true", at[0], got[0].WatermarkAhead)
		}
		if at[1] != 0 || got[1].WatermarkAhead {
			t.Errorf("the other cron: %+v", got[1])
		}
		mustClaim(t, l, "a", claimOf(slotTime.Add(3*time.Hour)))
		at, got, _ = baselines(t, l, slotTime.Add(4*time.Hour), key("nightly", "1"), key("other", "1"))
		if at[0] != 3*time.Hour || got[0].WatermarkAhead {
			t.Errorf("after the reset: baseline after %s, ahead %t; want 3h and false", at[0], got[0].WatermarkAhead)
		}
	})
}

func TestSchedules_AFireThatWasClaimedAheadIsDealtWith(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime, key("nightly", "1"))
		mustClaim(t, l, "a", claimOf(slotTime.Add(time.Hour)))
		at, got, _ := baselines(t, l, slotTime.Add(time.Hour-time.Second), key("nightly", "1"))
		if at[0] != time.Hour || got[0].WatermarkAhead {
			t.Errorf("a second before its time: baseline after %s, ahead %t; want 1h and false", at[0], got[0].WatermarkAhead)
		}
	})
}

func TestSchedules_ABaselineInTheFutureComesBack(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime.Add(1000*time.Hour), key("a", "1"))
		if at, _, _ := baselines(t, l, slotTime, key("a", "1")); at[0] != 0 {
			t.Errorf("baseline after %s, want now", at[0])
		}
		if at, _, _ := baselines(t, l, slotTime.Add(time.Hour), key("a", "1")); at[0] != 0 {
			t.Errorf("later: baseline after %s, want it to stay", at[0])
		}
	})
}

func TestSchedules_ACronThatComesBackOwesNothingOfItsAbsence(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		baselines(t, l, slotTime, key("a", "1"), key("b", "1"))
		baselines(t, l, slotTime.Add(time.Hour), key("b", "1"))
		at, _, fresh := baselines(t, l, slotTime.Add(2*time.Hour), key("a", "1"), key("b", "1"))
		if at[0] != 2*time.Hour || at[1] != 0 || fresh {
			t.Errorf("baselines %v, fresh %t; want 2h, 0s, false", at, fresh)
		}
	})
}

func TestSchedules_TheEndOfASuspensionCounts(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		hour := func(n int) time.Time { return slotTime.Add(time.Duration(n) * time.Hour) }
		l := open(t, o)
		baselines(t, l, slotTime, key("a", "1"), key("b", "1"))
		mustSuspend(t, l, Suspension{Cron: "a", Since: hour(1), Until: hour(3)})
		for now, want := range map[int]time.Duration{2: 0, 3: 3 * time.Hour, 4: 3 * time.Hour} {
			at, _, _ := baselines(t, l, hour(now), key("a", "1"), key("b", "1"))
			if at[0] != want || at[1] != 0 {
				t.Errorf("after %d h: baselines after %v, want %s and that of the other cron as it was", now, at, want)
			}
		}
		mustSuspend(t, l, Suspension{Cron: AllCrons, Since: hour(4), Until: hour(5)})
		if at, _, _ := baselines(t, l, hour(6), key("a", "1"), key("b", "1")); at[0] != 5*time.Hour || at[1] != 5*time.Hour {
			t.Errorf("after all were resumed: baselines after %v, want 5h for both", at)
		}
	})
}
