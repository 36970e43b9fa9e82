package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/control"
)

func newPlatform(version app.Version) *cobra.Command {
	var (
		paths                   []string
		data, store, output, id string
	)
	cmd := &cobra.Command{
		Use:   "platform [flags] COMMAND [ARGUMENT]...",
		Short: "Carry out one command line of the vendor's CLI, and record it",
		Long: `Carry out one command line of the vendor's CLI, recorded as a run by hand. Nothing is
executed: it becomes the request that a cron's script would make. The daemon that runs
on the data directory makes it; without one, this command does, under the token and
for the projects of the configuration, while it has the data directory to itself.

Options of this command stand before COMMAND, those of the CLI after it.

Exit status: 0 when the platform accepted it; with the CLI's --wait, when its activity
succeeded; else 1.`,
		Example: `  automatond platform backup:create --project shop --environment main --yes
  automatond platform environment:redeploy -e main --yes --wait`,
		Args:    cobra.MinimumNArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			request := control.Command{Args: args, ID: id}
			report := func(asked control.Asked) error { return reportCommand(cmd, output, client, store, asked) }
			asked, err := client.Command(cmd.Context(), request)
			switch {
			case errors.Is(err, control.ErrNoDaemon):
				return commandAside(cmd, app.Options{Paths: paths, Data: client.Dir, Store: store, Version: version}, request, report)
			case err != nil:
				return err
			}
			return report(asked)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	configFlag(f, &paths)
	f.StringVar(&id, "id", "", "name this request; the same name asks once")
	dataFlag(f, &data)
	storeFlag(f, &store)
	outputFlag(f, &output)
	return cmd
}

// commandAside carries out a command line where no daemon runs.
func commandAside(cmd *cobra.Command, o app.Options, request control.Command, report func(control.Asked) error) error {
	logger, err := newLogger(cmd.ErrOrStderr(), "console", "warn")
	if err != nil {
		return err
	}
	o.Lookup, o.Logger = os.LookupEnv, logger
	return orInvalid(cmd.ErrOrStderr(), app.Command(cmd.Context(), o, request, report))
}

// reportCommand waits until the platform has accepted what was asked for, or has done it, and says so.
func reportCommand(cmd *cobra.Command, output string, client control.Client, store string, asked control.Asked) error {
	enough := func(p control.Progress) bool { return ended(p) || p.Accepted }
	if asked.Wait {
		enough = ended
	}
	all, err := follow(cmd.Context(), client, store, asked, true, enough)
	if err != nil {
		return err
	}
	err = writeAsked(cmd.OutOrStdout(), output, "asked for by hand", asked, all)
	if err == nil && !carriedOut(all, asked.Wait) {
		return &exitError{code: exitFailed}
	}
	return err
}

// carriedOut tells whether the CLI would exit with 0.
func carriedOut(all []control.Progress, wait bool) bool {
	if wait {
		return allSucceeded(all)
	}
	for _, p := range all {
		if !p.Accepted {
			return false
		}
	}
	return true
}
