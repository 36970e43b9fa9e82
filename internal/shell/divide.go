package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// division says how to make two scripts of one that calls the CLI and runs other programs.
func (c *checker) division() string {
	const most = 240 // bytes of a script that can still be read on one line
	calls, ok := c.without(c.isOther, c.isCall)
	programs, too := c.without(c.isCall, c.isOther)
	if !ok || !too || c.secrets || len(calls) > most || len(programs) > most {
		return fmt.Sprintf("make two crons of it, one with the calls and one for the container with %s; neither can see what the other does",
			strings.Join(c.programNames(), ", "))
	}
	return fmt.Sprintf("make two crons of it, one with: %s — and one for the container with: %s", calls, programs)
}

// isOther reports whether a command runs another program.
func (c *checker) isOther(call *syntax.CallExpr) bool {
	return slices.ContainsFunc(c.others, func(w *syntax.Word) bool {
		return slices.ContainsFunc(call.Args, func(arg *syntax.Word) bool { return arg.Pos().Offset() == w.Pos().Offset() })
	})
}

// isCall reports whether a command is a call of the CLI, or a function that makes one.
func (c *checker) isCall(call *syntax.CallExpr) bool {
	return len(call.Args) > 0 && slices.Contains(c.calls, call.Args[0].Pos().Offset())
}

// divider takes some commands out of a script, as if each had succeeded and done nothing.
type divider struct {
	removed, kept func(*syntax.CallExpr) bool
	failed        bool // what is left depends on what is removed
}

// without prints the script on one line without some commands. It is false when others depend on
// them by more than coming afterwards.
func (c *checker) without(removed, kept func(*syntax.CallExpr) bool) (string, bool) {
	// The tree is changed, so it is not the one that is checked. Comments do not fit on one line.
	file, err := parseTree(c.src)
	if err != nil {
		return "", false
	}
	d := divider{removed: removed, kept: kept}
	file.Stmts = d.list(file.Stmts)
	if d.failed || !has(file, kept) {
		return "", false
	}
	var b strings.Builder
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&b, file); err != nil {
		return "", false
	}
	text := strings.TrimSpace(b.String())
	return text, !strings.Contains(text, "\n")
}

// list keeps the statements of which something is left. A test that nothing follows any more has no
// use, and would end a script with set -e.
func (d *divider) list(list []*syntax.Stmt) []*syntax.Stmt {
	var left []*syntax.Stmt
	for _, st := range list {
		whole := !has(st, d.removed)
		if d.statement(st) && (whole || has(st, notTest)) {
			left = append(left, st)
		}
	}
	return left
}

// notTest reports whether a command does more than to look at something.
func notTest(call *syntax.CallExpr) bool {
	if len(call.Args) == 0 {
		return true
	}
	name := call.Args[0].Lit()
	return name != "[" && name != "test"
}

// statement takes out of a statement what has to go, and reports whether something is left of it.
func (d *divider) statement(st *syntax.Stmt) bool {
	if !has(st, d.removed) {
		return true
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		// What is left may not need what a command that goes prints.
		d.failed = d.failed || !d.removed(cmd) || has(cmd, d.kept)
		return false
	case *syntax.BinaryCmd:
		return d.binary(st, cmd)
	case *syntax.Block:
		cmd.Stmts = d.list(cmd.Stmts)
		return len(cmd.Stmts) > 0
	case *syntax.Subshell:
		cmd.Stmts = d.list(cmd.Stmts)
		return len(cmd.Stmts) > 0
	case *syntax.IfClause:
		return d.branches(cmd)
	case *syntax.WhileClause:
		d.whole(cmd.Cond)
		cmd.Do = d.list(cmd.Do)
		return len(cmd.Do) > 0
	case *syntax.ForClause:
		cmd.Do = d.list(cmd.Do)
		return len(cmd.Do) > 0
	case *syntax.CaseClause:
		left := false
		for _, item := range cmd.Items {
			item.Stmts = d.list(item.Stmts)
			left = left || len(item.Stmts) > 0
		}
		return left
	}
	d.failed = true
	return false
}

// binary keeps both sides of && and ||, or what is left of them if the other one had succeeded.
func (d *divider) binary(st *syntax.Stmt, cmd *syntax.BinaryCmd) bool {
	if cmd.Op == syntax.Pipe {
		d.failed = d.failed || has(cmd, d.kept)
		return false
	}
	x, y := d.statement(cmd.X), d.statement(cmd.Y)
	switch {
	case x && y:
	case cmd.Op == syntax.AndStmt && x:
		*st = *cmd.X
	case cmd.Op == syntax.AndStmt && y:
		*st = *cmd.Y
	case x && has(cmd.X, d.kept):
		*st = *cmd.X
	default:
		d.failed = d.failed || y && has(cmd.Y, d.kept)
		return false
	}
	return x || y
}

// branches keeps an if of which one branch has something left.
func (d *divider) branches(clause *syntax.IfClause) bool {
	left := false
	for branch := clause; branch != nil; branch = branch.Else {
		d.whole(branch.Cond)
		if branch.Then = d.list(branch.Then); len(branch.Then) > 0 {
			left = true
			continue
		}
		colon := &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: ":"}}}
		branch.Then = []*syntax.Stmt{{Cmd: &syntax.CallExpr{Args: []*syntax.Word{colon}}}}
	}
	return left
}

// whole wants that nothing of a condition has to go.
func (d *divider) whole(list []*syntax.Stmt) {
	for _, st := range list {
		d.failed = d.failed || has(st, d.removed)
	}
}

// has reports whether a node has a command of some kind within.
func has(n syntax.Node, is func(*syntax.CallExpr) bool) bool {
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			found = found || is(call)
		}
		return !found
	})
	return found
}
