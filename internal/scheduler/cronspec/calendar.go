package cronspec

import (
	"math/bits"
	"time"
)

// The functions of this file know nothing of time zones. They count wall time in seconds since
// 1970-01-01 00:00 on the wall, and days since that day.

// nextWall returns the first matching minute at or after a wall time.
func (s Schedule) nextWall(from int64) (int64, bool) {
	from = ceilMinute(from)
	day, at := floorDay(from)
	next, ok := s.nextDay(day)
	if ok && next == day {
		if m, found := s.nextMinute(at); found {
			return day*daySeconds + int64(m)*minuteSeconds, true
		}
		next, ok = s.nextDay(day + 1)
	}
	if !ok {
		return 0, false
	}
	m, ok := s.nextMinute(0)
	return next*daySeconds + int64(m)*minuteSeconds, ok
}

// prevWall returns the last matching minute at or before a wall time.
func (s Schedule) prevWall(from int64) (int64, bool) {
	day, at := floorDay(from)
	prev, ok := s.prevDay(day)
	if ok && prev == day {
		if m, found := s.prevMinute(at); found {
			return day*daySeconds + int64(m)*minuteSeconds, true
		}
		prev, ok = s.prevDay(day - 1)
	}
	if !ok {
		return 0, false
	}
	m, ok := s.prevMinute(24*60 - 1)
	return prev*daySeconds + int64(m)*minuteSeconds, ok
}

// countWall returns the number of matching minutes at or after one wall time and before another.
func (s Schedule) countWall(from, to int64) int {
	if from >= to {
		return 0
	}
	firstDay, first := floorDay(ceilMinute(from))
	lastDay, last := floorDay(ceilMinute(to))
	n := s.countDays(firstDay, lastDay) * bits.OnesCount64(s.minutes) * bits.OnesCount32(s.hours)
	n -= s.countDays(firstDay, firstDay+1) * s.countMinutes(first)
	n += s.countDays(lastDay, lastDay+1) * s.countMinutes(last)
	return n
}

// nextMinute returns the first matching minute of a day, counted from midnight, at or after one.
func (s Schedule) nextMinute(from int) (int, bool) {
	h, m := from/60, from%60
	if s.hours>>h&1 == 1 {
		if rest := s.minutes >> m; rest != 0 {
			return from + bits.TrailingZeros64(rest), true
		}
	}
	rest := s.hours >> (h + 1)
	if rest == 0 || s.minutes == 0 {
		return 0, false
	}
	h += 1 + bits.TrailingZeros32(rest)
	return h*60 + bits.TrailingZeros64(s.minutes), true
}

// prevMinute returns the last matching minute of a day at or before one.
func (s Schedule) prevMinute(from int) (int, bool) {
	h, m := from/60, from%60
	if s.hours>>h&1 == 1 {
		if rest := s.minutes & (1<<(m+1) - 1); rest != 0 {
			return h*60 + bits.Len64(rest) - 1, true
		}
	}
	rest := s.hours & (1<<h - 1)
	if rest == 0 || s.minutes == 0 {
		return 0, false
	}
	return (bits.Len32(rest)-1)*60 + bits.Len64(s.minutes) - 1, true
}

// countMinutes returns how many matching minutes of a day come before one.
func (s Schedule) countMinutes(before int) int {
	h, m := before/60, before%60
	n := bits.OnesCount32(s.hours&(1<<h-1)) * bits.OnesCount64(s.minutes)
	if s.hours>>h&1 == 1 {
		n += bits.OnesCount64(s.minutes & (1<<m - 1))
	}
	return n
}

// cycleMonths is the number of months after which the calendar repeats, weekdays included.
const cycleMonths = 400 * 12

// nextDay returns the first matching day at or after one.
func (s Schedule) nextDay(from int64) (int64, bool) {
	year, mon, day := dateOf(from)
	for range cycleMonths + 1 {
		first, days := s.month(year, mon)
		if days >>= day; days != 0 {
			return first + int64(day+bits.TrailingZeros32(days)) - 1, true
		}
		day = 1
		if mon++; mon > time.December {
			year, mon = year+1, time.January
		}
	}
	return 0, false
}

// prevDay returns the last matching day at or before one.
func (s Schedule) prevDay(from int64) (int64, bool) {
	year, mon, day := dateOf(from)
	for range cycleMonths + 1 {
		first, days := s.month(year, mon)
		if days &= 1<<(day+1) - 1; days != 0 {
			return first + int64(bits.Len32(days)) - 2, true
		}
		day = 31
		if mon--; mon < time.January {
			year, mon = year-1, time.December
		}
	}
	return 0, false
}

// countDays returns the number of matching days from one up to but not including another.
func (s Schedule) countDays(from, to int64) int {
	n := 0
	year, mon, day := dateOf(from)
	for from < to {
		first, days := s.month(year, mon)
		days = days >> day << day
		next := first + int64(daysIn(year, mon))
		if next > to {
			days &= 1<<(to-first+1) - 1
		}
		n += bits.OnesCount32(days)
		from, day = next, 1
		if mon++; mon > time.December {
			year, mon = year+1, time.January
		}
	}
	return n
}

// month returns the first day of a month and the set of its days that match, bits 1 to 31. The
// first day is 0 when none can match.
func (s Schedule) month(year int, mon time.Month) (first int64, days uint32) {
	first = time.Date(year, mon, 1, 0, 0, 0, 0, time.UTC).Unix() / daySeconds
	if s.months>>mon&1 == 0 {
		return first, 0
	}
	// Bit n of week is the weekday of the n+1st: 1970-01-01 was a Thursday.
	offset := uint(((first+4)%7 + 7) % 7)
	week := uint64(s.weekdays)
	week = (week>>offset | week<<(7-offset)) & 0x7f
	onWeekday := uint32(week * 0x10204081 << 1) // the week five times, from bit 1 on
	switch {
	case s.stars&(1<<dayOfMonth|1<<weekday) != 0:
		days = s.days & onWeekday
	default:
		days = s.days | onWeekday
	}
	return first, days & uint32(uint64(1)<<(daysIn(year, mon)+1)-2)
}

// daysIn returns the number of days of a month.
func daysIn(year int, mon time.Month) int {
	switch mon {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

// dateOf returns the date of a day.
func dateOf(day int64) (int, time.Month, int) { return time.Unix(day*daySeconds, 0).UTC().Date() }

// floorDay splits a wall time into the day and the minute of that day.
func floorDay(wall int64) (day int64, minute int) {
	day = wall / daySeconds
	if wall%daySeconds < 0 {
		day--
	}
	return day, int((wall - day*daySeconds) / minuteSeconds)
}

// ceilMinute rounds a wall time up to a whole minute.
func ceilMinute(wall int64) int64 {
	if rest := wall % minuteSeconds; rest > 0 {
		return wall + minuteSeconds - rest
	} else if rest < 0 {
		return wall - rest
	}
	return wall
}
