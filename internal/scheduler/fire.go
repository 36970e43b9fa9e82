package scheduler

import (
	"time"

	"github.com/automatond/automatond/internal/job"
)

// Entry is one cron on one project, as given to Load.
type Entry struct {
	Job     *job.Job
	Project *job.Project

	// Baseline is the time up to which nothing is owed, that time included. The zero value owes
	// nothing from before the load. A baseline ahead of the clock, by more than fires leave, counts as now.
	Baseline time.Time
}

// Fire is one activation of a schedule on one project.
type Fire struct {
	Job         *job.Job
	Project     *job.Project
	ScheduledAt time.Time // in UTC, whole seconds; of a trigger by hand, when it came
	Manual      string    // the id of a trigger by hand; empty for a scheduled fire
	Environment string    // the only one that a trigger by hand is for; empty for all
	RecordID    string    // of the fire's record, so that who triggered it knows its own; empty for a new one
	Missed      *Missed   // set when nothing is to run and only the record is wanted
}

// Missed is what a record stands for: all scheduled times from From to the fire's ScheduledAt,
// Count of them, came too late to run.
type Missed struct {
	From  time.Time
	Count int

	// Rest returns the first and the number of those after a time, for when others were found to be dealt
	// with up to there. It may be called from any goroutine.
	Rest func(after time.Time) (from time.Time, count int)
}
