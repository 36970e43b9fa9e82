package shell

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// arithmetic evaluates the text of $((...)) after its expansion, with 64-bit
// integers and the operators that dash has.
type arithmetic struct {
	m       *machine
	text    string
	pos     int
	token   string // the current token, empty at the end
	skipped int    // inside a part whose value is not needed
	depth   int
}

var (
	errArithmetic = errors.New("arithmetic expression: syntax error")
	// errOverflow is a division that ends dash itself with a signal.
	errOverflow = errors.New("arithmetic expression: the smallest number divided by -1")
)

func (m *machine) calculate(text string) (int64, error) {
	if err := m.spend(len(text)); err != nil {
		return 0, err
	}
	a := &arithmetic{m: m, text: text}
	a.next()
	v, err := a.assignment()
	switch {
	case err == errOverflow:
		err = m.stop(err)
	case err == nil && a.token != "":
		err = errArithmetic
	}
	return v, err
}

// arithmeticOperators in the order in which they are looked for.
var arithmeticOperators = []string{
	"<<=", ">>=", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
	"+", "-", "*", "/", "%", "<", ">", "=", "!", "~", "&", "|", "^", "?", ":", "(", ")",
}

// next reads the next token. What is none is taken for one that fits nowhere: dash, too, does what
// stands before it.
func (a *arithmetic) next() {
	for a.pos < len(a.text) && strings.IndexByte(" \t\n", a.text[a.pos]) >= 0 {
		a.pos++
	}
	rest := a.text[a.pos:]
	if rest == "" {
		a.token = ""
		return
	}
	n := 1
	switch b := rest[0]; {
	case isDigit(b):
		n = numberLength(rest)
	case isAlpha(b) || b == '_':
		for n < len(rest) && (isAlpha(rest[n]) || isDigit(rest[n]) || rest[n] == '_') {
			n++
		}
	default:
		for _, op := range arithmeticOperators {
			if strings.HasPrefix(rest, op) {
				n = len(op)
				break
			}
		}
	}
	a.token = rest[:n]
	a.pos += n
}

// numberLength returns how much of a text C's strtoimax takes for a number.
func numberLength(s string) int {
	is := isDigit
	n := 0
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && classes["xdigit"](s[2]) {
		is, n = classes["xdigit"], 2
	} else if s[0] == '0' {
		is = func(b byte) bool { return b >= '0' && b <= '7' }
	}
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// parseInteger reads as much as C's strtoimax with base 0 or 10 does. A number
// too large is the largest one, with overflow set.
func parseInteger(s string, base int) (v int64, n int, overflow bool) {
	negative, u, n, overflow := scanInteger(s, base, math.MaxInt64)
	v = int64(u)
	if negative {
		v = -v
	}
	return v, n, overflow
}

// scanInteger reads a number of at most limit or, if it is negative, one more.
func scanInteger(s string, base int, limit uint64) (negative bool, v uint64, n int, overflow bool) {
	i := 0
	for i < len(s) && classes["space"](s[i]) {
		i++
	}
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		negative = s[i] == '-'
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return false, 0, 0, false
	}
	length := 0
	if base == 0 {
		length, base = numberLength(s[i:]), 10
		if s[i] == '0' {
			base = 8
		}
		if length > 2 && (s[i+1] == 'x' || s[i+1] == 'X') {
			base, i, length = 16, i+2, length-2
		}
	} else {
		for i+length < len(s) && isDigit(s[i+length]) {
			length++
		}
	}
	if negative && limit == math.MaxInt64 {
		limit++
	}
	for _, b := range []byte(s[i : i+length]) {
		d := uint64(b - '0')
		if !isDigit(b) {
			d = uint64(b|0x20-'a') + 10
		}
		if overflow || v > (limit-d)/uint64(base) {
			overflow, v = true, limit
			continue
		}
		v = v*uint64(base) + d
	}
	return negative, v, i + length, overflow
}

// assignment is the lowest level: x = ..., x += ..., or a condition.
func (a *arithmetic) assignment() (int64, error) {
	if a.token != "" && (isAlpha(a.token[0]) || a.token[0] == '_') {
		name, pos := a.token, a.pos
		a.next()
		if op := a.token; op == "=" || len(op) > 1 && op[len(op)-1] == '=' && op != "==" && op != "!=" && op != "<=" && op != ">=" {
			return a.assign(name, op[:len(op)-1])
		}
		a.token, a.pos = name, pos
	}
	return a.conditional()
}

func (a *arithmetic) assign(name, op string) (int64, error) {
	a.next()
	v, err := a.nested(a.assignment)
	if err != nil || a.skipped > 0 {
		return v, err
	}
	if op != "" {
		old, err := a.variable(name)
		if err != nil {
			return 0, err
		}
		if v, err = apply(op, old, v); err != nil {
			return 0, err
		}
	}
	return v, a.m.assign(name, fmt.Sprint(v))
}

