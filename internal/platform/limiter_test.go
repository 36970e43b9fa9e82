package platform

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// flood acquires for each of n projects at once, holds each place for a while, and returns how
// many were under way at most and how long all took.
func flood(l *Limiter, n, perProject int, hold func(project int) time.Duration) (most int64, took time.Duration) {
	var under, peak atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for p := range n {
		for range perProject {
			all.Go(func() {
				slot, err := l.Acquire(context.Background(), strconv.Itoa(p))
				if err != nil {
					panic(err)
				}
				defer slot.Release()
				slot.Start()
				now := under.Add(1)
				for old := peak.Load(); now > old && !peak.CompareAndSwap(old, now); old = peak.Load() {
				}
				time.Sleep(hold(p))
				under.Add(-1)
			})
		}
	}
	all.Wait()
	return peak.Load(), time.Since(began)
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func TestLimiter_BoundsEachProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most, took := flood(NewLimiter(LimiterOptions{}), 1, 12, always(time.Second))
		if most != 4 || took != 3*time.Second {
			t.Errorf("%d under way, all done after %s; want 4 and 3s", most, took)
		}
	})
}

func TestLimiter_BoundsAllProjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most, _ := flood(NewLimiter(LimiterOptions{InFlight: 10, PerProject: 2}), 50, 2, always(time.Second))
		if most != 10 {
			t.Errorf("%d under way, want 10", most)
		}
	})
}

func TestLimiter_BoundsEachUserOverItsProjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{Owner: func(project string) (string, int) {
			if p, _ := strconv.Atoi(project); p < 20 {
				return "slow-bot", 3
			}
			return "other-bot", 0
		}})
		began := time.Now()
		most, took := flood(l, 20, 1, always(time.Second))
		if most != 3 || took != 7*time.Second {
			t.Errorf("%d under way, all done after %s; want 3 and 7s", most, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var held []*Slot
		for range 3 {
			s, err := l.Acquire(ctx, "0")
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, s)
		}
		if s := l.AcquireSoon(ctx, "1"); s != nil {
			t.Error("a fourth request of the user has a place")
		}
		if _, err := l.Acquire(ctx, "1"); err == nil {
			t.Error("a fourth request of the user has a place")
		}
		if s := l.AcquireSoon(t.Context(), "20"); s == nil {
			t.Error("another user's request has no place")
		} else {
			s.Release()
		}
		for _, s := range held {
			s.Release()
			s.Release()
		}
		if len(l.projects) != 0 || len(l.users) != 0 || len(l.overall) != 0 || len(l.ramp.places) != 0 {
			t.Errorf("places are held after %s: %v %v", time.Since(began), l.projects, l.users)
		}
	})
}

func TestLimiter_BurstToAFastPlatformTakesFewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		most, _ := flood(NewLimiter(LimiterOptions{}), 1000, 1, always(2*time.Millisecond))
		if most != rampWidth {
			t.Errorf("%d under way, want %d", most, rampWidth)
		}
	})
}

func TestLimiter_SlowProjectsDoNotHoldUpFastOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{})
		var slow sync.WaitGroup
		defer slow.Wait()
		for p := range 1000 { // all of them hang for a minute
			slow.Go(func() {
				slot, err := l.Acquire(context.Background(), "slow"+strconv.Itoa(p))
				if err != nil {
					panic(err)
				}
				slot.Start()
				time.Sleep(time.Minute)
				slot.Release()
			})
		}
		synctest.Wait()
		began := time.Now()
		slot, err := l.Acquire(t.Context(), "fast")
		if err != nil {
			t.Fatal(err)
		}
		slot.Release()
		if got := time.Since(began); got > 100*time.Millisecond {
			t.Errorf("the fast one waited %s", got)
		}
	})
}

func TestLimiter_ARequestStaysYoungWhileOthersAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One in two is answered after 4 ms, the others after 20 ms, as on a machine that is busy.
		most, _ := flood(NewLimiter(LimiterOptions{}), 1000, 1, func(p int) time.Duration {
			return time.Duration(4+16*(p%2)) * time.Millisecond
		})
		if most > rampWidth {
			t.Errorf("%d under way, want at most %d", most, rampWidth)
		}
	})
}

func TestLimiter_AnswersToSomeDoNotKeepTheRestYoungForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{})
		held := make([]*Slot, rampWidth-1)
		for i := range held {
			held[i], _ = l.Acquire(t.Context(), "slow"+strconv.Itoa(i))
			held[i].Start()
		}
		for range 100 { // answers come all the time, by the one place that is left
			slot, _ := l.Acquire(t.Context(), "fast")
			slot.Start()
			time.Sleep(time.Millisecond)
			slot.Release()
		}
		began := time.Now()
		for i := range rampWidth {
			slot, _ := l.Acquire(t.Context(), "late"+strconv.Itoa(i))
			held = append(held, slot)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("as many more waited %s for their places", waited)
		}
		for _, s := range held {
			s.Release()
		}
		if left := l.ramp.left.Len() + len(l.ramp.places); left != 0 {
			t.Errorf("%d are on the ramp after all were answered", left)
		}
	})
}

