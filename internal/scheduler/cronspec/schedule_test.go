package cronspec_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/cronexpr"
	"pgregory.net/rapid"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := cronspec.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The fires were worked out by hand, from the published dates of the changes.
func TestNext_FollowsDebianThroughTheOddDaysOfTheWorld(t *testing.T) {
	tests := []struct{ zone, spec, after, want string }{
		// New York, 2025-03-09: 02:00 EST becomes 03:00 EDT. 2025-11-02: 02:00 EDT becomes 01:00 EST.
		{"America/New_York", "30 2 * * *", "2025-03-08T12:00:00-05:00",
			"2025-03-09T03:00:00-04:00 2025-03-10T02:30:00-04:00"},
		{"America/New_York", "0,15,30 2 * * *", "2025-03-08T12:00:00-05:00",
			"2025-03-09T03:00:00-04:00 2025-03-10T02:00:00-04:00"},
		{"America/New_York", "30 2,3 * * *", "2025-03-09T00:00:00-05:00",
			"2025-03-09T03:00:00-04:00 2025-03-09T03:30:00-04:00 2025-03-10T02:30:00-04:00"},
		{"America/New_York", "0 2,3 * * *", "2025-03-09T00:00:00-05:00",
			"2025-03-09T03:00:00-04:00 2025-03-10T02:00:00-04:00"},
		{"America/New_York", "30 2 9 3 *", "2025-01-01T00:00:00-05:00",
			"2025-03-09T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
		{"America/New_York", "*/30 2 * * *", "2025-03-08T12:00:00-05:00",
			"2025-03-10T02:00:00-04:00 2025-03-10T02:30:00-04:00"},
		{"America/New_York", "0 * * * *", "2025-03-09T00:30:00-05:00",
			"2025-03-09T01:00:00-05:00 2025-03-09T03:00:00-04:00"},
		{"America/New_York", "0 */2 * * *", "2025-03-09T00:30:00-05:00",
			"2025-03-09T04:00:00-04:00"},
		{"America/New_York", "30 1 * * *", "2025-11-01T12:00:00-04:00",
			"2025-11-02T01:30:00-04:00 2025-11-03T01:30:00-05:00"},
		{"America/New_York", "0 2 * * *", "2025-11-02T00:00:00-04:00",
			"2025-11-02T02:00:00-05:00"},
		{"America/New_York", "0,30 1 * * *", "2025-11-02T01:00:00-05:00", // the second 1 o'clock
			"2025-11-03T01:00:00-05:00"},
		{"America/New_York", "*/30 1 * * *", "2025-11-02T00:00:00-04:00",
			"2025-11-02T01:00:00-04:00 2025-11-02T01:30:00-04:00 2025-11-02T01:00:00-05:00 2025-11-02T01:30:00-05:00 2025-11-03T01:00:00-05:00"},
		{"America/New_York", "30 * * * *", "2025-11-02T00:30:00-04:00",
			"2025-11-02T01:30:00-04:00 2025-11-02T01:30:00-05:00 2025-11-02T02:30:00-05:00"},
		{"America/New_York", "30 1 * * SUN", "2025-10-27T00:00:00-04:00",
			"2025-11-02T01:30:00-04:00 2025-11-09T01:30:00-05:00"},
		// Berlin, 2025-03-30 and 2025-10-26, both at 01:00 UTC.
		{"Europe/Berlin", "15 2 * * *", "2025-03-29T12:00:00+01:00",
			"2025-03-30T03:00:00+02:00 2025-03-31T02:15:00+02:00"},
		{"Europe/Berlin", "15 2 * * *", "2025-10-25T12:00:00+02:00",
			"2025-10-26T02:15:00+02:00 2025-10-27T02:15:00+01:00"},
		{"Europe/Berlin", "0 3 * * *", "2025-10-26T00:00:00+02:00",
			"2025-10-26T03:00:00+01:00"},
		// Lord Howe moves by half an hour: 2025-10-05 02:00 to 02:30, 2025-04-06 02:00 to 01:30.
		{"Australia/Lord_Howe", "15 2 * * *", "2025-10-04T12:00:00+10:30",
			"2025-10-05T02:30:00+11:00 2025-10-06T02:15:00+11:00"},
		{"Australia/Lord_Howe", "45 2 * * *", "2025-10-04T12:00:00+10:30",
			"2025-10-05T02:45:00+11:00"},
		{"Australia/Lord_Howe", "*/15 2 * * *", "2025-10-05T00:00:00+10:30",
			"2025-10-05T02:30:00+11:00 2025-10-05T02:45:00+11:00 2025-10-06T02:00:00+11:00"},
		{"Australia/Lord_Howe", "45 1 * * *", "2025-04-05T12:00:00+11:00",
			"2025-04-06T01:45:00+11:00 2025-04-07T01:45:00+10:30"},
		{"Australia/Lord_Howe", "*/20 1 * * *", "2025-04-06T01:00:00+11:00",
			"2025-04-06T01:20:00+11:00 2025-04-06T01:40:00+11:00 2025-04-06T01:40:00+10:30 2025-04-07T01:00:00+10:30"},
		// Havana changes at midnight: 2025-03-09 00:00 to 01:00, 2025-11-02 01:00 to 00:00.
		{"America/Havana", "0 0 * * *", "2025-03-08T12:00:00-05:00",
			"2025-03-09T01:00:00-04:00 2025-03-10T00:00:00-04:00"},
		{"America/Havana", "30 0 * * SUN", "2025-03-08T12:00:00-05:00",
			"2025-03-09T01:00:00-04:00 2025-03-16T00:30:00-04:00"},
		{"America/Havana", "30 0 9 * *", "2025-03-08T12:00:00-05:00",
			"2025-03-09T01:00:00-04:00 2025-04-09T00:30:00-04:00"},
		{"America/Havana", "30 0 8 * *", "2025-03-08T12:00:00-05:00",
			"2025-04-08T00:30:00-04:00"},
		{"America/Havana", "0 0 * * *", "2025-11-01T12:00:00-04:00",
			"2025-11-02T00:00:00-04:00 2025-11-03T00:00:00-05:00"},
		{"America/Havana", "0 * * * *", "2025-11-01T23:00:00-04:00",
			"2025-11-02T00:00:00-04:00 2025-11-02T00:00:00-05:00 2025-11-02T01:00:00-05:00"},
		// Asuncion, 2006-03-12: 00:00 becomes 23:00 of the day before.
		{"America/Asuncion", "0 * 11 3 *", "2006-03-11T22:00:00-03:00",
			"2006-03-11T23:00:00-03:00 2006-03-11T23:00:00-04:00 2007-03-11T00:00:00-04:00"},
		// Apia had no 30 December 2011. That is a new time zone, and no daylight saving time.
		{"Pacific/Apia", "0 5 * * *", "2011-12-29T00:00:00-10:00",
			"2011-12-29T05:00:00-10:00 2011-12-31T05:00:00+14:00"},
		{"Pacific/Apia", "0 5 30 12 *", "2011-06-01T00:00:00-11:00",
			"2012-12-30T05:00:00+14:00"},
		{"Pacific/Apia", "0 */12 * * *", "2011-12-29T11:00:00-10:00",
			"2011-12-29T12:00:00-10:00 2011-12-31T00:00:00+14:00"},
		// Kathmandu is 5:45 ahead, all year.
		{"Asia/Kathmandu", "0 0 * * *", "2025-03-30T00:00:00Z",
			"2025-03-30T18:15:00Z 2025-03-31T18:15:00Z"},
		{"Asia/Kathmandu", "*/45 * * * *", "2025-01-01T00:00:00+05:45",
			"2025-01-01T00:45:00+05:45 2025-01-01T01:00:00+05:45"},
		// Riga, 2025-03-30 03:00 to 04:00, 2025-10-26 04:00 to 03:00.
		{"Europe/Riga", "30 3 * * *", "2025-03-29T12:00:00+02:00",
			"2025-03-30T04:00:00+03:00 2025-03-31T03:30:00+03:00"},
		{"Europe/Riga", "30 3 * * *", "2025-10-25T12:00:00+03:00",
			"2025-10-26T03:30:00+03:00 2025-10-27T03:30:00+02:00"},
		{"Europe/Riga", "0 5 * * *", "2025-10-25T12:00:00+03:00",
			"2025-10-26T05:00:00+02:00"},
		// Far beyond the table of changes the rule goes on.
		{"Europe/Berlin", "30 2 * * *", "2099-03-28T12:00:00+01:00",
			"2099-03-29T03:00:00+02:00"},
		{"Europe/Berlin", "0 5 * * *", "2096-12-30T12:00:00+01:00",
			"2096-12-31T05:00:00+01:00 2097-01-01T05:00:00+01:00"},
		// 2100 is no leap year.
		{"UTC", "0 0 29 2 *", "2092-03-01T00:00:00Z", "2096-02-29T00:00:00Z 2104-02-29T00:00:00Z"},
		{"Europe/Berlin", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00+01:00"},
		// 29 February on a Sunday, across 2100.
		{"UTC", "0 0 29 2 */7", "2080-01-01T00:00:00Z", "2088-02-29T00:00:00Z 2128-02-29T00:00:00Z"},
		// Restricted day fields are alternatives, unless one begins with a star.
		{"UTC", "0 0 13 * FRI", "2025-06-01T00:00:00Z", "2025-06-06T00:00:00Z 2025-06-13T00:00:00Z 2025-06-20T00:00:00Z"},
		{"UTC", "0 0 */2 * MON", "2025-06-01T00:00:00Z", "2025-06-09T00:00:00Z 2025-06-23T00:00:00Z"},
		{"UTC", "0 0 13 * */5", "2025-01-01T00:00:00Z", "2025-04-13T00:00:00Z 2025-06-13T00:00:00Z"},
		{"UTC", "0 0 13 * ?", "2025-06-01T00:00:00Z", "2025-06-13T00:00:00Z"},
		{"UTC", "0 0 31 * *", "2025-01-31T00:00:00Z", "2025-03-31T00:00:00Z 2025-05-31T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.spec, func(t *testing.T) {
			s := parse(t, tt.spec).Schedule("", zone(t, tt.zone))
			after := instant(t, tt.after)
			for _, want := range strings.Fields(tt.want) {
				next := s.Next(after)
				if !next.Equal(instant(t, want)) {
					t.Fatalf("after %s comes %s, want %s", after, next.In(s.Location()).Format(time.RFC3339), want)
				}
				if next.Location() != time.UTC {
					t.Fatalf("%s is not in UTC", next)
				}
				if prev := s.Prev(next.Add(time.Nanosecond)); !prev.Equal(next) {
					t.Fatalf("the last until %s is %s", next, prev)
				}
				after = next
			}
		})
	}
}

func TestPrev_FindsTheFirstPassOfARepeatedHour(t *testing.T) {
	s := parse(t, "50 1 2 11 *").Schedule("", zone(t, "America/New_York"))
	if got, want := s.Prev(instant(t, "2025-11-02T01:10:00-05:00")), instant(t, "2025-11-02T01:50:00-04:00"); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNext_ReturnsZeroForAnHourThatEveryYearSkips(t *testing.T) {
	// 02:00 to 03:00 on the second Sunday of March, by the wall.
	s := parse(t, "*/30 2 8-14 3 */7").Schedule("", zone(t, "America/New_York"))
	if next := s.Next(instant(t, "2025-01-01T00:00:00Z")); !next.IsZero() {
		t.Errorf("got %s", next)
	}
	if prev := s.Prev(instant(t, "2006-12-31T00:00:00Z")); prev.IsZero() {
		t.Error("before 2007 the clock changed in April")
	}
}

func TestNext_TakesAnyInstant(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Africa/Casablanca", "Europe/Dublin"} {
		s := parse(t, "30 2 * * *").Schedule("", zone(t, name))
		for _, at := range []time.Time{{}, time.Unix(1<<62, 0), time.Unix(-1<<62, 0), time.Unix(1<<63-1, 0),
			time.Unix(-1<<63, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)} {
			if next := s.Next(at); !next.IsZero() && !next.After(at) {
				t.Errorf("%s: after %s comes %s", name, at, next)
			}
			if prev := s.Prev(at); !prev.IsZero() && !prev.Before(at) {
				t.Errorf("%s: before %s comes %s", name, at, prev)
			}
			s.Transition(at)
		}
		s.Count(time.Unix(-1<<62, 0), time.Unix(1<<62, 0))
	}
	var zero cronspec.Schedule
	if !zero.Next(time.Unix(0, 0)).IsZero() || !zero.Prev(time.Unix(0, 0)).IsZero() || zero.Location() != time.UTC {
		t.Error("the zero schedule never fires")
	}
}

// zones whose clocks do odd things, with the years in which they do.
var zones = []struct {
	name     string
	from, to int
}{
	{"UTC", 2020, 2030}, {"America/New_York", 2005, 2045}, {"Europe/Berlin", 1975, 2045}, {"Europe/Riga", 1980, 2030},
	{"Australia/Lord_Howe", 1985, 2045}, {"America/Havana", 1990, 2045}, {"Pacific/Apia", 2009, 2022},
	{"Asia/Kathmandu", 1984, 1990}, {"Africa/Casablanca", 2012, 2045}, {"Antarctica/Troll", 2006, 2045},
	{"America/St_Johns", 1986, 2012}, {"Asia/Beirut", 1990, 2045}, {"America/Asuncion", 2000, 2024},
	{"Europe/Dublin", 1970, 2045}, {"Asia/Gaza", 2005, 2045}, {"Asia/Pyongyang", 2014, 2019}, {"America/Sao_Paulo", 1990, 2020},
}

// fieldGen draws a field's text together with the values it means.
func fieldGen(low, high int) *rapid.Generator[drawnField] {
	return rapid.Custom(func(t *rapid.T) drawnField {
		var f drawnField
		var items []string
		for i := range rapid.IntRange(1, 2).Draw(t, "items") {
			a := rapid.IntRange(low, high).Draw(t, "a")
			b := rapid.IntRange(a, high).Draw(t, "b")
			step := rapid.SampledFrom([]int{1, 1, 2, 3, 5, 7}).Draw(t, "step")
			step = min(step, high)
			form := rapid.IntRange(0, 4).Draw(t, "form")
			if form < 3 && a == b {
				form = 0
			}
			switch form {
			case 0:
				items, b, step = append(items, fmt.Sprint(a)), a, 1
			case 1:
				items = append(items, fmt.Sprintf("%d-%d/%d", a, b, step))
			case 2:
				items, step = append(items, fmt.Sprintf("%d-%d", a, b)), 1
			case 3:
				a, b = low, high
				items = append(items, fmt.Sprintf("*/%d", step))
				f.star = f.star || i == 0
			case 4:
				a, b, step = low, high, 1
				items = append(items, "*")
				f.star = f.star || i == 0
			}
			for v := a; v <= b; v += step {
				f.values[v] = true
			}
		}
		f.text = strings.Join(items, ",")
		return f
	})
}

type drawnField struct {
	text   string
	values [60]bool
	star   bool
}

// draw makes a spec with its Debian counterpart.
func draw(t *rapid.T, loc *time.Location) (*cronspec.Spec, *debian) {
	minutes, hours := fieldGen(0, 59).Draw(t, "minute"), fieldGen(0, 23).Draw(t, "hour")
	if rapid.Bool().Draw(t, "at night") {
		hours = fieldGen(0, 4).Draw(t, "hour of night")
		hours.text = strings.ReplaceAll(hours.text, "*", "0-4")
		hours.star = false
	}
	days, months, weekdays := fieldGen(1, 31).Draw(t, "day"), fieldGen(1, 12).Draw(t, "month"), fieldGen(0, 7).Draw(t, "weekday")
	if rapid.Bool().Draw(t, "every day") {
		star := rapid.Just(drawnField{text: "*", star: true}).Draw(t, "star")
		for i := range star.values {
			star.values[i] = true
		}
		days, months, weekdays = star, star, star
	}
	weekdays.values[0] = weekdays.values[0] || weekdays.values[7]
	s, err := cronspec.Parse(strings.Join([]string{minutes.text, hours.text, days.text, months.text, weekdays.text}, " "))
	if err != nil {
		if strings.Contains(err.Error(), "never fires") {
			t.SkipNow()
		}
		t.Fatal(err)
	}
	return s, &debian{minutes.values, hours.values, days.values, months.values, weekdays.values,
		minutes.star, hours.star, days.star || weekdays.star, loc}
}

// transitions lists the changes of a zone's offset, found by nothing but the offset itself.
func transitions(loc *time.Location, from, to int) []time.Time {
	offset := func(at int64) int {
		_, offset := time.Unix(at, 0).In(loc).Zone()
		return offset
	}
	var all []time.Time
	end := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); at < end; at += 86400 {
		if offset(at) != offset(at+86400) {
			seconds := sort.Search(86400, func(n int) bool { return offset(at+int64(n)) != offset(at) })
			all = append(all, time.Unix(at+int64(seconds), 0))
		}
	}
	if all == nil {
		all = append(all, time.Unix(end, 0))
	}
	return all
}

