package doctor

import (
	"context"
	"errors"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
)

// survey is what is known of one project.
type survey struct {
	project *job.Project
	user    *user // nil when nobody can be asked about the project

	read         bool // the following is known
	found        *platform.Project
	environments map[string]*platform.Environment // by id
	targets      []*platform.Environment          // those that crons may run for, in the platform's order
	access       *platform.Access                 // nil when it is not told

	wishes []wish // what the project's own crons would ask for, anywhere
	needs  []need // what any cron would ask for here
	vague  bool   // a cron of the project does nothing anywhere, so nobody knows what it needs
}

func (s *survey) place() job.Position { return s.project.Source }

// wish is what one cron would do on one target.
type wish struct {
	job      *job.Job
	decision plan.Decision
	now      bool   // and not only in another status of the environment
	status   string // the one it has
}

// examineProjects reads the projects and decides what each cron would do there.
func (e *examination) examineProjects(ctx context.Context) {
	jobs := map[*job.Project][]*job.Job{}
	for _, j := range e.Config.Jobs {
		for _, p := range j.Projects {
			jobs[p] = append(jobs[p], j)
		}
	}
	inOrder(e, e.surveys, func(s *survey) []Finding {
		findings := s.examine(ctx)
		if s.read {
			s.decide(ctx, jobs[s.project])
		}
		return s.own(findings)
	})
}

// own says of findings that they are the project's and its user's.
func (s *survey) own(findings []Finding) []Finding {
	for i := range findings {
		findings[i].Project = s.project.Alias
		if s.user != nil {
			findings[i].User = s.user.Name
		}
	}
	return findings
}

func (s *survey) examine(ctx context.Context) []Finding {
	if s.user == nil || s.user.account == nil {
		return nil // told with the user
	}
	name, client := s.project.Alias, s.user.client
	var err error
	if s.found, err = client.Project(ctx, s.project.ID); err != nil {
		return []Finding{s.unreadable(err)}
	}
	environments, err := client.Environments(ctx, s.project.ID)
	if err != nil {
		return []Finding{s.unreadable(err)}
	}
	s.environments = make(map[string]*platform.Environment, len(environments))
	for _, env := range environments {
		s.environments[env.ID] = env
	}
	s.targets = environments
	if here := s.project.Environment; here != nil {
		env := s.environments[here.Branch]
		if env == nil {
			return []Finding{failed(CheckProject, "correct PLATFORM_BRANCH", "project %s has no environment %q", name, here.Branch)}
		}
		s.targets = []*platform.Environment{env}
	}
	s.read = true
	findings := []Finding{passed(CheckProject, "project %s can be read, with %s", name, counted(len(environments), "environment"))}
	if s.access, err = client.Access(ctx, s.project.ID, s.user.account.ID); err != nil {
		// No more than a warning: the links tell what may be asked for.
		findings = append(findings, warning(CheckRole, "",
			"project %s: the role of automation user %q is not known: %v", name, s.user.Name, err))
	}
	return findings
}

func (s *survey) unreadable(err error) Finding {
	hint := ""
	if errors.Is(err, platform.ErrForbidden) || errors.Is(err, platform.ErrNotFound) {
		hint = "correct the project's id, or give the account " + s.user.account.Username + " access to it"
	}
	return failed(CheckProject, hint, "project %s cannot be read by automation user %q: %v", s.project.Alias, s.user.Name, err)
}

// decide finds out what crons would do on each target. Where one does nothing because of the
// environment's status, it may tomorrow: then it counts what it would do in another status.
func (s *survey) decide(ctx context.Context, jobs []*job.Job) {
	for _, j := range jobs {
		awake := *j
		awake.Suspended = false
		for _, env := range s.targets {
			s.wishes = append(s.wishes, s.wish(ctx, j, &awake, env))
		}
	}
}

func (s *survey) wish(ctx context.Context, j, awake *job.Job, env *platform.Environment) wish {
	decide := func(env *platform.Environment) plan.Decision {
		return plan.Decide(ctx, awake, plan.NewTarget(s.project, s.found.DefaultBranch, env))
	}
	now := decide(env)
	if now.Action != plan.Skip {
		return wish{j, now, true, env.Status}
	}
	for _, status := range awake.Statuses() {
		other := *env
		other.Status = status
		if d := decide(&other); d.Action == plan.Dispatch {
			return wish{j, d, false, env.Status}
		}
	}
	return wish{j, now, true, env.Status}
}
