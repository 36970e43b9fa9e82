package runner

import (
	"slices"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
)

// revoked returns how work of a cron ends because nothing may be sent for it any more: it was
// suspended, or it has left the configuration since it was due. A cron that was merely edited goes
// on with what it had begun.
func (r *Runner) revoked(j *job.Job, project string, due time.Time) *verdict {
	if j == nil {
		return gone(whatLeft(nil, project))
	}
	if j.Args == nil {
		now := r.Job(j.Name)
		if now != j && projectOf(now, project) == nil {
			return gone(whatLeft(now, project))
		}
		if now.Suspended {
			return &verdict{ledger.Skipped, ledger.Suspended, "the cron is suspended in the configuration"}
		}
	}
	if r.Suspended == nil {
		return nil
	}
	if why := r.Suspended(j.Name, due); why != "" {
		return &verdict{ledger.Skipped, ledger.Suspended, why}
	}
	return nil
}

// whatLeft says what became of a run's cron, as it is configured now, so that the run does not go on.
func whatLeft(now *job.Job, project string) string {
	switch {
	case now == nil:
		return "its cron left the configuration"
	case projectOf(now, project) == nil:
		return "its project is not one of its cron's any more"
	default:
		return "its cron changed"
	}
}

func gone(what string) *verdict {
	return &verdict{ledger.Canceled, ledger.NotFound, what + " before it was sent"}
}

// projectOf finds one of a cron's projects by its id. A cron that is nil has none.
func projectOf(j *job.Job, id string) *job.Project {
	if j == nil {
		return nil
	}
	i := slices.IndexFunc(j.Projects, func(p *job.Project) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return j.Projects[i]
}
