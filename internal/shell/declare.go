package shell

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Declared is a script that says no more than where it makes which calls, so that a declared cron can
// say the same.
type Declared struct {
	Conditions []Comparison // all of them must hold; none for calls everywhere
	Calls      []Call       // at least one, each on the run's own project and environment
	Stops      bool         // a call is made only if the one before it succeeded, to its end
	Comments   []string     // the script's, without their #
}

// Comparison is a condition on the environment a script runs for.
type Comparison struct {
	Variable string   // PLATFORM_BRANCH or PLATFORM_ENVIRONMENT_TYPE
	Values   []string // plain names
	Differs  bool     // it is none of the values; otherwise it is one of them

	// present is a comparison that only asks whether the variable is set.
	present bool
	// defaulted is a comparison of ${X:-other}, with which a script goes on where X is not set. It is
	// not true there, and nothing follows from that.
	defaulted bool
	// joined is a comparison within one test with -a or -o, which takes a branch called ! or ( for an
	// operator and is then not true. Nothing follows from that, so it cannot be turned round.
	joined bool
}

// Declare recognises a script whose calls depend on nothing but plain comparisons of the branch and
// the environment's type, and on each other in a way that tasks one after the other do. It makes the
// same calls exactly where the comparisons hold, and where a variable that they ask for is not set, it
// makes none. The error says, for a person, what of the script cannot be declared.
func (s *Script) Declare() (Declared, error) {
	d := declarer{}
	err := d.statements(s.program.file.Stmts)
	if err == nil {
		err = d.settle()
	}
	if err == nil {
		d.Calls, d.Stops, err = s.sequence(d.Conditions)
	}
	if err != nil {
		return Declared{}, err
	}
	syntax.Walk(s.program.file, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Comment); ok {
			d.Comments = append(d.Comments, strings.TrimSpace(c.Text))
		}
		return true
	})
	return d.Declared, nil
}

var (
	errMore      = errors.New("it does more than to compare the branch or the environment type and make calls")
	errCondition = errors.New("its condition is more than a comparison of the branch or the environment type with plain names")
	errWords     = errors.New("its call has words that are only known when it runs")
)

// declarer goes down a script to its calls and gathers the conditions on the way.
type declarer struct{ Declared }

// settle leaves out what only asks whether a variable is set, which every other comparison of it asks
// too. Where a variable is not set, no call may follow.
func (d *declarer) settle() error {
	var left []Comparison
	for _, c := range d.Conditions {
		if c.Differs && (c.defaulted || c.present) {
			return errCondition
		}
		if !c.present {
			left = append(left, c)
		}
	}
	for _, c := range d.Conditions {
		if c.present && !slices.ContainsFunc(left, func(other Comparison) bool { return other.Variable == c.Variable }) {
			return errCondition
		}
	}
	d.Conditions = left
	return nil
}

