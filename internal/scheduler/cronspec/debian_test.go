package cronspec_test

import (
	"time"
)

// debian plays the main loop of Debian's cron, minute by minute, as its manual and its changelog
// describe it: a virtual time trails the time on the wall; a jump of the wall by less than three
// hours makes fixed crons run through the virtual minutes in between, at once and each at most
// once, and makes them wait when the wall is behind; wildcard crons go by the wall alone.
type debian struct {
	minute, hour, day, month, weekday [60]bool
	minuteStar, hourStar, dayStar     bool
	loc                               *time.Location
}

// fires returns the instants at which the cron runs within [from, to), both whole minutes.
func (d *debian) fires(from, to time.Time) []time.Time {
	const limit = 180
	var fires []time.Time
	virtual := d.wallMinute(from.Add(-12*time.Hour)) - 1
	for at := from.Add(-12 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
		wall := d.wallMinute(at)
		run := false
		switch diff := wall - virtual; {
		case diff == 1, diff >= limit, diff <= -limit:
			virtual = wall
			run = d.matches(wall)
		case diff > 0:
			run = d.wildcard() && d.matches(wall)
			for virtual < wall {
				virtual++
				run = run || !d.wildcard() && d.matches(virtual)
			}
		default:
			run = d.wildcard() && d.matches(wall)
		}
		if run && !at.Before(from) {
			fires = append(fires, at)
		}
	}
	return fires
}

func (d *debian) wildcard() bool { return d.minuteStar || d.hourStar }

// wallMinute counts minutes on the wall.
func (d *debian) wallMinute(at time.Time) int64 {
	_, offset := at.In(d.loc).Zone()
	return (at.Unix() + int64(offset)) / 60
}

func (d *debian) matches(wall int64) bool {
	t := time.Unix(wall*60, 0).UTC()
	if !d.minute[t.Minute()] || !d.hour[t.Hour()] || !d.month[t.Month()] {
		return false
	}
	day, weekday := d.day[t.Day()], d.weekday[t.Weekday()]
	if d.dayStar {
		return day && weekday
	}
	return day || weekday
}
