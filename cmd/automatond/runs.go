package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/control"
)

func newRuns() *cobra.Command {
	var (
		data, store, output, since string
		paths                      []string
		filter                     control.Filter
	)
	cmd := &cobra.Command{
		Use:   "runs [ID]",
		Short: "Show what ran, what did not, and why",
		Long: `Show the newest runs, and the scheduled times that led to none, or one of them in full.

It reads the ledger of the data directory, or that of --store, whether or not a daemon runs there.`,
		Example: `  automatond runs --cron nightly-backup --since 24h
  automatond runs --outcome failed -o json
  automatond runs cl2n4t8s5v6a0b1c2d3e`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if filter.Since, err = parseSince(since, time.Now()); err != nil {
				return err
			}
			if filter.Limit < 1 {
				return usage(errors.New("--limit is at least 1"))
			}
			if err := filter.Check(); err != nil {
				return usage(err)
			}
			names, err := namesOfProjects(cmd, paths)
			if err != nil {
				return err
			}
			filter.Project = names.id(filter.Project)
			history, err := openHistory(cmd.Context(), data, store)
			if err != nil {
				return err
			}
			defer history.Close()
			if len(args) > 0 {
				return showRun(cmd.Context(), cmd.OutOrStdout(), output, history, args[0])
			}
			return listRuns(cmd, output, history, filter, names)
		},
	}
	cmd.AddCommand(newResolve())
	f := cmd.Flags()
	f.StringVar(&filter.Cron, "cron", "", "only this cron")
	f.StringVarP(&filter.Project, "project", "p", "", "only this project, by its id, or by its alias in --config")
	f.StringVarP(&filter.Environment, "environment", "e", "", "only this environment")
	f.StringVar(&filter.Outcome, "outcome", "", "only this outcome: succeeded, failed, canceled, skipped, missed or unknown")
	f.StringVar(&filter.Reason, "reason", "", "only this reason, such as guard")
	f.StringVar(&since, "since", "", "only what was scheduled since then: a time (RFC 3339) or a duration back from now, such as 24h")
	f.BoolVar(&filter.InDoubt, "in-doubt", false, "only runs with a request that is, or remained, in doubt, and was not closed by hand")
	f.IntVarP(&filter.Limit, "limit", "n", 20, "at most so many, the newest")
	configFlag(f, &paths)
	dataFlag(f, &data)
	storeFlag(f, &store)
	outputFlag(f, &output)
	return cmd
}

// openHistory opens the history of a store, or of a data directory.
func openHistory(ctx context.Context, data, store string) (*control.History, error) {
	client, err := daemonOn(data)
	if err != nil {
		return nil, err
	}
	history, err := historyOf(ctx, client, store)
	if errors.Is(err, control.ErrNoHistory) && store == "" {
		err = noLedger(client.Dir)
	}
	return history, err
}

func noLedger(dir string) error {
	return fmt.Errorf("there is no ledger in %s: name the daemon's data directory with --data, or its database with --store", dir)
}

// projectNames are the aliases of projects by their ids. The history also has projects that are not
// configured any more, or not on this machine; those go by their ids.
type projectNames map[string]string

// namesOfProjects reads the aliases from the configuration. That need not be there, unless it is named.
func namesOfProjects(cmd *cobra.Command, paths []string) (projectNames, error) {
	given := cmd.Flags().Changed("config")
	messages := io.Discard
	if given {
		messages = cmd.ErrOrStderr()
	}
	cfg, err := loadOffline(messages, paths)
	switch {
	case cfg == nil && given:
		return nil, err
	case cfg == nil:
		return nil, nil
	}
	names := projectNames{}
	for _, p := range cfg.Projects {
		names[p.ID] = p.Alias
	}
	return names, nil
}

func (names projectNames) alias(id string) string { return cmp.Or(names[id], id) }

func (names projectNames) id(alias string) string {
	for id, name := range names {
		if name == alias {
			return id
		}
	}
	return alias
}

// parseSince reads a time, or a duration back from now. The empty text is no time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	return parseUntil(text, now)
}

