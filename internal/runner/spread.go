package runner

import (
	"context"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
)

// dueAt is when the requests of a run may leave. Its slot and its claim are those of the scheduled time,
// so that a spread that is edited changes nothing of what has been dealt with. A run by hand is due at
// once.
func dueAt(j *job.Job, slot string, scheduled time.Time, project, environment string) time.Time {
	if ledger.IsManual(slot) {
		return scheduled
	}
	return scheduled.Add(j.Offset(project, environment))
}

// awaitTurn waits until the run is due by the clock on the wall, which may be set back meanwhile. A run that
// was claimed waits again after a restart.
func (r *Runner) awaitTurn(ctx context.Context, u *run) error {
	for {
		wait := time.Until(u.due)
		if wait <= 0 {
			return nil
		}
		if err := r.pause(ctx, wait); err != nil {
			return err
		}
	}
}