func TestSchedule_DoesWhatDebianDoesAroundEveryChangeOfTheClock(t *testing.T) {
	for _, z := range zones {
		t.Run(z.name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, z.name)
			changes := transitions(loc, z.from, z.to)
			rapid.Check(t, func(t *rapid.T) {
				spec, model := draw(t, loc)
				s := spec.Schedule("", loc)
				change := rapid.SampledFrom(changes).Draw(t, "change")
				from, to := change.Add(-20*time.Hour).Truncate(time.Minute), change.Add(20*time.Hour).Truncate(time.Minute)
				want := model.fires(from, to)
				var got, back []time.Time
				for at := s.Next(from.Add(-time.Nanosecond)); !at.IsZero() && at.Before(to); at = s.Next(at) {
					got = append(got, at)
				}
				for at := s.Prev(to); !at.IsZero() && !at.Before(from); at = s.Prev(at) {
					back = append(back, at)
				}
				slices.Reverse(back)
				if !slices.EqualFunc(got, want, time.Time.Equal) {
					t.Fatalf("%s around %s:\n got %v\nwant %v", spec, change.In(loc), got, want)
				}
				if !slices.Equal(got, back) {
					t.Fatalf("%s around %s:\nforth %v\n back %v", spec, change.In(loc), got, back)
				}
				if n := s.Count(from.Add(-time.Nanosecond), to.Add(-time.Nanosecond)); n != len(want) {
					t.Fatalf("%s around %s: counted %d, want %d", spec, change.In(loc), n, len(want))
				}
			})
		})
	}
}

