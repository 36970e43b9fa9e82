package shell

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// What a statement that Declare meets can be: plain, without what has nothing to do with calls;
// harmless, which does nothing; idle, which does nothing or ends the script; or a plain call.

// isPlain reports a statement that is only its command, perhaps with output that goes nowhere. Output
// to a file does too; see open.
func isPlain(st *syntax.Stmt) bool {
	if st.Background || st.Coprocess {
		return false
	}
	return !slices.ContainsFunc(st.Redirs, func(r *syntax.Redirect) bool {
		target, literal := literalText(r.Word)
		switch {
		case isOutput(r.Op):
			return !literal
		case r.Op == syntax.DplOut:
			return target != "1" && target != "2"
		}
		return true
	})
}

// plainCalls reports what keeps statements from being calls whose words are known, joined by nothing
// but each other's success and failure.
func plainCalls(list []*syntax.Stmt) error {
	for _, st := range list {
		if err := plainCall(st); err != nil {
			return err
		}
	}
	return nil
}

func plainCall(st *syntax.Stmt) error {
	if !isPlain(st) {
		return errMore
	}
	if isHarmless(st) || isIdle(st) {
		return nil
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		switch {
		case len(cmd.Assigns) > 0:
		case isCLICall(cmd) && !isLiteral(cmd) && !namesBranch(cmd):
			return errWords
		case isCLICall(cmd), len(cmd.Args) == 1 && cmd.Args[0].Lit() == "false":
			return nil
		}
	case *syntax.Block:
		return plainCalls(cmd.Stmts)
	case *syntax.Subshell:
		return plainCalls(cmd.Stmts)
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.AndStmt || cmd.Op == syntax.OrStmt {
			return plainCalls([]*syntax.Stmt{cmd.X, cmd.Y})
		}
		if logPart(cmd) != nil {
			return plainCall(cmd.X)
		}
	case *syntax.IfClause:
		for branch := cmd; branch != nil; branch = branch.Else {
			if err := plainCalls(slices.Concat(branch.Cond, branch.Then)); err != nil {
				return err
			}
		}
		return nil
	}
	return errMore
}

