package shell

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// builtin is a command of the shell itself.
type builtin struct {
	run     func(m *machine, args []string) int
	special bool
}

// builtinNamed returns a built-in that dash has and a script here may use; its
// run is nil if there is none. "command" and "exec" are seen to in
// machine.lookUp, as far as a command follows them.
func builtinNamed(name string) builtin {
	switch name {
	case ":", "eval": // see machine.invoke
		return builtin{(*machine).succeed, true}
	case "break", "continue":
		return builtin{(*machine).leaveLoops, true}
	case "exit":
		return builtin{(*machine).exit, true}
	case "export", "readonly":
		return builtin{(*machine).declare, true}
	case "local":
		return builtin{(*machine).local, true}
	case "return":
		return builtin{(*machine).leaveFunction, true}
	case "set":
		return builtin{(*machine).set, true}
	case "shift":
		return builtin{(*machine).shift, true}
	case "trap":
		return builtin{(*machine).trap, true}
	case "unset":
		return builtin{(*machine).unsetAll, true}
	case "[", "test":
		return builtin{(*machine).test, false}
	case "cd", "chdir":
		return builtin{(*machine).changeDirectory, false}
	case "command":
		return builtin{(*machine).describe, false}
	case "hash":
		return builtin{(*machine).hash, false}
	case "type":
		return builtin{(*machine).typeOf, false}
	case "echo":
		return builtin{(*machine).echo, false}
	case "false":
		return builtin{(*machine).no, false}
	case "getopts":
		return builtin{(*machine).getOption, false}
	case "printf":
		return builtin{(*machine).printf, false}
	case "read":
		return builtin{(*machine).read, false}
	case "true":
		return builtin{(*machine).succeed, false}
	case "umask":
		return builtin{(*machine).umask, false}
	case "wait":
		return builtin{(*machine).wait, false}
	}
	return builtin{}
}

// usage reports an error in a built-in, which ends the shell if it is special.
func (m *machine) usage(args []string, err error) int {
	return m.fatal(fmt.Errorf("%s: %w", args[0], err))
}

func (m *machine) succeed([]string) int { return 0 }
func (m *machine) no([]string) int      { return 1 }

// number reads an argument that must be a number of at least 0.
func number(s string) (int, error) {
	n, err := integer(s, 10)
	if err != nil {
		return 0, err
	}
	if n < 0 || n > 1<<31-1 {
		return 0, fmt.Errorf("illegal number: %s", s)
	}
	return int(n), nil
}

func (m *machine) leaveLoops(args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = number(args[1]); err != nil {
			return m.usage(args, err)
		}
		if n == 0 {
			return m.usage(args, fmt.Errorf("illegal number: %s", args[1]))
		}
	}
	if n = min(n, m.loops); n > 0 {
		m.levels = n
		m.leave(map[string]leaving{"break": breaking, "continue": continuing}[args[0]])
	}
	return 0
}

func (m *machine) exit(args []string) int {
	if len(args) > 1 {
		n, err := number(args[1])
		if err != nil {
			return m.usage(args, err)
		}
		m.status = n
	} else if m.final >= 0 {
		m.status = m.final
	}
	m.leave(exiting)
	return m.status
}

func (m *machine) leaveFunction(args []string) int {
	status := m.status
	if len(args) > 1 {
		var err error
		if status, err = number(args[1]); err != nil {
			return m.usage(args, err)
		}
	}
	m.leave(returning)
	return status
}

func (m *machine) evaluateArgs(args []string, tested bool) int {
	text := strings.Join(args, " ")
	if err := m.account(len(text)); err != nil {
		return 1
	}
	return m.evaluate("eval", text, tested)
}

// declare is export and readonly.
func (m *machine) declare(args []string) int {
	given, names, err := flags(args[1:], "p")
	if err != nil {
		return m.usage(args, err)
	}
	switch {
	case (len(names) == 0 || given != "") && args[0] == "readonly":
		return m.listingIfAny(args)
	case len(names) == 0 || given != "":
		return m.listing(args)
	}
	for _, arg := range names {
		name, value, assigned := strings.Cut(arg, "=")
		if !syntax.ValidName(name) {
			return m.usage(args, fmt.Errorf("%s: bad variable name", arg))
		}
		if assigned {
			if err := m.assign(name, value); err != nil {
				return m.usage(args, err)
			}
		}
		if err := m.mark(name, args[0] == "export", args[0] == "readonly"); err != nil {
			return 1
		}
	}
	return 0
}

