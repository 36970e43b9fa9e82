package shell

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/automatond/automatond/internal/tasks"
)

// checker looks for what dash would refuse, for what is not offered here, and
// for what is probably a mistake.
type checker struct {
	src       string
	functions map[string]bool
	problems  []Problem // what is wrong whoever runs the script
	ours      []Problem // what matters only if automatond runs it
	others    []*syntax.Word
	handing   []*syntax.Word     // those of others that would call the CLI themselves
	loggers   []*syntax.Word     // what only keeps a log
	heard     []span             // what the script reads the output of, through a pipe
	unheard   []span             // substitutions of which nobody reads what they print
	calls     []uint             // offsets of the calls of the CLI
	logs      []*syntax.CallExpr // what keeps the output of others, at the end of a pipe
	documents map[uint]bool      // lines that a here-document begins after
	within    []*syntax.CmdSubst // substitutions around the present node, and maybe some that have ended
	usesCLI   bool
	assembled bool // a command's name is known at a run only
	cliNamed  bool // a variable holds the CLI's name, so a command may be the CLI
	secrets   bool // a call may hold a secret value
	commands  int
}

func (c *checker) check(file *syntax.File) {
	c.findCalls(file)
	c.lint(file)
	c.documents = map[uint]bool{}
	c.quotes(file)
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			c.statement(n)
			c.ending(n)
		case *syntax.CallExpr:
			c.call(n)
		case *syntax.BinaryCmd:
			c.pipe(n)
		case *syntax.CmdSubst:
			c.substitution(n)
		case *syntax.Comment:
			c.comment(n)
		case *syntax.WordIter:
			if !syntax.ValidName(n.Name.Value) {
				c.found(n.Name, Error, "syntax", fmt.Sprintf("syntax error: %q is no name of a variable", n.Name.Value), "")
			}
		case *syntax.Redirect:
			c.redirect(n)
		case *syntax.FuncDecl:
			c.function(n)
		case *syntax.ParamExp:
			c.parameter(n)
		case *syntax.Lit:
			c.literal(n)
		case *syntax.UnaryArithm:
			if n.Op == syntax.Inc || n.Op == syntax.Dec {
				c.found(n, Error, "bash-only", "dash does not know ++ and --", "write $((x + 1))")
			}
		case *syntax.BinaryArithm:
			if n.Op == syntax.Pow || n.Op == syntax.Comma {
				c.found(n, Error, "bash-only", fmt.Sprintf("dash does not know %s in $((...))", n.Op), "")
			}
		}
		return true
	})
}

// verdict decides whose script it is and returns what then matters.
func (c *checker) verdict() []Problem {
	problems := c.problems
	c.usesCLI = c.usesCLI || c.assembled && c.cliNamed
	c.others = slices.DeleteFunc(c.others, func(w *syntax.Word) bool {
		name, _ := literalName(w)
		return c.functions[name] // declared further down, by an eval
	})
	if !c.usesCLI {
		c.others = append(c.others, c.loggers...)
	}
	switch {
	case c.usesCLI:
		for _, w := range c.loggers {
			name, _ := literalName(w)
			c.foundHere(w, Warning, "file-unwritten", fmt.Sprintf("nothing is written by %s: no program is started", name), hints[path.Base(name)])
		}
		problems = append(problems, c.ours...)
		problems = append(problems, c.mixed()...)
	case len(c.others) > 0:
		// The script is the application's; its faults are for its owner to know,
		// and no reason to refuse a configuration.
		for i := range problems {
			problems[i].Severity = Warning
		}
	default:
		problems = append(problems, c.ours...)
		if c.commands == 0 {
			problems = append(problems, Problem{Line: 1, Column: 1, EndColumn: 1, Severity: Warning,
				Code: "does-nothing", Message: "the script runs no command", Hint: "call platform or upsun in it"})
		}
	}
	sortProblems(problems)
	return problems
}

// mixed reports the programs beside calls of the CLI. How to make two scripts of the one is said
// once, of the first program for which there is nothing better to say.
func (c *checker) mixed() []Problem {
	var problems []Problem
	division := ""
	for _, w := range c.others {
		hint := c.programHint(w)
		if hint == "" && division == "" {
			division = c.division()
			hint = division
		}
		problems = append(problems, at(w, Error, "other-program",
			fmt.Sprintf("program %q cannot be run: a script that calls the CLI can use nothing but the shell's built-ins", w.Lit()), hint))
	}
	return problems
}