func TestLimiter_ARequestThatHasNotLeftStaysYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{})
		held := make([]*Slot, rampWidth)
		for i := range held {
			held[i], _ = l.Acquire(t.Context(), strconv.Itoa(i))
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Acquire(ctx, "late"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a place beside %d that have not left: %v", rampWidth, err)
		}
		held[0].Start()
		slot, err := l.Acquire(t.Context(), "late")
		if err != nil {
			t.Fatal(err)
		}
		slot.Release()
		for _, s := range held {
			s.Release()
		}
	})
}

func TestLimiter_ReleaseTwiceGivesBackOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{InFlight: 2, PerProject: 2})
		first, _ := l.Acquire(t.Context(), "p")
		second, _ := l.Acquire(t.Context(), "p")
		first.Release()
		first.Release()
		third, _ := l.Acquire(t.Context(), "p")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Acquire(ctx, "p"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third place was given: %v", err)
		}
		second.Release()
		third.Release()
	})
}

func TestLimiter_GivingUpLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{InFlight: 1, PerProject: 1})
		stopping := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		hold, _ := l.Acquire(t.Context(), "p")
		var waiting sync.WaitGroup
		for _, project := range []string{"p", "p", "q"} {
			waiting.Go(func() {
				if _, err := l.Acquire(ctx, project); !errors.Is(err, stopping) {
					t.Errorf("%s: %v, want %v", project, err, stopping)
				}
			})
		}
		synctest.Wait()
		cancel(stopping)
		waiting.Wait()
		hold.Release()
		for _, project := range []string{"p", "q"} {
			slot, err := l.Acquire(t.Context(), project)
			if err != nil {
				t.Fatal(err)
			}
			slot.Start()
			slot.Release()
		}
		time.Sleep(time.Second)
		if len(l.projects) != 0 || len(l.overall) != 0 || len(l.ramp.places) != 0 {
			t.Errorf("left behind: %d projects, %d places, %d in the ramp", len(l.projects), len(l.overall), len(l.ramp.places))
		}
	})
}

func TestLimiter_WaitsForTheRampWhenAPlaceIsWantedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(LimiterOptions{InFlight: rampWidth + 1, PerProject: 1})
		var held []*Slot
		for n := range rampWidth {
			slot, _ := l.Acquire(t.Context(), fmt.Sprint("p", n))
			held = append(held, slot)
		}
		began := time.Now()
		if slot := l.AcquireSoon(t.Context(), "p0"); slot != nil || time.Since(began) != 0 {
			t.Errorf("a project without a free place gave %v after %s, want nothing at once", slot, time.Since(began))
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if slot := l.AcquireSoon(soon, "q"); slot != nil || time.Since(began) != time.Second {
			t.Errorf("a full ramp gave %v after %s, want nothing after a second", slot, time.Since(began))
		}
		held[0].Start() // leaves the ramp by its age, and stays under way
		held[1].Start()
		for _, project := range []string{"q", "r"} {
			slot := l.AcquireSoon(t.Context(), project)
			if slot == nil {
				t.Fatal("no place although one left the ramp")
			}
			held = append(held, slot)
		}
		if err := held[rampWidth].Join(t.Context(), began.Add(time.Hour)); err != nil {
			t.Errorf("the last that may be under way: %v", err)
		}
		if err := held[rampWidth+1].Join(t.Context(), time.Now().Add(time.Second)); err == nil {
			t.Error("one more than may be under way has joined")
		}
		time.AfterFunc(time.Second, held[2].Release)
		if err := held[rampWidth+1].Join(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Errorf("it has not joined although another was answered: %v", err)
		}
		for _, slot := range held {
			slot.Release()
		}
		if len(l.projects) != 0 || len(l.overall) != 0 || len(l.ramp.places) != 0 {
			t.Errorf("left behind: %d projects, %d places, %d in the ramp", len(l.projects), len(l.overall), len(l.ramp.places))
		}
	})
}

func TestLimiter_HasNoPlaceSoonWhenItKeepsARate(t *testing.T) {
	if slot := NewLimiter(LimiterOptions{RequestsPerSecond: 10}).AcquireSoon(t.Context(), "p"); slot != nil {
		t.Error("a place was given past the rate")
	}
}

func TestLimiter_KeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, took := flood(NewLimiter(LimiterOptions{RequestsPerSecond: 10}), 110, 1, always(0))
		if took < 9*time.Second || took > 11*time.Second {
			t.Errorf("110 requests at 10 a second took %s", took)
		}
	})
}

func TestLimiter_NilHasAlwaysAPlace(t *testing.T) {
	slot, err := (*Limiter)(nil).Acquire(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	slot.Start()
	slot.Release()
}

func BenchmarkLimiter(b *testing.B) {
	l := NewLimiter(LimiterOptions{})
	b.ReportAllocs()
	for b.Loop() {
		slot, err := l.Acquire(context.Background(), "p")
		if err != nil {
			b.Fatal(err)
		}
		slot.Start()
		slot.Release()
	}
}

func TestLimiter_WidthFollowsTheBoundOfAll(t *testing.T) {
	for inFlight, want := range map[int]int{1: 4, 10: 40, 32: rampWidth, 0: rampWidth} {
		if got := NewLimiter(LimiterOptions{InFlight: inFlight}).Width(); got != want {
			t.Errorf("a ramp of %d for %d requests under way, want %d", got, inFlight, want)
		}
	}
}
