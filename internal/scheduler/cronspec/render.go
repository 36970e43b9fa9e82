package cronspec

import (
	"math/bits"
	"strings"
)

// String writes the schedule as five fields in their shortest usual form, every H resolved. Parse
// makes the same schedule of it again. The time zone is not part of it.
func (s Schedule) String() string {
	values := [5]uint64{s.minutes, uint64(s.hours), uint64(s.days), uint64(s.months), uint64(s.weekdays)}
	var fields [5]string
	for k, set := range values {
		fields[k] = render(&positions[k], set, s.stars>>k&1 == 1)
	}
	return strings.Join(fields[:], " ")
}

// render writes one field. A star field keeps its star, because Debian's rules hang on it.
func render(b *bounds, set uint64, star bool) string {
	if !star {
		return strings.Join(items(nil, set), ",")
	}
	for step := 1; step <= b.max; step++ {
		every := progression(b.min, b.last(), step)
		switch {
		case every&^set != 0:
			continue
		case step == 1:
			return "*"
		}
		return strings.Join(items([]string{"*/" + itoa(step)}, set&^every), ",")
	}
	return "*"
}

// items appends a set as values, ranges and one range with a step if it covers everything.
func items(list []string, set uint64) []string {
	if low, high, step, steady := steps(set); steady && step > 1 {
		return append(list, itoa(low)+"-"+itoa(high)+"/"+itoa(step))
	}
	for _, r := range runs(set) {
		if r.high-r.low == 1 {
			list = append(list, itoa(r.low), itoa(r.high))
			continue
		}
		list = append(list, join(r.low, r.high))
	}
	return list
}

// steps returns the lowest and the highest value of a set, and the distance between its values if
// there are three or more and it is always the same.
func steps(set uint64) (low, high, step int, steady bool) {
	low, high = bits.TrailingZeros64(set), bits.Len64(set)-1
	if n := bits.OnesCount64(set); n > 2 {
		step = (high - low) / (n - 1)
		steady = progression(low, high, step) == set
	}
	return low, high, step, steady
}

// run is an unbroken row of values.
type run struct{ low, high int }

// runs cuts a set into its unbroken rows.
func runs(set uint64) []run {
	var list []run
	for set != 0 {
		low := bits.TrailingZeros64(set)
		high := low + bits.TrailingZeros64(^(set >> low)) - 1
		list = append(list, run{low, high})
		set &= ^uint64(0) << high << 1
	}
	return list
}

// progression is the set of every step-th value of a range.
func progression(low, high, step int) uint64 {
	var set uint64
	for v := low; v <= high; v += step {
		set |= 1 << v
	}
	return set
}