// found notes a problem of the script itself.
func (c *checker) found(n syntax.Node, severity, code, message, hint string) {
	c.problems = append(c.problems, at(n, severity, code, message, hint))
}

// foundHere notes a problem that only arises when automatond runs the script.
func (c *checker) foundHere(n syntax.Node, severity, code, message, hint string) {
	c.ours = append(c.ours, at(n, severity, code, message, hint))
}

func (c *checker) statement(st *syntax.Stmt) {
	if st.Background || st.Coprocess || st.Disown {
		c.foundHere(st, Error, "background", "a command cannot run in the background",
			"remove the &; a call of the CLI returns at once")
	}
}

// ending refuses a redirected compound command which a reserved word follows,
// such as { if a; then b; fi >/dev/null }. The parser takes that, but to dash
// the word is one more of the command's.
func (c *checker) ending(st *syntax.Stmt) {
	if _, simple := st.Cmd.(*syntax.CallExpr); simple || st.Cmd == nil || len(st.Redirs) == 0 {
		return
	}
	end := st.Redirs[len(st.Redirs)-1].Word.End()
	rest := strings.TrimLeft(c.src[min(int(end.Offset()), len(c.src)):], " \t")
	if rest != "" && (rest[0] == '}' || isAlpha(rest[0])) {
		c.found(st, Error, "syntax", "syntax error: a ; is missing after the redirection", "write ; before the next word")
	}
}

// literal refuses a $ at the end of a line that goes on: dash expands what begins on the next one,
// and the parser takes it for text.
func (c *checker) literal(n *syntax.Lit) {
	if strings.Contains(c.src[n.Pos().Offset():n.End().Offset()], "$\\\n") {
		c.found(n, Error, "syntax", "a $ at the end of a line that goes on cannot be read here", "write it on the next line")
	}
}

// comment refuses two comments that the parser takes for something else: one
// that begins within a word, after an expansion in a case; and one that ends in
// a backslash, which to the parser joins the next line to the present command.
func (c *checker) comment(n *syntax.Comment) {
	i := int(n.Hash.Offset())
	if i >= len(c.src) {
		return
	}
	begins := i == 0 || strings.IndexByte(" \t\n;&|()<>", c.src[i-1]) >= 0
	if around := c.substitutionAround(n.Hash); around != nil && int(around.Left.Offset()) == i-1 {
		begins = true // `# ...
	}
	if !begins {
		c.found(n, Error, "syntax", "a # within a word cannot be read here", "put it in quotes")
	}
	if line, _, more := strings.Cut(c.src[i:], "\n"); more && strings.HasSuffix(line, "\\") {
		c.found(n, Error, "syntax", "a comment ends with its line, and the backslash with it", "remove the backslash, and the comment if the command goes on")
	}
}

// document refuses a here-document that does not begin on the line after the
// operator, as it does for dash. The parser looks for it further down when a
// case goes over the end of the line, and behind a substitution that ends on
// the line. It also refuses one that, to the parser, ends within a line: after
// an expansion.
func (c *checker) document(r *syntax.Redirect) {
	if around := c.substitutionAround(r.OpPos); around != nil && around.Right.Line() == r.OpPos.Line() {
		c.found(r, Error, "syntax", "syntax error: the here-document has to end within the substitution", "write the document and the ) on the lines that follow")
		return
	}
	if r.Hdoc != nil && !endsWithItsLine(r.Hdoc) {
		c.found(r, Error, "syntax", "syntax error: the here-document does not end before the line that closes it", "write the word that ends it on a line of its own")
		return
	}
	line := r.OpPos.Line()
	if c.documents[line] {
		return // another one of this line begins there
	}
	c.documents[line] = true
	begins := r.Hdoc != nil && r.Hdoc.Pos().Line() == line+1
	if r.Hdoc == nil {
		_, rest, _ := strings.Cut(c.src[r.OpPos.Offset():], "\n")
		next, _, _ := strings.Cut(rest, "\n")
		delimiter, _ := literalName(r.Word)
		begins = strings.TrimLeft(next, "\t") == delimiter
	}
	if !begins {
		c.found(r, Error, "syntax", "syntax error: the here-document has to begin on the next line", "put the command that goes over the end of the line after it")
	}
}

