package ledger

import (
	"slices"
	"testing"
	"time"
)

// backdate makes all claims look as old as their scheduled times.
func backdate(t *testing.T, l *Ledger) {
	t.Helper()
	must(t, l.write(t.Context(), opPrune, "backdate", 1, func(s *session) error {
		_, err := s.exec(`UPDATE fires SET claimed_at = scheduled_at`)
		return err
	}))
}

// endedRun claims a fire with one run and ends it.
func endedRun(t *testing.T, l *Ledger, cron string, at time.Time, outcome Outcome) Run {
	t.Helper()
	c := claimOf(at, "main")
	c.Fire.Cron, c.Runs[0].Exclusive = cron, false
	u := mustClaim(t, l, "a", c).Runs[0]
	mustIntend(t, l, "a", dispatchOf(u, 0, cron))
	must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "a", State: DispatchTracking, Activities: []Activity{activity(u.ID)}}))
	_, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "a", Outcome: outcome})
	must(t, err)
	return u
}

func crons(t *testing.T, l *Ledger) []string {
	t.Helper()
	fires, err := l.Fires(t.Context(), Filter{Limit: 1000})
	must(t, err)
	var names []string
	for _, f := range fires {
		names = append(names, f.Cron)
	}
	slices.Sort(names)
	return names
}

func TestPrune_KeepsWhatIsNeeded(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		now := time.Now().UTC().Truncate(time.Second)
		day := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
		newer := func(cron string) { endedRun(t, l, cron, now.Add(-time.Hour), Succeeded) }

		old := endedRun(t, l, "old success", day(30), Succeeded)
		newer("old success")
		endedRun(t, l, "old failure", day(30), Failed)
		newer("old failure")
		endedRun(t, l, "ancient failure", day(100), Unknown)
		newer("ancient failure")
		endedRun(t, l, "only fire", day(100), Succeeded)
		open := claimOf(day(30), "main")
		open.Fire.Cron = "open"
		mustClaim(t, l, "a", open)
		newer("open")
		manual := claimOf(day(30))
		manual.Fire.Slot, manual.Fire.Cron = "manual:1", "old manual"
		mustClaim(t, l, "a", manual)
		backdate(t, l)
		endedRun(t, l, "claimed late", day(30), Succeeded)
		newer("claimed late")

		n, err := l.Prune(t.Context(), day(7), day(60), 100)
		if err != nil || n != 3 {
			t.Errorf("Prune = %d, %v; want 3", n, err)
		}
		want := []string{
			"ancient failure", "claimed late", "claimed late", "old failure", "old failure", "old success", "only fire", "open", "open",
		}
		if got := crons(t, l); !slices.Equal(got, want) {
			t.Errorf("left %q, want %q", got, want)
		}
		if _, _, err := l.Run(t.Context(), old.ID); err == nil {
			t.Error("the run of a pruned fire is left")
		}
		var left int
		must(t, l.reader.QueryRowContext(t.Context(), `SELECT count(*) FROM dispatches WHERE run_id = ?`, old.ID).Scan(&left))
		if left != 0 {
			t.Errorf("%d dispatches are left of a pruned run", left)
		}
	})
}

func TestPrune_NeverTakesClaimsOfTheLastTwoDays(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		now := time.Now().UTC().Truncate(time.Second)
		for _, hours := range []int{1, 24, 47, 49, 72} {
			endedRun(t, l, "nightly", now.Add(-time.Duration(hours)*time.Hour), Succeeded)
		}
		backdate(t, l)
		must(t, l.write(t.Context(), opPrune, "claim with a clock that ran ahead", 1, func(s *session) error {
			_, err := s.exec(`UPDATE fires SET claimed_at = ? WHERE scheduled_at = ?`,
				micros(now.Add(-72*time.Hour)), micros(now.Add(-24*time.Hour)))
			return err
		}))
		if n, err := l.Prune(t.Context(), now.Add(time.Hour), now.Add(time.Hour), 100); err != nil || n != 2 {
			t.Errorf("Prune = %d, %v; want 2", n, err)
		}
		if n := len(crons(t, l)); n != 3 {
			t.Errorf("%d fires are left, want 3", n)
		}
	})
}

// age makes what was recorded of activities, and the claims of open runs, two hours older.
func (s *session) age() error {
	_, err := s.exec(`UPDATE runs SET claimed_at = claimed_at - 7200000000 WHERE finished_at IS NULL`)
	if err == nil {
		_, err = s.exec(`UPDATE recent_activities SET recorded_at = recorded_at - 7200000000`)
	}
	return err
}

// TestPrune_KnowsAnActivityAsLongAsItMayBeAskedFor has an activity of a run that is pruned, while a
// request is in doubt that left before it was recorded.
func TestPrune_KnowsAnActivityAsLongAsItMayBeAskedFor(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		lost := mustRun(t, l, "a", slotTime, "main")
		mustIntend(t, l, "a", dispatchOf(lost, 0, "lost"))
		must(t, l.Record(t.Context(), Result{RunID: lost.ID, Owner: "a", State: DispatchInDoubt}))
		must(t, l.write(t.Context(), opHeartbeat, "age", 1, (*session).age))
		other := endedRun(t, l, "manual", slotTime.Add(time.Hour), Succeeded)
		endedRun(t, l, "manual", slotTime.Add(2*time.Hour), Succeeded)
		must(t, l.write(t.Context(), opHeartbeat, "age", 1, (*session).age))
		backdate(t, l)
		if n, err := l.Prune(t.Context(), time.Now(), time.Now(), 10); err != nil || n != 1 {
			t.Errorf("Prune = %d, %v; want 1", n, err)
		}
		if ok, err := l.Adopt(t.Context(), lost.ID, 0, "a", activity(other.ID)); ok || err != nil {
			t.Errorf("Adopt of a pruned run's activity = %t, %v; want false", ok, err)
		}
		_, err := l.Finish(t.Context(), Finish{RunID: lost.ID, Owner: "a", Outcome: Unknown, Reason: InDoubt})
		must(t, err)
		endedRun(t, l, "recent", slotTime, Succeeded)
		var counts []int
		for range 3 {
			n, err := l.Prune(t.Context(), time.Time{}, time.Time{}, 1)
			must(t, err)
			counts = append(counts, n)
		}
		if !slices.Equal(counts, []int{1, 1, 0}) {
			t.Errorf("forgot %v activities, want 1, 1 and 0: the last is recent", counts)
		}
	})
}

func TestPrune_TakesTheOldestFirstUpToTheLimit(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		for n := range 10 {
			endedRun(t, l, "nightly", slotTime.Add(time.Duration(n)*time.Hour), Succeeded)
		}
		backdate(t, l)
		var counts []int
		for {
			n, err := l.Prune(t.Context(), time.Now(), time.Now(), 4)
			must(t, err)
			counts = append(counts, n)
			if n < 4 {
				break
			}
		}
		if !slices.Equal(counts, []int{4, 4, 1}) {
			t.Errorf("pruned %v, want 4, 4 and 1: the newest fire stays", counts)
		}
		fires, err := l.Fires(t.Context(), Filter{})
		if err != nil || len(fires) != 1 || !fires[0].ScheduledAt.Equal(slotTime.Add(9*time.Hour)) {
			t.Errorf("left %+v, %v", fires, err)
		}
	})
}
