package ledger

import "slices"

// Outcome is how a fire, a run or a dispatch ended. It is empty while that is open.
type Outcome string

const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Canceled  Outcome = "canceled"
	Skipped   Outcome = "skipped"
	Missed    Outcome = "missed"
	Unknown   Outcome = "unknown"
)

// fromBest are all outcomes, from the best to the worst.
var fromBest = []Outcome{Succeeded, Skipped, Missed, Canceled, Unknown, Failed}

// severity orders outcomes. Zero is an outcome that is still open.
func (o Outcome) severity() int { return slices.Index(fromBest, o) + 1 }

// benign is the greatest severity that is not kept longer than the normal retention.
const benign = 2

// Worse reports whether a is a worse end than b: failed, unknown, canceled, missed, skipped,
// succeeded, from the worst to the best. Any outcome is worse than none.
func Worse(a, b Outcome) bool {
	return a.severity() > b.severity()
}

// Reason explains an outcome. The set is closed; a plain success has none.
type Reason string

const (
	Guard            Reason = "guard"
	Overlap          Reason = "overlap"
	Duplicate        Reason = "duplicate"
	Deadline         Reason = "deadline"
	Suspended        Reason = "suspended"
	NoTarget         Reason = "no_target"
	Inactive         Reason = "inactive"
	Dirty            Reason = "dirty"
	Forbidden        Reason = "forbidden"
	NotFound         Reason = "not_found"
	Script           Reason = "script"
	APIError         Reason = "api_error"
	Auth             Reason = "auth"
	Timeout          Reason = "timeout"
	ActivityFailed   Reason = "activity_failed"
	ActivityCanceled Reason = "activity_canceled"
	Staged           Reason = "staged"
	InDoubt          Reason = "in_doubt"
	Observe          Reason = "observe"
)

// Pair is a valid combination of outcome and reason, in words for people.
type Pair struct {
	Outcome Outcome
	Reason  Reason
	Meaning string // what happened, as a sentence
	Remedy  string // what to do about it, as a sentence; empty when nothing needs doing
}

// Pairs lists every valid combination of outcome and reason, in a stable order.
func Pairs() []Pair {
	return []Pair{
		{Succeeded, "", "The platform did what was asked.", ""},

		{Skipped, Guard, "A guard, or the script's own condition, said no.",
			"Nothing, if that was meant; `automatond plan` shows each condition and what it saw."},
		{Skipped, Overlap, "The previous run of this cron on this environment was still going, or a backup had been made already.",
			"Run the cron less often, or set `overlap: allow`."},
		{Skipped, Duplicate, "Another run of the same fire had asked for the same operation.",
			"Nothing; a script that names its environment needs to exist on one environment only."},
		{Skipped, Suspended, "The cron is suspended.", "Resume it when its work is wanted again."},
		{Skipped, NoTarget, "The project has no environment this cron applies to.",
			"Check the project's environments and the cron's tasks, or remove the cron."},
		{Skipped, Inactive, "The environment is in a status in which the task has nothing to do.",
			"Nothing, or narrow the guard with `only: {status: ...}`."},
		{Skipped, Observe, "The daemon only observes, so nothing was sent.", "Start it without --observe."},

		{Missed, Deadline, "The start deadline had passed before the request could leave.",
			"Find out what held it up (the daemon was down, a project answered slowly), or raise `start_deadline`."},
		{Missed, Dirty, "Another activity kept the environment busy until the start deadline had passed.",
			"Move the cron to a quieter time, or raise `start_deadline`."},

		{Failed, Forbidden, "The automation user may not do this on this environment.",
			"Give it the role that the task needs."},
		{Failed, NotFound, "The project, the environment or what the task names in it does not exist, or the automation user cannot see it.",
			"Correct the name, or give the automation user access."},
		{Failed, Inactive, "The environment is in a status in which the task cannot work.",
			"Activate or resume it, or narrow the guard."},
		{Failed, Script, "The script is in error, or made another call than its record has.",
			"Read the message, correct the script, and try it with `automatond plan`."},
		{Failed, APIError, "The platform refused the request, or could not be reached in time.",
			"Read the message; look at the platform's status page."},
		{Failed, Auth, "The API token was rejected, or no automation user is configured for the project.",
			"Put a valid API token in place; it is read again without a restart."},
		{Failed, InDoubt, "The answer to a request was lost, and somebody found that it did not do its work.",
			"Do by hand what is missing."},
		{Failed, Timeout, "The run took longer than its `timeout`.",
			"Look at the activity in the platform's console, or raise `timeout`."},
		{Failed, ActivityFailed, "The platform accepted the request and its activity failed.",
			"Read the activity's log in the platform's console."},

		{Canceled, ActivityCanceled, "Somebody cancelled the activity.", "Ask who and why; nothing is repeated."},
		{Canceled, NotFound, "The cron, or its project, left the configuration before its run could go on, or the ledger was adopted by another environment.", "Nothing, if that was meant."},

		{Unknown, InDoubt, "The answer to a request was lost and no trace of it was found; it was not repeated.",
			"Look at the environment's activities; do by hand what is missing."},
		{Unknown, Staged, "The platform holds the work back until somebody deploys staged changes.",
			"Deploy them, or turn the manual deployment type off."},
		{Unknown, NotFound, "The activity vanished before its end was seen.",
			"Look at the environment's state; do by hand what is missing."},
	}
}

// Valid reports whether the combination is one of Pairs.
func Valid(o Outcome, r Reason) bool {
	return slices.ContainsFunc(Pairs(), func(p Pair) bool { return p.Outcome == o && p.Reason == r })
}
