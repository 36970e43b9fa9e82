// Package cronspec says when a cron is due. It parses the five-field expression that Platform.sh
// calls a spec, spreads the hash H, knows time zones, and finds the fires of the resulting
// Schedule. All of it is pure: nothing here looks at a clock.
//
// A spec has the fields minute, hour, day of month, month and day of week. A field is a comma
// separated list of
//
//   - ?            every value
//     a  a-b          a value, a range
//     */n  a/n  a-b/n every n-th value of all, from a to the end, of a range
//     H  H(a-b)       one value, chosen by the hash of a seed
//     H/n  H(a-b)/n   every n-th value, beginning where the hash says
//
// Months and weekdays may be written as names (JAN, mon); Sunday is 0 or 7. The descriptors
// @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly stand for whole specs. H
// means what it means in Jenkins.
//
// Everything else follows Debian's cron. A cron runs when its day of month or its day of week
// matches, if both are restricted, and a field that begins with * (so */2 too) counts as
// unrestricted. When daylight saving time begins or ends, a cron whose minute and hour are both
// fixed runs exactly once: a time that the clock skips runs at the moment of the change, a time
// that comes twice runs the first time. A cron whose minute or hour begins with * follows the
// clock on the wall. A change of the clock by three hours or more is no daylight saving but a new
// time zone; the new time then holds at once for all.
package cronspec

import (
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Spec is a parsed expression. It does not change after Parse and may be shared.
type Spec struct {
	expr   string
	fields [5]field
}

// Parse reads an expression of five fields or a descriptor. The error is always an *Error. A spec
// that can never fire, such as the 31st of February, is an error, and so is one with an H that
// could land on such a day.
func Parse(expr string) (*Spec, error) {
	words := split(expr)
	if err := refuseForeign(expr, words); err != nil {
		return nil, err
	}
	five := words
	if strings.HasPrefix(words[0].text, "@") {
		meaning, err := expand(expr, words)
		if err != nil {
			return nil, err
		}
		five = split(meaning)
	}
	s := &Spec{expr: expr}
	canonical := make([]string, len(s.fields))
	for k := range s.fields {
		var err *Error
		if s.fields[k], canonical[k], err = parseField(position(k), five[k]); err != nil {
			err.Spec = expr
			return nil, err
		}
	}
	if err := s.readBits(strings.Join(canonical, " ")); err != nil {
		return nil, err
	}
	if err := s.refuseNever(five[dayOfMonth]); err != nil {
		return nil, err
	}
	return s, nil
}

// readBits has the parser of robfig/cron turn the validated fields into sets of values.
func (s *Spec) readBits(canonical string) error {
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	parsed, err := parser.Parse(canonical)
	if err != nil {
		return &Error{Spec: s.expr, Length: len(s.expr), Message: err.Error()}
	}
	set, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return &Error{Spec: s.expr, Length: len(s.expr), Message: "not a five-field expression"}
	}
	for k, values := range [5]uint64{set.Minute, set.Hour, set.Dom, set.Month, set.Dow} {
		// A field of nothing but H was handed over as a star, to have something to parse.
		if s.fields[k].written {
			s.fields[k].values = values & positions[k].all()
		}
	}
	return nil
}

// refuseNever finds the day that no month of the spec has. With both day fields restricted the
// weekday alone is enough to fire, and 29 February comes within eight years on every weekday
// sooner or later.
func (s *Spec) refuseNever(dom word) error {
	if s.BothDayFields() {
		return nil
	}
	day, longest := s.fields[dayOfMonth].lowest(), s.fields[month].longest()
	if day <= longest {
		return nil
	}
	err := &Error{Spec: s.expr, Field: positions[dayOfMonth].name, Offset: dom.offset, Length: len(dom.text)}
	err.Message = "never fires: no chosen month has day " + itoa(day)
	err.Hint = "write a day that the month has"
	if s.HasHash() {
		err.Message = "may never fire: H can land on day " + itoa(day) + " of a month that has no such day"
		err.Hint = "let H choose among days that every chosen month has, such as H(1-28)"
	}
	return err
}

// String returns the expression as it was written.
func (s *Spec) String() string { return s.expr }

// HasHash reports whether an H stands in the spec, so that its times depend on the seed.
func (s *Spec) HasHash() bool {
	for k := range s.fields {
		if len(s.fields[k].picks) > 0 {
			return true
		}
	}
	return false
}

// Schedule resolves every H with the seed and sets the schedule on the wall clock of a time zone;
// nil is UTC. The same seed gives the same schedule for ever, on every machine.
func (s *Spec) Schedule(seed string, loc *time.Location) Schedule {
	if loc == nil {
		loc = time.UTC
	}
	values := s.resolve(seed)
	schedule := Schedule{
		minutes:  values[minute],
		hours:    uint32(values[hour]),
		days:     uint32(values[dayOfMonth]),
		months:   uint16(values[month]),
		weekdays: uint8(values[weekday]),
		loc:      loc,
	}
	for k := range s.fields {
		if s.fields[k].star {
			schedule.stars |= 1 << k
		}
	}
	return schedule
}

// lowest is the smallest value the field is sure to contain whatever the hash.
func (f *field) lowest() int {
	low := 64
	if f.values != 0 {
		low = bits.TrailingZeros64(f.values)
	}
	for _, p := range f.picks {
		low = min(low, p.low+p.choices()-1)
	}
	return low
}

// longest is the length in days of the longest month the field is sure to contain whatever the
// hash.
func (f *field) longest() int {
	longest := 0
	for m := 1; m <= 12; m++ {
		if f.values>>m&1 == 1 {
			longest = max(longest, longestMonth(m))
		}
	}
	for _, p := range f.picks {
		worst := 31
		for n := range p.choices() {
			best := 0
			for m := p.low + n; m <= p.high; m += p.stride() {
				best = max(best, longestMonth(m))
			}
			worst = min(worst, best)
		}
		longest = max(longest, worst)
	}
	return longest
}

// longestMonth is the number of days of a month, in a leap year.
func longestMonth(m int) int { return daysIn(2000, time.Month(m)) }
