package cronspec

import "time"

// Transition is a change of the clock on the local day of a fire.
type Transition struct {
	At     time.Time     // the instant of the change, in UTC
	Shift  time.Duration // how far the clock moves, such as 1h forward or -1h back
	Effect Effect
}

// Effect is what a Transition does to a fire.
type Effect string

// The effects of a change of the clock.
const (
	SameDay Effect = "day"  // the clock changes on that day, away from the fire
	InGap   Effect = "gap"  // the clock skips the time the spec names; the fire is at the change
	InFold  Effect = "fold" // the time on the wall comes twice
)

// Transition reports the change of the clock that falls on the local day of a fire. When there
// are several it is the one with an effect, else the last before the fire.
func (s Schedule) Transition(fire time.Time) (Transition, bool) {
	at := fire.Unix()
	if at < earliest || at > latest {
		return Transition{}, false
	}
	p := s.period(at)
	wall := at + p.offset
	var found []Transition
	if t, ok := s.beginning(p); ok && sameDay(p.begin(), wall) {
		shift := int64(t.Shift / time.Second)
		switch {
		case shift < 0 && wall < p.begin()-shift:
			t.Effect = InFold
		case at == p.start && s.fixed() && s.shift(p) > 0 && s.inGap(p, shift):
			t.Effect = InGap
		}
		found = append(found, t)
	}
	if p.end <= latest && sameDay(p.end-1+p.offset, wall) {
		next := s.period(p.end)
		if t, ok := s.beginning(next); ok {
			if wall >= next.begin() {
				t.Effect = InFold
			}
			found = append(found, t)
		}
	}
	for _, t := range found {
		if t.Effect != SameDay {
			return t, true
		}
	}
	if len(found) > 0 {
		return found[0], true
	}
	return Transition{}, false
}

// beginning describes the change of the clock at the start of a period, if there is one.
func (s Schedule) beginning(p period) (Transition, bool) {
	if p.start < earliest {
		return Transition{}, false
	}
	_, before := time.Unix(p.start-1, 0).In(s.Location()).Zone()
	shift := p.offset - int64(before)
	return Transition{instant(p.start), time.Duration(shift) * time.Second, SameDay}, shift != 0
}

func sameDay(a, b int64) bool {
	dayA, _ := floorDay(a)
	dayB, _ := floorDay(b)
	return dayA == dayB
}

// Explain says what the change of the clock means for a fire on that day, such as "clocks go forward
// 02:00→03:00: runs at 03:00". The transition is the one that Transition found for the fire.
func (s Schedule) Explain(t Transition, fire time.Time) string {
	_, offset := t.At.In(s.Location()).Zone()
	after := t.At.UTC().Add(time.Duration(offset) * time.Second) // as the clock on the wall shows it
	before := after.Add(-t.Shift)
	layout := "15:04"
	if before.YearDay() != after.YearDay() {
		layout = "Mon 15:04"
	}
	direction := "forward"
	if t.Shift < 0 {
		direction = "back"
	}
	text := "clocks go " + direction + " " + before.Format(layout) + "→" + after.Format(layout)
	at := fire.In(s.Location()).Format("15:04")
	switch {
	case t.Effect == InGap:
		return text + ": runs at " + at
	case t.Effect == InFold && s.fixed():
		return text + ": runs the first " + at + " only"
	case t.Effect == InFold:
		return text + ": runs at " + at + " both times"
	}
	return text
}
