package cronspec

import "strings"

// Warning is something in a valid spec that is rarely meant. Offset and Length are as in Error.
type Warning struct {
	Code    string // "both-day-fields", "every-minute" or "hash-step-one"
	Field   string
	Offset  int
	Length  int
	Message string
	Hint    string
}

// Warnings lists what a careful reader would ask about, in the order of the fields.
func (s *Spec) Warnings() []Warning {
	words := split(s.expr)
	if len(words) != len(s.fields) {
		return nil // a descriptor
	}
	var found []Warning
	warn := func(k position, code, message, hint string) {
		found = append(found, Warning{code, positions[k].name, words[k].offset, len(words[k].text), message, hint})
	}
	if s.everyMinute(words[hour].text) {
		warn(minute, "every-minute", "runs every minute of the chosen hours",
			"write 0 or H as the minute for one run an hour")
	}
	for k := range s.fields {
		for text := range strings.SplitSeq(words[k].text, ",") {
			if strings.HasPrefix(text, "H") && strings.HasSuffix(text, "/1") {
				warn(position(k), "hash-step-one", text+" chooses one value, as H does", "write * for every value")
			}
		}
	}
	if s.BothDayFields() {
		warn(weekday, "both-day-fields", "runs when the day of month or the day of week matches, not only when both do",
			"leave one of the two *, or make two crons of it to say so plainly")
	}
	return found
}

// BothDayFields reports whether day of month and day of week are both restricted, so that either
// of them is enough to fire.
func (s *Spec) BothDayFields() bool { return !s.fields[dayOfMonth].star && !s.fields[weekday].star }

// everyMinute recognises * 5 * * * and * */6 * * *, whose authors wanted one run. A plain range,
// such as * 9-17 * * *, looks deliberate.
func (s *Spec) everyMinute(hours string) bool {
	m, h := &s.fields[minute], &s.fields[hour]
	if !m.star || m.values != positions[minute].all() || h.values == positions[hour].all() {
		return false
	}
	return len(h.picks) > 0 || strings.Contains(hours, "/") || !strings.Contains(hours, "-")
}
