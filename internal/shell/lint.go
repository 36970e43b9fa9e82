package shell

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// lint looks for what dash takes and nobody means: conditions that are always the same, and guards
// that let too much pass.
func (c *checker) lint(file *syntax.File) {
	g := guards{checker: c, asked: map[string]bool{}}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			c.lintBrackets(n)
			g.findAsked(n)
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil {
				g.asked[n.Param.Value] = true // ${X:?} and ${X:-other} know that it may be unset
			}
		}
		return true
	})
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.IfClause:
			if len(n.Then) > 0 && c.callsWithin(n.Then[0].Pos(), n.Then[len(n.Then)-1].End()) {
				g.warn(n.Cond, true)
			}
		case *syntax.BinaryCmd:
			if (n.Op == syntax.AndStmt || n.Op == syntax.OrStmt) && c.callsCLI(n.Y) {
				g.warn([]*syntax.Stmt{n.X}, n.Op == syntax.AndStmt)
			}
		}
		return true
	})
}

// lintBrackets finds conditions whose brackets are not what they look like.
func (c *checker) lintBrackets(call *syntax.CallExpr) {
	if len(call.Args) == 0 {
		return
	}
	first := call.Args[0]
	lit, ok := first.Parts[0].(*syntax.Lit)
	switch {
	case !ok || !strings.HasPrefix(lit.Value, "[") || lit.Value == "[[":
	case len(first.Parts) > 1:
		c.found(first, Error, "bracket-space", "a space is missing after [, so this is the name of a program",
			fmt.Sprintf("write [ %s ... ], with spaces inside the brackets", c.text(first)[1:]))
	case lit.Value != "[":
	case lastOf(call.Args).Lit() != "]":
		hint := "write ] with a space before it at the end of the condition"
		if rest := strings.TrimLeft(c.after(call), " "); strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||") {
			hint = "close every condition before && and ||, as in [ ... ] && [ ... ]"
		}
		c.found(first, Error, "bracket-unclosed", "the [ has no ], so the condition is never true", hint)
	case len(call.Args) == 3 && glued.MatchString(c.text(call.Args[1])):
		c.found(call.Args[1], Warning, "always-true", "without spaces around = this is one word, so the condition is always true",
			"write a space before and after =")
	case len(call.Args) == 5:
		c.lintComparison(call.Args[1], call.Args[2], call.Args[3])
	}
}

// glued is a comparison that was written without spaces.
var glued = regexp.MustCompile(`^["']?\$\{?\w+\}?["']?!?=`)

// text is what stands in the script for a node.
func (c *checker) text(n syntax.Node) string {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from > to || to > len(c.src) {
		return ""
	}
	return c.src[from:to]
}

// after is what stands in the script behind a node.
func (c *checker) after(n syntax.Node) string { return c.src[min(int(n.End().Offset()), len(c.src)):] }

// guards are a script's conditions on the environment it runs for.
type guards struct {
	*checker
	asked map[string]bool // variables of which the script asks whether they are set
}

// findAsked notes the variables that are operands of -n and -z.
func (g *guards) findAsked(call *syntax.CallExpr) {
	for i, w := range call.Args {
		if op := w.Lit(); (op == "-n" || op == "-z") && i+1 < len(call.Args) {
			if name, ok := variableOf(call.Args[i+1]); ok {
				g.asked[name] = true
			}
		}
	}
}

// comparison is a test of a guard variable.
type comparison struct {
	operator *syntax.Word
	variable string
	value    string // "" if it is no fixed text
	equal    bool   // what lets the call happen: the variable equals the value, or differs from it
}

