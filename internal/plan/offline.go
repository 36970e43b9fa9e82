package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// Offline describes a target by hand, for the plan command.
type Offline struct {
	Branch          string
	MachineName     string
	EnvironmentType string
	Status          string
	DefaultBranch   string
	Project         string            // alias or id; "" = every project of the cron
	Variables       map[string]string // user variables that win over the configured ones
}

// Report is the machine output of the plan command.
type Report struct {
	Crons []CronReport `json:"crons"`
}

// CronReport says what one cron would do on the described target.
type CronReport struct {
	Cron     string       `json:"cron"`
	Project  string       `json:"project,omitempty"` // as the configuration calls it, for a cron of several
	Decision Action       `json:"decision"`
	Reason   string       `json:"reason"`
	Message  string       `json:"message"`
	Calls    [][]string   `json:"calls"`
	Tasks    []TaskReport `json:"tasks"`

	// OnFailure says what follows a step that does not succeed; "" when there are no steps.
	OnFailure job.OnFailure `json:"on_failure,omitempty"`

	// Conditions are what the decision hung on, in the order in which they were asked.
	Conditions []Condition `json:"conditions"`

	// OffsetSeconds is how long after the scheduled time the first request leaves, for a cron with a spread on
	// a project that is known; nil for others.
	OffsetSeconds *int64 `json:"offset_seconds,omitempty"`
	SpreadSeconds int64  `json:"spread_seconds,omitempty"`

	File string `json:"-"` // where the conditions' lines are
}

// TaskReport is one operation the cron would ask the platform for.
type TaskReport struct {
	Kind        string     `json:"kind"`
	Project     string     `json:"project"`
	Environment string     `json:"environment"`
	Params      tasks.Task `json:"params"`
}

// Check reports a project that none of the configured ones is: the answer would be that it has no crons.
func (o Offline) Check(projects []*job.Project) error {
	called := func(p *job.Project) bool { return p.IsCalled(o.Project) }
	if o.Project == "" || len(projects) == 0 || slices.ContainsFunc(projects, called) {
		return nil
	}
	var names []string
	for _, p := range projects {
		names = append(names, cmp.Or(p.Alias, p.ID))
	}
	return fmt.Errorf("no project is called %q; known here: %s", o.Project, strings.Join(names, ", "))
}

// Remark says what is odd about the target, if anything is.
func (o Offline) Remark() string {
	if known := guard.EnvironmentTypes(); o.EnvironmentType != "" && !slices.Contains(known, o.EnvironmentType) {
		return fmt.Sprintf("environment type %q is none of %s", o.EnvironmentType, strings.Join(known, ", "))
	}
	return ""
}

// Invalid is the report of a cron that cannot be loaded.
func Invalid(cron string) CronReport {
	return CronReport{
		Cron: cron, Decision: Error, Message: "it is not valid, so the daemon would not start",
		Calls: [][]string{}, Tasks: []TaskReport{}, Conditions: []Condition{},
	}
}

// For decides every job on the described target, without asking the platform. A job that several
// projects share is reported once for each of them.
func (o Offline) For(ctx context.Context, jobs []*job.Job) Report {
	report := Report{Crons: []CronReport{}}
	for _, j := range jobs {
		for _, p := range o.Projects(j) {
			report.Crons = append(report.Crons, o.decide(ctx, j, p))
		}
	}
	return report
}

// Projects are those of the job that are meant: the named one, or all.
func (o Offline) Projects(j *job.Job) []*job.Project {
	var chosen []*job.Project
	for _, p := range j.Projects {
		if o.Project == "" || p.IsCalled(o.Project) {
			chosen = append(chosen, p)
		}
	}
	if len(j.Projects) == 0 {
		// A file without projects says nothing about where it will run; the target does.
		chosen = append(chosen, &job.Project{ID: o.Project})
	}
	return chosen
}

func (o Offline) decide(ctx context.Context, j *job.Job, p *job.Project) CronReport {
	project := *p
	project.Environment = nil // the flags describe the target, not the process's own variables
	described := *j
	described.Variables = maps.Clone(j.Variables)
	if described.Variables == nil {
		described.Variables = map[string]string{}
	}
	maps.Copy(described.Variables, o.Variables)
	target := Target{Project: &project, DefaultBranch: o.DefaultBranch, Environment: &platform.Environment{
		ID: o.Branch, Name: o.Branch, MachineName: o.MachineName, Type: o.EnvironmentType, Status: o.Status, Project: p.ID,
	}}
	r := reportOf(j, Decide(ctx, &described, target))
	if len(j.Projects) > 1 {
		r.Project = p.Alias
	}
	r.Conditions = Explain(ctx, &described, target)
	if r.SpreadSeconds = int64(j.Spread / time.Second); r.SpreadSeconds > 0 && p.ID != "" {
		offset := int64(j.Offset(p.ID, o.Branch) / time.Second)
		r.OffsetSeconds = &offset
	}
	return r
}

func reportOf(j *job.Job, d Decision) CronReport {
	r := CronReport{
		Cron: j.Name, Decision: d.Action, Reason: d.Reason, Message: d.Message,
		Calls: [][]string{}, Tasks: []TaskReport{}, File: j.Source.File,
	}
	if len(j.Tasks) > 1 {
		r.OnFailure = j.OnFailure
	}
	for _, c := range d.Calls {
		if c.Args != nil {
			r.Calls = append(r.Calls, c.Args)
		}
		r.Tasks = append(r.Tasks, TaskReport{
			Kind: c.Task.Kind().Name, Project: c.Project, Environment: c.Environment, Params: c.Task,
		})
	}
	return r
}
