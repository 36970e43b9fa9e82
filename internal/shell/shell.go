// Package shell runs a cron's script without a shell. The platform runs crons
// under dash; here the script is parsed once, checked, and interpreted inside
// the process, where the vendor's CLI is a built-in that turns its arguments
// into a task. What to do with a task is the caller's: it passes a CallFunc,
// which alone sends anything.
//
// A script cannot start a program, open a file but /dev/null, read the
// process's environment, or run without end. Given the same variables and the
// same results of its calls it makes the same calls, which is how a run is
// replayed after a crash.
//
// A script may do three things: call the CLI (then it is ours), only run the
// application's programs (then it is left to the application's container), or
// both, which is refused. What dash would refuse is refused when the script is
// loaded, with its position.
package shell

import (
	"context"

	"github.com/automatond/automatond/internal/tasks"
)

// Script is a parsed and checked script. It is immutable and safe for
// concurrent use.
type Script struct {
	source    string
	program   *program
	usesCLI   bool
	assembled bool
	guarded   bool
	programs  []string
}

// Parse reads a script as dash would, and reports everything about it that is
// wrong or questionable, in the order of the text. The script is nil when a
// problem is an error.
func Parse(src string) (*Script, []Problem) {
	p, problems := compile(src)
	c := checker{src: src, functions: p.functionNames()}
	if p != nil {
		c.check(p.file)
		problems = c.verdict()
	}
	if hasErrors(problems) {
		return nil, problems
	}
	return &Script{
		source: src, program: p, usesCLI: c.usesCLI, assembled: c.assembled, guarded: c.asksWhere(p.file), programs: c.programNames(),
	}, problems
}

// Source returns the text the script was parsed from.
func (s *Script) Source() string { return s.source }

// UsesCLI reports whether the script calls the vendor's CLI anywhere.
func (s *Script) UsesCLI() bool { return s.usesCLI }

// MayUseCLI reports the same, and also whether the script might in a way that its text does not
// show, by a name that is put together when it runs.
func (s *Script) MayUseCLI() bool { return s.usesCLI || s.assembled && Mentions(s.source) }

// Guarded reports whether the script looks at the environment it runs for, so that it may do
// something on one and nothing on another.
func (s *Script) Guarded() bool { return s.guarded }

// Programs returns the other programs the script names, without repetition and
// in the order of the text. They are never run: a script has either these or
// calls of the CLI.
func (s *Script) Programs() []string { return s.programs }

// Call is one call of the vendor's CLI.
type Call struct {
	Args        []string   // the command line, from the program's name on
	Shown       []string   // the same as it may be shown and kept: secret values are redacted
	Task        tasks.Task // validated
	Project     string     // --project, or empty for the run's own
	Environment string     // the environment named, empty for the run's own, "." for the project's default
	Wait        bool       // --wait was given: the command ends when its activity has ended
}

// CallFunc carries out a call and returns the command's exit status. Calls of
// one run come one after the other.
type CallFunc func(ctx context.Context, c Call) int

// Result says how a script ended.
type Result struct {
	Calls      int    // how often the CLI was called with a command line that made sense
	ExitStatus int    // the script's own, 0 to 255; meaningless when Skipped or Err is set
	Skipped    string // the variable whose absence ended the script, as a sentence; or empty
	Err        error  // the first thing that went wrong in the script; nil when nothing did
}