// warn reports a condition that lets a call happen whenever a variable is something else than one
// value, unless another comparison says what it must be.
func (g *guards) warn(cond []*syntax.Stmt, truth bool) {
	var found []comparison
	for _, st := range cond {
		found = g.comparisons(found, st, truth)
	}
	for _, f := range found {
		if f.equal {
			return
		}
	}
	for _, f := range found {
		if g.asked[f.variable] {
			continue
		}
		but := "but one"
		if f.value != "" {
			but = "but " + f.value
		}
		g.foundHere(f.operator, Warning, "negative-guard",
			fmt.Sprintf("every %s %s passes, new ones too; under dash also when %s is not set", nounOf(f.variable), but, f.variable),
			fmt.Sprintf(`name what may pass, as in [ "$%s" = value ], or ask [ -n "$%s" ] first`, f.variable, f.variable))
	}
}

// nounOf is what a guard variable holds.
func nounOf(variable string) string {
	switch variable {
	case "PLATFORM_BRANCH":
		return "branch"
	case "PLATFORM_ENVIRONMENT_TYPE":
		return "environment type"
	case "PLATFORM_PROJECT":
		return "project"
	}
	return "environment"
}

// comparisons lists the tests of guard variables in a condition that is to be true, or false.
func (g *guards) comparisons(found []comparison, st *syntax.Stmt, truth bool) []comparison {
	truth = truth != st.Negated
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		return append(found, testsIn(cmd, truth)...)
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.AndStmt || cmd.Op == syntax.OrStmt {
			return g.comparisons(g.comparisons(found, cmd.X, truth), cmd.Y, truth)
		}
	case *syntax.Block:
		if len(cmd.Stmts) == 1 {
			return g.comparisons(found, cmd.Stmts[0], truth)
		}
	}
	return found
}

func testsIn(call *syntax.CallExpr, truth bool) []comparison {
	args := call.Args
	if len(args) < 4 || args[0].Lit() != "[" && args[0].Lit() != "test" {
		return nil
	}
	var found []comparison
	for i := 2; i+1 < len(args); i++ {
		op := args[i].Lit()
		if op != "=" && op != "!=" {
			continue
		}
		other := args[i+1]
		name, ok := variableOf(args[i-1])
		if !ok {
			other = args[i-1]
			name, ok = variableOf(args[i+1])
		}
		value, fixed := literalName(other)
		if !ok || !guardVariables[name] || fixed && value == "" {
			continue
		}
		equal := op == "=" == truth
		if i >= 3 && args[i-2].Lit() == "!" {
			equal = !equal
		}
		found = append(found, comparison{args[i], name, value, equal})
	}
	return found
}

// variableOf returns the name of the variable that a word is, quoted or not.
func variableOf(w *syntax.Word) (string, bool) {
	parts := w.Parts
	if len(parts) == 1 {
		if quoted, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = quoted.Parts
		}
	}
	if len(parts) != 1 {
		return "", false
	}
	p, ok := parts[0].(*syntax.ParamExp)
	if !ok || p.Param == nil || p.Exp != nil || p.Length {
		return "", false
	}
	return p.Param.Value, true
}

// asksWhere reports whether a script looks at the environment it runs for other than to name it in
// a call.
func (c *checker) asksWhere(file *syntax.File) bool {
	asks := false
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if c.isCLI(c.commandOf(n)) {
				return false
			}
		case *syntax.ParamExp:
			if n.Param != nil && guardVariables[n.Param.Value] && n.Param.Value != "PLATFORM_PROJECT" {
				asks = true
			}
		}
		return !asks
	})
	return asks
}

// textOption is the option, behind a program's name, that has it run a text.
var textOption = regexp.MustCompile(`^[ \t]+-\w*c[ \t]`)

