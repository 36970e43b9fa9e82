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

// maxParentheses bounds how deep a script can be nested, which the parser pays
// for with its stack.
const maxParentheses = 4096

// program is a script's syntax tree with what is known of it as a whole.
type program struct {
	file      *syntax.File
	functions map[string]bool           // functions it declares anywhere
	tolerated map[*syntax.ParamExp]bool // where a guard variable may be unset
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
	if n := strings.Count(src, "("); n > maxParentheses {
		return nil, []Problem{{Line: 1, Column: 1, EndColumn: 1, Severity: Error, Code: "too-long",
			Message: fmt.Sprintf("the script has %d parentheses, more than %d", n, maxParentheses)}}
	}
	if problem, ok := strangeByte(src); ok {
		return nil, []Problem{problem}
	}
	file, err := parse(src)
	if err != nil {
		return nil, []Problem{syntaxProblem(err)}
	}
	p := &program{file: file, functions: map[string]bool{}, tolerated: map[*syntax.ParamExp]bool{}}
	var nameless *syntax.FuncDecl
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			if n.Name == nil {
				nameless = n
				return false
			}
			p.functions[n.Name.Value] = true
		case *syntax.CallExpr:
			p.tolerate(n)
		}
		return true
	})
	if nameless != nil {
		return nil, []Problem{at(nameless, Error, "syntax", "syntax error: a function has no name", "")}
	}
	return p, nil
}

// strangeByte finds a byte that the parser passes over and dash does not.
func strangeByte(src string) (Problem, bool) {
	i := strings.IndexAny(src, "\r\x00")
	if i < 0 {
		return Problem{}, false
	}
	p := Problem{Line: 1 + strings.Count(src[:i], "\n"), Column: i - strings.LastIndexByte(src[:i], '\n'), Severity: Error, Code: "syntax",
		Message: "syntax error: a carriage return is a part of the word to dash", Hint: "end lines as Unix does"}
	if src[i] == 0 {
		p.Message, p.Hint = "syntax error: a zero byte", ""
	}
	p.EndColumn = p.Column + 1
	return p, true
}

// tolerate finds the operands of -z and -n, where a script asks whether a
// variable is set.
func (p *program) tolerate(call *syntax.CallExpr) {
	if len(call.Args) == 0 || call.Args[0].Lit() != "[" && call.Args[0].Lit() != "test" {
		return
	}
	for i, w := range call.Args[:len(call.Args)-1] {
		if lit := w.Lit(); lit == "-z" || lit == "-n" {
			syntax.Walk(call.Args[i+1], func(n syntax.Node) bool {
				if param, ok := n.(*syntax.ParamExp); ok {
					p.tolerated[param] = true
				}
				return true
			})
		}
	}
}

// compile parses a text for eval or trap. What is not offered here ends the
// script, as it would have been refused had it stood in the text.
func (m *machine) compile(src string) (*program, error) {
	if err := m.spend(10 * len(src)); err != nil {
		return nil, err
	}
	p, problems := compile(src)
	if p == nil {
		err := errors.New(problems[0].Message)
		if strings.Contains(src, "\n") || strings.Contains(src, "<<") {
			return nil, m.stop(err) // dash would run the lines before, and needs no end of a here-document
		}
		return nil, err
	}
	c := checker{src: src, functions: p.functionNames()}
	for name := range m.functions {
		c.functions[name] = true
	}
	c.check(p.file)
	for _, problem := range append(c.problems, c.ours...) {
		if problem.Severity == Error {
			return nil, m.stop(errors.New(problem.Message))
		}
	}
	return p, nil
}

// syntaxProblem turns a parser's error into a problem.
func syntaxProblem(err error) Problem {
	p := Problem{Line: 1, Column: 1, Severity: Error, Code: "syntax", Message: err.Error()}
	var pos syntax.Pos
	if lang, ok := errors.AsType[syntax.LangError](err); ok {
		pos = lang.Pos
		p.Code = "bash-only"
		p.Message = fmt.Sprintf("%s: dash, which runs crons on the platform, does not know this", lang.Feature)
		p.Hint = posixHint(lang.Feature)
	} else if parse, ok := errors.AsType[syntax.ParseError](err); ok {
		pos = parse.Pos
		p.Message = "syntax error: " + plainSyntax(parse.Text)
		p.Hint = syntaxHint(parse.Text)
	}
	if pos.IsValid() {
		p.Line, p.Column = max(1, int(pos.Line())), max(1, int(pos.Col()))
	}
	p.EndColumn = p.Column
	return p
}
