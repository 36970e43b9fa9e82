package shell

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxSource is the longest script, in bytes. The longest cron found in public
// repositories has some 2,000.
const maxSource = 64 << 10

// program is a script's syntax tree with what is known of it as a whole.
type program struct {
	file      *syntax.File
	functions map[string]bool // functions it declares anywhere
	assigned  map[string]bool // variables it may set anywhere
}

// functionNames returns the declared functions, also of a nil program.
func (p *program) functionNames() map[string]bool {
	if p == nil {
		return nil
	}
	return p.functions
}

// compile parses a text as a POSIX shell script. The program is nil when there
// is a problem, which is then an error.
func compile(src string) (*program, []Problem) {
	if len(src) > maxSource {
		return nil, []Problem{{Line: 1, Column: 1, EndColumn: 1, Severity: Error, Code: "too-long",
			Message: fmt.Sprintf("the script has %d bytes, more than %d", len(src), maxSource)}}
	}
	parser := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
	file, err := parser.Parse(strings.NewReader(src), "sh")
	if err != nil {
		return nil, []Problem{syntaxProblem(err)}
	}
	p := &program{file: file, functions: map[string]bool{}, assigned: map[string]bool{}}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			p.functions[n.Name.Value] = true
		case *syntax.Assign:
			if n.Name != nil {
				p.assigned[n.Name.Value] = true
			}
		case *syntax.WordIter:
			p.assigned[n.Name.Value] = true
		case *syntax.CallExpr:
			p.noteAssigningBuiltin(n)
		case *syntax.ParamExp:
			if n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				p.assigned[n.Param.Value] = true
			}
		}
		return true
	})
	return p, nil
}

// noteAssigningBuiltin notes the variables that read, getopts, export, local
// and readonly set.
func (p *program) noteAssigningBuiltin(call *syntax.CallExpr) {
	if len(call.Args) == 0 {
		return
	}
	switch name := call.Args[0].Lit(); name {
	case "read", "getopts":
		for _, w := range call.Args[1:] {
			p.assigned[w.Lit()] = true
		}
	case "export", "readonly", "local":
		for _, w := range call.Args[1:] {
			if as, ok := assignment(w); ok {
				p.assigned[as.Name.Value] = true
			}
		}
	}
}

// syntaxProblem turns a parser's error into a problem.
func syntaxProblem(err error) Problem {
	p := Problem{Line: 1, Column: 1, Severity: Error, Code: "syntax", Message: err.Error()}
	var pos syntax.Pos
	if lang, ok := errors.AsType[syntax.LangError](err); ok {
		pos = lang.Pos
		p.Code = "bash-only"
		p.Message = fmt.Sprintf("%s: dash, which runs crons on the platform, does not know this", lang.Feature)
		p.Hint = "write it for a POSIX shell"
	} else if parse, ok := errors.AsType[syntax.ParseError](err); ok {
		pos = parse.Pos
		p.Message = "syntax error: " + parse.Text
	}
	if pos.IsValid() {
		p.Line, p.Column = int(pos.Line()), int(pos.Col())
	}
	p.EndColumn = p.Column
	return p
}
