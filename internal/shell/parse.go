package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// parse reads a text as a POSIX shell does. Within double quotes an apostrophe
// in the word of ${x:-word} is one more character; the parser would take it for
// the beginning of a quotation, so a single one is hidden from it.
func parse(src string) (*syntax.File, error) {
	if masked := hideApostrophes(src); masked != src {
		file, err := parseAsIs(masked)
		if err == nil && showApostrophes(file) == strings.Count(masked, hiddenApostrophe) {
			return file, nil
		}
	}
	return parseAsIs(src)
}

func parseAsIs(src string) (*syntax.File, error) { return parseTree(src, syntax.KeepComments(true)) }

// parseTree parses a text and mends what the parser reads otherwise than dash.
func parseTree(src string, options ...syntax.ParserOption) (*syntax.File, error) {
	parser := syntax.NewParser(append(options, syntax.Variant(syntax.LangPOSIX))...)
	file, err := parser.Parse(strings.NewReader(src), "sh")
	if err == nil {
		joinWords(file)
		endFunctions(file)
	}
	return file, err
}

// joinWords makes one word of two that touch. Within backquotes the parser takes a text and the
// \`...\` behind it for two arguments.
func joinWords(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		joined := call.Args[:1]
		for _, w := range call.Args[1:] {
			last := joined[len(joined)-1]
			if last.End().Offset() == w.Pos().Offset() {
				last.Parts = append(last.Parts, w.Parts...)
			} else {
				joined = append(joined, w)
			}
		}
		call.Args = joined
		return true
	})
}

// endFunctions ends the body of a function where its compound command does. The parser takes what
// follows &&, || or | for a part of the body. What stands behind another operator or a ! is left as
// it is, and refused by the checker.
func endFunctions(file *syntax.File) {
	behind := map[*syntax.Stmt]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BinaryCmd:
			behind[n.Y] = true
		case *syntax.Stmt:
			if f, ok := n.Cmd.(*syntax.FuncDecl); ok && !n.Negated && !behind[n] {
				endFunction(n, f)
			}
		}
		return true
	})
}

func endFunction(st *syntax.Stmt, f *syntax.FuncDecl) {
	first := f.Body
	for {
		list, ok := first.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		first = list.X
	}
	if first == f.Body {
		return
	}
	st.Cmd = f.Body.Cmd
	body := *first
	f.Body = &body
	*first = syntax.Stmt{Position: f.Position, Cmd: f}
}