// endsWithItsLine reports whether the text of a here-document ends where a line does.
func endsWithItsLine(document *syntax.Word) bool {
	last, ok := document.Parts[len(document.Parts)-1].(*syntax.Lit)
	if !ok {
		return false
	}
	text := strings.TrimRight(last.Value, "\t") // before the word that ends <<-
	return strings.HasSuffix(text, "\n") || text == "" && len(document.Parts) == 1
}

// plusAssign is how bash appends to a variable; dash looks for a program.
var plusAssign = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\+=`)

func (c *checker) call(call *syntax.CallExpr) {
	for _, as := range call.Assigns {
		if strings.HasSuffix(as.Name.Value, "SH_CLI_TOKEN") || as.Name.Value == "UPSUN_CLI_TOKEN" {
			c.foundHere(as, Warning, "token-in-script", "the token in the script is not used",
				"remove it; the automation user's token is configured once")
		}
	}
	args := call.Args
	if len(args) > 0 {
		c.commands++
	}
	if len(call.Assigns) == 0 && len(args) > 0 && args[0].Lit() == "in" {
		c.found(args[0], Error, "syntax", "syntax error: in can only stand in a for or case", "")
		return
	}
	named := c.commandOf(call)
	args = named.args
	if len(args) == 0 {
		return
	}
	if c.isCLI(named) {
		c.usesCLI = true
		c.wrapped(named)
		if named.literal {
			c.cli(args)
		}
		return
	}
	name := named.name
	c.assembled = c.assembled || !named.literal && !endsInPath(args[0]) || name == "eval"
	if !named.literal || named.function {
		c.usesCLI = c.usesCLI || named.function && isCLI(name) // it is there to call the CLI, or not to
		return
	}
	switch roleOf(name) {
	case roleBuiltin:
		if named.exec {
			c.others = append(c.others, args[0])
			return
		}
		c.builtin(name, args)
	case roleUnsupported:
		if name == "." {
			c.foundHere(args[0], Error, "source", "no file can be read by a script", hints[name])
			return
		}
		c.foundHere(args[0], Error, "unsupported-builtin", fmt.Sprintf("%s has no use here", name), hints[name])
	case roleBash:
		c.bash(name, args)
	default:
		switch {
		case slices.Contains(c.logs, call), isLogger(name):
			c.loggers = append(c.loggers, args[0])
			return
		case isShow(name) && isIn(c.unheard, args[0].Pos().Offset()):
			return
		}
		if plusAssign.MatchString(name) {
			c.found(args[0], Error, "bash-only", "dash does not know +=", "write x=\"$x...\"")
			return
		}
		c.others = append(c.others, args[0])
		if handsOn(wordsOf(args)) {
			c.usesCLI = true
			c.handing = append(c.handing, args[0])
		}
	}
}

// command is what a simple command names, behind "command" and "exec".
type command struct {
	args     []*syntax.Word // from the name on; none if there is no command
	name     string
	literal  bool // the name is the same at every run
	function bool // it is one of the script's own
	exec     bool // it takes the place of the shell, so it is no built-in

	wrappers [][]*syntax.Word // what stood before it and only passes it on, if it is the CLI
}

func (c *checker) commandOf(call *syntax.CallExpr) command {
	found := command{args: call.Args}
	plain := false // behind "command" no function is found
	for len(found.args) > 0 && !found.exec {
		name := found.args[0].Lit()
		if name != "command" && name != "exec" || c.functions[name] && !plain {
			break
		}
		plain, found.exec = true, name == "exec"
		found.args = found.args[1:]
		if name == "command" && len(found.args) > 0 && strings.HasPrefix(found.args[0].Lit(), "-") {
			return command{} // command -v, or nothing that is worth a check
		}
	}
	if len(found.args) > 0 {
		found.name, found.literal = literalName(found.args[0])
		found.function = found.literal && c.functions[found.name] && !plain
	}
	return c.behindWrappers(found)
}

// isCLI reports whether a command is the vendor's CLI at every run.
func (c *checker) isCLI(named command) bool {
	switch {
	case len(named.args) == 0 || named.function:
		return false
	case named.literal:
		return isCLI(named.name)
	}
	return endsInCLI(named.args[0])
}

// literalName returns a command's name when it is the same at every run.
func literalName(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(unquoted(part.Value, ""))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return "", false
				}
				b.WriteString(unquoted(lit.Value, "$`\"\\"))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unquoted removes the backslashes that quote a byte: any, or within double
