package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
)

func newImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE...",
		Short: "Write the crons of the vendor's files as declared ones",
		Long: `Write the crons of .platform.app.yaml, .platform/applications.yaml or .upsun/config.yaml, or of a
file of automatond's own, with their scripts as guards, tasks and steps. A script that cannot be declared
exactly is kept, with a comment that says why; a cron that is not valid is left out, and the exit status is 2. The new file goes to the standard output, what became
of each cron to the standard error.`,
		Example: `  automatond import .platform.app.yaml > automatond.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			imported, diagnostics, err := config.Import(args)
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			var faulty error
			if diagnostics.HasErrors() {
				faulty = invalid(cmd.ErrOrStderr(), diagnostics)
			}
			if imported == nil {
				return faulty
			}
			writeImported(cmd.ErrOrStderr(), imported.Crons)
			_, err = cmd.OutOrStdout().Write(imported.YAML)
			return cmp.Or(err, faulty)
		},
	}
}

// writeImported says what became of each cron, and what to do next.
func writeImported(w io.Writer, crons []config.ImportedCron) {
	for _, c := range crons {
		fmt.Fprintf(w, "%s: %s", c.Name, c.Fate)
		if c.Note != "" {
			fmt.Fprintf(w, ": %s", c.Note)
		}
		fmt.Fprintln(w)
	}
}