func listRuns(cmd *cobra.Command, output string, history *control.History, f control.Filter, names projectNames) error {
	records, err := history.List(cmd.Context(), f)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "note: no run matches")
	}
	w := cmd.OutOrStdout()
	if output == "json" {
		return writeJSON(w, records)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSCHEDULED\tCRON\tPROJECT\tENVIRONMENT\tOUTCOME\tREASON\tTOOK")
	for _, r := range records {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.ScheduledAt.Format(time.DateTime), cronName(r),
			names.alias(r.Project), cmp.Or(r.Environment, "-"), cmp.Or(r.Outcome, r.State), cmp.Or(r.Reason, "-"), took(r))
	}
	return table.Flush()
}

func cronName(r control.Record) string { return cmp.Or(r.Cron, "(command line)") }

// took is the time from the scheduled time to the outcome.
func took(r control.Record) string {
	if r.FinishedAt.IsZero() {
		return "-"
	}
	return r.FinishedAt.Sub(r.ScheduledAt).Round(100 * time.Millisecond).String()
}

func showRun(ctx context.Context, w io.Writer, output string, history *control.History, id string) error {
	detail, err := history.Show(ctx, id)
	if errors.Is(err, control.ErrNotFound) {
		return fmt.Errorf("the ledger has no run %s", id)
	}
	if err != nil {
		return err
	}
	if output == "json" {
		return writeJSON(w, detail)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeDetail(table, detail)
	return table.Flush()
}

func writeDetail(w io.Writer, d *control.Detail) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("id", d.ID)
	line("cron", cronName(d.Record))
	line("project", d.Project)
	line("environment", d.Environment)
	line("scheduled", moment(d.ScheduledAt))
	line("by hand", d.Manual)
	line("claimed", moment(d.ClaimedAt))
	line("finished", moment(d.FinishedAt))
	line("state", d.State)
	line("outcome", d.Outcome)
	line("reason", d.Reason)
	line("message", d.Message)
	if r := d.Resolution; r != nil {
		line("closed", fmt.Sprintf("%s by %s: %s", moment(r.At), r.By, cmp.Or(r.Note, r.Outcome)))
	}
	line("meaning", d.Meaning)
	line("what to do", d.Remedy)
	if d.MissedCount > 0 {
		line("stands for", fmt.Sprintf("%s from %s on", counted(d.MissedCount, "scheduled time"), moment(d.MissedFrom)))
	}
	line("not run", notRun(d.NotRun))
	for i, request := range d.Dispatches {
		writeRequest(line, fmt.Sprintf("request %d", i+1), request)
	}
	for _, r := range d.Runs {
		line("run", fmt.Sprintf("%s on %s: %s", r.ID, r.Environment, stateOf(r)))
	}
}

func writeRequest(line func(name, value string), name string, r control.Dispatch) {
	line(name, fmt.Sprintf("%s on %s of %s", r.Task, r.Environment, r.Project))
	line("  parameters", string(r.Params))
	line("  command line", strings.Join(r.CommandLine, " "))
	for i, a := range r.Earlier {
		line(fmt.Sprintf("  attempt %d", i+1), outcome(string(a.Outcome), string(a.Reason), a.Message))
		line("    sent", moment(a.SentAt))
		line("    answer", answer(a.StatusCode, a.SentAt, a.AnsweredAt))
		line("    ended", moment(a.EndedAt))
		for _, a := range a.Activities {
			line("    activity", strings.TrimSpace(a.ID+" "+a.Type+" "+a.State+" "+a.Result))
		}
	}
	line("  retry at", moment(r.RetryAt))
	if !r.SentAt.IsZero() {
		delay := time.Duration(r.Delay * float64(time.Second)).Round(time.Millisecond)
		line("  sent", fmt.Sprintf("%s, %s after the scheduled time", moment(r.SentAt), delay))
	}
	line("  state", r.State)
	line("  answer", answer(r.StatusCode, r.SentAt, r.AnsweredAt))
	for _, a := range r.Activities {
		line("  activity", strings.TrimSpace(a.ID+" "+a.Type+" "+a.State+" "+a.Result))
	}
	line("  outcome", outcome(r.Outcome, r.Reason, r.Message))
}

// answer is the status code of an answer, "" without one, and how long it was awaited, if that is known.
func answer(code int, sent, answered time.Time) string {
	switch {
	case code == 0:
		return ""
	case sent.IsZero() || answered.IsZero():
		return strconv.Itoa(code)
	default:
		return fmt.Sprintf("%d, %s after it was sent", code, answered.Sub(sent).Round(time.Millisecond))
	}
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
