package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
			r := newReport(cmd.OutOrStdout(), cmd.ErrOrStderr(), output)
			err := app.Doctor(cmd.Context(), o, r.add, r.progress.show)
			r.progress.clear()
			if _, ok := errors.AsType[*app.ConfigError](err); err != nil && !ok {
				r.writeHeld() // what was found until then
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

// doctorReport writes findings as they come, but for those of a project or an automation user, which wait for
// others that are alike; or all of them at the end as JSON.
type doctorReport struct {
	w        io.Writer
	json     bool
	progress *progress
	findings []doctor.Finding
	held     map[saying][]doctor.Finding // of one project or user each, not written yet
	order    []saying                    // of what is held, as it came
	counts   map[doctor.Status]int
	rejected bool
}

func newReport(w, stderr io.Writer, output string) *doctorReport {
	return &doctorReport{
		w: w, json: output == "json", progress: newProgress(stderr),
		findings: []doctor.Finding{}, held: map[saying][]doctor.Finding{}, counts: map[doctor.Status]int{},
	}
}

func (r *doctorReport) add(f doctor.Finding) {
	r.findings = append(r.findings, f)
	r.counts[f.Status]++
	r.rejected = r.rejected || f.Rejected
	switch {
	case r.json:
	case f.Project == "" && f.User == "":
		r.writeHeld()
		r.write(f, "")
	default:
		what := sayingOf(f)
		if r.held[what] == nil {
			r.order = append(r.order, what)
		}
		r.held[what] = append(r.held[what], f)
	}
}

// saying is what a finding says, apart from whom it says it of.
type saying struct {
	check         string
	status        doctor.Status
	message, hint string // "" when the check passed
}

func sayingOf(f doctor.Finding) saying {
	if f.Status == doctor.OK {
		return saying{check: f.Check, status: f.Status}
	}
	message := strings.Replace(f.Message, "project "+f.Project, "project", 1)
	message = strings.Replace(message, fmt.Sprintf("automation user %q", f.User), "automation user", 1)
	return saying{f.Check, f.Status, message, f.Hint}
}

// writeHeld writes what was held back: a few findings that are alike one by one, more of them as one.
func (r *doctorReport) writeHeld() {
	const few = 3
	for _, what := range r.order {
		list := r.held[what]
		if len(list) > few {
			r.write(list[0], others(list))
			continue
		}
		for _, f := range list {
			r.write(f, "")
		}
	}
	r.order = nil
	clear(r.held)
}

// others says of whom the first of findings that are alike is true too.
func others(list []doctor.Finding) string {
	noun := "projects"
	var names []string
	for _, f := range list[1:] {
		if f.Project == "" {
			noun = "automation users"
		}
		names = append(names, cmp.Or(f.Project, f.User))
	}
	if list[0].Status == doctor.OK {
		return fmt.Sprintf("; %d other %s are ok too", len(names), noun)
	}
	return "; likewise " + doctor.Enumerate(names)
}

func (r *doctorReport) write(f doctor.Finding, more string) {
	r.progress.clear()
	fmt.Fprintf(r.w, "%s %-13s  %s%s%s\n", r.label(f.Status), f.Check, f.Place(), f.Message, more)
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
	r.writeHeld()
	fmt.Fprintf(r.w, "\n%d failed, %s, %d ok\n", r.counts[doctor.Failed], counted(r.counts[doctor.Warning], "warning"), r.counts[doctor.OK])
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
