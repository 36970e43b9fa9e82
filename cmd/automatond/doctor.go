package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/doctor"
)

// exitRejected is the exit status when the platform does not accept an API token. It is EX_NOPERM of
// sysexits.h.
const exitRejected = 77

func newDoctor(version app.Version) *cobra.Command {
	var (
		o      app.Options
		output string
		strict bool
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the installation: store, endpoints, clock, tokens, roles",
		Long: `Examine what the daemon would start with: the configuration, the store, the platform's
endpoints, the clock, each automation user's API token and account, and its role on each
environment against what the crons would ask for there.

It works beside a running daemon and changes nothing: the platform is only read.

Exit status: 0 nothing failed, 1 something failed, 2 the configuration is not valid, 3 there
are warnings and --strict, 77 an API token was rejected.`,
		Args:    cobra.NoArgs,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Lookup, o.Version, o.Logger = os.LookupEnv, version, zerolog.Nop()
			r := newReport(cmd.OutOrStdout(), output)
			err := app.Doctor(cmd.Context(), o, r.add)
			if _, ok := errors.AsType[*app.ConfigError](err); err != nil && !ok {
				return err
			}
			if err := r.finish(); err != nil {
				return err
			}
			return r.exit(err != nil, strict)
		},
	}
	f := cmd.Flags()
	configFlag(f, &o.Paths)
	dataFlag(f, &o.Data)
	storeFlag(f, &o.Store)
	outputFlag(f, &output)
	f.BoolVar(&strict, "strict", false, "exit with 3 when there are warnings")
	return cmd
}

// doctorReport writes findings as they come, or all of them at the end as JSON.
type doctorReport struct {
	w        io.Writer
	json     bool
	findings []doctor.Finding
	counts   map[doctor.Status]int
	rejected bool
}

func newReport(w io.Writer, output string) *doctorReport {
	return &doctorReport{w: w, json: output == "json", findings: []doctor.Finding{}, counts: map[doctor.Status]int{}}
}

func (r *doctorReport) add(f doctor.Finding) {
	r.findings = append(r.findings, f)
	r.counts[f.Status]++
	r.rejected = r.rejected || f.Rejected
	if r.json {
		return
	}
	fmt.Fprintf(r.w, "%s %-13s  %s%s\n", r.label(f.Status), f.Check, f.Place(), f.Message)
	if f.Hint != "" {
		fmt.Fprintf(r.w, "%24shint: %s\n", "", f.Hint)
	}
}

// label is a status in a column of its own.
func (r *doctorReport) label(s doctor.Status) string {
	label := fmt.Sprintf("%-8s", s)
	color, ok := map[doctor.Status]string{doctor.Warning: "33", doctor.Failed: "31"}[s]
	if !ok || !colored(r.w) {
		return label
	}
	return "\x1b[" + color + "m" + label + "\x1b[0m"
}

func (r *doctorReport) finish() error {
	if r.json {
		return writeJSON(r.w, r.findings)
	}
	fmt.Fprintf(r.w, "\n%d failed, %s, %d ok\n", r.counts[doctor.Failed], doctor.Count(r.counts[doctor.Warning], "warning"), r.counts[doctor.OK])
	return nil
}

// exit is how the command ends. What somebody has to look at first decides.
func (r *doctorReport) exit(invalid, strict bool) error {
	switch {
	case invalid:
		return &exitError{code: exitInvalid}
	case r.rejected:
		return &exitError{code: exitRejected}
	case r.counts[doctor.Failed] > 0:
		return &exitError{code: exitFailed}
	case strict && r.counts[doctor.Warning] > 0:
		return &exitError{code: exitWarnings}
	}
	return nil
}
