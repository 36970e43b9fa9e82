package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/control"
)

func dataFlag(f *pflag.FlagSet, data *string) {
	f.StringVar(data, "data", "", "data directory (default $STATE_DIRECTORY, $XDG_STATE_HOME/automatond or ~/.local/state/automatond)")
}

// storeFlag is for commands that open the ledger themselves.
func storeFlag(f *pflag.FlagSet, store *string) {
	f.StringVar(store, "store", "", "postgres:// URL of the daemon's store, if it has one (default a file in the data directory)")
}

// historyOf opens the history of a daemon: that of its store, or that of its data directory.
func historyOf(ctx context.Context, client control.Client, store string) (*control.History, error) {
	return control.OpenHistory(ctx, cmp.Or(store, client.Dir))
}

// daemonOn returns the client of the daemon on a data directory.
func daemonOn(data string) (control.Client, error) {
	if data == "" {
		var err error
		if data, err = app.DefaultDataDir(os.LookupEnv); err != nil {
			return control.Client{}, usage(err)
		}
	}
	return control.Client{Dir: data}, nil
}

// claimWait is how long a command waits for the daemon to have listed the environments, unless it
// waits for the outcome.
const claimWait = 10 * time.Second

// follow waits until enough says so of every fire. Without wait it gives up after a while.
func follow(
	ctx context.Context, client control.Client, store string, asked control.Asked, wait bool, enough func(control.Progress) bool,
) ([]control.Progress, error) {
	history, err := historyOf(ctx, client, store)
	if errors.Is(err, control.ErrNoHistory) {
		return nil, fmt.Errorf("asked for, id %s; what becomes of it stands in the daemon's --store, name it here too: %w", asked.ID, err)
	}
	if err != nil {
		return nil, err
	}
	defer history.Close()
	if !wait {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, claimWait)
		defer cancel()
	}
	return history.Await(ctx, asked, enough)
}

func ended(p control.Progress) bool { return p.Outcome != "" }

func allSucceeded(all []control.Progress) bool {
	return !slices.ContainsFunc(all, func(p control.Progress) bool { return p.Outcome != "succeeded" })
}

// askedReport is the machine output of trigger and platform.
type askedReport struct {
	ID    string             `json:"id"`
	Fires []control.Progress `json:"fires"`
}

// writeAsked says what was asked for by hand and what has become of it. The heading is for people.
func writeAsked(w io.Writer, output, heading string, asked control.Asked, all []control.Progress) error {
	if output == "json" {
		return writeJSON(w, askedReport{asked.ID, all})
	}
	fmt.Fprintf(w, "%s, id %s\n", heading, asked.ID)
	writeProgress(w, all)
	return nil
}

// writeProgress says for each project what has become of a trigger.
func writeProgress(w io.Writer, all []control.Progress) {
	for _, p := range all {
		fmt.Fprintf(w, "project %s: ", p.Project)
		switch {
		case !p.Claimed:
			fmt.Fprintln(w, "its environments are still being listed")
			continue
		case p.Already:
			fmt.Fprint(w, "already asked for under this id; ")
		}
		if len(p.Runs) == 0 {
			fmt.Fprintf(w, "%s\n", outcome(p.Outcome, p.Reason, p.Message))
		} else {
			fmt.Fprintf(w, "%s\n", counted(len(p.Runs), "run"))
		}
		for _, u := range p.Runs {
			fmt.Fprintf(w, "  %s on %s: %s\n", u.ID, u.Environment, stateOf(u))
		}
		if n := notRun(p.NotRun); n != "" {
			fmt.Fprintf(w, "  not run: %s\n", n)
		}
	}
}

// outcome writes an outcome as "skipped (guard): why".
func outcome(outcome, reason, message string) string {
	text := outcome
	if reason != "" {
		text += " (" + reason + ")"
	}
	if message != "" {
		text += ": " + message
	}
	return text
}

func stateOf(r control.Record) string {
	if r.Outcome == "" {
		return r.State
	}
	return outcome(r.Outcome, r.Reason, r.Message)
}

// notRun writes counts by reason as "guard 2, overlap 1".
func notRun(counts map[string]int) string {
	var parts []string
	for reason, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", reason, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
