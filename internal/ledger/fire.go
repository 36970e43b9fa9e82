package ledger

import (
	"strings"
	"time"
)

// Fire is the record of one activation of a cron on a project. Every scheduled time is covered by
// exactly one.
type Fire struct {
	ID      string // from NewID; Claim sets it when it is empty
	Cron    string
	Project string // the platform's project id
	// Slot is the fire's key beside cron and project: the scheduled time as RFC 3339 in UTC with
	// whole seconds, or "manual:" and an id.
	Slot        string
	ScheduledAt time.Time
	ClaimedAt   time.Time // set by Claim
	Owner       string    // the replica that claimed it
	Outcome     Outcome   // "" while a run is open; else the worst of its runs
	Reason      Reason
	Message     string
	Targets     int            // environments that were judged
	NotRun      map[Reason]int // environments without a run, counted by reason
	MissedFrom  time.Time      // first of the times that a missed record covers; zero for others
	MissedCount int            // how many times a missed record covers, ScheduledAt being the last; zero for others
}

// Manual reports whether the fire was triggered by hand. Such a fire never moves a baseline.
func (f *Fire) Manual() bool { return IsManual(f.Slot) }

const manualPrefix = "manual:"

// ManualSlot is the slot of a fire that was triggered by hand under an id.
func ManualSlot(id string) string { return manualPrefix + id }

// IsManual reports whether a slot is that of a fire that was triggered by hand.
func IsManual(slot string) bool { return strings.HasPrefix(slot, manualPrefix) }

// slotAt is the slot of a scheduled time. Slots sort as their times do, and before manual ones.
func slotAt(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Claim is a fire to be claimed together with the runs that follow from it.
type Claim struct {
	Fire Fire
	Runs []Run
	// Ahead means that the scheduled time is still to come. What is open then may be over by that time,
	// so nothing of the claim is written while an open run excludes one of its own.
	Ahead bool

	// Rest, of a fire that stands for missed times, returns the first and the number of those after a time
	// that another claim has dealt with. Nil is none.
	Rest func(after time.Time) (from time.Time, count int)
}

// Claimed says what became of a Claim.
type Claimed struct {
	Owned      bool     // the fire is this owner's; else nothing was written: it had been claimed, or is Excluded
	Excluded   bool     // an open run excludes one of a claim ahead of its time, which may be made again then
	Fire       Fire     // as it stands in the ledger; as it was given when not owned
	Runs       []Run    // inserted, in the order given
	Overlapped []string // environments without a run because an exclusive one is still open
	Displaced  []Run    // ended, because one of Runs takes the place of its retry; whoever owned them
}