func TestSchedule_NextIsTheSameForEverySecondUntilIt(t *testing.T) {
	for _, z := range zones {
		loc := zone(t, z.name)
		changes := transitions(loc, z.from, z.to)
		rapid.Check(t, func(t *rapid.T) {
			spec, _ := draw(t, loc)
			s := spec.Schedule("", loc)
			at := rapid.SampledFrom(changes).Draw(t, "change").Add(
				time.Duration(rapid.IntRange(-90000, 90000).Draw(t, "seconds")) * time.Second)
			next := s.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) || !s.Next(next).After(next) && !s.Next(next).IsZero() {
				t.Fatalf("%s: %s, %s, %s do not ascend", spec, at, next, s.Next(next))
			}
			gap := int(next.Sub(at) / time.Second)
			for range 50 {
				between := at.Add(time.Duration(rapid.IntRange(0, gap-1).Draw(t, "between")) * time.Second)
				if got := s.Next(between); !got.Equal(next) {
					t.Fatalf("%s: after %s comes %s, after %s comes %s", spec, at, next, between, got)
				}
			}
			for _, d := range []time.Duration{1, time.Second - 1, time.Second} {
				if got := s.Next(next.Add(-d)); !got.Equal(next) {
					t.Fatalf("%s: %s before %s comes %s", spec, d, next, got)
				}
			}
			if got := s.Prev(next.Add(1)); !got.Equal(next) {
				t.Fatalf("%s: at %s Prev says %s", spec, next, got)
			}
			if n := s.Count(at, next); n != 1 {
				t.Fatalf("%s: %d fires after %s until %s", spec, n, at, next)
			}
		})
	}
}

