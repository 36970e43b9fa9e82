package job

// Overlap says what happens to a fire while the previous run of the same cron and environment is
// still open.
type Overlap string

// The overlap policies.
const (
	OverlapSkip  Overlap = "skip"  // the new run is skipped, reason overlap; the default
	OverlapAllow Overlap = "allow" // both go on
)

// InDoubt says what happens to a request that may or may not have executed, once no witness of it
// was found.
type InDoubt string

// The answers to a request in doubt.
const (
	InDoubtGiveUp     InDoubt = "give_up"    // outcome unknown, reason in_doubt; the default
	InDoubtRedispatch InDoubt = "redispatch" // sent once more
)

// OnFailure says whether a declared task is asked for after one before it did not succeed.
type OnFailure string

// The answers to a step that did not succeed.
const (
	OnFailureStop     OnFailure = "stop"     // nothing more is asked for; the default
	OnFailureContinue OnFailure = "continue" // the next step is asked for
)

// CatchUp says what happens to fires that were due while no daemon ran.
type CatchUp string

// The catch-up policies.
const (
	CatchUpLatest CatchUp = "latest" // the latest one runs, within its start deadline; the default
	CatchUpNone   CatchUp = "none"   // all are recorded as missed
)