// quotes one of those given.
func unquoted(text, only string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			switch next := text[i+1]; {
			case next == '\n':
				i++
				continue
			case only == "" || strings.IndexByte(only, next) >= 0:
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// endsInCLI reports whether a name such as "$HOME/bin/platform" is the CLI
// whatever the variable holds.
func endsInCLI(w *syntax.Word) bool { return endsInPath(w) && isCLI(ending(w)) }

// endsInPath reports whether the name of a file stands at the end of a word whatever is before it.
func endsInPath(w *syntax.Word) bool { return strings.Contains(ending(w), "/") }

// ending is what a word ends with at every run.
func ending(w *syntax.Word) string {
	parts := w.Parts
	if len(parts) == 1 {
		if quoted, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = quoted.Parts
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if lit, ok := parts[len(parts)-1].(*syntax.Lit); ok {
		return lit.Value
	}
	return ""
}

func (c *checker) bash(name string, args []*syntax.Word) {
	switch name {
	case "[[":
		c.found(args[0], Error, "double-bracket",
			"dash, which runs crons on the platform, does not know [[", hints[name])
	case "source":
		c.found(args[0], Error, "source", "dash, which runs crons on the platform, does not know source", hints[name])
	default:
		c.found(args[0], Error, "bash-only",
			fmt.Sprintf("dash, which runs crons on the platform, does not know %s", name), hints[name])
	}
}

func (c *checker) builtin(name string, args []*syntax.Word) {
	switch name {
	case "[", "test":
		c.test(args)
	case "echo":
		c.echo(args)
	case "set":
		for _, w := range args[1:] {
			if w.Lit() == "pipefail" {
				c.found(w, Error, "bash-only",
					"dash, which runs crons on the platform, stops at the option pipefail", "write set -eu")
			}
		}
	case "eval":
		c.inner(args[1:])
	case "local":
		for _, w := range args[1:] {
			text, literal := literalName(w)
			if name, _, _ := strings.Cut(text, "="); literal && name != "-" && !syntax.ValidName(name) {
				c.found(w, Error, "syntax", fmt.Sprintf("%q is no name of a variable", name), "")
			}
		}
	case "trap":
		if len(args) > 2 {
			c.inner(args[1:2])
		}
		for _, w := range args[1:] {
			if w.Lit() == "ERR" {
				c.found(w, Error, "bash-only", "dash, which runs crons on the platform, has no trap ERR", "write set -e and trap ... EXIT")
			}
		}
	}
}

// fileTests are the operators of test that look at a file.
const fileTests = "bcdefghkLOGprsSuwx"

func (c *checker) test(args []*syntax.Word) {
	if last := lastOf(args); args[0].Lit() == "test" && len(args) > 2 && (last.Lit() == "-a" || last.Lit() == "-o") {
		c.found(last, Error, "syntax", fmt.Sprintf("nothing follows %s, which dash itself does not survive", last.Lit()), "write the second condition, or remove it")
	}
	for i, w := range args {
		lit := w.Lit()
		switch {
		case lit == "==":
			c.found(w, Error, "double-equals",
				"dash, which runs crons on the platform, does not know == in [ ]; the condition is never true", "write =")
		case len(lit) == 2 && lit[0] == '-' && strings.Contains(fileTests, lit[1:]) && i+1 < len(args) && i > 0 && args[i+1].Lit() != "]":
			hint := "remove it"
			if file := c.text(args[i+1]); isCLI(strings.Trim(file, `"'`)) {
				hint += ": the CLI is built in"
			}
			c.foundHere(w, Warning, "file-test", "no file can be seen from here, so the condition is never true", hint)
		case i > 0 && mayVanish(w):
			c.found(w, Warning, "unquoted-variable",
				"the condition fails with an error when the variable is empty", `write "`+c.text(w)+`"`)
		}
	}
}

// mayVanish reports whether a word is a variable that may expand to no word.
func mayVanish(w *syntax.Word) bool {
	if len(w.Parts) != 1 {
		return false
	}
	p, ok := w.Parts[0].(*syntax.ParamExp)
	return ok && !p.Length && p.Param.Value != "?" && p.Param.Value != "#"
}

func (c *checker) redirect(r *syntax.Redirect) {
	if r.N != nil && (len(r.N.Value) != 1 || r.N.Value > "2") {
		c.foundHere(r, Error, "file-descriptor", "only the descriptors 0, 1 and 2 exist", "")
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		c.document(r)
		return
	case syntax.DplOut, syntax.DplIn:
		if target, ok := literalName(r.Word); ok && target != "-" && (len(target) != 1 || target < "0" || target > "2") {
			c.foundHere(r, Error, "file-descriptor", "only the descriptors 0, 1 and 2 exist", "to send both outputs to nowhere, write >/dev/null 2>&1")
		}
		return
	}
	path, ok := literalName(r.Word)
	switch {
	case !ok || path == "/dev/null":
	case isOutput(r.Op) && isPlainFile(path):
		c.foundHere(r, Warning, "file-unwritten", fmt.Sprintf("nothing is written to %s: no file is opened", path),
			"remove it; every run is logged")
	default:
		c.foundHere(r, Error, "file-refused", fmt.Sprintf("file %s cannot be opened; only /dev/null can", path),
			"remove it, or write the text itself")
	}
}

// function refuses the names of special built-ins, as dash does.
func (c *checker) function(f *syntax.FuncDecl) {
	if _, ok := f.Body.Cmd.(*syntax.BinaryCmd); ok {
		c.found(f.Name, Error, "syntax", "a function that is defined within a list of commands cannot be read here", "define it on a line of its own")
	}
	if name := f.Name.Value; builtinNamed(name).special || name == "exec" {
		c.found(f.Name, Error, "hides-builtin", fmt.Sprintf("a function cannot be called %s, which is a special built-in", name), "give it another name")
	}
}

// pipe refuses a pipeline that calls the CLI anywhere but in its last part:
// what the CLI prints is not reproduced, and dash runs the parts at the same
// time, so the order of two calls would be chance.
func (c *checker) pipe(b *syntax.BinaryCmd) {
	// Where the part ends is asked of the operator: a here-document of it lies behind the whole line.
	if b.Op != syntax.Pipe {
		return
	}
	log := logPart(b)
	kept := log == nil || c.functions[log.Args[0].Lit()] || c.substitutionAround(b.OpPos) != nil
	if kept {
		c.heard = append(c.heard, span{b.X.Pos().Offset(), b.OpPos.Offset()})
	}
	switch {
	case !kept:
		c.logs = append(c.logs, log)
	case c.callsWithin(b.X.Pos(), b.OpPos):
		c.foundHere(b.X, Error, "calls-in-pipe", "what the CLI prints cannot be read by the script", readsCall)
	}
}

// substitution refuses a call of the CLI whose output would be a text of the
// script, and backslashes that the parser counts otherwise than dash. It notes
// the substitution for what follows within.
func (c *checker) substitution(n *syntax.CmdSubst) {
	if c.callsCLI(n) {
		c.foundHere(n, Error, "calls-in-pipe", "what the CLI prints cannot be read by the script", readsCall)
	}
	if n.Backquotes && c.isInBackquotes(n.Left) && strings.Contains(strings.TrimSuffix(c.src[n.Left.Offset()+1:n.Right.Offset()], "\\"), "\\") {
		c.found(n, Error, "syntax", "backslashes in backquotes within backquotes cannot be read here", "write $(...)")
	}
	c.within = append(c.within, n)
}

// substitutionAround returns the innermost command substitution around a place
// of the text. Places are asked for in the order of the text.
func (c *checker) substitutionAround(pos syntax.Pos) *syntax.CmdSubst {
	for i := len(c.within) - 1; i >= 0; i-- {
		if c.within[i].Right.Offset() >= pos.Offset() {
			return c.within[i]
		}
		c.within = c.within[:i]
	}
	return nil
}

// isInBackquotes reports whether any substitution around a place is written with backquotes.
func (c *checker) isInBackquotes(pos syntax.Pos) bool {
	c.substitutionAround(pos) // leaves those around it
	return slices.ContainsFunc(c.within, func(n *syntax.CmdSubst) bool { return n.Backquotes })
}

// callsCLI reports whether a call of the CLI stands within the node.
func (c *checker) callsCLI(n syntax.Node) bool { return c.callsWithin(n.Pos(), n.End()) }

// callsWithin reports whether a call of the CLI stands between two places of the text.
func (c *checker) callsWithin(from, to syntax.Pos) bool {
	i, _ := slices.BinarySearch(c.calls, from.Offset())
	return i < len(c.calls) && c.calls[i] < to.Offset()
}

// findCalls notes where the CLI is called, in the order of the text, or a
// function that calls it.
func (c *checker) findCalls(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		c.cliNamed = c.cliNamed || slices.ContainsFunc(c.valuesIn(n), func(w *syntax.Word) bool {
			value, literal := literalName(w)
			return literal && isCLI(value)
		})
		return true
	})
	calling := map[string]bool{} // functions that call the CLI
	for more := true; more; {
		more = false
		c.calls = nil
		syntax.Walk(file, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.CallExpr); ok {
				if named := c.commandOf(call); c.isCLI(named) || named.function && calling[named.name] {
					c.calls = append(c.calls, call.Args[0].Pos().Offset())
				}
			}
			return true
		})
		slices.Sort(c.calls)
		syntax.Walk(file, func(n syntax.Node) bool {
			if f, ok := n.(*syntax.FuncDecl); ok && !calling[f.Name.Value] && c.callsCLI(f.Body) {
				calling[f.Name.Value], more = true, true
			}
			return true
		})
	}
}

