package shell

import (
	"cmp"
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// Severities of a Problem.
const (
	Error   = "error"   // the script is refused
	Warning = "warning" // it runs, and probably not as it was meant
	Info    = "info"    // worth knowing
)

// Problem is something wrong or questionable at one place of a script.
type Problem struct {
	Line      int    // 1-based, in the script
	Column    int    // 1-based, in bytes
	EndColumn int    // first column after it, on the same line; at least Column
	Severity  string // Error, Warning or Info
	Code      string // stable and in kebab case, such as "double-equals"
	Message   string // what is wrong, in one clause
	Hint      string // what to write instead, or empty
}

// at returns a problem that covers a node, or its first line.
func at(node syntax.Node, severity, code, message, hint string) Problem {
	pos, end := node.Pos(), node.End()
	// The parser loses count of the column far to the right, and says 0.
	p := Problem{Line: max(1, int(pos.Line())), Column: max(1, int(pos.Col())), Severity: severity, Code: code, Message: message, Hint: hint}
	p.EndColumn = p.Column
	if end.Line() == pos.Line() && end.Col() > pos.Col() {
		p.EndColumn = int(end.Col())
	}
	return p
}

func hasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
