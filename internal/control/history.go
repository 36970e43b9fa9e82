package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// ErrNoHistory means that the data directory has no ledger.
var ErrNoHistory = errors.New("there is no ledger")

// ErrNotFound means that the ledger has nothing of that id.
var ErrNotFound = ledger.ErrNotFound

// History reads what happened in the ledger of a data directory, whether or not a daemon runs there.
type History struct {
	ledger *ledger.Reader
}

// OpenHistory opens the history. Without a ledger the error is ErrNoHistory.
func OpenHistory(ctx context.Context, dir string) (*History, error) {
	reader, err := ledger.OpenReader(ctx, dir)
	if err != nil {
		return nil, noHistory(err)
	}
	return &History{reader}, nil
}

// Close ends the reading.
func (h *History) Close() error { return h.ledger.Close() }

// Filter narrows the history. Empty fields are not asked.
type Filter struct {
	Cron        string
	Project     string // platform project id
	Environment string
	Outcome     string
	Reason      string
	Since       time.Time
	InDoubt     bool // only runs with a request that is, or remained, in doubt
	Limit       int
}

// Check reports an outcome or a reason that nothing ever has.
func (f Filter) Check() error {
	var outcomes, reasons []string
	for _, p := range ledger.Pairs() {
		outcomes, reasons = append(outcomes, string(p.Outcome)), append(reasons, string(p.Reason))
	}
	for _, given := range []struct {
		what, value string
		known       []string
	}{{"outcome", f.Outcome, outcomes}, {"reason", f.Reason, reasons}} {
		if given.value == "" || slices.Contains(given.known, given.value) {
			continue
		}
		slices.Sort(given.known)
		known := slices.DeleteFunc(slices.Compact(given.known), func(s string) bool { return s == "" })
		return fmt.Errorf("%q is no %s: there is %s", given.value, given.what, strings.Join(known, ", "))
	}
	return nil
}

// Record is one line of the history: a run, or a fire that led to no run.
type Record struct {
	ID          string    `json:"id"`
	Cron        string    `json:"cron"` // "" for a command line by hand
	Project     string    `json:"project"`
	Environment string    `json:"environment"` // "" for a fire without a run
	ScheduledAt time.Time `json:"scheduled_at"`
	Manual      string    `json:"manual,omitempty"` // the id under which it was asked for by hand
	State       string    `json:"state"`
	Outcome     string    `json:"outcome"` // "" while it is open
	Reason      string    `json:"reason"`
	Message     string    `json:"message"`
	FinishedAt  time.Time `json:"finished_at,omitzero"`
	MissedCount int       `json:"missed_count,omitempty"` // scheduled times that this one record stands for
}

