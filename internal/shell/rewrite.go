package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// The interpreter follows bash where dash differs, and has no hook in some
// places that must be watched. Both are settled once, in the syntax tree. The
// names below are put into trees and can be printed and parsed again, which
// eval and trap need.
const (
	// unsetMarker is the message of an unset guard variable; see device.Write.
	unsetMarker = "automatond-unset"
	// emptyVariable is never set.
	emptyVariable = "automatond_empty"
	// accountCommand counts what was assigned; see execution.account.
	accountCommand = "automatond-account"
	// pipeCommand counts a pipe before it is opened.
	pipeCommand = "automatond-pipe"
)

// rewrite changes the tree in place. It is done once, before the first run.
func (p *program) rewrite() {
	r := rewriter{tolerated: map[*syntax.ParamExp]bool{}}
	syntax.Walk(p.file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			r.tolerate(call)
		}
		return true
	})
	p.file.Stmts = r.statements(p.file.Stmts, false)
}

type rewriter struct {
	tolerated map[*syntax.ParamExp]bool // guard variables that may be unset where they are read
}

// tolerate finds the operands of -z and -n, where a script asks whether a
// variable is set.
func (r *rewriter) tolerate(call *syntax.CallExpr) {
	if len(call.Args) == 0 || call.Args[0].Lit() != "[" && call.Args[0].Lit() != "test" {
		return
	}
	for i, w := range call.Args[:len(call.Args)-1] {
		if lit := w.Lit(); lit == "-z" || lit == "-n" {
			syntax.Walk(call.Args[i+1], func(n syntax.Node) bool {
				if p, ok := n.(*syntax.ParamExp); ok {
					r.tolerated[p] = true
				}
				return true
			})
		}
	}
}

func (r *rewriter) statements(list []*syntax.Stmt, inFunction bool) []*syntax.Stmt {
	for i, st := range list {
		list[i] = r.statement(st, inFunction)
	}
	return list
}

// statement rewrites one statement with all within it, and puts around it what
// watches its assignments and pipes.
func (r *rewriter) statement(st *syntax.Stmt, inFunction bool) *syntax.Stmt {
	var grown []string // variables whose new value is not in the text
	pipes := false
	words := func(n syntax.Node) {
		syntax.Walk(n, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.CmdSubst:
				n.Stmts = r.statements(n.Stmts, inFunction)
				return false
			case *syntax.ParamExp:
				if n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
					grown = append(grown, n.Param.Value)
				}
			case *syntax.Word:
				quoteBraces(n)
				n.Parts = r.strict(n.Parts)
			case *syntax.DblQuoted:
				n.Parts = r.strict(n.Parts)
			}
			return true
		})
	}
	st.Redirs = redirections(st.Redirs)
	for _, rd := range st.Redirs {
		words(rd.Word)
		if rd.Hdoc != nil {
			words(rd.Hdoc)
		}
		pipes = pipes || rd.Op == syntax.Hdoc || rd.Op == syntax.DashHdoc
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		for _, as := range cmd.Assigns {
			if as.Value != nil {
				words(as.Value)
				if as.Value.Lit() == "" {
					grown = append(grown, as.Name.Value)
				}
			}
		}
		for _, w := range cmd.Args {
			words(w)
		}
		if len(cmd.Args) > 0 {
			// Prefix assignments are gone afterwards, and arguments are counted
			// when the command is called.
			grown = nil
			st.Cmd = r.command(cmd, inFunction)
		}
		if d, ok := st.Cmd.(*syntax.DeclClause); ok {
			for _, as := range d.Args {
				if as.Name != nil && as.Value != nil && as.Value.Lit() == "" {
					grown = append(grown, as.Name.Value)
				}
			}
		}
	case *syntax.Block:
		cmd.Stmts = r.statements(cmd.Stmts, inFunction)
	case *syntax.Subshell:
		cmd.Stmts = r.statements(cmd.Stmts, inFunction)
	case *syntax.IfClause:
		for c := cmd; c != nil; c = c.Else {
			c.Cond = r.statements(c.Cond, inFunction)
			c.Then = r.statements(c.Then, inFunction)
		}
	case *syntax.WhileClause:
		cmd.Cond = r.statements(cmd.Cond, inFunction)
		cmd.Do = r.statements(cmd.Do, inFunction)
	case *syntax.ForClause:
		if loop, ok := cmd.Loop.(*syntax.WordIter); ok {
			for _, w := range loop.Items {
				words(w)
			}
		}
		cmd.Do = r.statements(cmd.Do, inFunction)
	case *syntax.CaseClause:
		words(cmd.Word)
		for _, item := range cmd.Items {
			for _, w := range item.Patterns {
				words(w)
			}
			item.Stmts = r.statements(item.Stmts, inFunction)
		}
	case *syntax.BinaryCmd:
		cmd.X = r.statement(cmd.X, inFunction)
		cmd.Y = r.statement(cmd.Y, inFunction)
		pipes = pipes || cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll
	case *syntax.FuncDecl:
		cmd.Body = r.statement(cmd.Body, true)
	}
	return watched(st, grown, pipes)
}

