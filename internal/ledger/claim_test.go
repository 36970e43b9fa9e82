package ledger

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClaim_OneOfTwoOwnsTheFire(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		first := mustClaim(t, l, "a", claimOf(slotTime, "main"))
		second := mustClaim(t, l, "b", claimOf(slotTime, "main", "other"))
		if !first.Owned || second.Owned {
			t.Fatalf("owned = %t, %t; want true, false", first.Owned, second.Owned)
		}
		runs, err := l.Runs(t.Context(), Filter{})
		must(t, err)
		if len(runs) != 1 || runs[0].Owner != "a" {
			t.Errorf("runs = %+v, want the first claimant's only", runs)
		}
	})
}

func TestClaim_OneOfManyConcurrentOwnsEachFire(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		const slots, claimants = 20, 8
		var owned [slots]atomic.Int32
		parallel(slots*claimants, func(n int) {
			slot := n % slots
			claimed, err := l.Claim(t.Context(), fmt.Sprint("owner", n), []Claim{claimOf(slotTime.Add(time.Duration(slot)*time.Minute), fmt.Sprint("env", slot))})
			if err != nil {
				t.Error(err)
			} else if claimed[0].Owned {
				owned[slot].Add(1)
			}
		})
		for slot := range owned {
			if n := owned[slot].Load(); n != 1 {
				t.Errorf("slot %d has %d owners", slot, n)
			}
		}
	})
}

func TestClaim_TellsCronsProjectsAndSlotsApart(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		base := claimOf(slotTime)
		cron, project, slot := base, base, base
		cron.Fire.Cron, cron.Fire.ID = "weekly", NewID()
		project.Fire.Project, project.Fire.ID = "q", NewID()
		slot.Fire.Slot, slot.Fire.ID = "manual:1", NewID()
		again := slot
		again.Fire.ID = NewID()
		claimed, err := l.Claim(t.Context(), "a", []Claim{base, cron, project, slot, again})
		must(t, err)
		var got []bool
		for _, c := range claimed {
			got = append(got, c.Owned)
		}
		if want := []bool{true, true, true, true, false}; !slices.Equal(got, want) {
			t.Errorf("owned = %v, want %v", got, want)
		}
	})
}

func TestClaim_ReturnsWhatIsStored(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		c := claimOf(slotTime.Add(123), "main")
		c.Fire.NotRun = map[Reason]int{Guard: 2}
		c.Fire.Message = "two skipped"
		c.Runs[0].Snapshot = []byte(`{ "kept":  "byte for byte" }`)
		claimed := mustClaim(t, l, "a", c)
		fires, err := l.Fires(t.Context(), Filter{})
		must(t, err)
		if diff := cmp.Diff(fires[0], claimed.Fire); diff != "" {
			t.Errorf("fire (-stored +returned):\n%s", diff)
		}
		run, _, err := l.Run(t.Context(), claimed.Runs[0].ID)
		must(t, err)
		if diff := cmp.Diff(*run, claimed.Runs[0]); diff != "" {
			t.Errorf("run (-stored +returned):\n%s", diff)
		}
		if run.State != RunClaimed || !run.Exclusive || run.FireID != c.Fire.ID || run.Cron != "nightly" || run.Slot != c.Fire.Slot {
			t.Errorf("run = %+v", run)
		}
	})
}

func TestClaim_LeavesRunsToTheOpenOne(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		old := mustRun(t, l, "a", slotTime, "main")
		next := slotTime.Add(time.Hour)
		claimed := mustClaim(t, l, "a", claimOf(next, "main", "feature"))
		if !claimed.Owned || len(claimed.Runs) != 1 || claimed.Runs[0].Environment != "feature" ||
			!slices.Equal(claimed.Overlapped, []string{"main"}) || claimed.Fire.NotRun[Overlap] != 1 || claimed.Fire.Outcome != "" {
			t.Fatalf("claimed = %+v", claimed)
		}
		fires, err := l.Fires(t.Context(), Filter{Since: next})
		must(t, err)
		if diff := cmp.Diff([]Fire{claimed.Fire}, fires); diff != "" {
			t.Errorf("fire (-returned +stored):\n%s", diff)
		}

		_, err = l.Finish(t.Context(), Finish{RunID: old.ID, Owner: "a", Outcome: Succeeded})
		must(t, err)
		claimed = mustClaim(t, l, "a", claimOf(next.Add(time.Hour), "main"))
		if len(claimed.Runs) != 1 || len(claimed.Overlapped) != 0 {
			t.Errorf("after the run ended: %+v", claimed)
		}
	})
}

