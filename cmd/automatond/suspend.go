package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/control"
)

func newSuspend() *cobra.Command {
	var (
		data, output, until string
		all                 bool
		request             control.Suspend
	)
	cmd := &cobra.Command{
		Use:   "suspend CRON|--all",
		Short: "Send nothing for a cron, or for all, until it is resumed",
		Long: `Send nothing for a cron, or for any, until it is resumed or the time is over.

It holds at once, also for runs that have begun, and across restarts. What has been
sent already is followed to its end. What is due meanwhile is recorded as skipped,
and is not made up for afterwards.`,
		Example: `  automatond suspend nightly-backup --until 2h --note 'migrating the database'
  automatond suspend --all --note 'incident 17'`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if request.Cron, err = cronOrAll(args, all); err != nil {
				return err
			}
			if request.Until, err = parseUntil(until, time.Now()); err != nil {
				return err
			}
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			active, err := client.Suspend(cmd.Context(), request)
			if err != nil {
				return err
			}
			return writeSuspensions(cmd.OutOrStdout(), output, active)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "every cron, and every command line by hand")
	f.StringVar(&until, "until", "", "when it ends by itself: a time (RFC 3339) or a duration from now, such as 90m")
	f.StringVar(&request.Note, "note", "", "why, for whoever finds it suspended")
	dataFlag(f, &data)
	outputFlag(f, &output)
	return cmd
}

func newResume() *cobra.Command {
	var (
		data, output string
		all          bool
	)
	cmd := &cobra.Command{
		Use:   "resume CRON|--all",
		Short: "End a suspension",
		Long: `End the suspension of a cron, or with --all that of all.

Crons that were suspended by their own names stay so when all are resumed. Nothing
runs because of it: what was due meanwhile is not made up for.`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			cron, err := cronOrAll(args, all)
			if err != nil {
				return err
			}
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			active, err := client.Resume(cmd.Context(), cron)
			if err != nil {
				return err
			}
			if output != "json" {
				fmt.Fprintf(cmd.OutOrStdout(), "resumed: %s\n", suspended(cron))
			}
			return writeSuspensions(cmd.OutOrStdout(), output, active)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "what `suspend --all` has suspended")
	dataFlag(f, &data)
	outputFlag(f, &output)
	return cmd
}

// cronOrAll returns the cron that is named, or control.AllCrons.
func cronOrAll(args []string, all bool) (string, error) {
	switch {
	case all == (len(args) > 0):
		return "", usage(errors.New("name one cron, or give --all"))
	case all:
		return control.AllCrons, nil
	case args[0] == control.AllCrons:
		return "", usage(errors.New("the cron's name is empty"))
	}
	return args[0], nil
}

// parseUntil reads a time, or a duration from now. The empty text is no time.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usage(fmt.Errorf("%q is neither a time, such as 2026-12-24T18:00:00Z, nor a duration, such as 90m", text))
	}
	return at, nil
}

// suspended names what a suspension is of.
func suspended(cron string) string {
	if cron == control.AllCrons {
		return "all crons"
	}
	return cron
}

func writeSuspensions(w io.Writer, output string, active []control.Suspension) error {
	if output == "json" {
		return writeJSON(w, active)
	}
	for _, s := range active {
		fmt.Fprintf(w, "suspended: %s, since %s", suspended(s.Cron), s.Since.UTC().Format(time.RFC3339))
		if !s.Until.IsZero() {
			fmt.Fprintf(w, ", until %s", s.Until.UTC().Format(time.RFC3339))
		}
		if s.Note != "" {
			fmt.Fprintf(w, ": %s", s.Note)
		}
		fmt.Fprintln(w)
	}
	return nil
}
