package scheduler

import "time"

// stepLimit is the smallest difference between the clocks that counts as a step. A clock that is
// slewed stays far below it between two ticks.
const stepLimit = time.Second

// reading is one look at the wall clock and, at the same moment, at the monotonic one.
type reading struct {
	wall      time.Time // without a monotonic part, so that differences are those on the wall
	monotonic time.Time
}

// read looks at the clocks.
func (s *Scheduler) read() reading {
	now := time.Now()
	return reading{now.Round(0).Add(s.skew), now}
}

// clockStep returns how far the wall clock was moved between two readings, beyond the time that
// went by; 0 when it was not. A machine that slept seems stepped forward, because its monotonic
// clock stood still.
func clockStep(before, after reading) time.Duration {
	step := after.wall.Sub(before.wall) - after.monotonic.Sub(before.monotonic)
	if step.Abs() < stepLimit {
		return 0
	}
	return step
}
