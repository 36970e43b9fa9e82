package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// ownPrefix leads from handleCall to handleExec past the interpreter's
// built-in of the same name. No script can write it.
const ownPrefix = "\x00"

// handleCall sees every simple command before functions, built-ins and
// programs are looked up. It sends those built-ins where bash and dash differ
// to handleExec, and adapts the arguments of some others.
func (x *execution) handleCall(_ context.Context, args []string) ([]string, error) {
	if err := x.accountArgs(args); err != nil {
		return nil, err
	}
	for len(args) > 1 && args[0] == "command" && !strings.HasPrefix(args[1], "-") {
		args = args[1:]
	}
	name := args[0]
	if name == accountCommand || name == pipeCommand || name == traceCommand && x.trace != nil || x.script.program.functions[name] {
		return args, nil
	}
	switch roleOf(name) {
	case roleOurs, roleBash, roleUnsupported:
		return own(args), nil
	case roleInterpreter:
		return x.adapt(args), nil
	default:
		return args, nil
	}
}

func own(args []string) []string {
	return append([]string{ownPrefix + args[0]}, args[1:]...)
}

// exitOnError is how dash leaves after an error in a special built-in.
var exitOnError = []string{"exit", "2"}

// statusCommand returns its argument as its status.
const statusCommand = ownPrefix + "status"

// adapt gives the interpreter's built-ins arguments that make them do what
// dash's would.
func (x *execution) adapt(args []string) []string {
	switch args[0] {
	case "eval":
		return x.translated(args, 1, len(args))
	case "trap":
		return x.trap(args)
	case "set":
		return x.set(args)
	case "shift":
		return x.shift(args)
	case "exit", "return":
		if len(args) > 1 {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 0 {
				x.fail(fmt.Errorf("%s: illegal number: %s", args[0], args[1]))
				return exitOnError
			}
			return []string{args[0], strconv.Itoa(n & 0xff)}
		}
	case "read":
		if len(args) == 1 || len(args) == 2 && strings.HasPrefix(args[1], "-") {
			x.fail(errors.New("read: a variable's name is missing"))
			return []string{statusCommand, "2"}
		}
	case "exec":
		if len(args) > 1 && args[1] == "--" {
			return append([]string{"exec"}, args[2:]...)
		}
	}
	return args
}

// translated replaces the words from..to, which are a script, by one word: the
// same script as Parse would have changed it.
func (x *execution) translated(args []string, from, to int) []string {
	src := strings.Join(args[from:to], " ")
	p, problems := compile(src)
	if p != nil {
		c := checker{src: src, functions: p.functionNames()}
		for name := range x.script.program.functions {
			c.functions[name] = true
		}
		c.usesCLI = true // judge it as a part of the script it stands in
		c.check(p.file)
		problems = c.verdict()
	}
	for _, problem := range problems {
		if problem.Severity == Error {
			x.fail(fmt.Errorf("%s: %s", args[0], problem.Message))
			return exitOnError
		}
	}
	p.rewrite()
	var text strings.Builder
	if err := syntax.NewPrinter().Print(&text, p.file); err != nil {
		x.fail(fmt.Errorf("%s: %w", args[0], err))
		return exitOnError
	}
	return append(append(args[:from:from], text.String()), args[to:]...)
}

// signals are the names that trap accepts. None can reach a script.
var signals = map[string]bool{
	"HUP": true, "INT": true, "QUIT": true, "ABRT": true, "ALRM": true, "TERM": true, "USR1": true,
	"USR2": true, "PIPE": true, "CHLD": true, "CONT": true, "TSTP": true, "TTIN": true, "TTOU": true, "STOP": true,
	"1": true, "2": true, "3": true, "6": true, "9": true, "14": true, "15": true, "KILL": true,
}

func (x *execution) trap(args []string) []string {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return []string{"true"}
	}
	action, conditions := rest[0], rest[1:]
	if len(rest) == 1 || isNumber(action) {
		action, conditions = "-", rest // without an action the conditions are reset
	}
	onExit := false
	for _, c := range conditions {
		switch {
		case c == "EXIT" || c == "0":
			onExit = true
		case !signals[c]:
			x.fail(fmt.Errorf("trap: %s: bad trap", c))
			return []string{statusCommand, "1"}
		}
	}
	if !onExit {
		return []string{"true"}
	}
	if action == "-" || action == "" {
		return []string{"trap", "-", "EXIT"}
	}
	return x.translated([]string{"trap", "--", action, "EXIT"}, 2, 3)
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// keptFlags are the flags of set that change what a script does. The others
// dash has only print, or concern a terminal.
const (
	keptFlags    = "aefnu"
	ignoredFlags = "bCEhImqVvx"
)

var longFlags = map[string]string{
	"errexit": "e", "noglob": "f", "nounset": "u", "noexec": "n", "allexport": "a",
	"ignoreeof": "", "interactive": "", "monitor": "", "stdin": "", "xtrace": "", "verbose": "",
	"vi": "", "emacs": "", "noclobber": "", "notify": "", "nolog": "", "debug": "", "privileged": "",
}