// redirections drops what leads standard error elsewhere. Nothing of a script
// is read from there, and the interpreter's messages must arrive.
func redirections(list []*syntax.Redirect) []*syntax.Redirect {
	return slices.DeleteFunc(list, func(r *syntax.Redirect) bool {
		if r.N == nil || r.N.Value != "2" {
			return false
		}
		target, ok := literalName(r.Word)
		return ok && (target == "/dev/null" || target == "1" || target == "2" || target == "-")
	})
}

// watched returns { automatond-pipe; st; automatond-account "$x"; }, or st
// itself when there is nothing to watch.
func watched(st *syntax.Stmt, grown []string, pipes bool) *syntax.Stmt {
	if len(grown) == 0 && !pipes {
		return st
	}
	pos := st.Position
	var block []*syntax.Stmt
	if pipes {
		block = append(block, command(pos, pipeCommand))
	}
	block = append(block, st)
	if len(grown) > 0 {
		block = append(block, command(pos, accountCommand, grown...))
	}
	return &syntax.Stmt{Position: pos, Cmd: &syntax.Block{Lbrace: pos, Rbrace: pos, Stmts: block}}
}

// command builds a simple command whose arguments are the quoted values of
// variables.
func command(pos syntax.Pos, name string, variables ...string) *syntax.Stmt {
	call := &syntax.CallExpr{Args: []*syntax.Word{{Parts: []syntax.WordPart{&syntax.Lit{ValuePos: pos, ValueEnd: pos, Value: name}}}}}
	for _, v := range variables {
		// ${x-} cannot fail, not even under set -u.
		value := parameter(pos, v, &syntax.Expansion{Op: syntax.DefaultUnset, Word: &syntax.Word{}})
		call.Args = append(call.Args, &syntax.Word{Parts: []syntax.WordPart{
			&syntax.DblQuoted{Left: pos, Right: pos, Parts: []syntax.WordPart{value}}}})
	}
	return &syntax.Stmt{Position: pos, Cmd: call}
}

// command turns some simple commands into what the interpreter understands.
func (r *rewriter) command(call *syntax.CallExpr, inFunction bool) syntax.Command {
	first := call.Args[0]
	switch name := first.Lit(); name {
	case "export", "readonly", "local":
		if len(call.Assigns) == 0 {
			return declaration(call)
		}
	case "return":
		if !inFunction {
			// Outside a function dash ends the script.
			first.Parts = []syntax.WordPart{&syntax.Lit{ValuePos: first.Pos(), ValueEnd: first.End(), Value: "exit"}}
		}
	case "shift":
		// Our handler refuses to shift more than there is, as dash does.
		pos := first.Pos()
		call.Args = append(call.Args, &syntax.Word{Parts: []syntax.WordPart{
			&syntax.ParamExp{Dollar: pos, Short: true, Param: &syntax.Lit{ValuePos: pos, ValueEnd: pos, Value: "#"}}}})
	}
	return call
}

