package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/control"
)

func newLedger() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Back up the ledger, or check it",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLedgerBackup(), newLedgerCheck())
	return cmd
}

func newLedgerBackup() *cobra.Command {
	var data, output string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the ledger, whether or not a daemon runs",
		Long: `Write a copy of the data directory's ledger, as of one moment, whether or not a daemon
runs there. To restore it, stop the daemon and put the copy in the place of ledger.db,
with ledger.db-wal and ledger.db-shm moved away.

A file that is there already is not overwritten.`,
		Example: `  automatond ledger backup /backup/ledger-$(date +%F).db`,
		Args:    cobra.ExactArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			size, err := control.BackUpLedger(cmd.Context(), control.LedgerFile(client.Dir), args[0])
			if errors.Is(err, control.ErrNoHistory) {
				return noLedgerFile(control.LedgerFile(client.Dir))
			}
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(cmd.OutOrStdout(), backupReport{args[0], size})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s, %d bytes\n", args[0], size)
			return nil
		},
	}
	dataFlag(cmd.Flags(), &data)
	outputFlag(cmd.Flags(), &output)
	return cmd
}

// backupReport is the machine output of ledger backup.
type backupReport struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func newLedgerCheck() *cobra.Command {
	var data, output string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say whether the ledger, or a copy of it, is sound",
		Long: `Read the data directory's ledger, or a copy of one, from end to end, and hold its rows
against each other. It changes nothing and works beside a daemon.

Exit status: 0 when it is sound, 1 when it is damaged, or newer than this automatond.`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			file := control.LedgerFile(client.Dir)
			if len(args) > 0 {
				file = args[0]
			}
			health, err := control.CheckLedger(cmd.Context(), file)
			if errors.Is(err, control.ErrNoHistory) {
				return noLedgerFile(file)
			}
			if err != nil {
				return err
			}
			if err := writeHealth(cmd.OutOrStdout(), output, health); err != nil {
				return err
			}
			if !health.Sound {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	dataFlag(cmd.Flags(), &data)
	outputFlag(cmd.Flags(), &output)
	return cmd
}

func noLedgerFile(file string) error {
	return fmt.Errorf("there is no ledger %s: name the daemon's data directory with --data "+
		"(PostgreSQL's own tools copy and check a ledger that is in its database)", file)
}

func writeHealth(w io.Writer, output string, h control.Health) error {
	if output == "json" {
		return writeJSON(w, h)
	}
	if h.Sound {
		fmt.Fprintf(w, "%s is sound\n", h.File)
		return nil
	}
	fmt.Fprintf(w, "%s is not sound:\n", h.File)
	for _, problem := range h.Problems {
		fmt.Fprintf(w, "  %s\n", problem)
	}
	if h.Remedy != "" {
		fmt.Fprintf(w, "The file was left as it is. What to do: %s.\n", h.Remedy)
	}
	return nil
}
