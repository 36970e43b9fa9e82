package ledger

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLease_LivesUntilItIsOver(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		r := Replica{ID: "a", Host: "host", ConfigHash: "hash", StartedAt: slotTime}
		lease, err := l.Register(t.Context(), r, time.Hour)
		must(t, err)
		if got := lease.ExpiresAt.Sub(lease.Now); got != time.Hour || time.Since(lease.Now).Abs() > time.Minute {
			t.Errorf("lease = %+v", lease)
		}
		renewed, err := l.Renew(t.Context(), r, 2*time.Hour)
		if err != nil || renewed.ExpiresAt.Sub(renewed.Now) != 2*time.Hour {
			t.Errorf("Renew = %+v, %v", renewed, err)
		}
		r.ConfigHash = "renewed with"
		_, err = l.Renew(t.Context(), r, 2*time.Hour)
		must(t, err)
		if live, err := l.Replicas(t.Context()); !slices.Equal(live, []Replica{r}) || err != nil {
			t.Errorf("Replicas = %+v, %v; want %+v", live, err, r)
		}
		must(t, l.Release(t.Context(), "a"))
		if live, err := l.Replicas(t.Context()); len(live) != 0 || err != nil {
			t.Errorf("Replicas after the release = %+v, %v; want none", live, err)
		}
	})
}

func TestRenew_FindsALostLease(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		if _, err := l.Renew(t.Context(), Replica{ID: "nobody"}, time.Hour); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("no lease: %v, want ErrLeaseLost", err)
		}
		r := Replica{ID: "a", StartedAt: slotTime}
		_, err := l.Register(t.Context(), r, -time.Second)
		must(t, err)
		if _, err := l.Renew(t.Context(), r, time.Hour); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("a lease that was over: %v, want ErrLeaseLost", err)
		}
		if live, err := l.Replicas(t.Context()); len(live) != 0 || err != nil {
			t.Errorf("Replicas = %+v, %v; want none", live, err)
		}
		_, err = l.Register(t.Context(), r, time.Hour)
		must(t, err)
		if _, err := l.Renew(t.Context(), r, time.Hour); err != nil {
			t.Errorf("after registering again: %v", err)
		}
	})
}

func TestRegister_ForgetsReplicasLongGone(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		for id, ttl := range map[string]time.Duration{"gone": -48 * time.Hour, "late": -time.Minute} {
			_, err := l.Register(t.Context(), Replica{ID: id, StartedAt: slotTime}, ttl)
			must(t, err)
		}
		_, err := l.Register(t.Context(), Replica{ID: "new", StartedAt: slotTime}, time.Hour)
		must(t, err)
		ids, err := collect(t.Context(), l.reader, scanText, `SELECT id FROM replicas ORDER BY id`)
		if err != nil || !slices.Equal(ids, []string{"late", "new"}) {
			t.Errorf("replicas = %v, %v", ids, err)
		}
	})
}

func TestTakeOver_ReturnsOpenRunsAsTheyStand(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		later := mustRun(t, l, "old", slotTime.Add(time.Hour), "feature")
		first := mustRun(t, l, "old", slotTime, "main")
		done := mustRun(t, l, "old", slotTime.Add(2*time.Hour), "done")
		_, err := l.Finish(t.Context(), Finish{RunID: done.ID, Owner: "old", Outcome: Succeeded})
		must(t, err)
		tracked := mustIntend(t, l, "old", dispatchOf(first, 0, "one"))
		must(t, l.Record(t.Context(), Result{
			RunID: first.ID, Owner: "old", State: DispatchTracking, StatusCode: 202, Activities: []Activity{activity("act")},
		}))
		tracked.State, tracked.StatusCode, tracked.Activities = DispatchTracking, 202, []Activity{activity("act")}
		sent := mustIntend(t, l, "old", dispatchOf(first, 1, "two"))

		got, err := l.TakeOver(t.Context(), "new", true)
		must(t, err)
		first.Owner, first.State, later.Owner = "new", RunRunning, "new"
		want := []OpenRun{{Run: first, Dispatches: []Dispatch{tracked, sent}}, {Run: later}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("taken over (-want +got):\n%s", diff)
		}
		if again, err := l.TakeOver(t.Context(), "new", true); err != nil || len(again) != 0 {
			t.Errorf("a second take-over = %+v, %v; want nothing", again, err)
		}
	})
}