func TestSchedule_EverySecondOfADay(t *testing.T) {
	loc := zone(t, "America/New_York")
	for _, expr := range []string{"30 1,2 * * *", "*/20 1-3 * * *", "0 5 * * *"} {
		s := parse(t, expr).Schedule("", loc)
		for _, day := range []string{"2025-03-09T00:00:00-05:00", "2025-11-02T00:00:00-04:00"} {
			at := instant(t, day)
			next := s.Next(at)
			for range 24 * 3600 {
				if !at.Before(next) {
					next = s.Next(next)
				}
				if got := s.Next(at); !got.Equal(next) {
					t.Fatalf("%s: after %s comes %s, want %s", expr, at, got, next)
				}
				at = at.Add(time.Second)
			}
		}
	}
}

// The other evaluators agree with Debian's rule in UTC, as long as a day field is a plain star or
// leaves something out: they take */2 for a restriction, 0-6 for none, and 7 in a range for neither.
func TestNext_AgreesWithOtherEvaluators(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, model := draw(t, time.UTC)
		fields := strings.Fields(spec.String())
		if strings.Contains(fields[4], "7") {
			t.SkipNow()
		}
		for i, everything := range map[int]bool{
			2: !slices.Contains(model.day[1:32], false), 4: !slices.Contains(model.weekday[:7], false),
		} {
			if fields[i] != "*" && (everything || strings.Contains(fields[i], "*")) {
				t.SkipNow()
			}
		}
		s := spec.Schedule("", time.UTC)
		at := time.Unix(int64(rapid.IntRange(0, 4e9).Draw(t, "at")), 0).UTC()
		next := s.Next(at)
		if next.Sub(at) > 4*365*24*time.Hour {
			t.SkipNow() // some give up after five years
		}
		expr := spec.String()
		other, err := cronexpr.Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := other.Next(at); !got.Equal(next) {
			t.Fatalf("%s after %s: %s, cronexpr says %s", expr, at, next, got)
		}
		got, err := gronx.NextTickAfter(expr, at, false)
		if err != nil {
			t.Fatalf("%s after %s: %s, gronx says %v", expr, at, next, err)
		}
		if !got.Equal(next) {
			t.Fatalf("%s after %s: %s, gronx says %s", expr, at, next, got)
		}
	})
}

