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
		return strings.Join(items(nil, b, set), ",")
	}
	for step := 1; step <= b.max; step++ {
		every := progression(b.min, b.last(), step)
		switch {
		case every&^set != 0:
			continue
		case step == 1:
			return "*"
		}
		return strings.Join(items([]string{"*/" + itoa(step)}, b, set&^every), ",")
	}
	return "*"
}

// items appends a set as values, ranges and one range with a step if it covers everything.
func items(list []string, b *bounds, set uint64) []string {
	low, high := bits.TrailingZeros64(set), bits.Len64(set)-1
	if n := bits.OnesCount64(set); n > 2 {
		if step := (high - low) / (n - 1); step > 1 && progression(low, high, step) == set {
			return append(list, itoa(low)+"-"+itoa(high)+"/"+itoa(step))
		}
	}
	for v := 0; v <= b.last(); v++ {
		run := bits.TrailingZeros64(^(set >> v))
		switch {
		case run == 0:
			continue
		case run < 3:
			list = append(list, itoa(v))
			continue
		}
		list = append(list, join(v, v+run-1))
		v += run - 1
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
