package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/doctor"
)

func newCheck(version app.Version) *cobra.Command {
	var (
		paths        []string
		output       string
		strict, live bool
	)
	cmd := &cobra.Command{
		Use:   "check [PATH]...",
		Short: "Validate the configuration",
		Long: `Validate the configuration and report every problem with its place.

With --live it is also held against the platform as it is now, which is only read: do the
projects exist, does an environment pass each guard, are the operations and variables there, and
may the automation users do what the crons ask for. The daemon's tokens are used for that.

Exit status: 0 valid, 2 not valid, 3 valid with warnings and --strict, 77 with --live when an
API token was rejected.`,
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
			r := checkReport{Valid: cfg != nil, Diagnostics: append(config.Diagnostics{}, diagnostics...)}
			if r.Valid {
				r.crons, r.discoveries = len(cfg.Jobs), cfg.DiscoveryNames()
			}
			if r.Valid && live {
				o := app.Options{Paths: paths, Lookup: os.LookupEnv, Version: version, Logger: zerolog.Nop()}
				if err := r.compare(cmd.Context(), o); err != nil {
					return err
				}
			}
			if err := r.write(cmd.OutOrStdout(), output); err != nil {
				return err
			}
			return r.exit(strict)
		},
	}
	f := cmd.Flags()
	configFlag(f, &paths)
	outputFlag(f, &output)
	f.BoolVar(&strict, "strict", false, "exit with 3 when there are warnings")
	f.BoolVar(&live, "live", false, "hold it against the platform as it is now")
	return cmd
}

// checkReport is the machine output of check.
type checkReport struct {
	Valid       bool               `json:"valid"`
	Diagnostics config.Diagnostics `json:"diagnostics"`

	crons       int
	discoveries []string // entries whose projects are not in the files
	rejected    bool     // the platform does not accept an API token
}

// compare adds what does not fit the platform.
func (r *checkReport) compare(ctx context.Context, o app.Options) error {
	err := app.Compare(ctx, o, func(f doctor.Finding) {
		d := config.Diagnostic{Severity: config.Error, File: f.File, Line: f.Line, Column: f.Column,
			Code: "live-" + f.Check, Message: f.Message, Hint: f.Hint}
		if f.Status == doctor.Warning {
			d.Severity = config.Warning
		}
		r.Diagnostics = append(r.Diagnostics, d)
		r.rejected = r.rejected || f.Rejected
	})
	if invalid, ok := errors.AsType[*app.ConfigError](err); ok {
		r.Diagnostics, err = invalid.Diagnostics, nil // what was valid without the process's variables
	}
	r.Valid = !r.Diagnostics.HasErrors()
	return err
}

func (r *checkReport) exit(strict bool) error {
	switch {
	case r.rejected:
		return &exitError{code: exitRejected}
	case !r.Valid:
		return &exitError{code: exitInvalid}
	case strict && r.Diagnostics.Count(config.Warning) > 0:
		return &exitError{code: exitWarnings}
	}
	return nil
}

func (r *checkReport) write(w io.Writer, output string) error {
	if output == "json" {
		return writeJSON(w, r)
	}
	writeDiagnostics(w, r.Diagnostics)
	if len(r.Diagnostics) > 0 {
		fmt.Fprintln(w)
	}
	if !r.Valid {
		fmt.Fprintf(w, "not valid: %s\n", counted(r.Diagnostics.Count(config.Error), "error"))
		return nil
	}
	fmt.Fprintf(w, "valid: %s", counted(r.crons, "cron"))
	if n := r.Diagnostics.Count(config.Warning); n > 0 {
		fmt.Fprintf(w, ", %s", counted(n, "warning"))
	}
	fmt.Fprintln(w)
	if len(r.discoveries) > 0 {
		fmt.Fprintf(w, "found out at run time, and with --live: the projects of %s\n", strings.Join(r.discoveries, ", "))
	}
	return nil
}

// writeDiagnostics writes them for a person. That the standard output cannot be written is found at the end
// of every command, see standardOutput; that the standard error cannot, nobody can be told.
func writeDiagnostics(w io.Writer, diagnostics config.Diagnostics) {
	_ = diagnostics.Print(w, colored(w))
}