func TestString_MeansTheSameSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, _ := draw(t, time.UTC)
		s := spec.Schedule("", time.UTC)
		again, err := cronspec.Parse(s.String())
		if err != nil {
			t.Fatalf("%s is written as %s: %v", spec, s, err)
		}
		if again.Schedule("", time.UTC) != s {
			t.Fatalf("%s is written as %s, which means another thing", spec, s)
		}
	})
}

func TestCount_IsQuickOverYears(t *testing.T) {
	s := parse(t, "* * * * *").Schedule("", zone(t, "Europe/Berlin"))
	from := instant(t, "2000-01-01T00:00:00Z")
	if n := s.Count(from, from.AddDate(100, 0, 0)); n != 36525*1440 {
		t.Errorf("got %d minutes in a century", n)
	}
	fixed := parse(t, "30 2 * * *").Schedule("", zone(t, "Europe/Berlin"))
	if n := fixed.Count(from, from.AddDate(100, 0, 0)); n != 36525 {
		t.Errorf("got %d nights in a century", n)
	}
	if n := fixed.Count(from, from.Add(-time.Hour)); n != 0 {
		t.Errorf("got %d in no time", n)
	}
}

func TestTransition_MarksTheNightsOfTheChange(t *testing.T) {
	for _, tt := range []struct{ zone, spec, fire, want string }{
		{"Europe/Berlin", "30 2 * * *", "2025-03-30T01:00:00Z", "2025-03-30T01:00:00Z 1h0m0s gap"},
		{"Europe/Berlin", "0 3 * * *", "2025-03-30T01:00:00Z", "2025-03-30T01:00:00Z 1h0m0s day"},
		{"Europe/Berlin", "0 * * * *", "2025-03-30T01:00:00Z", "2025-03-30T01:00:00Z 1h0m0s day"},
		{"Europe/Berlin", "0 12 * * *", "2025-03-30T10:00:00Z", "2025-03-30T01:00:00Z 1h0m0s day"},
		{"Europe/Berlin", "0 1 * * *", "2025-03-30T00:00:00Z", "2025-03-30T01:00:00Z 1h0m0s day"},
		{"Europe/Berlin", "0 12 * * *", "2025-03-29T11:00:00Z", ""},
		{"Europe/Berlin", "0 12 * * *", "2025-03-31T10:00:00Z", ""},
		{"Europe/Berlin", "30 2 * * *", "2025-10-26T00:30:00Z", "2025-10-26T01:00:00Z -1h0m0s fold"},
		{"Europe/Berlin", "30 * * * *", "2025-10-26T01:30:00Z", "2025-10-26T01:00:00Z -1h0m0s fold"},
		{"Europe/Berlin", "0 3 * * *", "2025-10-26T02:00:00Z", "2025-10-26T01:00:00Z -1h0m0s day"},
		{"Australia/Lord_Howe", "15 2 * * *", "2025-10-04T15:30:00Z", "2025-10-04T15:30:00Z 30m0s gap"},
		{"America/Havana", "0 0 * * *", "2025-03-09T05:00:00Z", "2025-03-09T05:00:00Z 1h0m0s gap"},
		{"Pacific/Apia", "0 5 * * *", "2011-12-29T15:00:00Z", "2011-12-30T10:00:00Z 24h0m0s day"},
		{"Pacific/Apia", "0 0 * * *", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z 24h0m0s day"},
		{"UTC", "0 5 * * *", "2025-03-30T05:00:00Z", ""},
	} {
		s := parse(t, tt.spec).Schedule("", zone(t, tt.zone))
		got := ""
		if c, ok := s.Transition(instant(t, tt.fire)); ok {
			got = fmt.Sprintf("%s %s %s", c.At.Format(time.RFC3339), c.Shift, c.Effect)
		}
		if got != tt.want {
			t.Errorf("%s %q at %s: got %q, want %q", tt.zone, tt.spec, tt.fire, got, tt.want)
		}
	}
}

func TestExplain_SaysWhatTheChangeOfTheClockDoes(t *testing.T) {
	for _, tt := range []struct{ zone, spec, fire, want string }{
		{"Europe/Berlin", "30 2 * * *", "2025-03-30T01:00:00Z", "clocks go forward 02:00→03:00: runs at 03:00"},
		{"Europe/Berlin", "30 2 * * *", "2025-10-26T00:30:00Z", "clocks go back 03:00→02:00: runs the first 02:30 only"},
		{"Europe/Berlin", "30 * * * *", "2025-10-26T00:30:00Z", "clocks go back 03:00→02:00: runs at 02:30 both times"},
		{"Europe/Berlin", "0 12 * * *", "2025-03-30T10:00:00Z", "clocks go forward 02:00→03:00"},
		{"Australia/Lord_Howe", "15 2 * * *", "2025-10-04T15:30:00Z", "clocks go forward 02:00→02:30: runs at 02:30"},
		{"America/Asuncion", "30 23 * * *", "2006-03-12T02:30:00Z", "clocks go back Sun 00:00→Sat 23:00: runs the first 23:30 only"},
		{"Pacific/Apia", "0 5 * * *", "2011-12-29T15:00:00Z", "clocks go forward Fri 00:00→Sat 00:00"},
	} {
		s := parse(t, tt.spec).Schedule("", zone(t, tt.zone))
		fire := instant(t, tt.fire)
		change, ok := s.Transition(fire)
		if !ok {
			t.Errorf("%s %q at %s: no change of the clock", tt.zone, tt.spec, tt.fire)
			continue
		}
		if got := s.Explain(change, fire); got != tt.want {
			t.Errorf("%s %q at %s: got %q, want %q", tt.zone, tt.spec, tt.fire, got, tt.want)
		}
	}
}
