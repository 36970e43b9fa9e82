package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Condition is a test or a case statement that a script came to, and what came of it.
type Condition struct {
	Line      int        // in the script, from 1
	Text      string     // as written, without a ! before it: `[ "$X" = y ]`, or `case "$X" in y|z)` with the pattern that matched
	Variables []Variable // the variables it reads, in the order of the text
	Holds     bool       // it is true, or a pattern matched
	Ended     bool       // the script ended in it, as at a guard variable that is not set
}

// Variable is a variable as a condition found it.
type Variable struct {
	Name  string
	Value string
	Set   bool
}

// maxConditions bounds what Trace returns; a loop may come to the same test many times.
const maxConditions = 100

// Trace runs the script as Run does, and returns the conditions it came to, in order. A condition
// that comes again with the same values is left out, and so are those within eval and trap. It
// costs many times what Run does: it is for explaining a decision, not for making one.
func (s *Script) Trace(ctx context.Context, vars map[string]string, call CallFunc) []Condition {
	p, problems := compile(s.source)
	if hasErrors(problems) {
		return nil // what Parse accepted has none
	}
	t := &tracer{src: s.source, open: map[int]*Condition{}, seen: map[string]bool{}}
	t.instrument(p.file)
	p.rewrite()
	x := newExecution(ctx, &Script{source: s.source, program: p, usesCLI: s.usesCLI, programs: s.programs}, vars, call)
	x.trace = t
	x.run()
	return t.conditions()
}

// tracer watches a script through commands that are put into its tree, so that the interpreter has
// no part in it but to hand traceCommand over to note. These commands are
//
//	automatond-trace begin N "$?" VALUE…   before condition N, with the variables it reads
//	automatond-trace choose N "$?" K       in pattern list K of a case
//	automatond-trace end N "$?"            after the condition, with its status
//
// and they all leave the status as it was.
type tracer struct {
	src   string
	sites []site

	mu   sync.Mutex // parts of a pipe run at the same time
	open map[int]*Condition
	seen map[string]bool
	list []*Condition
}

// site is a condition in the text.
type site struct {
	line      int
	text      string
	variables []string
	choices   []string // of a case: its pattern lists
}

// traceCommand is a name that no script can use: a script that names another program than the CLI
// is not run.
const traceCommand = "automatond-trace"

// instrument puts the commands around every test and case statement.
func (t *tracer) instrument(file *syntax.File) {
	var found []*syntax.Stmt
	syntax.Walk(file, func(n syntax.Node) bool {
		if st, ok := n.(*syntax.Stmt); ok {
			switch cmd := st.Cmd.(type) {
			case *syntax.CaseClause:
				found = append(found, st)
			case *syntax.CallExpr:
				if len(cmd.Args) > 0 && (cmd.Args[0].Lit() == "[" || cmd.Args[0].Lit() == "test") {
					found = append(found, st)
				}
			}
		}
		return true
	})
	for _, st := range found {
		t.surround(st)
	}
}

func (t *tracer) surround(st *syntax.Stmt) {
	n := len(t.sites)
	s := site{line: int(st.Pos().Line())}
	var read syntax.Node = st.Cmd
	if c, ok := st.Cmd.(*syntax.CaseClause); ok {
		read = c.Word
		s.text = "case " + t.text(c.Word.Pos(), c.Word.End()) + " in"
		for k, item := range c.Items {
			s.choices = append(s.choices, t.text(item.Patterns[0].Pos(), item.Patterns[len(item.Patterns)-1].End())+")")
			status := `"$?"`
			if len(item.Stmts) == 0 {
				status = "0"
			}
			item.Stmts = append([]*syntax.Stmt{statement("choose %d %s %d", n, status, k)}, item.Stmts...)
		}
	} else {
		s.text = t.text(st.Cmd.Pos(), st.Cmd.End())
	}
	var values strings.Builder
	s.variables = variablesIn(read)
	for _, name := range s.variables {
		fmt.Fprintf(&values, ` "${%s+=}${%[1]s-}"`, name) // "=" and the value, or nothing when it is not set
	}
	t.sites = append(t.sites, s)
	inner := *st
	inner.Negated = false // the ! before it is set -e's business, and stays outside
	*st = syntax.Stmt{Position: st.Position, Negated: st.Negated, Cmd: &syntax.Block{Stmts: []*syntax.Stmt{
		statement(`begin %d "$?"%s`, n, values.String()), &inner, statement(`end %d "$?"`, n),
	}}}
}

// text returns a part of the source in one line.
func (t *tracer) text(from, to syntax.Pos) string {
	text := t.src[min(int(from.Offset()), len(t.src)):min(int(to.Offset()), len(t.src))]
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// variablesIn lists the variables that are read in a node, without repetition.
func variablesIn(n syntax.Node) []string {
	var names []string
	seen := map[string]bool{}
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			return false
		case *syntax.ParamExp:
			name := n.Param.Value
			positional := len(name) == 1 && name >= "1" && name <= "9"
			if !seen[name] && (syntax.ValidName(name) || positional) {
				seen[name] = true
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

// statement parses a command of the tracer.
func statement(format string, args ...any) *syntax.Stmt {
	text := traceCommand + " " + fmt.Sprintf(format, args...)
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		panic(fmt.Sprintf("trace command %q: %v", text, err)) // it contains nothing but names and numbers
	}
	return file.Stmts[0]
}

// note carries out a traceCommand, and returns its status.
func (t *tracer) note(args []string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	what := args[1]
	n, _ := strconv.Atoi(args[2])
	status, _ := strconv.Atoi(args[3])
	if what == "begin" {
		t.begin(n, args[4:])
		return status
	}
	c := t.open[n]
	if c == nil {
		return status
	}
	switch what {
	case "choose":
		k, _ := strconv.Atoi(args[4])
		c.Text += " " + t.sites[n].choices[k]
		c.Holds, c.Ended = true, false
	case "end":
		c.Holds, c.Ended = c.Holds || t.sites[n].choices == nil && status == 0, false
		delete(t.open, n)
	}
	return status
}

// begin adds a condition, which counts as the script's end until more is heard of it.
func (t *tracer) begin(n int, values []string) {
	delete(t.open, n)
	key := strconv.Itoa(n) + "\x00" + strings.Join(values, "\x00")
	if t.seen[key] || len(t.list) == maxConditions {
		return
	}
	t.seen[key] = true
	c := &Condition{Line: t.sites[n].line, Text: t.sites[n].text, Ended: true}
	for i, name := range t.sites[n].variables {
		value, set := strings.CutPrefix(values[i], "=")
		c.Variables = append(c.Variables, Variable{Name: name, Value: value, Set: set})
	}
	t.open[n] = c
	t.list = append(t.list, c)
}

func (t *tracer) conditions() []Condition {
	list := make([]Condition, len(t.list))
	for i, c := range t.list {
		list[i] = *c
	}
	return list
}
