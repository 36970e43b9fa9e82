package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// What one run of a script may use. A guard takes some ten steps; these bounds
// are for mistakes, such as a loop without an end.
const (
	maxSteps = 20_000
	maxBytes = 4 << 20         // of text that is made: arguments, values and output, summed up
	maxWork  = 20_000_000      // bytes looked at in expansions and patterns
	maxDepth = 1000            // of functions, subshells and nested commands
	maxTime  = time.Second / 2 // without the time its calls take; with the collector's, a second of a core at most

	perValue = 64 // what a value costs beside its text
)

// Run interprets the script with these variables and nothing else in its
// environment. It returns when the script has ended, which takes a fraction of
// a millisecond but for what its calls take. Cancelling ctx ends the script
// before its next command. A script with Programs is not run.
func (s *Script) Run(ctx context.Context, vars map[string]string, call CallFunc) Result {
	if len(s.programs) > 0 {
		return Result{Err: fmt.Errorf("the script is the application's: it runs %s", strings.Join(s.programs, ", "))}
	}
	return newExecution(ctx, s, vars, call).run(s.program)
}

func newExecution(ctx context.Context, s *Script, vars map[string]string, call CallFunc) *execution {
	return &execution{ctx: ctx, vars: vars, call: call, started: time.Now(), tolerated: s.program.tolerated}
}

// execution is one run of a script: what it has used, and what came of it. All
// of the script runs in one goroutine, also its subshells and the parts of its
// pipelines, which come one after the other.
type execution struct {
	ctx     context.Context // the caller's; given to its calls
	vars    map[string]string
	call    CallFunc
	started time.Time
	trace   *tracer // nil except in Trace

	tolerated map[*syntax.ParamExp]bool // where a guard variable may be unset

	steps  int
	bytes  int
	work   int
	depth  int
	waited time.Duration // spent in calls

	stopped bool // the script has to end at once: skipped or failure says why
	calls   int
	skipped string
	failure error // the first thing that went wrong
}

// errStopped ends the interpreter; the reason stands in the execution.
var errStopped = errors.New("the script was stopped")

func (x *execution) run(p *program) Result {
	m := newMachine(x)
	m.list(p.file.Stmts, false)
	status := m.end() & 0xff
	if x.stopped {
		status = 1
	}
	return Result{Calls: x.calls, ExitStatus: status, Skipped: x.skipped, Err: x.failure}
}

// step is asked before every command whether to go on.
func (x *execution) step() error {
	if x.stopped {
		return errStopped
	}
	if x.steps++; x.steps > maxSteps {
		return x.stop(fmt.Errorf("stopped after %d steps; a loop or a recursion does not end", maxSteps))
	}
	if x.ctx.Err() != nil {
		return x.stop(context.Cause(x.ctx))
	}
	return x.spend(20)
}

// spend adds to the work done, and looks at the clock once in a while.
func (x *execution) spend(n int) error {
	if x.stopped {
		return errStopped
	}
	const often = 100_000
	before := x.work / often
	if x.work += n; x.work > maxWork {
		return x.stop(errors.New("stopped after too much work; a text or a pattern is too long"))
	}
	if x.work/often != before && time.Since(x.started)-x.waited > maxTime {
		return x.stop(fmt.Errorf("stopped after %v", maxTime))
	}
	return nil
}

// account adds to the bytes of text made. They are not given back, so the sum
// bounds what a script holds as well as what it moves.
func (x *execution) account(n int) error {
	if x.bytes += n; x.bytes > maxBytes {
		return x.stop(fmt.Errorf("stopped after %d MiB of text", maxBytes>>20))
	}
	return x.spend(n)
}

var errDepth = fmt.Errorf("stopped after %d nested commands; a recursion does not end", maxDepth)

// descend counts how deep commands are nested. Every call has its ascend.
func (x *execution) descend() error {
	if x.depth++; x.depth > maxDepth {
		return x.stop(errDepth)
	}
	return nil
}

func (x *execution) ascend() { x.depth-- }

// stop ends the script with an error before its next command.
func (x *execution) stop(err error) error {
	x.fail(err)
	x.stopped = true
	return errStopped
}

// fail notes that something went wrong. The script goes on, as it would under
// dash; the first failure is the one reported.
func (x *execution) fail(err error) {
	if x.failure == nil && x.skipped == "" {
		x.failure = err
	}
}

// skip ends the script because a variable it asks for is not set.
func (x *execution) skip(variable string) error {
	if x.skipped == "" && x.failure == nil {
		x.skipped = fmt.Sprintf("the script reads %s, which is not set", variable)
	}
	x.stopped = true
	return errStopped
}

// tolerate adds the program of an eval or a trap to what is known of the
// script's.
func (x *execution) tolerate(p *program) {
	if len(p.tolerated) == 0 {
		return
	}
	all := maps.Clone(x.tolerated)
	maps.Copy(all, p.tolerated)
	x.tolerated = all
}
