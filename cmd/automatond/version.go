package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
)

func newVersion(version app.Version) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "json" {
				return writeJSON(cmd.OutOrStdout(), version)
			}
			line := "automatond " + version.Version
			if version.Revision != "" {
				line += " (" + version.Revision
				if version.Modified {
					line += ", modified"
				}
				line += ")"
			}
			fmt.Fprintln(cmd.OutOrStdout(), line, version.Go, version.Platform)
			return nil
		},
	}
	outputFlag(cmd.Flags(), &output)
	return cmd
}
