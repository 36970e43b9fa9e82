package ledger

import (
	"encoding/json"
	"time"
)

// DispatchState is how far one request has come.
type DispatchState string

const (
	DispatchClaimed     DispatchState = "claimed"     // to be sent; certainly not sent, or sent without effect
	DispatchDispatching DispatchState = "dispatching" // may have left
	DispatchInDoubt     DispatchState = "in_doubt"    // its answer was lost; the witness is asked
	DispatchTracking    DispatchState = "tracking"    // accepted; its activities are followed
	DispatchDone        DispatchState = "done"        // it has an outcome
)

// Dispatch is one request of a run.
type Dispatch struct {
	RunID       string
	Ordinal     int // from 0, in the order of the run's calls
	State       DispatchState
	Kind        string          // the task's name
	Params      json.RawMessage // the task's parameters; kept byte for byte
	Project     string          // where it goes, which may differ from the run's
	Environment string
	// Dedupe is the key by which the runs of one slot ask for an operation once between them:
	// a hash over cron, slot, effective project and environment, request and occurrence. It
	// decides among the runs of one slot. Empty when the run's own key says as much already, and when
	// the dispatch ended as another's duplicate.
	Dedupe      string
	Attempts    int       // how often an intent to send was written
	SentAt      time.Time // of the last intent; zero before the first
	SettleAt    time.Time // when the absence of a trace may be believed
	AnsweredAt  time.Time // of the answer to what left at SentAt; zero without one
	StatusCode  int       // of the last answer; zero without one
	Outcome     Outcome
	Reason      Reason
	Message     string
	ExitStatus  int // what the call returns to its script
	Activities  []Activity
	CommandLine []string // as the script wrote it; nil for declared tasks

	Earlier []Attempt // attempts before this one, the oldest first; what stands above is this one's
	RetryAt time.Time // when this attempt was due; zero for the first
}

// Activity is the platform's record of asynchronous work, as far as the ledger needs it. Project
// and ID together belong to one dispatch. The ledger knows to which as long as a run is open that was
// claimed before the activity was recorded: no other can have asked for it.
type Activity struct {
	ID      string `json:"id"`
	Project string `json:"project"`
	Type    string `json:"type"`
	State   string `json:"state"`
	Result  string `json:"result,omitempty"`
}

// BeginResult says what became of a dispatch that was to be begun.
type BeginResult struct {
	Dispatch  Dispatch // as it stands in the ledger
	Duplicate bool     // another run of the slot asks for the same; the row ended as skipped
	Replayed  bool     // the row existed before, from an earlier process
}

// Result is what became of a dispatch.
type Result struct {
	RunID       string
	Ordinal     int
	Owner       string
	AnsweredAt  time.Time // zero keeps the recorded one
	StatusCode  int
	Activities  []Activity // with state tracking, its own from now on; see Record. Nil keeps what is recorded
	State       DispatchState
	Outcome     Outcome
	Reason      Reason
	Message     string
	ExitStatus  int
	SettleAt    time.Time // zero keeps the recorded one
	RunTracking bool      // it is the run's last dispatch: the run is tracking from now on
}
