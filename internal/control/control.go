// Package control is how the command line talks to the daemon that runs: HTTP with JSON over a unix
// socket in the data directory, which only the daemon's own user may open.
//
// Server and Client carry requests and answers; what a request does is the daemon's business, which
// passes a function for each. What became of a run is not asked over the socket: History reads it
// in the ledger, whether a daemon runs or not, as do BackUpLedger and CheckLedger. Why both sides are
// here is said in docs/adr/0013-one-package-behind-the-commands.md.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// AllCrons stands for every cron in Suspend and Resume.
const AllCrons = ledger.AllCrons

// Trigger asks for a cron by hand.
type Trigger struct {
	Cron        string `json:"cron"`
	Project     string `json:"project,omitempty"`     // alias or id; "" for all the cron's projects
	Environment string `json:"environment,omitempty"` // "" for all it exists on
	ID          string `json:"id,omitempty"`          // the same id asks once; "" for a new one
}

// Command asks for one command line of the vendor's CLI.
type Command struct {
	Args []string `json:"args"` // without the program's name
	ID   string   `json:"id,omitempty"`
}

// Asked says where the ledger has, or will soon have, what became of a trigger or a command.
type Asked struct {
	ID    string      `json:"id"`
	Fires []AskedFire `json:"fires"`
	Wait  bool        `json:"wait,omitempty"` // the command line says --wait
}

// AskedFire is the key of a fire, and the id that its record has if this request made it. A record
// with another id was made by an earlier request.
type AskedFire struct {
	Cron    string `json:"cron"`
	Project string `json:"project"`
	Slot    string `json:"slot"`
	Record  string `json:"record"`
}

// Suspend asks for nothing to be sent for a cron any more.
type Suspend struct {
	Cron  string    `json:"cron"` // or AllCrons
	Until time.Time `json:"until,omitzero"`
	Note  string    `json:"note,omitempty"`
}

// Resume ends a suspension.
type Resume struct {
	Cron string `json:"cron"` // or AllCrons
}

// Suspension is one in force, as the command line shows it.
type Suspension struct {
	Cron  string    `json:"cron"` // "" with All
	All   bool      `json:"all"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
	Note  string    `json:"note,omitempty"`
}

func suspensionsOf(list []ledger.Suspension) []Suspension {
	shown := make([]Suspension, len(list))
	for i, v := range list {
		shown[i] = Suspension{v.Cron, v.Cron == ledger.AllCrons, v.Since, v.Until, v.Note}
	}
	return shown
}

// Resolve closes a run by hand that is in doubt.
type Resolve struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"` // succeeded or failed
	By      string `json:"by"`      // the name of the user of the operating system
	Note    string `json:"note,omitempty"`
}

// Resolved says what has become of the run.
type Resolved struct {
	Run      Record `json:"run"`
	Requests int    `json:"requests"` // that were in doubt
}

// Resolution is who closed a run by hand, and why.
type Resolution struct {
	Outcome string    `json:"outcome"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Note    string    `json:"note,omitempty"`
}

// With closes the run by a function of the daemon's, or of the ledger itself. The error is a *Refusal
// when there is no such run, or nothing of it is in doubt.
func (r Resolve) With(
	ctx context.Context, resolve func(context.Context, ledger.Resolution) (ledger.Resolved, error),
) (Resolved, error) {
	res, err := resolve(ctx, ledger.Resolution{
		RunID: r.ID, Outcome: ledger.Outcome(r.Outcome), By: r.By, Note: r.Note, At: time.Now().UTC(),
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return Resolved{}, Refuse("the ledger has no run %s", r.ID)
	case errors.Is(err, ledger.ErrNotInDoubt):
		return Resolved{}, Refuse("%v; nothing was changed", err)
	case err != nil:
		return Resolved{}, err
	}
	return Resolved{ofRun(res.Run), res.Requests}, nil
}

// Reloaded says what a reload has changed.
type Reloaded struct {
	Crons       int             `json:"crons"`
	Added       []string        `json:"added"`
	Changed     []string        `json:"changed"`
	Removed     []string        `json:"removed"`
	Restart     bool            `json:"restart_needed"` // a setting changed that is read at the start only
	Diagnostics json.RawMessage `json:"diagnostics"`    // as check gives them
}

// Refusal is an answer of the daemon that says no. It is an error of the request, not of the daemon.
type Refusal struct {
	Message     string          `json:"error"`
	Diagnostics json.RawMessage `json:"diagnostics,omitempty"` // of a configuration that is not valid
	Misused     bool            `json:"misused,omitempty"`     // the command line is wrong, whatever the daemon knows
}

func (r *Refusal) Error() string { return r.Message }

// Refuse makes a Refusal.
func Refuse(format string, args ...any) error { return &Refusal{Message: fmt.Sprintf(format, args...)} }

// Misuse makes a Refusal of a command line that is wrong in itself.
func Misuse(format string, args ...any) error {
	return &Refusal{Message: fmt.Sprintf(format, args...), Misused: true}
}