// nested guards the recursion.
func (a *arithmetic) nested(f func() (int64, error)) (int64, error) {
	a.depth++
	defer func() { a.depth-- }()
	if a.depth > maxDepth {
		return 0, a.m.stop(errDepth)
	}
	return f()
}

func (a *arithmetic) conditional() (int64, error) {
	cond, err := a.or()
	if err != nil || a.token != "?" {
		return cond, err
	}
	a.next()
	yes, err := a.unless(cond == 0, a.assignment)
	if err != nil {
		return 0, err
	}
	if a.token != ":" {
		return 0, errArithmetic
	}
	a.next()
	no, err := a.unless(cond != 0, a.conditional)
	if cond != 0 {
		return yes, err
	}
	return no, err
}

// unless evaluates a part without effects when it is not needed.
func (a *arithmetic) unless(skip bool, f func() (int64, error)) (int64, error) {
	if skip {
		a.skipped++
		defer func() { a.skipped-- }()
	}
	return a.nested(f)
}

func (a *arithmetic) or() (int64, error) {
	return a.logical("||", a.and)
}

func (a *arithmetic) and() (int64, error) {
	return a.logical("&&", func() (int64, error) { return a.binary(0) })
}

func (a *arithmetic) logical(op string, operand func() (int64, error)) (int64, error) {
	v, err := operand()
	for err == nil && a.token == op {
		a.next()
		deciding := op == "||" // the value that makes the other operand needless
		decided := (v != 0) == deciding
		var w int64
		w, err = a.unless(decided, operand)
		v = truth(decided && deciding || !decided && w != 0)
	}
	return v, err
}

// levels are the binary operators by rising precedence.
var levels = [][]string{
	{"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
}

func (a *arithmetic) binary(level int) (int64, error) {
	if level == len(levels) {
		return a.unary()
	}
	v, err := a.binary(level + 1)
	for err == nil && a.isOneOf(levels[level]) {
		op := a.token
		a.next()
		var w int64
		if w, err = a.binary(level + 1); err == nil && a.skipped == 0 {
			v, err = apply(op, v, w)
		}
	}
	return v, err
}

func (a *arithmetic) isOneOf(ops []string) bool {
	for _, op := range ops {
		if a.token == op {
			return true
		}
	}
	return false
}

func (a *arithmetic) unary() (int64, error) {
	op := a.token
	switch op {
	case "!", "~", "-", "+":
		a.next()
		v, err := a.nested(a.unary)
		switch op {
		case "!":
			v = truth(v == 0)
		case "~":
			v = ^v
		case "-":
			v = -v
		}
		return v, err
	}
	return a.primary()
}

func (a *arithmetic) primary() (v int64, err error) {
	switch t := a.token; {
	case t == "":
		return 0, errors.New("arithmetic expression: expecting primary")
	case t == "(":
		a.next()
		if v, err = a.nested(a.assignment); err != nil {
			return 0, err
		}
		if a.token != ")" {
			return 0, errArithmetic
		}
	case isDigit(t[0]):
		v, _, _ = parseInteger(t, 0)
	case isAlpha(t[0]) || t[0] == '_':
		if v, err = a.variable(t); err != nil {
			return 0, err
		}
	default:
		return 0, errors.New("arithmetic expression: expecting primary")
	}
	a.next()
	return v, nil
}

// variable reads a variable that is named without a dollar. It must hold a
// number; unset and empty are 0.
func (a *arithmetic) variable(name string) (int64, error) {
	if a.skipped > 0 {
		return 0, nil
	}
	value, set := a.m.parameter(name)
	if !set && guardVariables[name] {
		return 0, a.m.skip(name)
	}
	return integer(value, 0)
}

// integer reads a value that must be a number and nothing else.
func integer(value string, base int) (int64, error) {
	v, n, overflow := parseInteger(value, base)
	rest := strings.TrimLeft(value[n:], " \t\n\v\f\r")
	if overflow || rest != "" || base == 10 && n == 0 {
		return 0, fmt.Errorf("illegal number: %s", value)
	}
	return v, nil
}

func apply(op string, a, b int64) (int64, error) {
	switch op {
	case "|":
		return a | b, nil
	case "^":
		return a ^ b, nil
	case "&":
		return a & b, nil
	case "==":
		return truth(a == b), nil
	case "!=":
		return truth(a != b), nil
	case "<":
		return truth(a < b), nil
	case ">":
		return truth(a > b), nil
	case "<=":
		return truth(a <= b), nil
	case ">=":
		return truth(a >= b), nil
	case "<<":
		return a << (uint64(b) & 63), nil
	case ">>":
		return a >> (uint64(b) & 63), nil
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	}
	if b == 0 {
		return 0, errors.New("arithmetic expression: division by zero")
	}
	if a == math.MinInt64 && b == -1 {
		return 0, errOverflow
	}
	if op == "/" {
		return a / b, nil
	}
	return a % b, nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
