package shell

import (
	"errors"
	"fmt"
	"maps"

	"mvdan.cc/sh/v3/syntax"
)

// machine is a shell execution environment: that of the script or of a
// subshell, which begins as a copy of its parent's. Its methods follow dash,
// version 0.5.12.
type machine struct {
	*execution

	vars      map[string]variable
	functions map[string]*syntax.Stmt
	params    []string
	options   options
	files     [3]*file
	frames    []*frame
	// unrestored are frames that an error or the shell's end has left, the innermost first.
	unrestored []*frame
	getopts    getoptsState
	exitTrap   *string
	unsure     bool // standard output is a pipe, and was closed before that
	unheard    bool // nobody reads what the substitutions of the present command print

	status      int // $?
	final       int // what exit without a number ends with: in an EXIT trap the status before it, else -1
	substituted int // status of the latest command substitution of this command
	loops       int // around this command, in this function
	leaving     leaving
	levels      int // of loops, that break or continue still has to leave
}

// leaving says why the commands that follow are not carried out.
type leaving int

const (
	staying    leaving = iota
	breaking           // a loop, or several
	continuing         // with a loop's next turn
	returning          // from a function
	failing            // the shell, after an error; "command" can stop this
	exiting            // the shell
)

func newMachine(x *execution) *machine {
	return &machine{
		execution: x,
		vars:      initialVariables(x.vars),
		functions: map[string]*syntax.Stmt{},
		files:     [3]*file{devNull(), devNull(), devNull()},
		getopts:   getoptsState{index: 1, offset: -1},
		final:     -1,
	}
}

// left reports whether the following commands are to be passed over.
func (m *machine) left() bool { return m.leaving != staying || m.stopped }

// leave makes the commands that follow be passed over.
func (m *machine) leave(why leaving) {
	if m.leaving == staying {
		m.leaving = why
	}
}

// fatal reports an error that ends the shell, or the subshell.
func (m *machine) fatal(err error) int {
	if !m.stopped {
		m.complain(err)
		m.leave(failing)
	}
	m.status = 2
	return 2
}

// complain reports an error. dash would print a message, in words of its own.
func (m *machine) complain(err error) {
	if errors.Is(err, errStopped) {
		return
	}
	if m.files[2].kept() {
		m.stop(err) // the script would read the message
		return
	}
	m.fail(err)
}

// subshell runs commands in a copy of the environment and returns their status.
func (m *machine) subshell(run func(sub *machine)) int {
	if m.descend() == nil {
		if m.account((len(m.vars)+len(m.functions))*perValue) == nil {
			sub := *m
			sub.vars = maps.Clone(m.vars) // the values are shared
			sub.functions = maps.Clone(m.functions)
			sub.exitTrap = nil
			if len(m.frames) > 0 {
				sub.frames = []*frame{{function: true}} // local may be used
			}
			run(&sub)
			m.status = sub.end() & 0xff
		}
	}
	m.ascend()
	return m.status
}

// end runs the EXIT trap and returns the status of the shell.
func (m *machine) end() int {
	status := m.status
	if m.exitTrap == nil || m.stopped {
		return status
	}
	action := *m.exitTrap
	m.exitTrap = nil
	m.final = status
	m.leaving = staying
	m.evaluate("trap", action, false)
	if m.leaving == exiting || m.leaving == failing {
		return m.status
	}
	return status
}

// evaluate runs a text as eval and trap do.
func (m *machine) evaluate(name, text string, tested bool) int {
	p, err := m.compile(text)
	if err != nil {
		return m.fatal(fmt.Errorf("%s: %w", name, err))
	}
	m.tolerate(p)
	if len(p.file.Stmts) == 0 {
		m.status = 0
	}
	if m.descend() == nil {
		m.list(p.file.Stmts, tested)
	}
	m.ascend()
	return m.status
}

// list runs statements one after the other. In a tested list no failure ends
// the script under set -e.
func (m *machine) list(list []*syntax.Stmt, tested bool) int {
	for _, st := range list {
		if m.left() {
			break
		}
		m.statement(st, tested)
	}
	return m.status
}

