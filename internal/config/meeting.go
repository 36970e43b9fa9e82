package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
)

// Bounds of the search for crons that are due together. They keep it short for every
// configuration, and find what happens within a month among crons that do not run every few
// minutes.
const (
	meetWithin    = 32 * 24 * time.Hour
	firesPerCron  = 1000      // looked at, per cron and project
	firesInAll    = 1_000_000 // of all
	ownersPerTime = 4         // crons remembered for one minute of a project
)

// meeting is a cron that is due together with one that stands before it in the files.
type meeting struct {
	earlier, later *planned
	at             time.Time
	more           int // other crons that meet the earlier one
}

// meetings is the search for them. Each cron is told once, with the first other that it meets, and
// the crons that meet the same one are told together.
type meetings struct {
	from  time.Time
	list  []*meeting
	by    map[*planned]*meeting // by the earlier cron
	told  map[*planned]bool
	pairs map[[2]*job.Job]bool // what mayMeet found
	trial trial
	fires int // looked at
}

// reportMeetings reports crons that are due at the same minute on the same project, unless their
// guards keep them apart. A cron that runs every minute meets everything, and nothing can be done
// about that.
func (l *loader) reportMeetings() {
	perProject := map[*job.Project][]*planned{}
	for i := range l.planned {
		p := &l.planned[i]
		if s, ok := p.schedule(); !ok || l.everyMinute(s) {
			continue
		}
		for _, project := range p.job.Projects {
			perProject[project] = append(perProject[project], p)
		}
		if len(p.job.Projects) == 0 {
			perProject[nil] = append(perProject[nil], p) // the one that is not known
		}
	}
	m := &meetings{from: l.in.Now, by: map[*planned]*meeting{}, told: map[*planned]bool{}, pairs: map[[2]*job.Job]bool{}}
	for _, project := range append(slices.Clone(l.config.Projects), nil) {
		m.search(project, perProject[project])
	}
	for _, m := range m.list {
		m.later.note("due-together", "give one of them another minute, or write H for the minute",
			fmt.Sprintf("it is due together with cron %q, first %s; where both run, one waits for the other%s", m.earlier.job.Name,
				m.at.In(m.later.job.Location).Format("on Mon 2 January 2006 at 15:04 MST"), andMore(m.more)))
	}
}

// search looks at the fires of one project.
func (m *meetings) search(project *job.Project, crons []*planned) {
	if len(crons) < 2 {
		return
	}
	due := map[int64][]*planned{}
	until := m.from.Add(meetWithin)
	for _, p := range crons {
		s := p.job.FirstSchedule()
		if project != nil {
			s = p.job.Schedule(project)
		}
		at := m.from
		for range firesPerCron {
			at = s.Next(at)
			if at.IsZero() || !at.Before(until) || m.fires == firesInAll {
				break
			}
			m.fires++
			owners := due[at.Unix()]
			m.meet(owners, p, at)
			if len(owners) < ownersPerTime {
				due[at.Unix()] = append(owners, p)
			}
		}
	}
}

func (m *meetings) meet(owners []*planned, p *planned, at time.Time) {
	if m.told[p] {
		return
	}
	i := slices.IndexFunc(owners, func(other *planned) bool { return m.mayMeet(other.job, p.job) })
	if i < 0 {
		return
	}
	m.told[p] = true
	if known := m.by[owners[i]]; known != nil {
		known.more++
		return
	}
	found := &meeting{earlier: owners[i], later: p, at: at}
	m.by[owners[i]] = found
	m.list = append(m.list, found)
}

// mayMeet reports whether two crons may run on one environment.
func (m *meetings) mayMeet(a, b *job.Job) bool {
	key := [2]*job.Job{a, b}
	known, ok := m.pairs[key]
	if !ok {
		known = slices.ContainsFunc(a.Statuses(), func(s string) bool { return slices.Contains(b.Statuses(), s) }) &&
			!guard.Disjoint(&a.Guard, &b.Guard) && m.trial.meet(a, b)
		m.pairs[key] = known
	}
	return known
}
