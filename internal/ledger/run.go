package ledger

import (
	"encoding/json"
	"time"
)

// RunState is how far a run has come.
type RunState string

const (
	RunClaimed  RunState = "claimed"  // written; nothing was asked for. Begin moves it on
	RunRunning  RunState = "running"  // its calls are being made. Record or Track moves it on
	RunTracking RunState = "tracking" // all calls are made; activities are followed. Finish ends it
	RunDone     RunState = "done"     // it has an outcome
)

// Run is all that follows from one fire on one environment, until an outcome.
type Run struct {
	ID            string // from NewID; Claim sets it when it is empty
	FireID        string
	Cron          string
	Project       string // the platform's project id
	Environment   string
	Slot          string // the fire's
	ScheduledAt   time.Time
	StartDeadline time.Time // the first dispatch must not leave later
	Deadline      time.Time // no dispatch may leave later, and no activity is followed longer
	ClaimedAt     time.Time // set by Claim
	FinishedAt    time.Time // zero while open
	State         RunState
	Outcome       Outcome
	Reason        Reason
	Message       string
	Owner         string // the replica that may act on it
	// Exclusive means that the cron's overlap policy is skip: no second exclusive run of this
	// cron opens on this environment until this one is done.
	Exclusive bool
	Snapshot  json.RawMessage // what a script was judged on, for its replay; kept byte for byte

	// First is the run's first dispatch, if it is to be written with the claim. With its SentAt and
	// SettleAt the intent to send it is too: its request may leave when the run is among those that
	// Claim returns. Without them it is in state claimed. It needs no Dedupe. Queries leave it nil.
	First *Dispatch
}

// OpenRun is a run that is not done, with what is known of its dispatches, in their order.
type OpenRun struct {
	Run
	Dispatches []Dispatch
}

// Finish ends a run.
type Finish struct {
	RunID      string
	Owner      string
	Outcome    Outcome
	Reason     Reason
	Message    string
	At         time.Time
	Dispatches []Result // dispatches that end together with the run
}

// Finished says what the end of a run meant for its fire.
type Finished struct {
	FireDone bool    // it was the fire's last open run
	Outcome  Outcome // the fire's, when FireDone
	Reason   Reason
}
