package cronspec

import "time"

// pace is what a schedule made by Every follows, in seconds.
type pace struct{ every, phase uint16 }

// Every returns a schedule that no spec can express: it fires every so many seconds, counted from a
// number of seconds after 1970. It is for tests in which a minute is too long.
func Every(seconds, phase uint16) Schedule {
	return Schedule{pace: pace{seconds, phase % seconds}}
}

func (p pace) next(after int64) time.Time {
	return instant((p.count(after)+1)*int64(p.every) + int64(p.phase))
}

// count returns the number of fires from 1970 up to and including a time, less one.
func (p pace) count(until int64) int64 { return (until - int64(p.phase)) / int64(p.every) }