// declaration turns export, readonly and local, which are ordinary commands to
// the parser, into the node the interpreter has for them.
func declaration(call *syntax.CallExpr) syntax.Command {
	first := call.Args[0]
	d := &syntax.DeclClause{Variant: &syntax.Lit{ValuePos: first.Pos(), ValueEnd: first.End(), Value: first.Lit()}}
	for _, w := range call.Args[1:] {
		as, ok := assignment(w)
		if !ok {
			as = &syntax.Assign{Naked: true, Value: w}
			if lit := w.Lit(); syntax.ValidName(lit) {
				as = &syntax.Assign{Naked: true, Name: &syntax.Lit{ValuePos: w.Pos(), ValueEnd: w.End(), Value: lit}}
			}
		}
		d.Args = append(d.Args, as)
	}
	return d
}

// assignment reads a word such as x="$y" as an assignment.
func assignment(w *syntax.Word) (*syntax.Assign, bool) {
	if len(w.Parts) == 0 {
		return nil, false
	}
	lit, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return nil, false
	}
	name, rest, ok := strings.Cut(lit.Value, "=")
	if !ok || !syntax.ValidName(name) {
		return nil, false
	}
	value := &syntax.Word{}
	if rest != "" {
		value.Parts = append(value.Parts, &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: rest})
	}
	value.Parts = append(value.Parts, w.Parts[1:]...)
	return &syntax.Assign{Name: &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: name}, Value: value}, true
}

// strict makes the reading of a guard variable fail when it is not set.
func (r *rewriter) strict(parts []syntax.WordPart) []syntax.WordPart {
	var out []syntax.WordPart
	for i, part := range parts {
		p, ok := part.(*syntax.ParamExp)
		if !ok || p.Param == nil || !guardVariables[p.Param.Value] || r.tolerated[p] {
			out = append(out, part)
			continue
		}
		switch {
		case p.Exp == nil && !p.Length:
			// $x becomes ${x?marker}.
			p.Short = false
			p.Exp = mustBeSet()
		case p.Exp == nil || removes(p.Exp.Op):
			// An expansion has one operator only, so ${x#y} gets a neighbour that
			// is always empty: the interpreter expands the word in ${none+word}
			// whether or not it needs it.
			check := parameter(p.Pos(), p.Param.Value, mustBeSet())
			out = append(out, parameter(p.Pos(), emptyVariable, &syntax.Expansion{
				Op: syntax.AlternateUnset, Word: &syntax.Word{Parts: []syntax.WordPart{check}}}))
			r.tolerated[check] = true
		}
		r.tolerated[p] = true // the walk comes here again
		out = append(out, parts[i])
	}
	return out
}

// removes reports whether an operator takes a part of the value away. All
// others say themselves what an unset variable means.
func removes(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return true
	}
	return false
}

func mustBeSet() *syntax.Expansion {
	return &syntax.Expansion{Op: syntax.ErrorUnset, Word: &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: unsetMarker}}}}
}

func parameter(pos syntax.Pos, name string, exp *syntax.Expansion) *syntax.ParamExp {
	return &syntax.ParamExp{Dollar: pos, Rbrace: pos, Param: &syntax.Lit{ValuePos: pos, ValueEnd: pos, Value: name}, Exp: exp}
}

// quoteBraces makes { literal, which the interpreter would expand as bash
// does, and a ~ before a name, whose home only the machine would know.
func quoteBraces(w *syntax.Word) {
	if !needsQuotes(w) {
		return
	}
	var parts []syntax.WordPart
	for i, part := range w.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			parts = append(parts, part)
			continue
		}
		start := 0
		for j := 0; j < len(lit.Value); j++ {
			switch b := lit.Value[j]; {
			case b == '\\':
				j++
			case b == '{', b == '~' && i == 0 && j == 0 && len(lit.Value) > 1 && lit.Value[1] != '/':
				if j > start {
					parts = append(parts, &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: lit.Value[start:j]})
				}
				parts = append(parts, &syntax.SglQuoted{Left: lit.ValuePos, Right: lit.ValueEnd, Value: string(b)})
				start = j + 1
			}
		}
		if start < len(lit.Value) {
			parts = append(parts, &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: lit.Value[start:]})
		}
	}
	w.Parts = parts
}

func needsQuotes(w *syntax.Word) bool {
	for i, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); ok {
			if strings.Contains(lit.Value, "{") || i == 0 && strings.HasPrefix(lit.Value, "~") {
				return true
			}
		}
	}
	return false
}
