package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/control"
)

func newResolve() *cobra.Command {
	var data, store, output, note string
	cmd := &cobra.Command{
		Use:   "resolve ID succeeded|failed",
		Short: "Close a run by hand of which it is not known what has become",
		Long: `Close a run by hand that is in doubt, or ended as unknown because of it, after looking
at the platform what has become of it. Who says so, when and why is recorded with the
run. Nothing is sent because of it.

The daemon that runs on the data directory does it; without one, this command does.`,
		Example: `  automatond runs --in-doubt
  automatond runs resolve cl2n4t8s5v6a0b1c2d3e succeeded --note 'the backup is there'`,
		Args:    cobra.ExactArgs(2),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := control.Resolve{ID: args[0], Outcome: args[1], By: whoami(), Note: note}
			if request.Outcome != "succeeded" && request.Outcome != "failed" {
				return usage(fmt.Errorf("a run is closed as succeeded or failed, not as %q", request.Outcome))
			}
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			resolved, err := client.Resolve(cmd.Context(), request)
			if errors.Is(err, control.ErrNoDaemon) {
				resolved, err = resolveAside(cmd, client.Dir, store, request)
			}
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(cmd.OutOrStdout(), resolved)
			}
			r := resolved.Run
			fmt.Fprintf(cmd.OutOrStdout(), "%s on %s: %s\n", r.ID, r.Environment, stateOf(r))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&note, "note", "", "what was found, for whoever reads the record")
	dataFlag(f, &data)
	storeFlag(f, &store)
	outputFlag(f, &output)
	return cmd
}

// resolveAside closes a run where no daemon runs. It makes no ledger where there is none.
func resolveAside(cmd *cobra.Command, dir, store string, request control.Resolve) (control.Resolved, error) {
	if _, err := os.Stat(control.LedgerFile(dir)); err != nil && store == "" {
		return control.Resolved{}, noLedger(dir)
	}
	logger, err := newLogger(cmd.ErrOrStderr(), "console", "warn")
	if err != nil {
		return control.Resolved{}, err
	}
	ledger := app.Options{Data: dir, Store: store, Logger: logger}
	return app.Resolve(context.WithoutCancel(cmd.Context()), ledger, request)
}

// whoami is the name of the process's user. A container may have no list of names.
func whoami() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}
