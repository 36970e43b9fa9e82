package doctor

import (
	"fmt"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
)

// examineCrons says which crons have nothing to do anywhere, and hands what the others would ask for
// to the projects where they would.
func (e *examination) examineCrons() {
	verdicts := make(map[*job.Job]*verdict, len(e.Config.Jobs))
	for _, s := range e.surveys {
		for _, w := range s.wishes {
			v := verdicts[w.job]
			if v == nil {
				v = &verdict{}
				verdicts[w.job] = v
			}
			v.hear(w)
			e.need(s, w)
		}
	}
	for _, j := range e.Config.Jobs {
		v := verdicts[j]
		if j.Left == nil && (v == nil || v.targets == 0) {
			for _, p := range j.Projects {
				e.byID[p.ID].vague = true
			}
		}
		switch {
		case j.Left != nil:
		case v == nil:
			if e.readAll(j) {
				e.Report(warning(CheckTargets, "", "cron %q: its projects have no environments", j.Name).at(j.Source))
			}
		case v.broken != "":
			e.Report(failed(CheckTask, "", "cron %q: %s", j.Name, v.broken).at(j.Source))
		case v.targets == 0 && e.readAll(j):
			e.Report(warning(CheckTargets, "look at its guard: automatond plan --branch shows what it asks",
				"cron %q has no environment to run for: %s", j.Name, v.refusal).at(j.Source))
		case v.targets > 0 && v.targets == v.inactive:
			e.Report(warning(CheckTargets, "activate it, or narrow the cron's guard",
				"cron %q has %s to run for, and none is active", j.Name, counted(v.targets, "environment")).at(j.Source))
		case v.targets > 0:
			e.ok(CheckTargets, "cron %q has %s to run for", j.Name, counted(v.targets, "environment"))
		}
	}
}

// verdict is what became of one cron on all its targets.
type verdict struct {
	targets  int
	inactive int    // of these, where it would run only after an activation
	broken   string // why its script fails
	refusal  string // the first reason not to run
}

func (v *verdict) hear(w wish) {
	switch {
	case w.decision.Action == plan.Dispatch:
		v.targets++
		if !w.now && w.status == "inactive" {
			v.inactive++
		}
	case w.decision.Action == plan.Error:
		v.broken = w.decision.Message
	case v.refusal == "":
		v.refusal = w.decision.Message
	}
}

// readAll reports whether everything about a cron's projects is known.
func (e *examination) readAll(j *job.Job) bool {
	for _, p := range j.Projects {
		if !e.byID[p.ID].read {
			return false
		}
	}
	return len(j.Projects) > 0
}

// need is one thing that one cron would ask for.
type need struct {
	cron string
	at   job.Position // where the cron stands
	call plan.Call
	// now says that the request could be made at this moment: the environment's status allows it, and
	// no earlier request of the same run changes what there is.
	now bool
}

// need notes what a cron would ask for at the project that it would ask.
func (e *examination) need(from *survey, w wish) {
	if w.decision.Action != plan.Dispatch {
		return
	}
	for i, call := range w.decision.Calls {
		at := e.byID[call.Project]
		if at == nil {
			at = e.named(from, call.Project)
		}
		at.needs = append(at.needs, need{w.job.Name, w.job.Source, call, w.now && i == 0})
	}
}

// named is the survey of a project that only a script names. As the daemon does, it is asked about
// with the one automation user that there is; with several nobody can say with which.
func (e *examination) named(from *survey, id string) *survey {
	s := &survey{project: &job.Project{Alias: id, ID: id}}
	if len(e.users) == 1 {
		s.user = e.users[0]
	}
	e.byID[id] = s
	e.foreign = append(e.foreign, s)
	return s
}

// counted writes how many there are of something: 1 cron, 2 crons.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
