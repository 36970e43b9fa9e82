package runner

import (
	"context"
	"fmt"
	"testing"
	"time"

	"testing/synctest"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/scheduler"
)

// manyCrons is a configuration of n crons that each set a variable of master.
func manyCrons(n int) string {
	yaml := "crons:\n"
	for i := range n {
		yaml += fmt.Sprintf("  c%02d: {spec: '0 5 * * *', only: {branches: [master]}, task: {variable_set: {name: v%02d, value: x}}}\n", i, i)
	}
	return yaml
}

// amongTwo makes the runner believe, until the next renewal, that there is another replica, and counts
// the crons whose fire at a time is its own.
func (w *world) amongTwo(at time.Time) (mine int) {
	w.lease.mu.Lock()
	w.lease.live = []string{w.lease.replica.ID, "other"}
	w.lease.mu.Unlock()
	for _, j := range w.jobs {
		if w.runner.Mine(scheduler.Fire{Job: j, Project: j.Projects[0], ScheduledAt: at}) {
			mine++
		}
	}
	return mine
}

func TestShare_LeavesAFireToItsPreferredReplicaForTheGrace(t *testing.T) {
	const crons = 40
	inWorld(t, manyCrons(crons), func(w *world) {
		mine := w.amongTwo(time.Now().Truncate(time.Second))
		if mine < crons/4 || mine > crons*3/4 {
			t.Fatalf("%d of %d fires are one replica's of two", mine, crons)
		}
		at := w.fire()
		w.wait(shareGrace - time.Millisecond)
		if got := len(w.claimedAt(at)); got != mine {
			t.Errorf("%d fires were claimed within the grace, want this replica's %d", got, mine)
		}
		w.wait(time.Millisecond)
		if got := len(w.claimedAt(at)); got != crons {
			t.Errorf("%d fires were claimed after the grace, want all %d", got, crons)
		}
		w.wait(time.Minute)
	})
}

// claimedAt lists the fires of a time that were claimed.
func (w *world) claimedAt(at time.Time) map[ledger.CronKey]bool {
	w.t.Helper()
	claimed, err := w.ledger.ClaimedIn(context.Background(), slot(scheduler.Fire{ScheduledAt: at}))
	if err != nil {
		w.t.Fatal(err)
	}
	return claimed
}

// What is claimed in time costs the others one read of the ledger, and nothing of the platform.
func TestShare_AsksForNothingThatAnotherReplicaHasClaimed(t *testing.T) {
	inWorld(t, manyCrons(1), func(w *world) {
		at := time.Now().Truncate(time.Second)
		for w.amongTwo(at) > 0 {
			at = at.Add(time.Second)
		}
		f := scheduler.Fire{Job: w.jobs[0], Project: w.jobs[0].Projects[0], ScheduledAt: at}
		w.runner.Fire([]scheduler.Fire{f})
		if _, err := w.ledger.Claim(context.Background(), "other", []ledger.Claim{newClaim(f).row}); err != nil {
			t.Fatal(err)
		}
		w.wait(shareGrace)
		if journal := w.sandbox.Journal(); len(journal) > 0 {
			t.Errorf("%d requests for a fire of another replica: %v", len(journal), journal)
		}
	})
}

// A claim says that nothing before it is owed: a crash between the two would lose the first record.
func TestShare_KeepsAFireBehindTheOneBeforeIt(t *testing.T) {
	inWorld(t, manyCrons(1), func(w *world) {
		w.amongTwo(time.Now())
		at := time.Now().Truncate(time.Second).Add(-time.Minute)
		next := func(mine bool) scheduler.Fire {
			for ; ; at = at.Add(time.Second) {
				f := scheduler.Fire{Job: w.jobs[0], Project: w.jobs[0].Projects[0], ScheduledAt: at}
				if w.runner.Mine(f) == mine {
					at = at.Add(time.Second)
					return f
				}
			}
		}
		theirs, own, later := next(false), next(true), next(true)
		w.runner.Fire([]scheduler.Fire{theirs, own})
		w.runner.Fire([]scheduler.Fire{later})
		synctest.Wait()
		if got := w.outcomes(); len(got) > 0 {
			t.Errorf("fires were claimed before the one that is held: %v", got)
		}
		w.wait(shareGrace)
		if got := w.outcomes(); len(got) != 3 {
			t.Errorf("%d fires were claimed after the grace, want 3", len(got))
		}
		if len(w.runner.held) > 0 {
			t.Errorf("%v is still held", w.runner.held)
		}
		w.wait(time.Minute)
	})
}

func TestShare_IsEven(t *testing.T) {
	replicas := []string{"d4k1v8m0p2rc73a0001g", "d4k1v8m0p2rc73a00020", "d4k1v8m0p2rc73a0002g"}
	const slots = 3000
	count := map[string]int{}
	f := scheduler.Fire{Job: &job.Job{Name: "backup"}, Project: &job.Project{ID: projectA}}
	for i := range slots {
		f.ScheduledAt = time.Unix(int64(i)*60, 0)
		first := preferred(replicas, f)
		count[first]++
		var others []string
		for _, id := range replicas {
			if id != first {
				others = append(others, id)
			}
		}
		if again := preferred(append(others, first), f); again != first {
			t.Fatalf("the order of the replicas changes the preferred one: %s, %s", first, again)
		}
	}
	for _, id := range replicas {
		if n := count[id]; n < slots/3*9/10 || n > slots/3*11/10 {
			t.Errorf("replica %s has %d of %d fires: %v", id, n, slots, count)
		}
	}
}