func TestClaim_EndsAFireWhoseRunsAllOverlap(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustRun(t, l, "a", slotTime, "main")
		claimed := mustClaim(t, l, "a", claimOf(slotTime.Add(time.Hour), "main"))
		if claimed.Fire.Outcome != Skipped || claimed.Fire.Reason != Overlap {
			t.Errorf("fire ended as %s/%s, want skipped/overlap", claimed.Fire.Outcome, claimed.Fire.Reason)
		}
		fires, err := l.Fires(t.Context(), Filter{Outcome: Skipped, Reason: Overlap})
		must(t, err)
		if diff := cmp.Diff([]Fire{claimed.Fire}, fires); diff != "" {
			t.Errorf("fire (-returned +stored):\n%s", diff)
		}
	})
}

func TestClaim_LetsOtherRunsOverlap(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustRun(t, l, "a", slotTime, "main")
		for name, change := range map[string]func(*Claim){
			"policy allow":      func(c *Claim) { c.Runs[0].Exclusive = false },
			"other environment": func(c *Claim) { c.Runs[0].Environment = "feature" },
			"other cron":        func(c *Claim) { c.Fire.Cron = "weekly" },
			"other project":     func(c *Claim) { c.Fire.Project = "q" },
		} {
			t.Run(name, func(t *testing.T) {
				c := claimOf(slotTime.Add(time.Hour), "main")
				c.Fire.Slot = "manual:" + name
				change(&c)
				if claimed := mustClaim(t, l, "a", c); len(claimed.Runs) != 1 {
					t.Errorf("claimed = %+v, want a run", claimed)
				}
			})
		}
	})
}

func TestClaim_OneOfTwoConcurrentExclusiveRunsOpens(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		var opened atomic.Int32
		parallel(50, func(n int) {
			claimed, err := l.Claim(t.Context(), "a", []Claim{claimOf(slotTime.Add(time.Duration(n)*time.Minute), "main")})
			if err != nil {
				t.Error(err)
				return
			}
			opened.Add(int32(len(claimed[0].Runs)))
		})
		if n := opened.Load(); n != 1 {
			t.Errorf("%d exclusive runs opened at once", n)
		}
	})
}

func TestClaim_OpensOneRunForAFireAndEnvironment(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		c := claimOf(slotTime, "main", "main")
		c.Runs[0].Exclusive, c.Runs[1].Exclusive = false, false
		claimed := mustClaim(t, l, "a", c)
		if len(claimed.Runs) != 1 || !slices.Equal(claimed.Overlapped, []string{"main"}) {
			t.Errorf("claimed = %+v, want one run", claimed)
		}
	})
}

func TestClaim_EndsAFireWithoutRuns(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		tests := []struct {
			name   string
			fire   Fire
			want   Outcome
			reason Reason
		}{
			{"as given", Fire{Outcome: Missed, Reason: Deadline, NotRun: map[Reason]int{Guard: 1}}, Missed, Deadline},
			{"no target", Fire{}, Skipped, NoTarget},
			{"guard", Fire{NotRun: map[Reason]int{Guard: 3}}, Skipped, Guard},
			{"observe before guard", Fire{NotRun: map[Reason]int{Guard: 3, Observe: 1}}, Skipped, Observe},
			{"inactive before observe", Fire{NotRun: map[Reason]int{Observe: 3, Inactive: 1}}, Skipped, Inactive},
			{"duplicate before inactive", Fire{NotRun: map[Reason]int{Inactive: 3, Duplicate: 1}}, Skipped, Duplicate},
			{"overlap before duplicate", Fire{NotRun: map[Reason]int{Duplicate: 3, Overlap: 1}}, Skipped, Overlap},
		}
		l := open(t, o)
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				at := slotTime.Add(time.Duration(i) * time.Minute)
				test.fire.Cron, test.fire.Project, test.fire.Slot, test.fire.ScheduledAt = "c", "p", slotAt(at), at
				claimed := mustClaim(t, l, "a", Claim{Fire: test.fire})
				if claimed.Fire.Outcome != test.want || claimed.Fire.Reason != test.reason {
					t.Errorf("ended as %s/%s, want %s/%s", claimed.Fire.Outcome, claimed.Fire.Reason, test.want, test.reason)
				}
				fires, err := l.Fires(t.Context(), Filter{Since: at})
				must(t, err)
				if diff := cmp.Diff([]Fire{claimed.Fire}, fires); diff != "" {
					t.Errorf("fire (-returned +stored):\n%s", diff)
				}
			})
		}
	})
}

