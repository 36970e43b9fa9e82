package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// What one run of a script may use. A guard takes some ten steps; these bounds
// are for mistakes, such as a loop without an end.
const (
	maxSteps = 20_000
	maxBytes = 4 << 20         // of arguments, assigned values and output, summed up
	maxPipes = 100             // pipes and here-documents
	maxTime  = 5 * time.Second // without the time its calls take
)

// Run interprets the script with these variables and nothing else in its
// environment. It returns when the script has ended, which takes a fraction of
// a millisecond but for what its calls take. Cancelling ctx ends the script
// before its next command. A script with Programs is not run.
func (s *Script) Run(ctx context.Context, vars map[string]string, call CallFunc) Result {
	if len(s.programs) > 0 {
		return Result{Err: fmt.Errorf("the script is the application's: it runs %s", strings.Join(s.programs, ", "))}
	}
	return newExecution(ctx, s, vars, call).run()
}

func newExecution(ctx context.Context, s *Script, vars map[string]string, call CallFunc) *execution {
	return &execution{Context: ctx, script: s, vars: vars, call: call, started: time.Now()}
}

// execution is one run of a script. It is the context the interpreter runs
// under, because the interpreter asks its context before every statement and
// command whether to go on; this is where steps and time are counted.
type execution struct {
	context.Context // the caller's

	script  *Script
	vars    map[string]string
	call    CallFunc
	started time.Time
	trace   *tracer // nil except in Trace

	resetting bool // the interpreter is being set up; see environ.Get
	steps     atomic.Int64
	bytes     atomic.Int64
	pipes     atomic.Int64
	waited    atomic.Int64 // time spent in calls, in nanoseconds
	stopped   atomic.Bool  // skipped or fatal is set

	calling sync.Mutex // held during a call, so that they come one after the other
	mu      sync.Mutex // guards the rest; the parts of a pipe run at the same time
	calls   int
	skipped string
	failure error // the first thing that went wrong
}

// errStopped ends the interpreter; the reason stands in the execution.
var errStopped = errors.New("the script was stopped")

func (x *execution) run() Result {
	err := x.interpret()
	x.mu.Lock()
	defer x.mu.Unlock()
	result := Result{Calls: x.calls, Skipped: x.skipped, Err: x.failure}
	switch status, isStatus := errors.AsType[interp.ExitStatus](err); {
	case err == nil:
	case isStatus:
		result.ExitStatus = int(status)
	default:
		result.ExitStatus = 1
		if result.Err == nil && result.Skipped == "" {
			result.Err = fmt.Errorf("run script: %w", err)
		}
	}
	return result
}

func (x *execution) interpret() (err error) {
	// The interpreter is another's code and may meet input its author did not
	// think of. A script must not be able to end the daemon.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("interpreter: %v", p)
		}
	}()
	x.resetting = true
	runner, err := interp.New(
		interp.Env(environ{x}),
		interp.Dir("/"),
		interp.StdIO(nil, &device{}, &device{messages: x}),
		interp.CallHandler(x.handleCall),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return x.handleExec }),
		interp.OpenHandler(x.handleOpen),
		interp.ReadDirHandler2(func(context.Context, string) ([]fs.DirEntry, error) { return nil, nil }),
		interp.StatHandler(func(_ context.Context, name string, _ bool) (fs.FileInfo, error) {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
		}),
		interp.AccessHandler(func(_ context.Context, name string, _ interp.AccessMode) error {
			return &fs.PathError{Op: "access", Path: name, Err: fs.ErrNotExist}
		}),
	)
	if err != nil {
		return err
	}
	runner.Reset()
	x.resetting = false
	return runner.Run(x, x.script.program.file)
}

// Err is asked by the interpreter before every statement and command.
func (x *execution) Err() error {
	if x.stopped.Load() {
		return errStopped
	}
	n := x.steps.Add(1)
	if n > maxSteps {
		return x.stop(fmt.Errorf("stopped after %d steps; a loop or a recursion does not end", maxSteps))
	}
	if n%64 == 0 && time.Since(x.started)-time.Duration(x.waited.Load()) > maxTime {
		return x.stop(fmt.Errorf("stopped after %v", maxTime))
	}
	if err := x.Context.Err(); err != nil {
		return x.stop(context.Cause(x.Context))
	}
	return nil
}

