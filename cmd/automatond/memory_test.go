package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
)

func TestMemory_TheLimitFollowsWhatIsInUse(t *testing.T) {
	limit := func() int64 { return debug.SetMemoryLimit(-1) }
	runtime.GC() // of what other tests have left
	stop := boundMemory()
	if got := limit(); got != leastMemory {
		t.Errorf("the limit of a small process is %d, want %d", got, leastMemory)
	}
	used := make([]byte, leastMemory)
	runtime.GC()
	limitMemory()
	if got := limit(); got < 2*leastMemory {
		t.Errorf("the limit is %d when %d are in use", got, leastMemory)
	}
	runtime.KeepAlive(used)
	runtime.GC()
	limitMemory()
	if got := limit(); got != leastMemory {
		t.Errorf("the limit is %d when little is in use again, want %d", got, leastMemory)
	}
	stop()
	if got := limit(); got != math.MaxInt64 {
		t.Errorf("a limit of %d stays", got)
	}
}

func TestMemory_TheLimitLeavesRoomForStacks(t *testing.T) {
	defer boundMemory()()
	var parked sync.WaitGroup
	defer parked.Wait()
	end := make(chan struct{})
	defer close(end)
	for range 2000 {
		grown := make(chan struct{})
		parked.Go(func() { park(grown, end) })
		<-grown
	}
	limitMemory()
	if got, stacks := debug.SetMemoryLimit(-1), int64(2000*stack); got < stacks {
		t.Errorf("the limit is %d beside stacks of %d", got, stacks)
	}
}

const stack = 64 << 10

// park waits with a large stack.
func park(grown chan<- struct{}, end <-chan struct{}) {
	var used [stack]byte
	close(grown)
	<-end
	runtime.KeepAlive(&used)
}

func TestMemory_TheUsersLimitStays(t *testing.T) {
	const users = 512 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(users))
	boundMemory()()
	if got := debug.SetMemoryLimit(-1); got != users {
		t.Errorf("the limit is %d, the user has set %d", got, int64(users))
	}
}