// statement runs one statement and sets the status.
func (m *machine) statement(st *syntax.Stmt, tested bool) int {
	if m.left() || m.step() != nil {
		return m.status
	}
	if st.Negated {
		status := m.command(st, true)
		if !m.left() {
			m.status = int(truth(status == 0))
		}
		return m.status
	}
	return m.command(st, tested)
}

// command runs a statement without regard to its negation.
func (m *machine) command(st *syntax.Stmt, tested bool) int {
	c := m.trace.begin(m, st)
	status := m.carryOut(st, tested)
	if c != nil && !m.left() {
		m.trace.end(c, st, status)
	}
	return status
}

func (m *machine) carryOut(st *syntax.Stmt, tested bool) int {
	exits := false // under set -e
	status := 0
	switch cmd := st.Cmd.(type) {
	case nil:
		status, exits = m.simple(&syntax.CallExpr{}, st.Redirs, tested), true
	case *syntax.CallExpr:
		status, exits = m.simple(cmd, st.Redirs, tested), true
	case *syntax.Subshell:
		status = m.subshell(func(sub *machine) {
			sub.redirected(st.Redirs, func() int { return sub.list(cmd.Stmts, tested) })
		})
		exits = true
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.Pipe {
			status, exits = m.pipeline(cmd, tested), true
		} else {
			status = m.chain(cmd, tested)
		}
	case *syntax.FuncDecl:
		m.functions[cmd.Name.Value] = cmd.Body
	default:
		exits = true // if the redirections fail, since what runs does it by itself
		status = m.redirected(st.Redirs, func() int {
			exits = false
			return m.compound(cmd, tested)
		})
	}
	if m.stopped || m.leaving == failing || m.leaving == exiting {
		return m.status
	}
	m.status = status
	if exits && status != 0 && !tested && m.options.has('e') {
		m.leaving = exiting // also where it was about to return
	}
	return status
}

// redirected runs a compound command with redirections.
func (m *machine) redirected(list []*syntax.Redirect, run func() int) int {
	if len(list) == 0 {
		return run()
	}
	saved := m.files
	defer func() { m.files = saved }()
	if err := m.redirect(list); err != nil {
		if _, ok := errors.AsType[*redirectError](err); ok {
			m.complain(err)
			m.status = 2
			return 2
		}
		return m.fatal(err)
	}
	return run()
}

// chain runs commands joined by && and ||.
func (m *machine) chain(last *syntax.BinaryCmd, tested bool) int {
	chain := []*syntax.BinaryCmd{last}
	first := last.X
	for {
		b, ok := first.Cmd.(*syntax.BinaryCmd)
		if !ok || b.Op == syntax.Pipe || first.Negated {
			break
		}
		chain = append(chain, b)
		first = b.X
	}
	status := m.statement(first, true)
	for i := len(chain) - 1; i >= 0 && !m.left(); i-- {
		if (status == 0) == (chain[i].Op == syntax.AndStmt) {
			status = m.statement(chain[i].Y, tested || i > 0)
		}
	}
	return status
}

// pipeline runs the parts of a pipeline, each in a subshell, one after the
// other. What one prints is what the next one reads.
func (m *machine) pipeline(last *syntax.BinaryCmd, tested bool) int {
	parts := []*syntax.Stmt{last.Y}
	first := last.X
	for {
		b, ok := first.Cmd.(*syntax.BinaryCmd)
		if !ok || b.Op != syntax.Pipe {
			break
		}
		parts = append(parts, b.Y)
		first = b.X
	}
	parts = append(parts, first)
	log := logPart(last)
	if log != nil && m.functions[log.Args[0].Lit()] != nil {
		log = nil
	}
	if log != nil && !m.silent() {
		m.stop(fmt.Errorf("program %q cannot be run, and the script reads what it prints", log.Args[0].Lit()))
		return 1
	}
	status, before := 0, m.status
	in := m.files[0]
	for i := len(parts) - 1; i >= 0 && !m.stopped; i-- {
		var pipe *file
		m.status = before // they begin at the same time under dash
		status = m.subshell(func(sub *machine) {
			sub.files[0] = in
			switch {
			case i == 1 && log != nil:
				sub.pipeTo(devNull())
			case i == 0 && log != nil:
				sub.status = sub.logging(log)
				return
			case i > 0:
				pipe = newSink()
				sub.pipeTo(pipe)
			}
			sub.statement(parts[i], tested)
		})
		if pipe != nil {
			in = newText(pipe.sink.String())
		}
	}
	return status
}

