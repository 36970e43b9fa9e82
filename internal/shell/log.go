package shell

import (
	"path"

	"mvdan.cc/sh/v3/syntax"
)

// logPart returns the last part of a pipeline if it only keeps what the part before prints: tee or
// logger. Here that goes nowhere, like everything that is printed.
func logPart(b *syntax.BinaryCmd) *syntax.CallExpr {
	if b.Op != syntax.Pipe || !isPlain(b.Y) || b.Y.Negated {
		return nil
	}
	call, ok := b.Y.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 || len(call.Args) == 0 {
		return nil
	}
	switch name := call.Args[0].Lit(); path.Base(name) {
	case "tee", "logger":
		return call
	}
	return nil
}

// logging is the part of a pipeline that keeps what the others print: its words are expanded, and
// nothing is kept.
func (m *machine) logging(call *syntax.CallExpr) int {
	if _, err := m.words(call.Args); err != nil {
		return m.fatal(err)
	}
	return 0
}
