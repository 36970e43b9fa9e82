package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"

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
// costs more than Run does: it is for explaining a decision, not for making one.
func (s *Script) Trace(ctx context.Context, vars map[string]string, call CallFunc) []Condition {
	x := newExecution(ctx, s, vars, call)
	x.trace = &tracer{src: s.source, sites: conditionsIn(s.program.file), open: map[*syntax.CaseClause]*Condition{}, seen: map[string]bool{}}
	x.run(s.program)
	return x.trace.conditions()
}

// tracer writes down the conditions that a script comes to. A nil tracer does nothing.
type tracer struct {
	src   string
	sites map[syntax.Command]bool // the script's own conditions; eval and trap have others
	open  map[*syntax.CaseClause]*Condition
	seen  map[string]bool
	list  []*Condition
}

// conditionsIn finds every test and case statement.
func conditionsIn(file *syntax.File) map[syntax.Command]bool {
	found := map[syntax.Command]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CaseClause:
			found[n] = true
		case *syntax.CallExpr:
			if len(n.Args) > 0 && (n.Args[0].Lit() == "[" || n.Args[0].Lit() == "test") {
				found[n] = true
			}
		}
		return true
	})
	return found
}

// begin adds a condition, which counts as the script's end until more is heard of it. It returns
// nil for what is no condition, or one that is left out.
func (t *tracer) begin(m *machine, st *syntax.Stmt) *Condition {
	if t == nil || !t.sites[st.Cmd] {
		return nil
	}
	c := &Condition{Line: int(st.Pos().Line()), Text: t.text(st.Cmd.Pos(), st.Cmd.End()), Ended: true}
	var read syntax.Node = st.Cmd
	clause, isCase := st.Cmd.(*syntax.CaseClause)
	if isCase {
		delete(t.open, clause)
		read = clause.Word
		c.Text = "case " + t.text(clause.Word.Pos(), clause.Word.End()) + " in"
	}
	key := strconv.Itoa(int(st.Pos().Offset()))
	for _, name := range variablesIn(read) {
		value, set := m.parameter(name)
		c.Variables = append(c.Variables, Variable{Name: name, Value: value, Set: set})
		key += fmt.Sprintf("\x00%t%s", set, value)
	}
	if t.seen[key] || len(t.list) == maxConditions {
		return nil
	}
	t.seen[key] = true
	t.list = append(t.list, c)
	if isCase {
		t.open[clause] = c
	}
	return c
}

// choose notes the pattern list of a case that matched.
func (t *tracer) choose(clause *syntax.CaseClause, k int) {
	if t == nil {
		return
	}
	if c := t.open[clause]; c != nil {
		patterns := clause.Items[k].Patterns
		c.Text += " " + t.text(patterns[0].Pos(), patterns[len(patterns)-1].End()) + ")"
		c.Holds, c.Ended = true, false
	}
}

// end notes that the script goes on after a condition.
func (t *tracer) end(c *Condition, st *syntax.Stmt, status int) {
	c.Ended = false
	if clause, ok := st.Cmd.(*syntax.CaseClause); ok {
		delete(t.open, clause)
	} else {
		c.Holds = status == 0
	}
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

func (t *tracer) conditions() []Condition {
	list := make([]Condition, len(t.list))
	for i, c := range t.list {
		list[i] = *c
	}
	return list
}