func TestClaim_KeepsAMissedRecord(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		c := claimOf(slotTime)
		c.Fire.Outcome, c.Fire.Reason, c.Fire.MissedFrom, c.Fire.MissedCount = Missed, Deadline, slotTime.Add(-time.Hour), 61
		mustClaim(t, l, "a", c)
		fires, err := l.Fires(t.Context(), Filter{Outcome: Missed})
		must(t, err)
		if len(fires) != 1 || !fires[0].MissedFrom.Equal(slotTime.Add(-time.Hour)) || fires[0].MissedCount != 61 {
			t.Errorf("fires = %+v", fires)
		}
	})
}

// Two replicas that start at once may settle what was missed at different moments, and so differ about
// which time is the last that is too late.
func TestClaim_OfARangeGivesWayToALaterClaim(t *testing.T) {
	rangeUpTo := func(at time.Time) Claim {
		c := claimOf(at)
		c.Fire.Outcome, c.Fire.Reason, c.Fire.MissedFrom, c.Fire.MissedCount = Missed, Deadline, slotTime.Add(-time.Hour), 3
		return c
	}
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		later := rangeUpTo(slotTime.Add(time.Hour))
		for _, try := range []string{"first", "repeated"} {
			if claimed := mustClaim(t, l, "b", later); !claimed.Owned {
				t.Errorf("the %s claim is not owned", try)
			}
		}
		other := claimOf(slotTime)
		other.Fire.Cron = "other"
		claimed, err := l.Claim(t.Context(), "a", []Claim{rangeUpTo(slotTime), other})
		must(t, err)
		if claimed[0].Owned || !claimed[1].Owned {
			t.Errorf("owned: %t and %t, want the other cron's only", claimed[0].Owned, claimed[1].Owned)
		}
		fires, err := l.Fires(t.Context(), Filter{Cron: "nightly"})
		must(t, err)
		if len(fires) != 1 || fires[0].ID != later.Fire.ID {
			t.Errorf("records %+v, want the later one", fires)
		}
	})
}

func TestClaim_RepeatedAfterALostAcknowledgementIsOwned(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustRun(t, l, "a", slotTime, "busy")
		c := claimOf(slotTime.Add(time.Hour), "main", "busy", "asking")
		c.Runs[2].First = intentOf(c.Runs[2])
		first := mustClaim(t, l, "a", c)
		second := mustClaim(t, l, "a", c)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("claimed (-first +second):\n%s", diff)
		}
		if mustClaim(t, l, "b", c).Owned {
			t.Error("another owner took the same claim for its own")
		}
	})
}

// intentOf is a first dispatch to be written with its run.
func intentOf(u Run) *Dispatch {
	d := dispatchOf(u, 0, "")
	d.SentAt, d.SettleAt = slotTime.Add(time.Nanosecond), slotTime.Add(time.Minute)
	return &d
}

func TestClaim_WritesTheIntentOfAFirstDispatch(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		c := claimOf(slotTime, "main", "staging")
		c.Runs[0].Project, c.Runs[1].Project = "p", "p"
		c.Runs[0].First = intentOf(c.Runs[0])
		claimed := mustClaim(t, l, "a", c)
		want := dispatchOf(c.Runs[0], 0, "")
		want.State, want.Attempts, want.SentAt, want.SettleAt = DispatchDispatching, 1, slotTime, slotTime.Add(time.Minute)
		if diff := cmp.Diff(&want, claimed.Runs[0].First); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, mustDispatch(t, l, c.Runs[0].ID, 0)); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if run, dispatches, err := l.Run(t.Context(), c.Runs[1].ID); err != nil || len(dispatches) != 0 || run.State != RunClaimed {
			t.Errorf("the other run is %+v with dispatches %+v, %v", run, dispatches, err)
		}
	})
}

func TestClaim_WritesNoIntentOfARunThatOverlaps(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustRun(t, l, "a", slotTime, "main")
		c := claimOf(slotTime.Add(time.Hour), "main")
		c.Runs[0].First = intentOf(c.Runs[0])
		if claimed := mustClaim(t, l, "a", c); len(claimed.Runs) != 0 {
			t.Errorf("claimed %+v", claimed.Runs)
		}
		var n int
		must(t, l.reader.QueryRowContext(t.Context(), `SELECT count(*) FROM dispatches`).Scan(&n))
		if n != 0 {
			t.Errorf("%d dispatches, want none", n)
		}
	})
}
