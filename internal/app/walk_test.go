package app

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// walk finds the times of a cron the slow way, minute by minute, and shares no code with package
// cronspec, which it judges. It knows numbers, lists, ranges, steps and *; no names and no H.
//
// Each of the specs is in force from a time on; "" is none. Fires are after the first of these times
// and not after the end.
func walk(zone *time.Location, specs []since, end time.Time) []time.Time {
	var due []time.Time
	// It begins before all that a clock may be repeating, and is given no spec until then.
	at := specs[0].at.UTC().Truncate(time.Minute).Add(-3 * time.Hour)
	seen := onWall(at.Add(-time.Minute).In(zone)) // the latest time that the wall has shown
	n, spec := -1, fieldsOf("")
	for ; !at.After(end); at = at.Add(time.Minute) {
		for n+1 < len(specs) && specs[n+1].at.Before(at) {
			n++
			spec = fieldsOf(specs[n].spec)
		}
		wall, before := onWall(at.In(zone)), seen
		repeated := !wall.After(before)
		if !repeated {
			seen = wall
		}
		if spec.open[0] || spec.open[1] {
			if spec.name(wall) {
				due = append(due, at)
			}
			continue
		}
		// What the clock skipped runs at the end of the gap; of what it repeats, the first time counts.
		for w := before.Add(time.Minute); !repeated && !w.After(wall); w = w.Add(time.Minute) {
			if n >= 0 && spec.name(w) {
				due = append(due, at)
				break
			}
		}
	}
	return due
}

// since is a spec that is in force from a time on.
type since struct {
	at   time.Time
	spec string
}

// onWall is what a clock on the wall shows, as a time that can be calculated with.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// fields are what a spec allows: minutes, hours, days of the month, months, days of the week.
type fields struct {
	allowed [5][60]bool
	open    [5]bool // the field begins with *
}

func fieldsOf(spec string) *fields {
	var f fields
	for i, text := range strings.Fields(spec) {
		f.open[i] = strings.HasPrefix(text, "*")
		for _, part := range strings.Split(text, ",") {
			part, step, _ := strings.Cut(part, "/")
			from, to, isRange := strings.Cut(part, "-")
			first, last := number(from), number(to)
			switch {
			case part == "*":
				first, last = 0, 59
			case !isRange:
				last = first
			}
			for n := first; n <= last; n += max(number(step), 1) {
				f.allowed[i][n] = true
			}
		}
	}
	return &f
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// name reports whether the spec names a time on the wall. Of the day of the month and of the week one
// is enough, unless one begins with *.
func (f *fields) name(wall time.Time) bool {
	day, weekday := f.allowed[2][wall.Day()], f.allowed[4][wall.Weekday()]
	either := !f.open[2] && !f.open[4]
	return f.allowed[0][wall.Minute()] && f.allowed[1][wall.Hour()] && f.allowed[3][wall.Month()] &&
		(day && weekday || either && (day || weekday))
}

// TestWalk_FindsKnownTimes holds the walk itself against times that were worked out by hand: the
// clocks of Paris went forward at 01:00 UTC on 26 March 2000, and back on 29 October.
func TestWalk_FindsKnownTimes(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		spec, from, to string
		want           string // in UTC
	}{
		{"30 2 * * *", "2000-03-25T00:00", "2000-03-27T12:00", "25 01:30, 26 01:00, 27 00:30"},
		{"30 2 * * *", "2000-10-28T00:00", "2000-10-30T12:00", "28 00:30, 29 00:30, 30 01:30"},
		{"30 2 * * *", "2000-10-29T01:10", "2000-10-29T03:00", ""}, // repeated when it begins
		{"30 * * * *", "2000-03-26T00:00", "2000-03-26T02:00", "26 00:30, 26 01:30"},
		{"*/30 2 * * *", "2000-10-29T00:00", "2000-10-29T03:00", "29 00:30, 29 01:00, 29 01:30"},
		{"0 0 1 * 1", "2000-05-01T12:00", "2000-05-09T00:00", "07 22:00"},
		{"0 12 * 2 *", "2000-02-28T00:00", "2000-03-02T00:00", "28 11:00, 29 11:00"},
	} {
		from, _ := time.Parse("2006-01-02T15:04", tt.from)
		to, _ := time.Parse("2006-01-02T15:04", tt.to)
		var got []string
		for _, at := range walk(paris, []since{{from, tt.spec}}, to) {
			got = append(got, at.UTC().Format("02 15:04"))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s from %s: %q, want %s", tt.spec, tt.from, got, tt.want)
		}
	}
}