// listing stands for what dash would print about itself, which a script here
// cannot read. That it cannot be printed is an error, as it is to dash.
func (m *machine) listing(args []string) int {
	switch f := m.files[1]; {
	case f.kept():
		m.stop(fmt.Errorf("%s: what it prints cannot be read by the script", args[0]))
	case f.closed():
		m.complain(fmt.Errorf("%s: %w", args[0], errWrite))
		return 1
	}
	return 0
}

// listingIfAny is listing where dash may have nothing to print.
func (m *machine) listingIfAny(args []string) int {
	if m.files[1].closed() {
		m.stop(fmt.Errorf("%s: whether it prints anything is not known here", args[0]))
		return 1
	}
	return m.listing(args)
}

func (m *machine) local(args []string) int {
	if len(m.frames) == 0 {
		return m.usage(args, errors.New("not in a function"))
	}
	f := m.frames[len(m.frames)-1]
	for _, arg := range args[1:] {
		if arg == "-" {
			if f.options == nil {
				saved := m.options
				f.options = &saved
			}
			continue
		}
		name, value, assigned := strings.Cut(arg, "=")
		if !syntax.ValidName(name) {
			m.stop(fmt.Errorf("local: %s: bad variable name", arg)) // which dash does not look at
			return 1
		}
		if err := m.saveIn(f, name); err != nil {
			return 1
		}
		if assigned {
			if err := m.assign(name, value); err != nil {
				return m.usage(args, err)
			}
		}
	}
	return 0
}

func (m *machine) unsetAll(args []string) int {
	given, names, err := flags(args[1:], "vf")
	if err != nil {
		return m.usage(args, err)
	}
	functions := strings.HasSuffix(given, "f") // the last one counts
	for _, name := range names {
		if functions {
			delete(m.functions, name)
			continue
		}
		name, err := variableName(name)
		if err == nil {
			err = m.unset(name)
		}
		if err != nil {
			return m.usage(args, err)
		}
	}
	return 0
}

func (m *machine) set(args []string) int {
	rest := args[1:]
	if len(rest) == 0 {
		return m.listing(args)
	}
	status := 0
	for len(rest) > 0 {
		word := rest[0]
		if word == "" || word[0] != '-' && word[0] != '+' {
			break
		}
		rest = rest[1:]
		if word == "--" && len(rest) == 0 {
			m.setParams(nil)
		}
		if word == "--" || word == "-" {
			break
		}
		for _, flag := range []byte(word[1:]) {
			if flag == 'o' {
				if len(rest) == 0 {
					status = m.listing(args)
					continue
				}
				letter, ok := longFlags[rest[0]]
				if !ok {
					return m.usage(args, fmt.Errorf("illegal option -o %s", rest[0]))
				}
				rest = rest[1:]
				if flag = letter; flag == 0 {
					continue
				}
			}
			if err := m.setFlag(flag, word[0] == '-'); err != nil {
				return m.usage(args, err)
			}
		}
	}
	if len(rest) > 0 {
		m.setParams(rest)
	}
	return status
}

func (m *machine) setParams(params []string) {
	m.params = slices.Clone(params)
	m.getopts = getoptsState{index: 1, offset: -1}
}

func (m *machine) shift(args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = number(args[1]); err != nil {
			return m.usage(args, err)
		}
	}
	if n > len(m.params) {
		return m.usage(args, errors.New("can't shift that many"))
	}
	m.params = m.params[n:]
	m.getopts = getoptsState{index: 1, offset: -1}
	return 0
}

// signals are the conditions of trap that can never happen here.
var signals = []string{"EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
	"USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
	"VTALRM", "PROF", "IO", "PWR", "SYS"}

// signalNumber reads the name or number of a signal, or -1. EXIT is 0.
func signalNumber(s string) int {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n <= 64 {
		return int(n)
	}
	return slices.IndexFunc(signals, func(name string) bool { return strings.EqualFold(name, s) })
}

func (m *machine) trap(args []string) int {
	_, rest, err := flags(args[1:], "")
	if err != nil {
		return m.usage(args, err)
	}
	if len(rest) == 0 {
		return m.listingIfAny(args)
	}
	action, conditions := &rest[0], rest[1:]
	if _, err := strconv.ParseUint(*action, 10, 8); err == nil || len(rest) == 1 {
		action, conditions = nil, rest // without an action the conditions are reset
	}
	if action != nil && *action == "-" {
		action = nil
	}
	for _, c := range conditions {
		switch signalNumber(c) {
		case -1:
			m.complain(fmt.Errorf("trap: %s: bad trap", c))
			return 1
		case 0:
			m.exitTrap = action
		}
	}
	return 0
}

