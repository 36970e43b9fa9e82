package cronspec

import "time"

// NextMoved finds the first fire after one instant, and not after another, that a change of the
// clock moves or would double: the time that a fixed spec names is skipped that day, or comes
// twice. Crons that follow the wall clock have no such fires. It is false when there is none.
func (s Schedule) NextMoved(after, until time.Time) (time.Time, Transition, bool) {
	if !s.fixed() || after.Unix() < earliest || until.Unix() > latest {
		return time.Time{}, Transition{}, false
	}
	for p := s.period(after.Unix()); p.end <= until.Unix(); {
		next := s.period(p.end)
		shift := s.shift(next)
		t := Transition{At: instant(next.start), Shift: time.Duration(shift) * time.Second}
		switch {
		case shift > 0 && s.inGap(next, shift):
			t.Effect = InGap
			return t.At, t, true
		case shift < 0:
			from := max(p.end+shift, after.Unix()+1)
			if fire := s.Next(instant(from - 1)); !fire.IsZero() && fire.Unix() < p.end {
				t.Effect = InFold
				return fire, t, true
			}
		}
		p = next
	}
	return time.Time{}, Transition{}, false
}