// set keeps the options that matter, and refuses those dash does not have.
func (x *execution) set(args []string) []string {
	out := []string{"set"}
	i := 1
	for ; i < len(args); i++ {
		word := args[i]
		if len(word) < 2 || word[0] != '-' && word[0] != '+' || word == "--" {
			break
		}
		for _, flag := range word[1:] {
			switch {
			case flag == 'o' && i+1 < len(args):
				i++
				short, ok := longFlags[args[i]]
				if !ok {
					x.fail(fmt.Errorf("set: illegal option -o %s", args[i]))
					return exitOnError
				}
				if short != "" {
					out = append(out, word[:1]+short)
				}
			case strings.ContainsRune(keptFlags, flag):
				out = append(out, word[:1]+string(flag))
			case flag == 'o' || strings.ContainsRune(ignoredFlags, flag):
			default:
				x.fail(fmt.Errorf("set: illegal option -%c", flag))
				return exitOnError
			}
		}
	}
	if i == len(args) {
		if len(out) == 1 {
			return []string{"true"} // it would only print
		}
		return out
	}
	if args[i] == "-" {
		i++ // it ends -x and -v, which are ignored
		if i == len(args) {
			return []string{"true"}
		}
	}
	if args[i] != "--" {
		out = append(out, "--")
	}
	return append(out, args[i:]...)
}

// shift gets the number of arguments as its last word; see rewriter.command.
func (x *execution) shift(args []string) []string {
	if len(args) < 2 {
		return args
	}
	count, _ := strconv.Atoi(args[len(args)-1])
	args = args[:len(args)-1]
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			x.fail(fmt.Errorf("shift: illegal number: %s", args[1]))
			return exitOnError
		}
	}
	if n > count {
		x.fail(errors.New("shift: can't shift that many"))
		return exitOnError
	}
	return []string{"shift", strconv.Itoa(n)}
}

// handleExec carries out what is neither a function nor a built-in of the
// interpreter: the CLI, our own built-ins, and nothing else.
func (x *execution) handleExec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	var status int
	switch name := strings.TrimPrefix(args[0], ownPrefix); name {
	case "status":
		if args[0] != statusCommand {
			status = x.unavailable(name)
			break
		}
		status, _ = strconv.Atoi(args[1])
	case accountCommand:
		if err := x.accountArgs(args[1:]); err != nil {
			return err
		}
		status = hc.LastExitStatus // as if it were not there
	case traceCommand:
		if x.trace == nil {
			status = x.unavailable(name)
			break
		}
		status = x.trace.note(args)
	case pipeCommand:
		if x.pipes.Add(1) > maxPipes {
			return x.stop(fmt.Errorf("stopped after %d pipes", maxPipes))
		}
	case "[", "test":
		var err error
		if status, err = test(name, args[1:]); err != nil {
			x.fail(err)
		}
	case "echo":
		status = x.print(hc, echo(args[1:]))
	case "printf":
		text, err := printf(args[1:])
		status = x.print(hc, text)
		if err != nil {
			x.fail(err)
			status = 2
		}
	case "command", "type", "hash":
		status = x.lookUp(hc, name, args[1:])
	case "wait", "umask":
	default:
		if isCLI(name) {
			status = x.cli(hc, args)
		} else {
			status = x.unavailable(name)
		}
	}
	if status &= 0xff; status != 0 {
		return interp.ExitStatus(status)
	}
	return nil
}

// unavailable reports a program that cannot be run, as dash reports one it
// does not find.
func (x *execution) unavailable(name string) int {
	x.fail(fmt.Errorf("program %q cannot be run", name))
	return 127
}

// cli turns a command line into a call and hands it to the caller.
func (x *execution) cli(hc interp.HandlerContext, args []string) int {
	call, err := ParseCommandLine(append([]string{path.Base(args[0])}, args[1:]...))
	if err != nil {
		x.fail(fmt.Errorf("%s: %w", describe(args), err))
		return 1
	}
	// The CLI takes its target from these variables, which a script may change.
	if call.Project == "" {
		call.Project = x.changed(hc, "PLATFORM_PROJECT")
	}
	if call.Environment == "" {
		call.Environment = x.changed(hc, "PLATFORM_BRANCH")
	}
	x.calling.Lock()
	defer x.calling.Unlock()
	if x.stopped.Load() || x.Context.Err() != nil {
		return 1
	}
	x.mu.Lock()
	x.calls++
	x.mu.Unlock()
	began := time.Now()
	status := x.call(x.Context, call)
	x.waited.Add(int64(time.Since(began)))
	return status
}

// describe names a call that was not understood. Its other words are left out,
// since one of them may be a secret value.
func describe(args []string) string {
	if i, ok := commandWord(args); ok {
		return args[0] + " " + args[i]
	}
	return args[0]
}

// changed returns the value of an exported variable if the script changed it.
func (x *execution) changed(hc interp.HandlerContext, name string) string {
	v := hc.Env.Get(name)
	if !v.IsSet() || !v.Exported || v.Str == x.vars[name] {
		return ""
	}
	return v.Str
}

// print writes what the script prints to where another part of it may read it.
func (x *execution) print(hc interp.HandlerContext, text string) int {
	if x.account(len(text)) != nil {
		return 1
	}
	if _, ok := hc.Stdout.(*device); ok {
		return 0
	}
	if _, err := io.WriteString(hc.Stdout, text); err != nil {
		return 1
	}
	return 0
}

// lookUp implements command -v, type and hash for what there is.
func (x *execution) lookUp(hc interp.HandlerContext, builtin string, names []string) int {
	if builtin == "command" {
		if len(names) == 0 {
			return 0
		}
		if names[0] != "-v" && names[0] != "-V" {
			x.fail(fmt.Errorf("command: option %s is not supported", names[0]))
			return 2
		}
		names = names[1:]
	}
	status := 0
	for _, name := range names {
		switch r := roleOf(name); {
		case x.script.program.functions[name], r == roleOurs, r == roleInterpreter, r == roleUnsupported, r == roleCLI:
			if builtin != "hash" {
				x.print(hc, name+"\n")
			}
		case builtin == "hash":
			status = 1
		default:
			status = 127
		}
	}
	return status
}
