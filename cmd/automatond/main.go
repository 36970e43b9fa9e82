// Command automatond runs the crons of Platform.sh / Upsun projects from outside their containers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // an image from scratch has no zone files

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/control"
)

// release is the version of a release build, set by the linker.
var release string

// Exit codes, as documented in docs/configuration.md.
const (
	exitFailed   = 1
	exitInvalid  = 2 // wrong usage or an invalid configuration
	exitWarnings = 3 // warnings, with --strict
)

func main() {
	collectSeldom()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &standardOutput{Writer: stdout}
	root := newRoot(app.BuildVersion(release))
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = out.err
	}
	var (
		exit    *exitError
		wrong   *usageError
		refusal *control.Refusal
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.message != "" {
			fmt.Fprintln(stderr, "automatond:", exit.message)
		}
		return exit.code
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "automatond: %v\nTry '%s --help'.\n", err, cmd.CommandPath())
		return exitInvalid
	case errors.As(err, &refusal) && refusal.Misused:
		fmt.Fprintln(stderr, "automatond:", err)
		return exitInvalid
	default:
		fmt.Fprintln(stderr, "automatond:", err)
		return exitFailed
	}
}

// exitError ends the process with a code and, if there is one, a message.
type exitError struct {
	code    int
	message string
}

func (e *exitError) Error() string { return e.message }

func newRoot(version app.Version) *cobra.Command {
	root := &cobra.Command{
		Use:     "automatond",
		Short:   "Run the crons of Platform.sh / Upsun projects from outside their containers",
		Version: version.Version,
		Long: `automatond takes the crons: block you already have, decides at each scheduled
minute whether this branch may run it, and asks the platform to do the work:
without waiting, at most once, under an automation user's token.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(flagProblem(err)) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(version), newCheck(version), newNext(), newPlan(), newImport(), newTrigger(), newSuspend(), newResume(),
		newReload(), newRuns(), newLedger(), newDoctor(version), newPlatform(version), newHealthcheck(), newVersion(version))
	refineHelp(root)
	checkUsage(root)
	return root
}
