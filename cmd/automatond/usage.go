package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that is wrong in itself. It ends the process with exitInvalid and the
// way to the command's help.
type usageError struct{ error }

func usage(err error) error { return &usageError{err} }

// flagProblem words what pflag says without the names of Go's functions.
func flagProblem(err error) error {
	var (
		invalid *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s is %s, not %q", invalid.GetFlag().Name, wanted(invalid.GetFlag().Value), invalid.GetValue())
	case errors.As(err, &missing):
		return fmt.Errorf("--%s wants a value behind it", missing.GetFlag().Name)
	}
	return err
}

// wanted says what an option takes.
func wanted(v pflag.Value) string {
	switch v.Type() {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "duration":
		return "a duration such as 90s or 2h"
	}
	return "a " + v.Type()
}

// refineHelp makes help about a command that is not there wrong usage.
func refineHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Args = cobra.ArbitraryArgs
	help.RunE = func(_ *cobra.Command, args []string) error {
		asked, rest, err := root.Find(args)
		if err != nil {
			return usage(err)
		}
		if len(rest) > 0 {
			return usage(argumentProblem(asked, cobra.NoArgs, rest))
		}
		asked.InitDefaultHelpFlag()
		return asked.Help()
	}
}

// checkUsage gives wrong arguments of a command and those below it the exit code of wrong usage.
func checkUsage(cmd *cobra.Command) {
	cmd.Args = usageArgs(cmd.Args)
	cmd.SuggestionsMinimumDistance = 2
	for _, c := range cmd.Commands() {
		checkUsage(c)
	}
}

func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		check = cobra.NoArgs
	}
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		return usage(argumentProblem(cmd, check, args))
	}
}

// argumentProblem says which argument is missing, or has no place.
func argumentProblem(cmd *cobra.Command, check cobra.PositionalArgs, args []string) error {
	if len(args) == 0 || check(cmd, append(args, "another")) == nil {
		return fmt.Errorf("an argument is missing: %s", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return fmt.Errorf("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
		}
		return fmt.Errorf("there is no command %q", args[0])
	}
	last := args[len(args)-1]
	if _, err := os.Stat(last); err == nil && cmd.Flags().Lookup("config") != nil {
		return fmt.Errorf("the file has to be named as --config %s", last)
	}
	return fmt.Errorf("there is no place for %q: %s", last, cmd.UseLine())
}
