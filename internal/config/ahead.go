package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"gopkg.in/yaml.v3"
)

// planned is a cron whose coming fires are looked at.
type planned struct {
	reader
	spec *yaml.Node
	job  *job.Job
}

// note reports a finding about the spec.
func (p *planned) note(code, hint, message string) {
	r := p.reader
	r.path = "spec"
	r.report(Info, p.spec, code, hint, "%s", message)
}

// schedule is false when an H in the spec depends on a project that is not known.
func (p *planned) schedule() (cronspec.Schedule, bool) {
	return p.job.FirstSchedule(), len(p.job.Projects) > 0 || !p.job.Spec.HasHash()
}

// lookAhead reports what the time after Input.Now holds. It only informs, so it waits until
// everything else is right.
func (l *loader) lookAhead() {
	if l.in.Now.IsZero() || l.list.HasErrors() {
		return
	}
	l.reportOften()
	l.reportMoved()
	l.reportMeetings()
	l.reportEvictions()
}

// timing is what crons have in common that are told together.
type timing struct {
	spec string
	zone *time.Location
}

// alike groups crons of equal timing, in the order of the files.
func (l *loader) alike() [][]*planned {
	var groups [][]*planned
	index := map[timing]int{}
	for i := range l.planned {
		p := &l.planned[i]
		key := timing{p.job.Spec.String(), p.job.Location}
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], p)
	}
	return groups
}

// andMore says how many other crons a finding is true of.
func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; the same is true of %d more", n)
}

// everyMinute reports whether a schedule leaves out no minute of the coming day.
func (l *loader) everyMinute(s cronspec.Schedule) bool {
	return s.Count(l.in.Now, l.in.Now.Add(24*time.Hour)) == 24*60
}

// reportOften reports crons that ask the platform every minute.
func (l *loader) reportOften() {
	for _, group := range l.alike() {
		if s, ok := group[0].schedule(); ok && l.everyMinute(s) {
			group[0].note("every-minute", "write */15 * * * * for every quarter of an hour, or 0 * * * * for every hour",
				"it asks the platform every minute, 1440 times a day"+andMore(len(group)-1))
		}
	}
}

// reportMoved reports crons whose fixed time a change of the clock skips or repeats in the coming
// year.
func (l *loader) reportMoved() {
	until := l.in.Now.AddDate(1, 0, 0)
	for _, group := range l.alike() {
		s, ok := group[0].schedule()
		if !ok {
			continue
		}
		var nights []string
		seen := map[cronspec.Effect]bool{}
		for at := l.in.Now; ; {
			fire, t, ok := s.NextMoved(at, until)
			if !ok {
				break
			}
			if !seen[t.Effect] {
				nights = append(nights, night(s, fire, t))
			}
			seen[t.Effect] = true
			at = fire
		}
		if len(nights) > 0 {
			group[0].note("daylight-saving", "nothing is lost; to keep clear of such nights choose an hour from 4 on, or timezone: UTC",
				strings.Join(nights, "; ")+andMore(len(group)-1))
		}
	}
}

// night says what becomes of a fire when the clock changes.
func night(s cronspec.Schedule, fire time.Time, t cronspec.Transition) string {
	local := fire.In(s.Location())
	day := local.Format("on 2 January 2006")
	if t.Effect == cronspec.InGap {
		before := t.At.Add(-time.Second).In(s.Location()).Add(time.Second)
		return fmt.Sprintf("%s the clock goes forward from %s to %s, and it runs once, at %s", day,
			wallClock(before), local.Format("15:04"), local.Format("15:04"))
	}
	return fmt.Sprintf("%s the clock goes back, %s comes twice, and it runs the first time only", day, local.Format("15:04"))
}

// wallClock is the time on the wall at an instant by the offset that ends there.
func wallClock(t time.Time) string {
	_, offset := t.Add(-time.Second).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second).Format("15:04")
}