func (m *machine) test(args []string) int {
	status, err := test(args[0], args[1:])
	if err != nil {
		m.complain(err)
	}
	return status
}

func (m *machine) echo(args []string) int {
	return m.write(args, echo(args[1:]), nil)
}

func (m *machine) printf(args []string) int {
	text, err := printf(args[1:])
	return m.write(args, text, err)
}

// errWrite is what happens to output on a descriptor that cannot be written to.
var errWrite = errors.New("write error")

// write prints what a built-in made, and reports what went wrong about it.
func (m *machine) write(args []string, text string, wrong error) int {
	if err := m.print(1, text); err != nil {
		m.complain(fmt.Errorf("%s: %w", args[0], err))
		return 1
	}
	switch {
	case wrong == nil:
		return 0
	case errors.Is(wrong, errWidth):
		m.stop(wrong)
		return 1
	}
	m.complain(wrong)
	if u, ok := errors.AsType[*usageError](wrong); ok {
		return m.fatal(u)
	}
	return 1
}

// describe is command -v and -V, and command without a command.
func (m *machine) describe(args []string) int {
	given, names, err := flags(args[1:], "pvV")
	switch {
	case err != nil:
		return m.usage(args, err)
	case given == "" || strings.Trim(given, "p") == "":
		return 0
	case strings.Contains(given, "V"):
		return m.describeAll(args, names)
	}
	return m.find(names[:min(1, len(names))], 127, true)
}

// typeOf is the built-in type, which takes no options.
func (m *machine) typeOf(args []string) int {
	return m.describeAll(args, args[1:])
}

// describeAll stands for a sentence about every name. A missing one outweighs one that could not
// be printed.
func (m *machine) describeAll(args, names []string) int {
	if len(names) == 0 {
		return 0
	}
	return max(m.listing(args), m.find(names, 127, false))
}

// hash has nothing to remember, and says whether the commands are there.
func (m *machine) hash(args []string) int {
	given, names, err := flags(args[1:], "r")
	switch {
	case err != nil:
		return m.usage(args, err)
	case given == "" && len(names) == 0:
		return m.listingIfAny(args)
	}
	if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(reserved, name) }) {
		return 1 // they are no commands
	}
	return m.find(names, 1, false)
}

// find returns 0 if every name is that of a command, or else the status for a
// missing one. It can print the names of those that are.
func (m *machine) find(names []string, missing int, show bool) int {
	status := 0
	for _, name := range names {
		if m.functions[name] == nil && roleOf(name) != roleCLI && !knownToDash(name) {
			status = missing
		} else if show {
			if err := m.print(1, name+"\n"); err != nil {
				return 1
			}
		}
	}
	return status
}

// reserved are dash's words, which command -v finds too.
var reserved = []string{"!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while"}

func knownToDash(name string) bool {
	switch roleOf(name) {
	case roleBuiltin, roleUnsupported:
		return true
	}
	return slices.Contains(reserved, name)
}

// changeDirectory succeeds and changes nothing. The application's directories are not here, and no
// file is opened in them; in its container they are there, or the script would never get further.
func (m *machine) changeDirectory(args []string) int {
	_, rest, err := flags(args[1:], "LP")
	switch {
	case err != nil:
		return m.usage(args, err)
	case len(rest) > 0 && rest[0] == "-":
		return m.listing(args)
	}
	return 0
}

// umask does nothing, because no file can be made.
func (m *machine) umask(args []string) int {
	_, rest, err := flags(args[1:], "S")
	switch {
	case err != nil:
		return m.usage(args, err)
	case len(rest) == 0:
		return m.listing(args)
	case !mask.MatchString(rest[0]):
		return m.usage(args, fmt.Errorf("%s is no mask", rest[0]))
	}
	return 0
}

// mask is what dash takes for a mask of permissions: octal, or by letters.
var mask = regexp.MustCompile(`^([0-7]+||[ugoa]*([-+=][rwxXsugo]*)+(,[ugoa]*([-+=][rwxXsugo]*)+)*,?)$`)

// wait has nothing to wait for.
func (m *machine) wait(args []string) int {
	if len(args) > 1 {
		return m.usage(args, errors.New("there are no background jobs"))
	}
	return 0
}

// usageError is an error that a regular built-in ends with at once, with
// status 2.
type usageError struct{ error }