// programHint guesses what was meant by a program that cannot be run, "" if it is what it seems.
func (c *checker) programHint(w *syntax.Word) string {
	name, _ := literalName(w)
	base := path.Base(name)
	switch {
	case strings.Contains(c.line(w), "/installer"):
		return "remove it: the CLI is built in, and need not be installed"
	case slices.Contains(c.handing, w) && textOption.MatchString(c.after(w)):
		return "write the script itself, without " + name + " -c: the cron's text is a script already"
	case slices.Contains(c.handing, w):
		return "write the call of the CLI itself, without " + name
	case base == "cat" && strings.Contains(c.line(w), "_CLI_TOKEN="):
		return unofferedHint("auth")
	case base == "cat" && readsFile(c.after(w)):
		return hints["."]
	case hints[base] != "":
		return hints[base]
	case base != name && builtinNamed(base).run != nil:
		return "write " + base + ", without its path"
	}
	rest := strings.TrimLeft(c.after(w), " \t")
	_, value, compared := strings.Cut(rest, "=")
	value, _, _ = strings.Cut(strings.TrimLeft(value, "= \t"), ";")
	value, _, _ = strings.Cut(value, "\n")
	value = strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(name, "["):
		return "write a space after ["
	case guardVariables[name] && compared && value != "":
		return fmt.Sprintf(`write [ "$%s" = %s ]`, name, value)
	case strings.HasPrefix(rest, "=") && plainName.MatchString(name):
		return fmt.Sprintf("to set a variable write %s=%s, without spaces", name, value)
	}
	return ""
}

// readsFile reports whether a word that names a file begins the text behind a program's name.
func readsFile(rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	return rest != "" && !strings.ContainsRune("<>|&;()`\n", rune(rest[0]))
}

// line is the text of the line on which a node begins.
func (c *checker) line(n syntax.Node) string {
	at := min(int(n.Pos().Offset()), len(c.src))
	rest, _, _ := strings.Cut(c.src[at:], "\n")
	return c.src[strings.LastIndexByte(c.src[:at], '\n')+1:at] + rest
}

var plainName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// plainSyntax rewords the parser's message where it takes a programmer to understand it.
func plainSyntax(message string) string {
	return strings.ReplaceAll(message, "reached EOF without", "the script ends without")
}

// posixHint says what to write instead of something of bash's, by the parser's name for it.
func posixHint(feature string) string {
	for _, known := range []struct{ named, hint string }{
		{"arrays", "write the words where they are used, as in: for name in staging dev; do ... done"},
		{"\"function\"", "write name() { ...; }"},
		{"&>", "write >/dev/null 2>&1"},
		{"herestrings", useCase},
		{"c-style fors", "write the numbers themselves, as in: for i in 1 2 3; do ... done"},
		{"expansion operator", useCase},
		{"search and replace", useCase},
		{"slicing", useCase},
		{"extended globs", useCase},
	} {
		if strings.Contains(feature, known.named) {
			return known.hint
		}
	}
	return "write it for a POSIX shell"
}

// syntaxHint says what to write, by what the parser says is wrong.
func syntaxHint(message string) string {
	for _, known := range []struct{ said, hint string }{
		{"invalid func name", "give the function a name of letters, digits and _"},
		{"must end with `fi`", "write fi on a line below the last command of the if; inside an if, write elif instead of else if"},
		{"`fi` can only", "remove it, or complete the if before it: if [ ... ]; then, with a ; or a new line before then"},
		{"must be followed by `then`", "write then after the condition: if [ ... ]; then"},
		{"`then` can only", "write if and a condition before it: if [ ... ]; then"},
		{"`else` can only", "write if ...; then before it"},
		{"`elif` can only", "write if ...; then before it"},
		{"must end with `done`", "write done on a line below the last command of the loop"},
		{"`done` can only", "remove it, or write do before it"},
		{"`do` can only", "write for or while before it"},
		{"must end with `esac`", "write esac on a line below the last pattern"},
		{"`esac` can only", "remove it, or write case ... in before it"},
		{"closing quote", "write the quotation mark that ends the text"},
		{"`}` can only", "remove it, or write { before it"},
		{"`)` can only", "remove it, or write ( before it"},
		{"must be followed by a statement list", "write at least one command there"},
		{"`;` can only immediately follow a statement", "remove the ;"},
		{"here-document", "write the word that ends the text on a line of its own"},
	} {
		if strings.Contains(message, known.said) {
			return known.hint
		}
	}
	return "the script must be one that sh understands"
}
