package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/scheduler"
)

// Replicas share the work without talking to each other. Of each fire one is the preferred replica,
// by rendezvous hashing: all of them compute the same one from the leases that are valid. It claims at
// once, the others after a grace, and only what is then still unclaimed. They may disagree for a while
// about who is alive; then two claim at once, or none before the grace is over, and the claim decides.

// shareGrace is how long a fire is left to its preferred replica. It is longer than a burst takes to be
// claimed, with what clocks under NTP differ by. And it is shorter than fireLag, so that a dead
// replica's share still leaves as if it were on time.
const shareGrace = 2 * time.Second

// Mine reports whether this replica is to claim a fire at once. A run by hand is the affair of the
// replica that was asked.
func (r *Runner) Mine(f scheduler.Fire) bool {
	if f.Manual != "" {
		return true
	}
	live := r.Lease.Live()
	return len(live) < 2 || preferred(live, f) == r.Lease.Owner()
}

// preferred is the replica with the highest hash of a fire's key and its own id.
func preferred(live []string, f scheduler.Fire) (id string) {
	key := f.Job.Name + "\x00" + f.Project.ID + "\x00" + slot(f) + "\x00"
	var highest [sha256.Size]byte
	for _, candidate := range live {
		if sum := sha256.Sum256([]byte(key + candidate)); bytes.Compare(sum[:], highest[:]) > 0 {
			id, highest = candidate, sum
		}
	}
	return id
}

// share divides a batch into what this replica claims at once and what it holds back. A fire stays
// behind those of its cron and project that are held back, because a claim says that nothing before
// it is owed any more. Call it with mu held.
func (r *Runner) share(batch []scheduler.Fire) (own, held []scheduler.Fire) {
	if len(r.Lease.Live()) < 2 && len(r.held) == 0 {
		return batch, nil
	}
	for _, f := range batch {
		if r.Mine(f) && (f.Manual != "" || r.held[keyOf(f)] == 0) {
			own = append(own, f)
			continue
		}
		held = append(held, f)
		r.held[keyOf(f)]++
	}
	return own, held
}

func keyOf(f scheduler.Fire) ledger.CronKey {
	return ledger.CronKey{Cron: f.Job.Name, Project: f.Project.ID}
}

// hold keeps fires back for a while.
func (r *Runner) hold(fires []scheduler.Fire, d time.Duration) {
	r.mu.Lock()
	for _, f := range fires {
		r.held[keyOf(f)]++
	}
	r.mu.Unlock()
	// After a stop nobody takes them: the next start finds owed what is not claimed.
	time.AfterFunc(d, func() { r.release(fires) })
}

// release hands over fires that were held back for long enough.
func (r *Runner) release(held []scheduler.Fire) {
	r.mu.Lock()
	r.left = append(r.left, held...)
	r.mu.Unlock()
	r.rouse()
}

// takeLeft returns the fires whose grace is over and which nobody has claimed. What was claimed costs
// one read for all that were due together.
func (r *Runner) takeLeft(ctx context.Context) []scheduler.Fire {
	r.mu.Lock()
	left := r.left
	r.left = nil
	for _, f := range left {
		if r.held[keyOf(f)]--; r.held[keyOf(f)] == 0 {
			delete(r.held, keyOf(f))
		}
	}
	r.mu.Unlock()

	claimed := map[string]map[ledger.CronKey]bool{} // by slot
	var err error
	return slices.DeleteFunc(left, func(f scheduler.Fire) bool {
		slot := slot(f)
		if _, read := claimed[slot]; !read && err == nil {
			claimed[slot], err = r.Ledger.ClaimedIn(ctx, slot) // after an error, which is counted, the claim decides
		}
		return claimed[slot][keyOf(f)]
	})
}
