package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/tasks"
)

// reportEvictions reports projects whose crons make more manual backups of an environment within a
// day than the plan keeps: the first of them would be gone in the evening. It looks a week ahead, so
// that a busy Sunday is found, on the environments that the crons' guards and scripts name.
func (l *loader) reportEvictions() {
	var t trial
	for _, p := range l.projects {
		if p.plan.manualBackups == 0 {
			continue
		}
		most := l.busiest(&t, p)
		if most.backups <= p.plan.manualBackups {
			continue
		}
		p.report(Warning, p.key, "backups-evicted", "make fewer: each further one deletes the oldest",
			"%s %d manual backups of one environment within a day, and the plan keeps %d", makes(most.crons), most.backups, p.plan.manualBackups)
	}
}

// makes names crons as those who make something.
func makes(crons []string) string {
	if len(crons) == 1 {
		return fmt.Sprintf("cron %q makes", crons[0])
	}
	return fmt.Sprintf("crons %q and %d more make", crons[0], len(crons)-1)
}

// busyDay is what is made of one environment within a day.
type busyDay struct {
	backups int
	crons   []string
}

// week is how far reportEvictions looks.
const week = 7

// maker is a cron that may make backups.
type maker struct {
	job   *job.Job
	fires [week]int // of the project, by the day from Input.Now on
}

// busiest returns the day with most backups of an environment of the entry's project, or of each that it
// stands for.
func (l *loader) busiest(t *trial, p *projectEntry) busyDay {
	var makers []maker
	branches := []string{"another"}
	for i := range l.planned {
		j := l.planned[i].job
		if !l.mayRunOn(j, p) || !mayBackUp(j) {
			continue
		}
		m := maker{job: j}
		for day := range week {
			from := l.in.Now.Add(time.Duration(day) * 24 * time.Hour)
			m.fires[day] = j.Schedule(p.project).Count(from, from.Add(24*time.Hour))
		}
		makers = append(makers, m)
		branches = append(branches, words(j)...)
	}
	var most busyDay
	for _, branch := range branches {
		for _, kind := range guard.EnvironmentTypes() {
			if found := t.busiest(makers, place{branch, kind}); found.backups > most.backups {
				most = found
			}
		}
	}
	return most
}

// mayRunOn reports whether a cron is for the entry's project, or for one that it stands for and of which
// nothing else is known.
func (l *loader) mayRunOn(j *job.Job, p *projectEntry) bool {
	if !p.discovers() {
		return slices.Contains(j.Projects, p.project)
	}
	s := l.config.selections[j]
	return s == nil || s.chooses(&member{names: []string{p.project.Alias}})
}

// busiest returns the day with most backups of one environment.
func (t *trial) busiest(makers []maker, at place) busyDay {
	var days [week]busyDay
	for _, m := range makers {
		perRun := t.backups(m.job, at)
		for day, fires := range m.fires {
			if n := perRun * fires; n > 0 {
				days[day].backups += n
				days[day].crons = append(days[day].crons, m.job.Name)
			}
		}
	}
	return slices.MaxFunc(days[:], func(a, b busyDay) int { return a.backups - b.backups })
}

func mayBackUp(j *job.Job) bool {
	return !j.Suspended && (slices.ContainsFunc(j.Tasks, isBackup) || j.Script != nil && j.Script.UsesCLI() &&
		(strings.Contains(j.Script.Source(), "backup") || strings.Contains(j.Script.Source(), "snapshot")))
}

func isBackup(t tasks.Task) bool {
	_, ok := t.(*tasks.Backup)
	return ok
}

// backups counts what one run makes of its own environment.
func (t *trial) backups(j *job.Job, at place) int {
	if !j.Guard.Admits(at.branch, at.environmentType) || t.took > trialTime {
		return 0
	}
	n := 0
	for _, task := range j.Tasks {
		if isBackup(task) {
			n++
		}
	}
	if j.Script == nil {
		return n
	}
	for _, c := range t.calls(j, at) {
		if isBackup(c.Task) && c.Project == "" && (c.Environment == "" || c.Environment == at.branch) {
			n++
		}
	}
	return n
}
