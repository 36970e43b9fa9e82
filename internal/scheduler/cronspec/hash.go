package cronspec

import (
	"crypto/sha256"
	"encoding/binary"
)

// pick is an H: values from low to high, which may be 7 for Sunday.
type pick struct {
	low, high int
	step      int // 1 chooses a single value, more begins within the first step
}

// choices is the number of different outcomes.
func (p pick) choices() int {
	if p.step > 1 {
		return p.step
	}
	return p.high - p.low + 1
}

// stride is the distance between the values of one outcome.
func (p pick) stride() int {
	if p.step > 1 {
		return p.step
	}
	return p.high - p.low + 1 // beyond the end, so that there is one value
}

// resolve returns the values of every field, those that H chooses included. Each field has its
// own part of the hash, so that H H * * * spreads over the whole day.
func (s *Spec) resolve(seed string) [5]uint64 {
	var values [5]uint64
	var sum [sha256.Size]byte
	if s.HasHash() {
		sum = sha256.Sum256([]byte(seed))
	}
	for k := range s.fields {
		values[k] = s.fields[k].values
		hash := binary.BigEndian.Uint32(sum[4*k:])
		for _, p := range s.fields[k].picks {
			for v := p.low + int(hash%uint32(p.choices())); v <= p.high; v += p.stride() {
				if k == int(weekday) {
					values[k] |= 1 << (v % 7)
				} else {
					values[k] |= 1 << v
				}
			}
		}
	}
	return values
}
