package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
)

func newCheck() *cobra.Command {
	var (
		paths  []string
		output string
		strict bool
	)
	cmd := &cobra.Command{
		Use:     "check [PATH]...",
		Short:   "Validate the configuration",
		Long:    "Validate the configuration and report every problem with its place.\n\nExit status: 0 valid, 2 not valid, 3 valid with warnings and --strict.",
		Args:    cobra.ArbitraryArgs,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if cmd.Flags().Changed("config") {
					args = append(paths, args...)
				}
				paths = args
			}
			cfg, diagnostics := config.Load(config.Input{Paths: paths, LookupEnv: os.LookupEnv, Offline: true, Now: time.Now()})
			if err := writeCheck(cmd.OutOrStdout(), output, cfg, diagnostics); err != nil {
				return err
			}
			switch {
			case cfg == nil:
				return &exitError{code: exitInvalid}
			case strict && diagnostics.Count(config.Warning) > 0:
				return &exitError{code: exitWarnings}
			}
			return nil
		},
	}
	f := cmd.Flags()
	configFlag(f, &paths)
	outputFlag(f, &output)
	f.BoolVar(&strict, "strict", false, "exit with 3 when there are warnings")
	return cmd
}

// checkReport is the machine output of check.
type checkReport struct {
	Valid       bool               `json:"valid"`
	Diagnostics config.Diagnostics `json:"diagnostics"`
}

func writeCheck(w io.Writer, output string, cfg *config.Config, diagnostics config.Diagnostics) error {
	if output == "json" {
		if diagnostics == nil {
			diagnostics = config.Diagnostics{}
		}
		return writeJSON(w, checkReport{Valid: cfg != nil, Diagnostics: diagnostics})
	}
	writeDiagnostics(w, diagnostics)
	if len(diagnostics) > 0 {
		fmt.Fprintln(w)
	}
	if cfg == nil {
		fmt.Fprintf(w, "not valid: %s\n", count(diagnostics.Count(config.Error), "error"))
		return nil
	}
	fmt.Fprintf(w, "valid: %s", count(len(cfg.Jobs), "cron"))
	if n := diagnostics.Count(config.Warning); n > 0 {
		fmt.Fprintf(w, ", %s", count(n, "warning"))
	}
	fmt.Fprintln(w)
	return nil
}

// writeDiagnostics writes them for a person. Like every other writing to a standard stream, it has
// nobody to tell that it failed.
func writeDiagnostics(w io.Writer, diagnostics config.Diagnostics) {
	_ = diagnostics.Print(w, colored(w))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
