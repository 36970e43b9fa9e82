package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// lintComparison finds a comparison [ a op b ] that no environment makes true, though dash takes it.
func (c *checker) lintComparison(left, op, right *syntax.Word) {
	never := func(w *syntax.Word, message, hint string) {
		c.found(w, Warning, "never-true", message+", so the condition is never true", hint)
	}
	operator, fixed := literalName(op)
	if left.Lit() == "!" || unaryOperators[operator] || !fixed {
		return // not of this form, or not the same at every run
	}
	switch {
	case operator == "-a" || operator == "-o":
		return
	case operator == "=~":
		never(op, "dash does not know =~", `write case "$X" in pattern) ... ;; esac; a * stands for any text in it`)
	case operator == "eq" || operator == "is" || operator == "equals":
		never(op, fmt.Sprintf("dash does not know %s", operator), "write =")
	case strings.HasPrefix(operator, "-") && operator != "-nt" && operator != "-ot" && operator != "-ef":
		for _, side := range []*syntax.Word{left, right} {
			if text, ok := literalName(side); ok && binaryOperators[operator] && isNoNumber(text) {
				never(side, fmt.Sprintf("%s compares numbers", operator), "compare texts with = or !=")
			}
		}
	case operator == "=":
		c.lintEquality(left, right, never)
	}
}

func isNoNumber(text string) bool {
	_, err := integer(text, 10)
	return err != nil
}

// environmentTypes are all there are, from the API's OpenAPI description.
var environmentTypes = []string{"production", "staging", "development"}

// lintEquality finds texts that cannot be equal.
func (c *checker) lintEquality(left, right *syntax.Word, never func(*syntax.Word, string, string)) {
	l, leftFixed := literalName(left)
	r, rightFixed := literalName(right)
	name, isVariable := variableOf(left)
	switch {
	case leftFixed && rightFixed && l != r:
		never(left, "both sides are fixed texts that differ", hintAtVariable(l))
	case isVariable && guardVariables[name] && rightFixed && strings.ContainsAny(r, "*?["):
		never(right, fmt.Sprintf("= compares letter by letter, and no %s is called %s", nounOf(name), r),
			fmt.Sprintf(`write case "$%s" in %s) ... ;; esac`, name, r))
	case isVariable && name == "PLATFORM_ENVIRONMENT_TYPE" && rightFixed && r != "" && !slices.Contains(environmentTypes, r):
		never(right, fmt.Sprintf("no environment type is called %s", r), "write one of "+strings.Join(environmentTypes, ", "))
	}
}

// hintAtVariable says how to write a variable that a fixed text was meant to be.
func hintAtVariable(text string) string {
	if name := strings.Trim(text, "${}"); guardVariables[name] {
		return fmt.Sprintf(`write "$%s", with a $ and within double quotes`, name)
	}
	return "a variable is written with a $, and within double quotes: \"$NAME\""
}