// statements are gates, then what makes the calls. What does nothing may stand anywhere.
func (d *declarer) statements(list []*syntax.Stmt) error {
	list = slices.DeleteFunc(slices.Clone(list), isHarmless)
	for len(list) > 1 && isIdle(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	for len(list) > 1 && !has(list[0], isCLICall) {
		if err := d.gate(list[0]); err != nil {
			return err
		}
		list = list[1:]
	}
	if len(list) == 1 {
		return d.calling(list[0])
	}
	return plainCalls(list)
}

// gate is a statement that lets what follows happen, or ends the script.
func (d *declarer) gate(st *syntax.Stmt) error {
	if !isPlain(st) || st.Negated {
		return errMore
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.BinaryCmd:
		if isExit(cmd.Y) && (cmd.Op == syntax.OrStmt || cmd.Op == syntax.AndStmt) {
			return d.require(cmd.X, cmd.Op == syntax.OrStmt)
		}
	case *syntax.IfClause:
		if len(cmd.Cond) == 1 && endsScript(cmd.Then) && cmd.Else == nil {
			return d.require(cmd.Cond[0], false)
		}
	case *syntax.CaseClause:
		names := func(list []*syntax.Stmt) error {
			if !allHarmless(list) {
				return errMore
			}
			return nil
		}
		return d.caseOf(cmd, names, endsScript)
	}
	return errMore
}

// calling is a statement that makes the calls, under conditions or not.
func (d *declarer) calling(st *syntax.Stmt) error {
	err := plainCall(st)
	if err == nil || !isPlain(st) || st.Negated {
		return err
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.Block:
		return d.statements(cmd.Stmts)
	case *syntax.Subshell:
		return d.statements(cmd.Stmts)
	case *syntax.IfClause:
		if len(cmd.Cond) != 1 || cmd.Else != nil && (len(cmd.Else.Cond) > 0 || !isIdleList(cmd.Else.Then)) {
			return errMore
		}
		if err := d.require(cmd.Cond[0], true); err != nil {
			return err
		}
		return d.statements(cmd.Then)
	case *syntax.CaseClause:
		return d.caseOf(cmd, d.statements, isIdleList)
	case *syntax.BinaryCmd:
		return d.chain(cmd)
	}
	return err
}

// chain is what && and || join: conditions, then what makes the calls, then perhaps what does nothing.
func (d *declarer) chain(cmd *syntax.BinaryCmd) error {
	if cmd.Op == syntax.OrStmt && isIdle(cmd.Y) {
		return d.calling(cmd.X)
	}
	if cmd.Op == syntax.AndStmt && isHarmless(cmd.X) {
		return d.calling(cmd.Y)
	}
	conditions, err := conditionsOf(cmd.X)
	if x, ok := cmd.X.Cmd.(*syntax.BinaryCmd); ok && err != nil && x.Op == syntax.AndStmt && cmd.Op == syntax.AndStmt {
		// (p && q) && r is p && (q && r), in which p may be a condition.
		rest := &syntax.BinaryCmd{Op: syntax.AndStmt, X: x.Y, Y: cmd.Y}
		return d.chain(&syntax.BinaryCmd{Op: syntax.AndStmt, X: x.X, Y: &syntax.Stmt{Cmd: rest}})
	}
	switch {
	case cmd.Op != syntax.AndStmt && cmd.Op != syntax.OrStmt, has(cmd.X, isCLICall):
		return errMore
	case err != nil:
		return err
	}
	if err := d.hold(conditions, cmd.Op == syntax.AndStmt); err != nil {
		return err
	}
	return d.calling(cmd.Y)
}

// caseOf is a case with one item of names, and perhaps one for everything else.
func (d *declarer) caseOf(c *syntax.CaseClause, names func([]*syntax.Stmt) error, others func([]*syntax.Stmt) bool) error {
	o, ok := operandOf(c.Word)
	if !ok || len(c.Items) == 0 || len(c.Items) > 2 {
		return errMore
	}
	comparison, err := o.comparedWith(c.Items[0].Patterns...)
	if err != nil {
		return err
	}
	var rest []*syntax.Stmt
	if len(c.Items) == 2 {
		if patterns := c.Items[1].Patterns; len(patterns) != 1 || patterns[0].Lit() != "*" {
			return errMore
		}
		rest = c.Items[1].Stmts
	}
	for _, item := range c.Items {
		if item.Op != syntax.Break {
			return errMore
		}
	}
	if !others(rest) { // without an item for the others a gate would let them through
		return errMore
	}
	d.Conditions = append(d.Conditions, comparison)
	return names(c.Items[0].Stmts)
}

// require adds the conditions under which a statement has this truth.
func (d *declarer) require(st *syntax.Stmt, truth bool) error {
	found, err := conditionsOf(st)
	if err != nil {
		return err
	}
	return d.hold(found, truth)
}

// hold adds conditions that hold together, or that do not.
func (d *declarer) hold(found []Comparison, truth bool) (err error) {
	if !truth {
		found, err = negated(found)
	}
	d.Conditions = append(d.Conditions, found...)
	return err
}

// conditionsOf are the comparisons that hold together exactly when the statement is true.
func conditionsOf(st *syntax.Stmt) ([]Comparison, error) {
	if !isPlain(st) {
		return nil, errCondition
	}
	found, err := comparisonsIn(st.Cmd)
	if err == nil && st.Negated {
		return negated(found)
	}
	return found, err
}

func comparisonsIn(cmd syntax.Command) ([]Comparison, error) {
	switch cmd := cmd.(type) {
	case *syntax.CallExpr:
		return testOf(cmd)
	case *syntax.BinaryCmd:
		if cmd.Op != syntax.AndStmt && cmd.Op != syntax.OrStmt {
			return nil, errCondition
		}
		x, err := conditionsOf(cmd.X)
		if err != nil {
			return nil, err
		}
		y, err := conditionsOf(cmd.Y)
		switch {
		case err != nil:
			return nil, err
		case cmd.Op == syntax.AndStmt:
			return append(x, y...), nil
		}
		return either(x, y)
	}
	return nil, errCondition
}

// testOf reads the arguments of [ and test.
func testOf(call *syntax.CallExpr) ([]Comparison, error) {
	if len(call.Assigns) > 0 || len(call.Args) < 4 {
		return nil, errCondition
	}
	args := call.Args[1:]
	switch call.Args[0].Lit() {
	case "test":
	case "[":
		args = args[:len(args)-1] // the checker has seen the ]
	default:
		return nil, errCondition
	}
	switch len(args) {
	case 2:
		return presenceOf(args)
	case 3:
		found, err := comparisonOf(args)
		if err != nil {
			found, err = comparisonOf([]*syntax.Word{args[2], args[1], args[0]})
		}
		return found, err
	case 7:
		x, err := comparisonOf(args[:3])
		if err != nil {
			return nil, err
		}
		y, err := comparisonOf(args[4:])
		if err != nil {
			return nil, err
		}
		x[0].joined, y[0].joined = true, true
		switch operator := args[3].Lit(); {
		case x[0].Differs || y[0].Differs:
		case operator == "-o":
			return either(x, y)
		case operator == "-a":
			return append(x, y...), nil
		}
	}
	return nil, errCondition
}

// comparisonOf reads "$VARIABLE" = name, and != likewise.
func comparisonOf(args []*syntax.Word) ([]Comparison, error) {
	o, ok := operandOf(args[0])
	if !ok {
		return nil, errCondition
	}
	c, err := o.comparedWith(args[2])
	if err != nil {
		return nil, err
	}
	switch args[1].Lit() {
	case "=":
		return []Comparison{c}, nil
	case "!=":
		c.Differs = true
		return []Comparison{c}, nil
	}
	return nil, errCondition
}

// presenceOf reads -n "$VARIABLE", and -z likewise. Only in quotation marks do they ask that.
func presenceOf(args []*syntax.Word) ([]Comparison, error) {
	o, ok := operandOf(args[1])
	_, quoted := args[1].Parts[0].(*syntax.DblQuoted)
	if !ok || !quoted || o.prefix != "" || o.other != "" {
		return nil, errCondition
	}
	switch args[0].Lit() {
	case "-n":
		return []Comparison{{Variable: o.variable, present: true}}, nil
	case "-z":
		return []Comparison{{Variable: o.variable, present: true, Differs: true}}, nil
	}
	return nil, errCondition
}

// either is what holds when one of two comparisons for equality does. They must ask for one variable:
// of two, the second is not read when the first is not set.
func either(x, y []Comparison) ([]Comparison, error) {
	if len(x) != 1 || len(y) != 1 || x[0].Differs || y[0].Differs || x[0].Variable != y[0].Variable || x[0].present || y[0].present {
		return nil, errCondition
	}
	x[0].defaulted = x[0].defaulted || y[0].defaulted
	x[0].Values = append(x[0].Values, y[0].Values...)
	return x, nil
}

func negated(list []Comparison) ([]Comparison, error) {
	// Of several, that not all hold is no list of comparisons; but a branch that is none of two names
	// differs from each.
	if len(list) != 1 || list[0].joined {
		return nil, errCondition
	}
	list[0].Differs = !list[0].Differs
	return list, nil
}

// operand is what stands for a guard's variable in a comparison: $X, ${X:-other}, and either with a text
// before it, such as x$X. Without quotation marks it is the same as with them, since no branch has a
// space in its name.
type operand struct {
	variable, prefix string
	other            string // what it is where the variable is not set
	defaulted        bool
}

func operandOf(w *syntax.Word) (operand, bool) {
	var o operand
	parts := partsOf([]*syntax.Word{w})
	for i, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			o.prefix += part.Value
		case *syntax.SglQuoted:
			o.prefix += part.Value
		case *syntax.ParamExp:
			if i < len(parts)-1 || part.Param == nil || part.Length || !isGuard(part.Param.Value) {
				return operand{}, false
			}
			o.variable = part.Param.Value
			ok := part.Exp == nil || o.fallsBack(part.Exp)
			return o, ok && (o.prefix == "" || fixedName.MatchString(o.prefix))
		default:
			return operand{}, false
		}
	}
	return operand{}, false
}

// fallsBack reads the :-other of an expansion.
func (o *operand) fallsBack(e *syntax.Expansion) (ok bool) {
	if e.Op != syntax.DefaultUnset && e.Op != syntax.DefaultUnsetOrNull {
		return false
	}
	if o.defaulted = true; e.Word == nil {
		return true
	}
	o.other, ok = literalText(e.Word)
	return ok
}

// comparedWith is the comparison for equality with one of some words.
func (o operand) comparedWith(words ...*syntax.Word) (Comparison, error) {
	c := Comparison{Variable: o.variable, defaulted: o.defaulted}
	for _, w := range words {
		text, ok := literalText(w)
		value, prefixed := strings.CutPrefix(text, o.prefix)
		if !ok || !prefixed || !fixedName.MatchString(value) || o.defaulted && value == o.other {
			return Comparison{}, errCondition
		}
		c.Values = append(c.Values, value)
	}
	return c, nil
}

func isGuard(variable string) bool {
	return variable == "PLATFORM_BRANCH" || variable == "PLATFORM_ENVIRONMENT_TYPE"
}

// fixedName is a text that means itself to the shell, to a test, to a guard's patterns and to YAML.
var fixedName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./+#@-]*$`)
