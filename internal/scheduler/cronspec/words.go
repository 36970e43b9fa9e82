package cronspec

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Describe says in English when the spec is due, such as "At 05:00 on Monday to Friday". A spec with
// an H is described as the schedule has it, which comes from this spec, and marked "(H)".
func (s *Spec) Describe(resolved Schedule) string {
	if s.HasHash() {
		return resolved.Words() + " (H)"
	}
	return resolved.Words()
}

// Words says in English when the schedule is due on the wall clock of its zone. Schedules that are
// due at different times have different words.
func (s Schedule) Words() string {
	clock, days := s.clockWords(), s.dayWords()
	if rest, daily := strings.CutPrefix(days, "every day"); daily && uint64(s.hours) == positions[hour].all() {
		return clock + rest // "Every 15 minutes in July"
	}
	return clock + " " + days
}

// fewTimes is how many times of a day, or spans of it, are listed one by one.
const fewTimes = 4

// clockWords describes minute and hour.
func (s Schedule) clockWords() string {
	hours := uint64(s.hours)
	first, last, step, steady := steps(s.minutes)
	if last-first == 30 && bits.OnesCount64(s.minutes) == 2 {
		step, steady = 30, true
	}
	past := " past " + hourWords(hours)
	switch {
	case first == last:
		return onceAnHour(first, hours)
	case bits.OnesCount64(s.minutes)*bits.OnesCount64(hours) <= fewTimes:
		return "At " + s.times()
	case steady && last+step == first+60:
		return every(step, "minute") + wholeHours(first, hours)
	case steady && bits.OnesCount64(hours) == 1:
		h := bits.TrailingZeros64(hours)
		return every(step, "minute") + " " + span(clock(h, first), clock(h, last))
	case steady:
		return every(step, "minute") + " " + span("minute "+itoa(first), itoa(last)) + past
	}
	return "At " + named("minute", s.minutes) + past
}

// onceAnHour describes a single minute of some hours.
func onceAnHour(m int, hours uint64) string {
	first, last, step, steady := steps(hours)
	switch {
	case hours == positions[hour].all():
		return "At minute " + itoa(m) + " past every hour"
	case bits.OnesCount64(hours) <= fewTimes && !(steady && step == 1):
		return "At " + Schedule{minutes: 1 << m, hours: uint32(hours)}.times()
	case steady:
		return every(step, "hour") + " " + span(clock(first, m), clock(last, m))
	}
	return "At minute " + itoa(m) + " past " + hourWords(hours)
}

// wholeHours describes hours that are filled evenly from a minute on.
func wholeHours(first int, hours uint64) string {
	from := ""
	if first > 0 {
		from = " from minute " + itoa(first)
	}
	var spans []string
	for _, r := range runs(hours) {
		spans = append(spans, span(clock(r.low, first), clock(r.high, 59)))
	}
	switch {
	case hours == positions[hour].all() && first == 0:
		return ""
	case hours == positions[hour].all():
		return from + " past every hour"
	case len(spans) <= fewTimes:
		return " " + enumerate(spans, "and")
	}
	return from + " during " + hourWords(hours)
}

// hourWords names hours without a minute.
func hourWords(hours uint64) string {
	first, last, step, steady := steps(hours)
	switch {
	case hours == positions[hour].all():
		return "every hour"
	case steady:
		return "every " + nth(step, "hour") + " " + span(itoa(first), itoa(last))
	}
	return named("hour", hours)
}

// times lists every time of a day.
func (s Schedule) times() string {
	var list []string
	for h := range 24 {
		for m := range 60 {
			if s.hours>>h&1 == 1 && s.minutes>>m&1 == 1 {
				list = append(list, clock(h, m))
			}
		}
	}
	return enumerate(list, "and")
}