// namesBranch reports a call of the CLI in which nothing but the branch is not fixed.
func namesBranch(call *syntax.CallExpr) bool {
	names := false
	for _, part := range partsOf(call.Args) {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(part.Value, `*?[]~\`) {
				return false
			}
		case *syntax.SglQuoted:
		case *syntax.ParamExp:
			if part.Param.Value != "PLATFORM_BRANCH" || part.Exp != nil || part.Length {
				return false
			}
			names = true
		default:
			return false
		}
	}
	return names && isCLICall(call)
}

// partsOf are the parts of words, with those in double quotes in the place of the quotes.
func partsOf(words []*syntax.Word) []syntax.WordPart {
	var parts []syntax.WordPart
	for _, w := range words {
		for _, part := range w.Parts {
			if quoted, ok := part.(*syntax.DblQuoted); ok {
				parts = append(parts, quoted.Parts...)
			} else {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// isCLICall reports whether a command's first fixed words call the CLI, behind what only passes it on.
func isCLICall(call *syntax.CallExpr) bool {
	words := wordsOf(call.Args)
	for len(words) > 0 && words[0].literal {
		switch {
		case isCLI(words[0].text):
			return true
		case words[0].text == "exec" || words[0].text == "command":
			words = words[1:]
		default:
			width := passedOn(words)
			if width == 0 {
				return false
			}
			words = words[width:]
		}
	}
	return false
}

// isHarmless reports a statement that does nothing, succeeds, and reads no variable whose value could
// make a difference: :, true, cd, echo, an option of the shell, or an assignment of a variable that no
// condition asks for.
func isHarmless(st *syntax.Stmt) bool {
	if st == nil || !isPlain(st) || st.Negated {
		return false
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		return len(cmd.Args) == 0 && harmlessAssigns(cmd.Assigns) || len(cmd.Assigns) == 0 && isHarmlessCall(cmd.Args)
	case *syntax.BinaryCmd:
		switch cmd.Op {
		case syntax.AndStmt:
			return isHarmless(cmd.X) && isHarmless(cmd.Y)
		case syntax.OrStmt:
			return isHarmless(cmd.X) && isIdle(cmd.Y) // which is never come to
		}
	}
	return false
}

func isHarmlessCall(args []*syntax.Word) bool {
	name, rest := args[0].Lit(), args[1:]
	switch name {
	case "echo":
		return !slices.ContainsFunc(rest, func(w *syntax.Word) bool { return !isPrinted(w) })
	case ":", "true", "logger":
		return !slices.ContainsFunc(rest, func(w *syntax.Word) bool { return !isText(w) })
	case "export":
		return !slices.ContainsFunc(rest, func(w *syntax.Word) bool {
			name, _, _ := strings.Cut(literalStart(w), "=")
			return !isText(w) || !syntax.ValidName(name) || guardVariables[name]
		})
	case "cd":
		return len(rest) == 1 && isText(rest[0]) && isDirectory(rest[0])
	case "set":
		return len(rest) == 1 && harmlessOptions.MatchString(rest[0].Lit())
	case "exec":
		return len(rest) == 0 // it redirects what follows
	}
	return false
}

var harmlessOptions = regexp.MustCompile(`^[-+][eux]+$`)

// isDirectory reports a word that cannot be taken for an option of cd.
func isDirectory(w *syntax.Word) bool {
	if text := literalStart(w); text != "" {
		return !strings.HasPrefix(text, "-")
	}
	variable, ok := variableOf(w)
	return ok && (variable == "PLATFORM_APP_DIR" || variable == "HOME")
}

func harmlessAssigns(list []*syntax.Assign) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(as *syntax.Assign) bool {
		return as.Append || as.Index != nil || as.Array != nil || as.Name == nil || guardVariables[as.Name.Value] || as.Value != nil && !isText(as.Value)
	})
}

// isText reports a word that has no effect when it is expanded: it has texts and variables, and a
// guard's own must be set for it as for the guard.
func isText(w *syntax.Word) bool {
	return isTextBut(w, func(syntax.Node) bool { return false })
}

// isTextBut is isText for a word without some of its parts.
func isTextBut(w *syntax.Word, other func(syntax.Node) bool) bool {
	plain := true
	syntax.Walk(w, func(n syntax.Node) bool {
		if n != nil && other(n) {
			return false
		}
		switch n := n.(type) {
		case nil, *syntax.Word, *syntax.Lit, *syntax.SglQuoted, *syntax.DblQuoted:
		case *syntax.ParamExp:
			plain = plain && syntax.ValidName(n.Param.Value) && n.Exp == nil && !n.Length
		default:
			plain = false
		}
		return plain
	})
	return plain
}

func allHarmless(list []*syntax.Stmt) bool {
	return !slices.ContainsFunc(list, func(st *syntax.Stmt) bool { return !isHarmless(st) })
}

// endsScript reports statements that do nothing but to end the script, whatever its status.
func endsScript(list []*syntax.Stmt) bool {
	n := len(list) - 1
	return n >= 0 && allHarmless(list[:n]) && isExit(list[n])
}

// isIdleList reports statements that do nothing, or end the script.
func isIdleList(list []*syntax.Stmt) bool { return allHarmless(list) || endsScript(list) }

// isIdle reports a statement that does nothing: true, : or exit.
func isIdle(st *syntax.Stmt) bool { return isHarmless(st) || isExit(st) }

var exitStatus = regexp.MustCompile(`^\d{1,3}$`)

// isExit reports a statement that ends the script.
func isExit(st *syntax.Stmt) bool {
	if !isPlain(st) || st.Negated {
		return false
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.Block:
		return endsScript(cmd.Stmts)
	case *syntax.CallExpr:
		if len(cmd.Assigns) > 0 || len(cmd.Args) == 0 || len(cmd.Args) > 2 || cmd.Args[0].Lit() != "exit" {
			return false
		}
		variable, _ := variableOf(cmd.Args[len(cmd.Args)-1])
		return len(cmd.Args) == 1 || variable == "?" || exitStatus.MatchString(cmd.Args[1].Lit())
	}
	return false
}

// isLiteral reports whether all words of a command are fixed.
func isLiteral(call *syntax.CallExpr) bool {
	return !slices.ContainsFunc(call.Args, func(w *syntax.Word) bool { _, ok := literalText(w); return !ok })
}

// literalText is what a word is at every run.
func literalText(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(part.Value, `*?[]~\`) {
				return "", false
			}
			b.WriteString(part.Value)
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok || strings.Contains(lit.Value, `\`) {
					return "", false
				}
				b.WriteString(lit.Value)
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}