// valuesIn are the words that a node gives to variables and parameters, from which a command's name
// may come.
func (c *checker) valuesIn(n syntax.Node) []*syntax.Word {
	switch n := n.(type) {
	case *syntax.Assign:
		if n.Value != nil {
			return []*syntax.Word{n.Value}
		}
	case *syntax.ParamExp:
		if n.Exp != nil && n.Exp.Word != nil {
			return []*syntax.Word{n.Exp.Word}
		}
	case *syntax.WordIter:
		return n.Items
	case *syntax.CallExpr:
		if len(n.Args) > 0 && (n.Args[0].Lit() == "set" || c.functions[n.Args[0].Lit()]) {
			return n.Args[1:]
		}
	}
	return nil
}

// changing are parameters whose value would differ from one run of the script
// to the next.
var changing = []string{"$", "!", "PPID"}

func (c *checker) parameter(p *syntax.ParamExp) {
	switch name := p.Param.Value; {
	case name == "RANDOM":
		c.found(p, Error, "bash-only", "dash does not know $RANDOM, which is empty", "to spread load, write H into the spec")
	case slices.Contains(changing, name):
		c.foundHere(p, Error, "not-deterministic",
			fmt.Sprintf("$%s differs at every run, but a script must be repeatable after a crash", name), "")
	case name == "#" && p.Exp != nil && p.Exp.Word == nil:
		c.found(p, Error, "syntax", "syntax error: bad substitution", "write $#")
	case name == "0" || name == "LINENO":
		c.foundHere(p, Error, "not-deterministic",
			fmt.Sprintf("$%s is not the same here as in the application's container", name), "write the text itself")
	case (name == "@" || name == "*") && p.Exp != nil && removes(p.Exp.Op):
		c.found(p, Error, "bash-only",
			fmt.Sprintf("what ${%s%s...} is depends on the shell, and in dash on more than its pattern", name, p.Exp.Op), "loop over the parameters")
	}
}