// List returns the newest records first.
func (h *History) List(ctx context.Context, f Filter) ([]Record, error) {
	query := ledger.Filter{
		Cron: f.Cron, Project: f.Project, Environment: f.Environment, Outcome: ledger.Outcome(f.Outcome),
		Reason: ledger.Reason(f.Reason), Since: f.Since, InDoubt: f.InDoubt, WithoutRun: true, Limit: f.Limit,
	}
	runs, err := h.ledger.Runs(ctx, query)
	if err != nil {
		return nil, err
	}
	records := make([]Record, 0, len(runs))
	for _, u := range runs {
		records = append(records, ofRun(u))
	}
	if f.Environment == "" && !f.InDoubt {
		fires, err := h.ledger.Fires(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, fire := range fires {
			records = append(records, ofFire(fire))
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int { return b.ScheduledAt.Compare(a.ScheduledAt) })
	return records[:min(len(records), f.Limit)], nil
}

func ofRun(u ledger.Run) Record {
	return Record{
		ID: u.ID, Cron: u.Cron, Project: u.Project, Environment: u.Environment, ScheduledAt: u.ScheduledAt,
		Manual: manualID(u.Slot), State: string(u.State), Outcome: string(u.Outcome), Reason: string(u.Reason),
		Message: u.Message, FinishedAt: u.FinishedAt,
	}
}

func ofFire(f ledger.Fire) Record {
	state := ledger.RunDone
	if f.Outcome == "" {
		state = ledger.RunRunning
	}
	return Record{
		ID: f.ID, Cron: f.Cron, Project: f.Project, ScheduledAt: f.ScheduledAt, Manual: manualID(f.Slot),
		State: string(state), Outcome: string(f.Outcome), Reason: string(f.Reason), Message: f.Message,
		MissedCount: f.MissedCount,
	}
}

func manualID(slot string) string {
	id, ok := strings.CutPrefix(slot, ledger.ManualSlot(""))
	if !ok {
		return ""
	}
	return id
}

// Detail is all that is known of a run, or of a fire.
type Detail struct {
	Record
	Slot          string         `json:"slot"`
	ClaimedAt     time.Time      `json:"claimed_at"`
	StartDeadline time.Time      `json:"start_deadline,omitzero"` // of a run
	Deadline      time.Time      `json:"deadline,omitzero"`       // of a run
	Targets       int            `json:"targets"`                 // environments that the fire was judged on
	NotRun        map[string]int `json:"not_run"`                 // those of them without a run, by reason
	MissedFrom    time.Time      `json:"missed_from,omitzero"`
	Meaning       string         `json:"meaning"` // of outcome and reason, as a sentence
	Remedy        string         `json:"remedy"`
	Resolution    *Resolution    `json:"resolution,omitempty"` // of a run that was closed by hand
	Dispatches    []Dispatch     `json:"dispatches"`           // of a run
	Runs          []Record       `json:"runs"`                 // of a fire
}

// Dispatch is one request of a run.
type Dispatch struct {
	Task        string            `json:"task"`
	Params      json.RawMessage   `json:"params,omitempty"`
	CommandLine []string          `json:"command_line,omitempty"`
	Project     string            `json:"project"`
	Environment string            `json:"environment"`
	State       string            `json:"state"`
	Attempts    int               `json:"attempts"`
	SentAt      time.Time         `json:"sent_at,omitzero"`
	Delay       float64           `json:"delay_seconds,omitempty"` // from the run's scheduled time to SentAt
	AnsweredAt  time.Time         `json:"answered_at,omitzero"`    // zero without an answer to what left at SentAt
	StatusCode  int               `json:"status_code,omitempty"`
	Outcome     string            `json:"outcome"`
	Reason      string            `json:"reason"`
	Message     string            `json:"message"`
	ExitStatus  int               `json:"exit_status"`
	Activities  []ledger.Activity `json:"activities"`
	RetryAt     time.Time         `json:"retry_at,omitzero"` // when this attempt was due, after those in Earlier
	Earlier     []ledger.Attempt  `json:"earlier_attempts"`  // what came of those before, the oldest first
}

// Show returns a run or a fire by its id. The error is ErrNotFound when there is neither.
func (h *History) Show(ctx context.Context, id string) (*Detail, error) {
	run, dispatches, err := h.ledger.Run(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return h.showFire(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	fire, err := h.ledger.Fire(ctx, run.Cron, run.Project, run.Slot)
	if err != nil {
		return nil, err
	}
	d := detailOf(ofRun(*run), fire)
	d.StartDeadline, d.Deadline = run.StartDeadline, run.Deadline
	resolution, err := h.ledger.Resolution(ctx, id)
	switch {
	case err == nil:
		d.Resolution = &Resolution{string(resolution.Outcome), resolution.By, resolution.At, resolution.Note}
	case !errors.Is(err, ledger.ErrNotFound):
		return nil, err
	}
	for _, row := range dispatches {
		request := ofDispatch(row)
		if !row.SentAt.IsZero() {
			request.Delay = row.SentAt.Sub(run.ScheduledAt).Seconds()
		}
		d.Dispatches = append(d.Dispatches, request)
	}
	return d, nil
}

func (h *History) showFire(ctx context.Context, id string) (*Detail, error) {
	fire, err := h.ledger.FireByID(ctx, id)
	if err != nil {
		return nil, err
	}
	d := detailOf(ofFire(fire), fire)
	if d.Runs, err = h.runsOf(ctx, fire); err != nil {
		return nil, err
	}
	return d, nil
}

// manyRuns is more than a fire has environments.
const manyRuns = 1 << 20

func (h *History) runsOf(ctx context.Context, fire ledger.Fire) ([]Record, error) {
	runs, err := h.ledger.Runs(ctx, ledger.Filter{FireID: fire.ID, Limit: manyRuns})
	records := make([]Record, len(runs))
	for i, u := range runs {
		records[i] = ofRun(u)
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Environment, b.Environment) })
	return records, err
}

func detailOf(r Record, fire ledger.Fire) *Detail {
	d := &Detail{
		Record: r, Slot: fire.Slot, ClaimedAt: fire.ClaimedAt, Targets: fire.Targets, NotRun: countsOf(fire.NotRun),
		MissedFrom: fire.MissedFrom, Dispatches: []Dispatch{}, Runs: []Record{},
	}
	for _, p := range ledger.Pairs() {
		if string(p.Outcome) == r.Outcome && string(p.Reason) == r.Reason {
			d.Meaning, d.Remedy = p.Meaning, p.Remedy
		}
	}
	return d
}

// countsOf is never nil, so that JSON shows it as {}.
func countsOf(notRun map[ledger.Reason]int) map[string]int {
	counts := make(map[string]int, len(notRun))
	for reason, n := range notRun {
		counts[string(reason)] = n
	}
	return counts
}

func ofDispatch(row ledger.Dispatch) Dispatch {
	activities := row.Activities
	if activities == nil {
		activities = []ledger.Activity{}
	}
	earlier := row.Earlier
	if earlier == nil {
		earlier = []ledger.Attempt{}
	}
	return Dispatch{
		Task: row.Kind, Params: row.Params, CommandLine: row.CommandLine, Project: row.Project,
		Environment: row.Environment, State: string(row.State), Attempts: row.Attempts, SentAt: row.SentAt,
		AnsweredAt: row.AnsweredAt, StatusCode: row.StatusCode, Outcome: string(row.Outcome), Reason: string(row.Reason), Message: row.Message,
		ExitStatus: row.ExitStatus, Activities: activities, RetryAt: row.RetryAt, Earlier: earlier,
	}
}
