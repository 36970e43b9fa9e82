package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestMemory_TheLimitFollowsWhatIsInUse(t *testing.T) {
	limit := func() int64 { return debug.SetMemoryLimit(-1) }
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

func TestMemory_TheUsersLimitStays(t *testing.T) {
	const users = 512 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(users))
	boundMemory()()
	if got := debug.SetMemoryLimit(-1); got != users {
		t.Errorf("the limit is %d, the user has set %d", got, int64(users))
	}
}
