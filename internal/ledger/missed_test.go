package ledger

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// halfHour is a scheduled time of a cron that is due every half an hour, and was for the first time at 0.
func halfHour(n int) time.Time { return slotTime.Add(time.Duration(n) * 30 * time.Minute) }

// missedFrom is the record of missed times of that cron, both ends included.
func missedFrom(first, last int) Claim {
	c := claimOf(halfHour(last))
	c.Fire.Outcome, c.Fire.Reason = Missed, Deadline
	c.Fire.MissedFrom, c.Fire.MissedCount = halfHour(first), last-first+1
	c.Rest = func(after time.Time) (time.Time, int) {
		for n := first; n <= last; n++ {
			if halfHour(n).After(after) {
				return halfHour(n), last - n + 1
			}
		}
		return time.Time{}, 0
	}
	return c
}

func dueAt(n int) Claim { return claimOf(halfHour(n), "main") }

// Replicas that start after an outage settle what was missed by themselves, at a moment of their own, while
// others may have more to do than to claim. In whatever order their claims come, each time has one record,
// and the run that is caught up is one.
func TestClaim_ReplicasSettleWhatWasMissedOnce(t *testing.T) {
	plans := []struct {
		name string
		a, b func() []Claim // what each of two replicas claims, in its order
	}{
		{"at the same moment",
			func() []Claim { return []Claim{missedFrom(0, 2), dueAt(3)} },
			func() []Claim { return []Claim{missedFrom(0, 2), dueAt(3)} }},
		{"before and after the start deadline",
			func() []Claim { return []Claim{missedFrom(0, 2), dueAt(3)} },
			func() []Claim { return []Claim{missedFrom(0, 3)} }},
		{"before and after another time",
			func() []Claim { return []Claim{missedFrom(0, 1), dueAt(2), dueAt(3)} },
			func() []Claim { return []Claim{missedFrom(0, 2), dueAt(3)} }},
		{"one of them late",
			func() []Claim { return []Claim{dueAt(0), dueAt(1), dueAt(2), dueAt(3)} },
			func() []Claim { return []Claim{missedFrom(0, 2), dueAt(3)} }},
	}
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		for _, p := range plans {
			n := 0
			for _, order := range interleavings(len(p.a()), len(p.b())) {
				n++
				cron := fmt.Sprint(p.name, " ", n)
				left := map[byte][]Claim{'a': p.a(), 'b': p.b()}
				for _, who := range order {
					mustClaimAs(t, l, string(who), cron, left[byte(who)][0])
					left[byte(who)] = left[byte(who)][1:]
				}
				mustBeCoveredOnce(t, l, cron, order)
			}
			for range 5 {
				n++
				cron := fmt.Sprint(p.name, " ", n)
				var both sync.WaitGroup
				for who, claims := range map[string][]Claim{"a": p.a(), "b": p.b()} {
					both.Go(func() {
						for _, c := range claims {
							mustClaimAs(t, l, who, cron, c)
						}
					})
				}
				both.Wait()
				mustBeCoveredOnce(t, l, cron, "together")
			}
		}
	})
}

func mustClaimAs(t *testing.T, l *Ledger, owner, cron string, c Claim) {
	c.Fire.Cron = cron
	if _, err := l.Claim(t.Context(), owner, []Claim{c}); err != nil {
		t.Error(err)
	}
}

// mustBeCoveredOnce demands one record for each of the four times that a plan has.
func mustBeCoveredOnce(t *testing.T, l *Ledger, cron, order string) {
	t.Helper()
	fires, err := l.Fires(t.Context(), Filter{Cron: cron})
	must(t, err)
	var records [4]int
	for _, f := range fires {
		from, covered := f.ScheduledAt, 0
		if f.MissedCount > 0 {
			from = f.MissedFrom
		}
		for n := range records {
			if at := halfHour(n); !at.Before(from) && !at.After(f.ScheduledAt) {
				records[n]++
				covered++
			}
		}
		if covered != max(f.MissedCount, 1) {
			t.Errorf("%s, claimed in the order %s: the record of %s says that it covers %d, not %d", cron, order, f.Slot, f.MissedCount, covered)
		}
	}
	if records != [4]int{1, 1, 1, 1} {
		t.Errorf("%s, claimed in the order %s: the times have %v records", cron, order, records)
	}
}

// interleavings are the orders in which a's and b's claims can come, each keeping its own.
func interleavings(a, b int) []string {
	if a == 0 && b == 0 {
		return []string{""}
	}
	var all []string
	if a > 0 {
		for _, rest := range interleavings(a-1, b) {
			all = append(all, "a"+rest)
		}
	}
	if b > 0 {
		for _, rest := range interleavings(a, b-1) {
			all = append(all, "b"+rest)
		}
	}
	return all
}
