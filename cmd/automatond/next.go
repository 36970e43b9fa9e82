package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

// upcoming is one cron's coming fires: the machine output of next.
type upcoming struct {
	Cron     string      `json:"cron"`
	Spec     string      `json:"spec"`
	Timezone string      `json:"timezone"`
	Times    []time.Time `json:"times"`

	// SpreadSeconds is over how long the requests of a fire are spread, and OffsetSeconds when within it those of
	// the one target leave, where there is only one.
	SpreadSeconds int64  `json:"spread_seconds,omitempty"`
	OffsetSeconds *int64 `json:"offset_seconds,omitempty"`

	schedule cronspec.Schedule
	words    string
	hashed   string // what the H of the spec was resolved with; "" without one
}

func newNext() *cobra.Command {
	var (
		paths               []string
		output              string
		cron, project       string
		spec, zone, afterAt string
		n                   int
	)
	cmd := &cobra.Command{
		Use:   "next",
		Short: "Show when crons fire next",
		Example: `  automatond next --config automatond.yaml
  automatond next --spec '0 5 * * 1-5' --timezone Europe/Paris --count 10`,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch flags := cmd.Flags(); {
			case spec != "" && cron != "":
				return usage(errors.New("--spec and --cron exclude each other"))
			case spec != "" && project != "":
				return usage(errors.New("--spec and --project exclude each other"))
			case spec == "" && flags.Changed("spec"):
				return usage(errors.New("--spec is empty"))
			case spec == "" && flags.Changed("timezone"):
				return usage(errors.New("--timezone is that of --spec, which is not given; a cron's is in the configuration"))
			}
			after := time.Now()
			if afterAt != "" {
				var err error
				if after, err = time.Parse(time.RFC3339, afterAt); err != nil {
					return usage(fmt.Errorf("--after is a time such as 2026-03-29T00:00:00Z, not %q", afterAt))
				}
			}
			if n < 1 || n > 10000 {
				return usage(fmt.Errorf("--count is between 1 and 10000, not %d", n))
			}
			var (
				list []upcoming
				err  error
			)
			if spec != "" {
				list, err = trial(spec, zone)
			} else {
				list, err = schedules(cmd.ErrOrStderr(), paths, cron, project)
			}
			if list == nil {
				return err
			}
			for i := range list {
				list[i].fill(after, n)
			}
			if output == "json" {
				return cmp.Or(writeJSON(cmd.OutOrStdout(), list), err)
			}
			writeNext(cmd.OutOrStdout(), list, after)
			return err
		},
	}
	f := cmd.Flags()
	configFlag(f, &paths)
	outputFlag(f, &output)
	f.StringVar(&cron, "cron", "", "only this cron")
	f.StringVarP(&project, "project", "p", "", "only on this project, by alias or id, on which an H depends")
	f.StringVar(&spec, "spec", "", "a spec to try, instead of the configuration")
	f.StringVar(&zone, "timezone", "UTC", "time zone of --spec")
	f.StringVar(&afterAt, "after", "", "look from this time on (RFC 3339; default now)")
	f.IntVarP(&n, "count", "n", 5, "how many fires of each cron")
	return cmd
}

// trial is a schedule that is given on the command line.
func trial(spec, zone string) ([]upcoming, error) {
	location, err := cronspec.LoadZone(zone)
	if err != nil {
		return nil, usage(err)
	}
	parsed, err := cronspec.Parse(spec)
	if e, ok := errors.AsType[*cronspec.Error](err); ok && e.Hint != "" {
		return nil, usage(fmt.Errorf("--%w; %s", err, e.Hint))
	}
	if err != nil {
		return nil, usage(fmt.Errorf("--%w", err))
	}
	u := upcoming{Spec: spec, Timezone: location.String(), schedule: parsed.Schedule("", location)}
	u.words = parsed.Describe(u.schedule)
	if parsed.HasHash() {
		u.hashed = "is an example here: it depends on the project and the cron"
	}
	return []upcoming{u}, nil
}

// schedules are those of the configuration: of one cron and on one project, or of all. Beside those of a
// configuration in which other crons are not valid there is an error.
func schedules(messages io.Writer, paths []string, cron, project string) ([]upcoming, error) {
	cfg, faulty := loadOffline(messages, paths)
	if cfg == nil {
		return nil, faulty
	}
	target, whole := plan.Offline{Project: project}, cfg
	if len(cfg.Discoveries) > 0 && project != "" {
		cfg = asIfFound(cfg, project)
	}
	if err := target.Check(cfg.Projects); err != nil {
		return nil, usage(err)
	}
	list := []upcoming{}
	for _, j := range cfg.Jobs {
		on := target.Projects(j)
		if j.Left != nil || cron != "" && j.Name != cron || len(on) == 0 {
			continue
		}
		// H is fixed per project; the first one stands for all.
		u := upcoming{Cron: j.Name, Spec: j.Spec.String(), Timezone: j.Location.String(), schedule: j.Schedule(on[0])}
		u.words = j.Spec.Describe(u.schedule)
		u.SpreadSeconds = int64(j.Spread / time.Second)
		if offset, ok := j.OnlyOffset(); ok {
			n := int64(offset / time.Second)
			u.OffsetSeconds = &n
		}
		name := cmp.Or(on[0].Alias, on[0].ID)
		switch {
		case !j.Spec.HasHash():
		case name == "" && len(cfg.Discoveries) > 0:
			u.hashed = "depends on the project, and which there are is found out at run time"
		case name == "":
			u.hashed = "depends on the project: name it with --project"
		case len(on) == 1:
			u.hashed = "as on project " + name
		default:
			u.hashed = fmt.Sprintf("as on project %s, the first of %d", name, len(on))
		}
		list = append(list, u)
	}
	switch {
	case cron == "" || len(list) > 0:
		return list, faulty
	case slices.Contains(cfg.LeftOut, cron):
		return nil, faulty
	}
	return nil, usage(noCron(cron, project, whole))
}