// quotes refuses two ways of quoting that dash understands differently from
// the parser: single quotes in the word of "${x:-word}", which are plain
// characters to dash, if they hide something it would expand; and quotes in
// $((...)).
func (c *checker) quotes(file *syntax.File) {
	var walk func(n syntax.Node, double, arithmetic bool)
	walk = func(n syntax.Node, double, arithmetic bool) {
		syntax.Walk(n, func(inner syntax.Node) bool {
			if inner == nil || inner == n {
				return true
			}
			switch inner := inner.(type) {
			case *syntax.SglQuoted:
				if double && strings.ContainsAny(inner.Value, "$`\\\"}") {
					c.found(inner, Error, "bash-only", "dash reads single quotes within double quotes as plain characters", "use double quotes or backslashes")
				}
				if arithmetic {
					c.found(inner, Error, "bash-only", "dash does not know quotes in $((...))", "remove them")
				}
			case *syntax.DblQuoted:
				if arithmetic {
					c.found(inner, Error, "bash-only", "dash does not know quotes in $((...))", "remove them")
				}
				walk(inner, true, false)
				return false
			case *syntax.CmdSubst:
				walk(inner, false, false)
				return false
			case *syntax.ArithmExp:
				walk(inner, true, true)
				return false
			case *syntax.Redirect:
				if inner.Hdoc != nil && !isQuoted(inner.Word) {
					walk(inner.Hdoc, true, false)
				}
				return false
			case *syntax.ParamExp:
				if inner.Exp != nil && inner.Exp.Word != nil {
					walk(inner.Exp.Word, double && !removes(inner.Exp.Op), false)
				}
				return false
			}
			return true
		})
	}
	walk(file, false, false)
}