// TestTakeOver_TakesManyInSeveralTransactions has a fire with more runs than one transaction takes over, of which
// every tenth has a dispatch.
func TestTakeOver_TakesManyInSeveralTransactions(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		environments := make([]string, groupLimit+10)
		for i := range environments {
			environments[i] = fmt.Sprint("env", i)
		}
		runs := mustClaim(t, l, "old", claimOf(slotTime, environments...)).Runs
		for i := 0; i < len(runs); i += 10 {
			mustIntend(t, l, "old", dispatchOf(runs[i], 0, runs[i].ID))
		}
		before := l.writer.transactions.Load()
		got, err := l.TakeOver(t.Context(), "new", true)
		must(t, err)
		if n := l.writer.transactions.Load() - before; n != 2 {
			t.Errorf("%d transactions, want 2", n)
		}
		taken := map[string]int{} // dispatches by run
		for _, u := range got {
			taken[u.ID] = len(u.Dispatches)
		}
		if len(got) != len(runs) || len(taken) != len(runs) {
			t.Fatalf("%d runs were taken over, %d different ones, want %d", len(got), len(taken), len(runs))
		}
		for i, u := range runs {
			if want := min(1, (10-i%10)/10); taken[u.ID] != want {
				t.Errorf("run %d comes with %d dispatches, want %d", i, taken[u.ID], want)
			}
		}
	})
}

func TestTakeOver_ShutsTheOldOwnerOut(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		u := mustRun(t, l, "old", slotTime, "main")
		mustIntend(t, l, "old", dispatchOf(u, 0, "key"))
		_, err := l.Begin(t.Context(), dispatchOf(u, 1, "key 1"), "old")
		must(t, err)
		_, err = l.TakeOver(t.Context(), "new", true)
		must(t, err)

		if err := l.Record(t.Context(), Result{RunID: u.ID, Owner: "old", State: DispatchDone, Outcome: Succeeded}); !errors.Is(err, ErrNotOwned) {
			t.Errorf("Record: %v, want ErrNotOwned", err)
		}
		if ok, err := l.Intend(t.Context(), u.ID, 1, "old", slotTime, slotTime); ok || err != nil {
			t.Errorf("Intend = %t, %v; want false", ok, err)
		}
		if _, err := l.Finish(t.Context(), Finish{RunID: u.ID, Owner: "old", Outcome: Succeeded}); !errors.Is(err, ErrNotOwned) {
			t.Errorf("Finish: %v, want ErrNotOwned", err)
		}
		must(t, l.Record(t.Context(), Result{RunID: u.ID, Owner: "new", State: DispatchDone, Outcome: Succeeded}))
	})
}

func TestTakeOver_LeavesLiveReplicasAlone(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		for id, ttl := range map[string]time.Duration{"live": time.Hour, "over": -time.Second, "new": time.Hour} {
			_, err := l.Register(t.Context(), Replica{ID: id, StartedAt: slotTime}, ttl)
			must(t, err)
		}
		for i, owner := range []string{"live", "over", "unregistered", "new"} {
			mustRun(t, l, owner, slotTime.Add(time.Duration(i)*time.Minute), owner)
		}
		got, err := l.TakeOver(t.Context(), "new", false)
		must(t, err)
		var environments []string
		for _, u := range got {
			environments = append(environments, u.Environment)
		}
		if want := []string{"over", "unregistered"}; !slices.Equal(environments, want) {
			t.Errorf("took over %v, want %v", environments, want)
		}
	})
}

func TestTakeOver_GivesEachRunToOne(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const runs, replicas = 50, 8
		for n := range runs {
			mustRun(t, l, "dead", slotTime.Add(time.Duration(n)*time.Minute), fmt.Sprint("env", n))
		}
		for n := range replicas {
			_, err := l.Register(t.Context(), Replica{ID: fmt.Sprint("replica", n), StartedAt: slotTime}, time.Hour)
			must(t, err)
		}
		var mu sync.Mutex
		taken := map[string]int{}
		parallel(replicas, func(n int) {
			got, err := l.TakeOver(t.Context(), fmt.Sprint("replica", n), false)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, u := range got {
				taken[u.ID]++
			}
		})
		if len(taken) != runs {
			t.Errorf("%d runs were taken over, want %d", len(taken), runs)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("run %s was taken over %d times", id, n)
			}
		}
	})
}