// dayWords describes day of month, month and day of week.
func (s Schedule) dayWords() string {
	days, weekdays := uint64(s.days), uint64(s.weekdays)
	everyDate, everyWeekday := days == positions[dayOfMonth].all(), weekdays == positions[weekday].all()
	both := s.stars&(1<<dayOfMonth|1<<weekday) != 0 // must match; else either is enough
	inMonths := ""
	if uint64(s.months) != positions[month].all() {
		inMonths = " in " + monthWords(s.months)
	}
	switch {
	case everyDate && everyWeekday, !both && (everyDate || everyWeekday):
		return "every day" + inMonths
	case everyDate:
		return "on " + weekdayWords(s.weekdays, "and") + inMonths
	case everyWeekday:
		return "on " + s.dateWords()
	case both:
		return "on " + s.dateWords() + ", only if it is " + weekdayWords(s.weekdays, "or")
	case inMonths != "":
		inMonths = "," + inMonths
	}
	return "on " + dateWords(days) + " of the month or on " + weekdayWords(s.weekdays, "and") + inMonths
}

// dateWords describes day of month and month as one.
func (s Schedule) dateWords() string {
	switch {
	case uint64(s.months) == positions[month].all():
		return dateWords(uint64(s.days)) + " of the month"
	case bits.OnesCount32(s.days) == 1 && bits.OnesCount16(s.months) == 1:
		return itoa(bits.TrailingZeros32(s.days)) + " " + monthWords(s.months)
	}
	return dateWords(uint64(s.days)) + " of " + monthWords(s.months)
}

func dateWords(days uint64) string {
	if first, last, step, steady := steps(days); steady && step > 1 {
		return "every " + nth(step, "day") + " " + span(itoa(first), itoa(last))
	}
	return named("day", days)
}

func monthWords(months uint16) string {
	name := func(m int) string { return time.Month(m).String() }
	return enumerate(phrases(uint64(months), name), "and")
}

// weekdayWords begins with Monday, unless the days are a row that goes on over the end of the week.
func weekdayWords(weekdays uint8, conjunction string) string {
	twice := uint64(weekdays) | uint64(weekdays)<<7
	week := twice & 0xfe // Sunday is 7
	row := uint64(1)<<bits.OnesCount8(weekdays) - 1
	for first := 1; first <= 7; first++ {
		if twice>>first&row == row {
			week = row << first
			break
		}
	}
	name := func(d int) string { return time.Weekday(d % 7).String() }
	return enumerate(phrases(week, name), conjunction)
}

// named lists numbers after a noun: "minute 5", "hours 1, 3 and 5 to 7".
func named(noun string, set uint64) string {
	if bits.OnesCount64(set) > 1 {
		noun += "s"
	}
	return noun + " " + enumerate(phrases(set, itoa), "and")
}

// phrases lists the values of a set, three or more in a row as "5 to 7".
func phrases(set uint64, name func(int) string) []string {
	var list []string
	for _, r := range runs(set) {
		switch r.high - r.low {
		case 0:
			list = append(list, name(r.low))
		case 1:
			list = append(list, name(r.low), name(r.high))
		default:
			list = append(list, name(r.low)+" to "+name(r.high))
		}
	}
	return list
}

// enumerate joins a list to "a, b and c".
func enumerate(list []string, conjunction string) string {
	last := len(list) - 1
	if last == 0 {
		return list[0]
	}
	return strings.Join(list[:last], ", ") + " " + conjunction + " " + list[last]
}

// every is the beginning of a sentence: "Every minute", "Every 15 minutes".
func every(step int, noun string) string {
	if step == 1 {
		return "Every " + noun
	}
	return fmt.Sprintf("Every %d %ss", step, noun)
}

// nth counts within a sentence: "hour", "2nd hour".
func nth(step int, noun string) string {
	if step == 1 {
		return noun
	}
	suffix := "th"
	if step < 10 || step > 20 {
		switch step % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return itoa(step) + suffix + " " + noun
}

func span(from, to string) string { return "from " + from + " to " + to }

func clock(h, m int) string { return fmt.Sprintf("%02d:%02d", h, m) }