// stop ends the script with an error before its next command.
func (x *execution) stop(err error) error {
	x.fail(err)
	x.stopped.Store(true)
	return errStopped
}

// fail notes that something went wrong. The script goes on, as it would under
// dash; the first failure is the one reported.
func (x *execution) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failure == nil && x.skipped == "" {
		x.failure = err
	}
}

// skip ends the script because a variable it asks for is not set.
func (x *execution) skip(variable string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.skipped == "" && x.failure == nil {
		x.skipped = fmt.Sprintf("the script reads %s, which is not set", variable)
	}
	x.stopped.Store(true)
}

// account adds bytes to what the run has used. The interpreter cannot be asked
// how long a variable is, so a doubling x=$x$x is found by counting values.
func (x *execution) account(n int) error {
	if x.bytes.Add(int64(n)) > maxBytes {
		return x.stop(fmt.Errorf("stopped after %d MiB of text", maxBytes>>20))
	}
	return nil
}

func (x *execution) accountArgs(args []string) error {
	n := 0
	for _, a := range args {
		n += len(a) + 16 // the string's own cost, so that many empty ones count
	}
	return x.account(n)
}

// device is /dev/null, or the script's standard error. What the script itself
// prints does not get here; see execution.print. So what is written to standard
// error is a message of the interpreter, about a command it could not expand or
// carry out. The script ends then: the interpreter would go on as if the
// command had succeeded, and a guard would pass. A script cannot redirect these
// messages; see rewriter.redirections.
type device struct {
	messages *execution // nil when nothing but the script writes to it
}

// Write implements io.Writer.
func (d *device) Write(p []byte) (int, error) {
	if d.messages == nil || len(p) == 0 {
		return len(p), nil
	}
	message := firstLine(p)
	if name, ok := strings.CutSuffix(message, ": "+unsetMarker); ok {
		d.messages.skip(name)
	} else {
		d.messages.stop(errors.New(message))
	}
	return len(p), nil
}

// Read implements io.Reader.
func (d *device) Read([]byte) (int, error) { return 0, io.EOF }

// Close implements io.Closer.
func (d *device) Close() error { return nil }

// firstLine returns the first line of a message, cut to a readable length.
func firstLine(p []byte) string {
	const most = 300
	for i, b := range p {
		if b == '\n' || i == most {
			p = p[:i]
			break
		}
	}
	return string(p)
}

// handleOpen opens /dev/null and refuses everything else.
func (x *execution) handleOpen(_ context.Context, path string, _ int, _ os.FileMode) (io.ReadWriteCloser, error) {
	if path == "/dev/null" {
		return &device{}, nil
	}
	err := &fs.PathError{Op: "open", Path: path, Err: errors.New("only /dev/null can be opened")}
	x.fail(err)
	return nil, err
}

// environ is the script's variables as the interpreter sees them.
type environ struct{ x *execution }

// Get implements expand.Environ.
func (e environ) Get(name string) expand.Variable {
	if e.x.resetting {
		return atReset(name)
	}
	value, ok := e.x.vars[name]
	return variable(value, ok)
}

func variable(value string, ok bool) expand.Variable {
	if !ok {
		return expand.Variable{}
	}
	return expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
}

// atReset answers the interpreter while it sets itself up. It would otherwise
// take the process's home, user and directory for temporary files. No path can
// contain a zero byte, so the last one matches nothing.
func atReset(name string) expand.Variable {
	switch name {
	case "HOME", "UID", "EUID", "GID":
		return variable("", true)
	case "TMPDIR":
		return variable("/\x00", true)
	default:
		return expand.Variable{}
	}
}

// Each implements expand.Environ. The interpreter calls it for subshells that
// run beside their parent, which copy the environment.
func (e environ) Each(yield func(name string, v expand.Variable) bool) {
	for name, value := range e.x.vars {
		if !yield(name, variable(value, true)) {
			return
		}
	}
}
