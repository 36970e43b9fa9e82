package main

import (
	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/control"
)

func newTrigger() *cobra.Command {
	var (
		data, store, output string
		request             control.Trigger
		wait                bool
	)
	cmd := &cobra.Command{
		Use:   "trigger CRON",
		Short: "Let a cron of the running daemon fire now",
		Long: `Let a cron of the running daemon fire now, beside its schedule.

It goes the way of every fire: guards, overlap and suspension hold. The same --id
asks once, however often it is given. Exit status: 0 asked for; with --wait, 0 when
everything succeeded, else 1.`,
		Example: `  automatond trigger nightly-backup --project shop --wait
  docker exec automatond automatond trigger nightly-backup --id before-release-42`,
		Args:    cobra.ExactArgs(1),
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := daemonOn(data)
			if err != nil {
				return err
			}
			request.Cron = args[0]
			asked, err := client.Trigger(cmd.Context(), request)
			if err != nil {
				return err
			}
			enough := func(p control.Progress) bool { return p.Claimed }
			if wait {
				enough = ended
			}
			all, err := follow(cmd.Context(), client, store, asked, wait, enough)
			if err != nil {
				return err
			}
			err = writeAsked(cmd.OutOrStdout(), output, "triggered "+request.Cron, asked, all)
			if err == nil && wait && !allSucceeded(all) {
				return &exitError{code: exitFailed}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&request.Project, "project", "p", "", "only this project, by alias or id")
	f.StringVarP(&request.Environment, "environment", "e", "", "only this environment")
	f.StringVar(&request.ID, "id", "", "name this trigger; the same name asks once")
	f.BoolVar(&wait, "wait", false, "wait for the outcome")
	dataFlag(f, &data)
	storeFlag(f, &store)
	outputFlag(f, &output)
	return cmd
}
