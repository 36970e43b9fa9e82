package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

// upcoming is one cron's coming fires: the machine output of next.
type upcoming struct {
	Cron     string      `json:"cron"`
	Spec     string      `json:"spec"`
	Timezone string      `json:"timezone"`
	Times    []time.Time `json:"times"`

	schedule cronspec.Schedule
}

func newNext() *cobra.Command {
	var (
		paths                     []string
		output                    string
		cron, spec, zone, afterAt string
		n                         int
	)
	cmd := &cobra.Command{
		Use:   "next",
		Short: "Show when crons fire next",
		Example: `  automatond next --config automatond.yaml
  automatond next --spec '0 5 * * 1-5' --timezone Europe/Paris --count 10`,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if spec != "" && cron != "" {
				return usage(errors.New("--spec and --cron exclude each other"))
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
			list, err := schedules(cmd.ErrOrStderr(), paths, cron, spec, zone)
			if err != nil {
				return err
			}
			for i := range list {
				list[i].fill(after, n)
			}
			if output == "json" {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			writeNext(cmd.OutOrStdout(), list, after)
			return nil
		},
	}
	f := cmd.Flags()
	configFlag(f, &paths)
	outputFlag(f, &output)
	f.StringVar(&cron, "cron", "", "only this cron")
	f.StringVar(&spec, "spec", "", "a spec to try, instead of the configuration")
	f.StringVar(&zone, "timezone", "UTC", "time zone of --spec")
	f.StringVar(&afterAt, "after", "", "look from this time on (RFC 3339; default now)")
	f.IntVarP(&n, "count", "n", 5, "how many fires of each cron")
	return cmd
}

// schedules are the ones of the configuration, or the one given on the command line.
func schedules(messages io.Writer, paths []string, cron, spec, zone string) ([]upcoming, error) {
	if spec != "" {
		location, err := cronspec.LoadZone(zone)
		if err != nil {
			return nil, usage(err)
		}
		parsed, err := cronspec.Parse(spec)
		if err != nil {
			return nil, usage(fmt.Errorf("--spec %q: %w", spec, err))
		}
		schedule := parsed.Schedule("", location)
		return []upcoming{{Spec: spec, Timezone: location.String(), schedule: schedule}}, nil
	}
	cfg, diagnostics := config.Load(config.Input{Paths: paths, LookupEnv: os.LookupEnv, Offline: true})
	if cfg == nil {
		writeDiagnostics(messages, diagnostics)
		return nil, &exitError{code: exitInvalid, message: "the configuration is not valid"}
	}
	list := []upcoming{}
	for _, j := range cfg.Jobs {
		if j.Left != nil || cron != "" && j.Name != cron {
			continue
		}
		// H is fixed per project; the first one stands for all.
		list = append(list, upcoming{
			Cron: j.Name, Spec: j.Spec.String(), Timezone: j.Location.String(), schedule: j.FirstSchedule(),
		})
	}
	if cron != "" && len(list) == 0 {
		return nil, usage(errors.New("no cron is named " + cron))
	}
	return list, nil
}

func (u *upcoming) fill(after time.Time, n int) {
	at := after
	for range n {
		at = u.schedule.Next(at)
		if at.IsZero() {
			return
		}
		u.Times = append(u.Times, at.In(u.schedule.Location()))
	}
}

func writeNext(w io.Writer, list []upcoming, after time.Time) {
	for i, u := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if u.Cron != "" {
			fmt.Fprintf(w, "%s: ", u.Cron)
		}
		fmt.Fprintf(w, "%s (%s)\n", u.Spec, u.Timezone)
		for _, at := range u.Times {
			line := at.Format("Mon 2006-01-02 15:04:05 MST")
			if u.Timezone != "UTC" {
				line += "   " + at.UTC().Format("2006-01-02 15:04:05 UTC")
			}
			fmt.Fprintf(w, "  %s   in %s\n", line, at.Sub(after).Round(time.Second))
		}
	}
}
