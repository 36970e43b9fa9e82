package app

import (
	"context"
	"time"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/scheduler"
)

// idLimit is how long the id of a run by hand may be, in bytes.
const idLimit = 255

// trigger lets a cron fire now, on all its projects or one, by the way that every fire goes. What
// becomes of it stands in the ledger.
func (a *app) trigger(_ context.Context, t control.Trigger) (control.Asked, error) {
	if t.Cron == "" {
		return control.Asked{}, control.Refuse("no cron is named")
	}
	if err := a.mustKnow(t.Cron); err != nil {
		return control.Asked{}, err
	}
	j := a.job(t.Cron)
	var projects []*job.Project
	for _, p := range j.Projects {
		if t.Project == "" || p.IsCalled(t.Project) {
			projects = append(projects, p)
		}
	}
	if len(projects) == 0 {
		return control.Asked{}, control.Refuse("cron %q does not run on a project %q", t.Cron, t.Project)
	}
	return a.ask(j, projects, t.Environment, t.ID)
}

// ask hands the fires of a run by hand to the runner and says how to find them.
func (a *app) ask(j *job.Job, projects []*job.Project, environment, id string) (control.Asked, error) {
	switch {
	case id == "":
		id = ledger.NewID()
	case len(id) > idLimit:
		return control.Asked{}, control.Refuse("the id is longer than %d bytes", idLimit)
	}
	asked := control.Asked{ID: id}
	var fires []scheduler.Fire
	for _, p := range projects {
		f := scheduler.Fire{
			Job: j, Project: p, ScheduledAt: time.Now().UTC(), Manual: id, Environment: environment, RecordID: ledger.NewID(),
		}
		fires = append(fires, f)
		asked.Fires = append(asked.Fires, control.AskedFire{
			Cron: j.Name, Project: p.ID, Slot: ledger.ManualSlot(id), Record: f.RecordID,
		})
	}
	if !a.runner.Trigger(fires) {
		return control.Asked{}, control.Refuse("the daemon is stopping: ask again when it has started")
	}
	for _, f := range fires {
		a.Logger.Info().Str("cron", j.Name).Str("project", f.Project.ID).Str("environment", environment).
			Str("id", id).Msg("triggered by hand")
	}
	return asked, nil
}
