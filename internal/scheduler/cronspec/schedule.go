package cronspec

import (
	"math"
	"time"
)

// Schedule is a spec in a time zone with every H resolved. It is a small comparable value; two
// schedules from the same *time.Location that are equal fire at the same times. The zero Schedule
// never fires.
type Schedule struct {
	minutes  uint64
	loc      *time.Location
	hours    uint32
	days     uint32 // of the month, bits 1 to 31
	months   uint16 // bits 1 to 12
	weekdays uint8  // bits 0 to 6
	stars    uint8  // bit per position whose field begins with *
	pace     pace   // of a schedule made by Every, which has nothing else
}

const (
	minuteSeconds = 60
	daySeconds    = 24 * 60 * 60

	// shiftLimit is the change of the clock, in seconds, from which on Debian's cron(8) takes it
	// for a correction of the clock instead of daylight saving time.
	shiftLimit = 3 * 60 * 60

	// horizon is one cycle of the Gregorian calendar in seconds: what does not happen within it
	// never happens.
	horizon = 146097 * daySeconds

	// safely is more seconds than offsets can differ by: instants so far apart are in the same order
	// on the wall. A search may leap over whole periods, but not over what the wall may repeat.
	safely = 3 * daySeconds

	// The years 1 and 9999 bound what is computed; outside, a schedule has no fires.
	earliest = -62135596800
	latest   = 253402300799
)

// Location returns the time zone whose wall clock the schedule follows.
func (s Schedule) Location() *time.Location {
	if s.loc == nil {
		return time.UTC
	}
	return s.loc
}

// Next returns the first fire after the given instant, in UTC. It returns the zero time if there
// is none: a cron that follows the wall clock may name an hour that every year is skipped.
func (s Schedule) Next(after time.Time) time.Time {
	at := after.Unix() + 1
	if after.Unix() < earliest || after.Unix() >= latest {
		return time.Time{}
	}
	if s.pace.every > 0 {
		return s.pace.next(after.Unix())
	}
	for limit := at + horizon; at < limit; {
		p := s.period(at)
		wall := at + p.offset
		if s.fixed() && at-p.start < shiftLimit {
			switch shift := s.shift(p); {
			case shift > 0 && at == p.start && s.inGap(p, shift):
				return instant(at)
			case shift < 0:
				wall = max(wall, p.begin()-shift)
			}
		}
		w, ok := s.nextWall(wall)
		if !ok {
			return time.Time{}
		}
		if w-p.offset < p.end {
			return instant(w - p.offset)
		}
		next := p.end
		if p.end-at > safely {
			next = max(next, w-p.offset-safely)
		}
		at = next
	}
	return time.Time{}
}

// Prev returns the last fire before the given instant, in UTC, or the zero time if there is none.
func (s Schedule) Prev(before time.Time) time.Time {
	at := before.Unix()
	if before.Nanosecond() == 0 {
		at--
	}
	if at < earliest || at > latest {
		return time.Time{}
	}
	if s.pace.every > 0 {
		return s.pace.next(at - int64(s.pace.every))
	}
	for limit := at - horizon; at > limit; {
		p := s.period(at)
		begin, gap := p.begin(), false
		if s.fixed() {
			switch shift := s.shift(p); {
			case shift > 0:
				gap = s.inGap(p, shift)
			case shift < 0:
				begin -= shift
			}
		}
		w, ok := s.prevWall(at + p.offset)
		if ok && w >= begin {
			return instant(w - p.offset)
		}
		if gap {
			return instant(p.start)
		}
		if !ok {
			return time.Time{}
		}
		prev := p.start - 1
		if at-p.start > safely {
			prev = min(prev, w-p.offset+safely)
		}
		at = prev
	}
	return time.Time{}
}

// Count returns the number of fires after one instant and up to and including another. It does
// not visit them one by one.
func (s Schedule) Count(after, until time.Time) int {
	at, last := max(after.Unix(), earliest)+1, min(until.Unix(), latest)
	if s.pace.every > 0 {
		return int(s.pace.count(last) - s.pace.count(at-1))
	}
	count := 0
	for at <= last {
		p := s.period(at)
		wall := at + p.offset
		if s.fixed() && at-p.start < shiftLimit {
			switch shift := s.shift(p); {
			case shift > 0 && at == p.start && s.inGap(p, shift):
				// The fire at the end of the gap stands for a regular one at that minute, too.
				count++
				wall++
			case shift < 0:
				wall = max(wall, p.begin()-shift)
			}
		}
		count += s.countWall(wall, min(p.end, last+1)+p.offset)
		at = p.end
	}
	return count
}

// fixed reports whether neither minute nor hour begins with *. Daylight saving time gives such a
// cron exactly one run a day.
func (s Schedule) fixed() bool { return s.stars&(1<<minute|1<<hour) == 0 }

// period is a stretch of time during which the zone's offset does not change. All numbers are
// seconds: offset east of UTC, start and end since 1970 in UTC. The end belongs to the next one.
type period struct{ offset, start, end int64 }

// begin is the time on the wall at the start.
func (p period) begin() int64 { return p.start + p.offset }

// period finds the stretch around an instant.
func (s Schedule) period(at int64) period {
	t := time.Unix(at, 0).In(s.Location())
	_, offset := t.Zone()
	p := period{int64(offset), math.MinInt64 / 2, math.MaxInt64 / 2}
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		p.start = min(start.Unix(), at)
	}
	if !end.IsZero() {
		p.end = end.Unix()
	}
	if p.end <= at {
		// Beyond the zone's table, package time takes every year for 365 days long and sets the end
		// of the last day of a leap year before it. Nothing changes until that day is over.
		day, _ := floorDay(at)
		p.end = (day + 1) * daySeconds
	}
	return p
}

// shift returns by how many seconds the clock was moved when the period began: more than 0 at a
// gap, less at a fold, 0 when the change is none or too large for daylight saving time.
func (s Schedule) shift(p period) int64 {
	if p.start < earliest {
		return 0
	}
	_, before := time.Unix(p.start-1, 0).In(s.Location()).Zone()
	shift := p.offset - int64(before)
	if shift <= -shiftLimit || shift >= shiftLimit {
		return 0
	}
	return shift
}

// inGap reports whether the schedule names a time that the clock skipped when the period began.
func (s Schedule) inGap(p period, shift int64) bool {
	w, ok := s.nextWall(p.begin() - shift)
	return ok && w < p.begin()
}

func instant(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