func (m *machine) compound(cmd syntax.Command, tested bool) int {
	defer m.ascend()
	if m.descend() != nil {
		return m.status
	}
	switch cmd := cmd.(type) {
	case *syntax.Block:
		return m.list(cmd.Stmts, tested)
	case *syntax.IfClause:
		return m.branch(cmd, tested)
	case *syntax.WhileClause:
		return m.while(cmd, tested)
	case *syntax.ForClause:
		return m.loopOver(cmd, tested)
	case *syntax.CaseClause:
		return m.choose(cmd, tested)
	}
	return m.fatal(errors.New("syntax error: a command that is not of a POSIX shell"))
}

func (m *machine) branch(cmd *syntax.IfClause, tested bool) int {
	for c := cmd; c != nil; c = c.Else {
		if len(c.Cond) == 0 { // else
			return m.list(c.Then, tested)
		}
		status := m.list(c.Cond, true)
		if m.left() {
			return status
		}
		if status == 0 {
			return m.list(c.Then, tested)
		}
	}
	return 0
}

func (m *machine) while(cmd *syntax.WhileClause, tested bool) int {
	m.loops++
	defer func() { m.loops-- }()
	status := 0
	for {
		condition := m.list(cmd.Cond, true)
		switch m.turn() {
		case staying:
			if (condition == 0) == cmd.Until {
				return status
			}
			status = m.list(cmd.Do, tested)
			if why := m.turn(); why != staying && why != continuing {
				return status
			}
		case continuing:
		case returning:
			return condition
		default:
			return status
		}
	}
}

// turn says at the end of a loop's turn whether another one may follow.
func (m *machine) turn() leaving {
	switch {
	case m.stopped:
		return exiting
	case m.leaving == breaking || m.leaving == continuing:
		if m.levels--; m.levels > 0 {
			return breaking
		}
		why := m.leaving
		m.leaving = staying
		return why
	}
	return m.leaving
}

func (m *machine) loopOver(cmd *syntax.ForClause, tested bool) int {
	loop, ok := cmd.Loop.(*syntax.WordIter)
	if !ok {
		return m.fatal(errors.New("syntax error: a loop that is not of a POSIX shell"))
	}
	items := m.params
	if loop.InPos.IsValid() {
		var err error
		if items, err = m.words(loop.Items); err != nil {
			return m.fatal(err)
		}
	}
	m.loops++
	defer func() { m.loops-- }()
	status := 0
	for _, item := range items {
		if err := m.assign(loop.Name.Value, item); err != nil {
			return m.fatal(err)
		}
		status = m.list(cmd.Do, tested)
		if why := m.turn(); why != staying && why != continuing {
			break
		}
	}
	return status
}

func (m *machine) choose(cmd *syntax.CaseClause, tested bool) int {
	word, err := m.text(cmd.Word)
	if err != nil {
		return m.fatal(err)
	}
	for i, item := range cmd.Items {
		for _, w := range item.Patterns {
			p, err := m.pattern(w)
			if err != nil {
				return m.fatal(err)
			}
			matched, work := p.matches(word)
			if err := m.spend(work); err != nil {
				return m.status
			}
			if !matched {
				continue
			}
			m.trace.choose(cmd, i)
			if len(item.Stmts) == 0 {
				return 0
			}
			return m.list(item.Stmts, tested)
		}
	}
	return 0
}
