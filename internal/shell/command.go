package shell

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// simple runs a simple command: its words are expanded first, then come its
// redirections, then its assignments.
func (m *machine) simple(call *syntax.CallExpr, redirs []*syntax.Redirect, tested bool) int {
	m.substituted = 0
	before := m.unheard
	m.unheard = before || m.isUnheard(call)
	args, err := m.words(call.Args)
	m.unheard = before
	if err != nil {
		return m.fatal(err)
	}
	c := m.lookUp(args)
	saved := m.files
	defer func() {
		if !c.keepsFiles() {
			m.files = saved
		}
	}()
	if err := m.redirect(redirs); err != nil {
		if _, ok := errors.AsType[*redirectError](err); !ok || c.special {
			return m.fatal(err)
		}
		m.complain(err)
		return 2
	}
	f := &frame{}
	defer m.unwind(f)
	for _, as := range call.Assigns {
		if err := m.prefix(as, c, f); err != nil {
			return m.fatal(err)
		}
	}
	return m.invoke(c, tested)
}

// target is what a command's name stands for.
type target struct {
	args     []string // from the name on
	function *syntax.Stmt
	builtin  func(m *machine, args []string) int
	special  bool // an error in it ends the shell, and assignments before it stay
	exec     bool // it takes the place of the shell
}

// keepsFiles reports whether redirections last: those of exec alone.
func (c target) keepsFiles() bool { return c.exec && len(c.args) == 0 }

// lookUp finds what a command line stands for, behind command and exec.
func (m *machine) lookUp(args []string) target {
	c := target{args: args}
	plain := false // behind "command", which sees no functions and makes nothing special
	for len(c.args) > 0 {
		name := c.args[0]
		if f, ok := m.functions[name]; ok && !plain && !c.exec {
			c.function = f
			return c
		}
		rest, prefix := behind(c.args)
		if !prefix || c.exec {
			break
		}
		switch name {
		case "command":
			plain = true
		case "exec":
			c.exec, c.special = true, !plain
		}
		c.args = rest
	}
	if len(c.args) == 0 {
		return c
	}
	if b := builtinNamed(c.args[0]); b.run != nil && !c.exec {
		c.builtin, c.special = b.run, b.special && !plain
		return c
	}
	c.args = withoutWrappers(c.args)
	return c
}

// behind returns the command after command and exec, if these are what the
// line begins with. command -v is a built-in of its own.
func behind(args []string) ([]string, bool) {
	rest := args[1:]
	switch args[0] {
	case "exec":
		return rest, true
	case "command":
		given, rest, err := flags(rest, "pvV")
		return rest, err == nil && len(rest) > 0 && !strings.ContainsAny(given, "vV")
	}
	return nil, false
}

// prefix makes an assignment before a command. It lasts for the command, or for
// ever if there is none or it is a special built-in.
func (m *machine) prefix(as *syntax.Assign, c target, f *frame) error {
	value, err := m.value(as.Value)
	if err != nil {
		return err
	}
	name := as.Name.Value
	lasts := len(c.args) == 0 || c.special
	if !lasts {
		if err := m.saveIn(f, name); err != nil {
			return err
		}
	}
	if err := m.assign(name, value); err != nil {
		return err
	}
	if lasts {
		return nil
	}
	return m.mark(name, true, false)
}

// invoke runs a command whose words are expanded.
func (m *machine) invoke(c target, tested bool) int {
	switch {
	case len(c.args) == 0:
		return m.substituted
	case c.function != nil:
		return m.callFunction(c.function, c.args[1:], tested)
	case c.builtin != nil:
		status, left := 0, len(m.unrestored)
		if c.args[0] == "eval" {
			status = m.evaluateArgs(c.args[1:], tested)
		} else {
			status = c.builtin(m, c.args)
		}
		if m.leaving == failing && !c.special && !m.stopped {
			m.leaving = staying
			m.restoreFrom(left)
			return 2
		}
		return status
	}
	status := 127
	switch {
	case isCLI(c.args[0]):
		status = m.cli(c.args)
	case isShow(c.args[0]) && m.unheard, isLogger(c.args[0]) && m.silent():
		status = 0
	case (isShow(c.args[0]) || isLogger(c.args[0])) && m.files[1].kept():
		m.stop(fmt.Errorf("program %q cannot be run, and the script reads what it prints", c.args[0]))
	default:
		if c.exec && c.args[0] == "" {
			status = 126 // the first directory of the path, which cannot be executed
		}
		m.complain(fmt.Errorf("program %q cannot be run", c.args[0]))
	}
	if c.exec && !m.stopped {
		m.status = status
		if isCLI(c.args[0]) {
			m.exitTrap = nil // exec does not come back to it
		}
		m.leave(exiting)
	}
	return status
}

func (m *machine) callFunction(body *syntax.Stmt, params []string, tested bool) int {
	f := &frame{function: true}
	saved := *m
	m.params, m.loops, m.getopts = params, 0, getoptsState{index: 1, offset: -1}
	m.frames = append(m.frames, f)
	if m.descend() == nil {
		m.statement(body, tested)
	}
	m.ascend()
	m.unwind(f)
	m.params, m.loops, m.getopts, m.frames = saved.params, saved.loops, saved.getopts, saved.frames
	if m.leaving == returning {
		m.leaving = staying
	}
	return m.status
}

// cli turns a command line into a call and hands it to the caller.
func (m *machine) cli(args []string) int {
	if m.files[1].kept() {
		m.stop(fmt.Errorf("%s: what it prints cannot be read by the script", described(args)))
		return 1
	}
	name := strings.TrimSuffix(path.Base(args[0]), ".phar")
	call, err := ParseCommandLine(append([]string{name}, args[1:]...))
	if err != nil {
		m.complain(fmt.Errorf("%s: %w", described(args), err))
		return 1
	}
	// The CLI takes its target from these variables, which a script may change.
	if call.Project == "" {
		call.Project = m.changed("PLATFORM_PROJECT")
	}
	if call.Environment == "" {
		call.Environment = m.changed("PLATFORM_BRANCH")
	}
	if m.stopped || m.ctx.Err() != nil {
		return 1
	}
	m.calls++
	began := time.Now()
	status := m.call(m.ctx, call)
	m.waited += time.Since(began)
	return status & 0xff
}

// described names a call that cannot be made. Its other words are left out,
// since one of them may be a secret value.
func described(args []string) string {
	if i, ok := commandWord(args); ok {
		return args[0] + " " + args[i]
	}
	return args[0]
}

// changed returns the value of an exported variable if the script changed it.
func (m *machine) changed(name string) string {
	v := m.vars[name]
	if !v.set || !v.exported || v.value == m.execution.vars[name] {
		return ""
	}
	return v.value
}
