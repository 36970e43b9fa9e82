package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/control"
)

func newReload() *cobra.Command {
	var data, output string
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Let the running daemon read its configuration again",
		Long: `Let the running daemon read its configuration again, as SIGHUP does.

Everything is checked first. When it is not valid, all stays as it was, and the
exit status is 2. Nothing runs because of a reload.`,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			report, err := client.Reload(cmd.Context())
			var refusal *control.Refusal
			if errors.As(err, &refusal) && refusal.Diagnostics != nil {
				return refuseReload(cmd, output, refusal)
			}
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			if err := printDiagnostics(cmd.ErrOrStderr(), report.Diagnostics); err != nil {
				return err
			}
			writeReloaded(cmd.OutOrStdout(), report)
			return nil
		},
	}
	f := cmd.Flags()
	dataFlag(f, &data)
	outputFlag(f, &output)
	return cmd
}

// refuseReload shows why a configuration was not loaded.
func refuseReload(cmd *cobra.Command, output string, refusal *control.Refusal) error {
	exit := &exitError{code: exitInvalid, message: refusal.Message}
	if output == "json" {
		return errors.Join(exit, writeJSON(cmd.OutOrStdout(), refusal))
	}
	return errors.Join(exit, printDiagnostics(cmd.ErrOrStderr(), refusal.Diagnostics))
}

func printDiagnostics(w io.Writer, encoded json.RawMessage) error {
	var diagnostics config.Diagnostics
	if err := json.Unmarshal(encoded, &diagnostics); err != nil {
		return fmt.Errorf("read the daemon's diagnostics: %w", err)
	}
	writeDiagnostics(w, diagnostics)
	return nil
}

func writeReloaded(w io.Writer, r control.Reloaded) {
	fmt.Fprintf(w, "reloaded: %s\n", counted(r.Crons, "cron"))
	for _, change := range []struct {
		verb  string
		crons []string
	}{{"added", r.Added}, {"changed", r.Changed}, {"removed", r.Removed}} {
		if len(change.crons) > 0 {
			fmt.Fprintf(w, "  %s: %s\n", change.verb, strings.Join(change.crons, ", "))
		}
	}
	if r.Restart {
		fmt.Fprintln(w, "  a change of api: or shutdown_grace: takes effect at the next start")
	}
}
