package main

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// leastMemory is what the Go runtime may take before it collects more often than GOGC says, in bytes.
	leastMemory = 96 << 20
	// memoryLook is the time between two looks at how much is in use.
	memoryLook = time.Second
)

// collectSeldom doubles Go's GOGC, unless the user has set it. A burst makes much garbage beside a small
// heap; half as many collections cost a few megabytes.
func collectSeldom() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
}

// boundMemory keeps that from costing many megabytes beside a heap that is not small, as a fleet's: from
// leastMemory on, garbage takes no more than what is in use. GOMEMLIMIT, if it is set, is left as it is.
// The returned function ends it.
func boundMemory() (stop func()) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	var looks sync.WaitGroup
	ended := make(chan struct{})
	limitMemory()
	looks.Go(func() {
		ticker := time.NewTicker(memoryLook)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				limitMemory()
			case <-ended:
				debug.SetMemoryLimit(math.MaxInt64)
				return
			}
		}
	})
	return func() { close(ended); looks.Wait() }
}

// limitMemory sets the runtime's soft limit by what was in use at the latest collection. It is never so
// near to that that collecting would be all the runtime does. What many goroutines have for stacks is not
// garbage either, and counts towards the limit.
func limitMemory() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	live, stacks := int64(sample[0].Value.Uint64()), int64(sample[1].Value.Uint64())
	debug.SetMemoryLimit(max(leastMemory, 2*live+stacks))
}
