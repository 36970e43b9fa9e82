package shell

import (
	"path"
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// shows are programs that do nothing but to print something of their container. Within the words of
// an echo that nobody reads they are passed over, as is what the echo prints.
var shows = []string{"date", "hostname", "id", "uname", "uptime", "whoami"}

func isShow(name string) bool { return slices.Contains(shows, path.Base(name)) }

// isLogger reports the program that only keeps its words or its input in the system's log.
func isLogger(name string) bool { return path.Base(name) == "logger" }

// isUnheard reports whether what a command prints goes nowhere, and it is an echo, which prints its
// words and does not fail whatever they are.
func (m *machine) isUnheard(call *syntax.CallExpr) bool {
	return len(call.Args) > 0 && call.Args[0].Lit() == "echo" && m.functions["echo"] == nil && m.silent()
}

// silent reports whether nothing that is printed can be seen by the script.
func (m *machine) silent() bool { return !m.files[1].kept() && !m.files[2].kept() }

// hearing expands what may read or assign what a substitution in it prints: a parameter, an expression, or
// another substitution.
func (m *machine) hearing(expand func() error) error {
	defer func(before bool) { m.unheard = before }(m.unheard)
	m.unheard = false
	return expand()
}

// span is a part of the text.
type span struct{ from, to uint }

func isIn(list []span, at uint) bool {
	return slices.ContainsFunc(list, func(s span) bool { return s.from <= at && at < s.to })
}

// echo notes the substitutions in the words of an echo that nobody reads which only show something. Those in
// parameters, expressions and other substitutions may be read there (see machine.hearing).
func (c *checker) echo(args []*syntax.Word) {
	at := args[0].Pos()
	if c.substitutionAround(at) != nil || isIn(c.heard, at.Offset()) {
		return // what is within another such substitution has been noted with that
	}
	for _, w := range args[1:] {
		syntax.Walk(w, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.CmdSubst:
				if isShown(n) {
					c.unheard = append(c.unheard, span{n.Left.Offset(), n.Right.Offset()})
				}
				return false
			case *syntax.ParamExp, *syntax.ArithmExp:
				return false
			}
			return true
		})
	}
}

// isPrinted reports a word of an echo that has no effect: a text, maybe with what a program shows.
func isPrinted(w *syntax.Word) bool {
	return isTextBut(w, func(n syntax.Node) bool {
		s, ok := n.(*syntax.CmdSubst)
		return ok && isShown(s)
	})
}

// isShown reports a substitution that only runs a program which shows something.
func isShown(s *syntax.CmdSubst) bool {
	if len(s.Stmts) != 1 || len(s.Stmts[0].Redirs) > 0 || !isPlain(s.Stmts[0]) {
		return false
	}
	call, ok := s.Stmts[0].Cmd.(*syntax.CallExpr)
	return ok && len(call.Assigns) == 0 && isShow(call.Args[0].Lit()) && !slices.ContainsFunc(call.Args, func(w *syntax.Word) bool { return !isText(w) })
}