// removes reports whether an operator takes a part of the value away; its word
// is a pattern, in which quotes begin anew.
func removes(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return true
	}
	return false
}

// inner checks the text of an eval or a trap that is the same at every run, and
// reports what is wrong with it where the text begins.
func (c *checker) inner(words []*syntax.Word) {
	var texts []string
	for _, w := range words {
		text, ok := literalName(w)
		if !ok {
			return
		}
		texts = append(texts, text)
	}
	if len(words) == 0 {
		return
	}
	src := strings.Join(texts, " ")
	p, problems := compile(src)
	if p != nil {
		maps.Copy(c.functions, p.functionNames())
		in := checker{src: src, functions: c.functions, usesCLI: c.usesCLI}
		in.check(p.file)
		c.usesCLI = c.usesCLI || in.usesCLI
		problems = in.problems
		for _, problem := range in.ours {
			if problem.Severity == Error {
				c.foundHere(words[0], Error, problem.Code, problem.Message, problem.Hint)
			}
		}
	}
	for _, problem := range problems {
		if problem.Severity == Error {
			c.found(words[0], Error, problem.Code, problem.Message, problem.Hint)
		}
	}
}

// cli checks a call of the CLI as far as its words are the same at every run.
func (c *checker) cli(args []*syntax.Word) {
	line := wordsOf(args)
	c.secrets = c.secrets || mayHoldSecrets(line)
	l, err := checkLine(line)
	at := args[min(1, len(args)-1)] // the command, as a rule: what is wrong is in no word of its own
	if e, ok := errors.AsType[*wordError](err); ok {
		at = args[e.word]
	}
	if unknown, ok := errors.AsType[*tasks.UnknownCommandError](err); ok {
		c.unknownCommand(at, unknown)
		return
	}
	if err != nil {
		hint := ""
		if errors.Is(err, errNoCommand) {
			hint = "remove it: only calls that ask for something are of use here"
		}
		c.foundHere(at, Error, "command-line", err.Error(), hint)
		return
	}
	if l != nil {
		for _, o := range l.abbreviated {
			c.foundHere(args[0], Info, "abbreviated-option", fmt.Sprintf("option %s is abbreviated, which the CLI itself does not accept", o), "write it in full")
		}
	}
	if l == nil || !l.kind.NeverWaits {
		c.cliWait(args)
	}
}

// literalStart returns what a word begins with at every run.
func literalStart(w *syntax.Word) string {
	if len(w.Parts) == 0 {
		return ""
	}
	start, _ := literalName(&syntax.Word{Parts: w.Parts[:1]})
	return start
}

func (c *checker) unknownCommand(word *syntax.Word, err *tasks.UnknownCommandError) {
	code, hint := "unknown-command", ""
	if err.Unsupported {
		code = "unsupported-command"
	}
	if err.Unsupported && err.Reason == "" {
		hint = unofferedHint(err.Command)
	}
	c.foundHere(word, Error, code, err.Error(), hint)
}

// cliWait recommends --no-wait. It changes nothing here, but the same script
// under the vendor's CLI would wait and might block its own environment.
func (c *checker) cliWait(args []*syntax.Word) {
	for _, w := range args[1:] {
		switch word, _ := literalName(w); {
		case word == "--no-wait", word == "--wait":
			return
		case len(word) > 1 && word[0] == '-' && word[1] != '-' && strings.Contains(word, "W"):
			return
		}
	}
	c.foundHere(args[0], Warning, "no-wait-missing", "the call does not say --no-wait; automatond does not wait either way",
		"add --no-wait, or --wait if the script must go on only afterwards")
}

func lastOf(words []*syntax.Word) *syntax.Word { return words[len(words)-1] }

// programNames returns the programs without repetition.
func (c *checker) programNames() []string {
	var names []string
	for _, w := range c.others {
		if name, _ := literalName(w); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
