package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/control"
)

func newPlatform() *cobra.Command {
	var data, output, id string
	cmd := &cobra.Command{
		Use:   "platform [flags] COMMAND [ARGUMENT]...",
		Short: "Carry out one command line of the vendor's CLI, and record it",
		Long: `Carry out one command line of the vendor's CLI through the running daemon, recorded as
a run by hand. Nothing is executed: it becomes the request that a cron's script would
make. Options of this command stand before COMMAND, those of the CLI after it.

Exit status: 0 when the platform accepted it; with the CLI's --wait, when its activity
succeeded; else 1.`,
		Example: `  automatond platform backup:create --project shop --environment main --yes
  automatond platform environment:redeploy -e main --yes --wait`,
		Args:    cobra.MinimumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			asked, err := client.Command(cmd.Context(), control.Command{Args: args, ID: id})
			if err != nil {
				return err
			}
			enough := func(p control.Progress) bool { return ended(p) || p.Accepted }
			if asked.Wait {
				enough = ended
			}
			all, err := follow(cmd.Context(), client, asked, true, enough)
			if err != nil {
				return err
			}
			if output == "json" {
				err = writeJSON(cmd.OutOrStdout(), askedReport{asked.ID, all})
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "asked for by hand, id %s\n", asked.ID)
				writeProgress(cmd.OutOrStdout(), all)
			}
			if err == nil && !carriedOut(all, asked.Wait) {
				return &exitError{code: exitFailed}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&id, "id", "", "name this request; the same name asks once")
	dataFlag(f, &data)
	outputFlag(f, &output)
	return cmd
}

// carriedOut tells whether the CLI would exit with 0.
func carriedOut(all []control.Progress, wait bool) bool {
	if wait {
		return allSucceeded(all)
	}
	for _, p := range all {
		if !p.Accepted {
			return false
		}
	}
	return true
}