// noCron says which cron somebody may have meant: with several applications, its name is behind the
// application's, and not every cron is for every project.
func noCron(name, project string, cfg *config.Config) error {
	var behind []string
	for _, j := range cfg.Jobs {
		switch {
		case j.Left != nil && j.Name == name:
			return fmt.Errorf("cron %s is left to the application's container, so it never fires here", name)
		case j.Name == name:
			return fmt.Errorf("cron %s is not for project %s", name, project)
		case j.Left == nil && strings.HasSuffix(j.Name, ":"+name):
			behind = append(behind, j.Name)
		}
	}
	if len(behind) == 0 {
		return errors.New("no cron is named " + name)
	}
	return fmt.Errorf("no cron is named %s; did you mean %s?", name, strings.Join(behind, " or "))
}

func (u *upcoming) fill(after time.Time, n int) {
	u.Times = []time.Time{}
	at := after
	for range n {
		at = u.schedule.Next(at)
		if at.IsZero() {
			return
		}
		u.Times = append(u.Times, at.In(u.schedule.Location()))
	}
}

// writeNext shows each cron in a block that fits into 80 columns.
func writeNext(w io.Writer, list []upcoming, after time.Time) {
	for i := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		list[i].write(w, after)
	}
}

func (u *upcoming) write(w io.Writer, after time.Time) {
	if u.Cron != "" {
		fmt.Fprintf(w, "%s: ", u.Cron)
	}
	fmt.Fprintf(w, "%s (%s)\n", u.Spec, u.Timezone)
	writeRow(w, "means", wrapped(u.words)...)
	writeRow(w, "normalised", u.schedule.String())
	if u.hashed != "" {
		writeRow(w, "", "H "+u.hashed)
	}
	writeRow(w, "next", u.fires(after)...)
	switch {
	case u.OffsetSeconds != nil:
		writeRow(w, "spread", fmt.Sprintf("its requests leave %s later, within %s", seconds(*u.OffsetSeconds), seconds(u.SpreadSeconds)))
	case u.SpreadSeconds > 0:
		writeRow(w, "spread", fmt.Sprintf("each target has an offset within %s; plan shows it", seconds(u.SpreadSeconds)))
	}
}

// fires has a line for each fire, and below the first that a change of the clock touches, or that
// comes after it on the same day, what the change does.
func (u *upcoming) fires(after time.Time) []string {
	if len(u.Times) == 0 {
		return []string{"never"}
	}
	width := 0
	local := make([]string, len(u.Times))
	for i, at := range u.Times {
		local[i] = at.Format("Mon 2006-01-02 15:04 MST")
		width = max(width, len(local[i]))
	}
	var lines []string
	var told time.Time // the change of the clock that was mentioned last
	for i, at := range u.Times {
		line := fmt.Sprintf("%-*s", width, local[i])
		if u.Timezone != "UTC" {
			line += at.UTC().Format("   2006-01-02 15:04 UTC")
		}
		lines = append(lines, line+"   in "+spell(at.Sub(after)))
		change, ok := u.schedule.Transition(at)
		if ok && !change.At.Equal(told) && (change.Effect != cronspec.SameDay || !at.Before(change.At)) {
			lines = append(lines, "    "+u.schedule.Explain(change, at))
			told = change.At
		}
	}
	return lines
}

const rowIndent = 14

// writeRow writes lines beneath each other, with a label beside the first.
func writeRow(w io.Writer, label string, lines ...string) {
	for _, line := range lines {
		fmt.Fprintf(w, "  %-*s%s\n", rowIndent-2, label, line)
		label = ""
	}
}

// wrapped breaks a text into lines that fit beside a row's label.
func wrapped(text string) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && rowIndent+len(line)+1+len(word) > 80 {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// spell writes a duration by its two largest units, such as 3h 12min.
func spell(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	units := []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	var parts []string
	for _, u := range units {
		if n := d / u.unit; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.unit
		} else if len(parts) > 0 {
			break // 1d 0h 5min is 1d
		}
	}
	return strings.Join(parts[:min(len(parts), 2)], " ")
}
