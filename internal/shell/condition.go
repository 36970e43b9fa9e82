package shell

import (
	"fmt"
	"strconv"
	"strings"
)

// test evaluates a condition as dash's built-in test does, down to the way it
// decides what is an operator. The status is 0 for true, 1 for false, and 2
// with an error.
func test(name string, args []string) (status int, err error) {
	if name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			return 2, fmt.Errorf("[: missing ]")
		}
		args = args[:len(args)-1]
	}
	c := condition{name: name, args: args}
	result, err := c.evaluate()
	switch {
	case err != nil:
		return 2, err
	case result:
		return 0, nil
	default:
		return 1, nil
	}
}

// condition is a recursive descent over the words of a test. Its order of
// precedence is the usual one: !, -a, -o.
type condition struct {
	name string
	args []string
	pos  int
}

// operators of test by the number of their operands. The file operators are
// known, and find nothing.
var (
	unaryOperators = map[string]bool{
		"-n": true, "-z": true, "-t": true,
		"-b": true, "-c": true, "-d": true, "-e": true, "-f": true, "-g": true, "-h": true, "-k": true, "-L": true,
		"-O": true, "-G": true, "-p": true, "-r": true, "-s": true, "-S": true, "-u": true, "-w": true, "-x": true,
	}
	binaryOperators = map[string]bool{
		"=": true, "!=": true, "<": true, ">": true,
		"-eq": true, "-ne": true, "-gt": true, "-ge": true, "-lt": true, "-le": true,
		"-nt": true, "-ot": true, "-ef": true,
	}
)

func (c *condition) word(i int) (string, bool) {
	if i < 0 || i >= len(c.args) {
		return "", false
	}
	return c.args[i], true
}

func (c *condition) evaluate() (bool, error) {
	inverted := false
	for {
		switch n := len(c.args); {
		case n == 0:
			return false, nil
		case n == 3 && binaryOperators[c.args[1]]:
			result, err := c.binary()
			return result != inverted, err
		case (n == 3 || n == 4) && c.args[0] == "(" && c.args[n-1] == ")":
			c.args = c.args[1 : n-1]
		case (n == 3 || n == 4) && c.args[0] == "!":
			c.args = c.args[1:]
			inverted = true // dash does not turn twice
			continue
		}
		break
	}
	if len(c.args) == 0 {
		return inverted, nil // "( )"
	}
	result, err := c.or()
	if err != nil {
		return false, err
	}
	if left, ok := c.word(c.pos + 1); ok {
		// dash names the word it stopped at; what it stumbled over is the next.
		return false, fmt.Errorf("%s: %s: unexpected operator", c.name, left)
	}
	return result != inverted, nil
}

// Every rule below starts at the word pos and leaves pos at its last word.

func (c *condition) or() (bool, error) {
	result := false
	for {
		r, err := c.and()
		if err != nil {
			return false, err
		}
		result = result || r
		if w, _ := c.word(c.pos + 1); w != "-o" {
			return result, nil
		}
		c.pos += 2
	}
}

func (c *condition) and() (bool, error) {
	result := true
	for {
		r, err := c.not()
		if err != nil {
			return false, err
		}
		result = result && r
		if w, _ := c.word(c.pos + 1); w != "-a" {
			return result, nil
		}
		c.pos += 2
	}
}

func (c *condition) not() (bool, error) {
	if w, ok := c.word(c.pos); !ok || w != "!" {
		return c.primary()
	}
	if _, ok := c.word(c.pos + 1); !ok {
		return true, nil // not nothing
	}
	c.pos++
	r, err := c.not()
	return !r, err
}

func (c *condition) primary() (bool, error) {
	w, ok := c.word(c.pos)
	if !ok {
		return false, nil
	}
	next, hasNext := c.word(c.pos + 1)
	if w == "(" && hasNext {
		return c.group()
	}
	if unaryOperators[w] && !c.isOperand(c.pos) {
		c.pos++
		return c.unary(w, next)
	}
	if hasNext && binaryOperators[next] {
		return c.binary()
	}
	return w != "", nil
}

func (c *condition) group() (bool, error) {
	c.pos++
	if w, _ := c.word(c.pos); w == ")" {
		return false, nil
	}
	r, err := c.or()
	if err != nil {
		return false, err
	}
	c.pos++
	if w, _ := c.word(c.pos); w != ")" {
		return false, fmt.Errorf("%s: closing paren expected", c.name)
	}
	return r, nil
}

// isOperand reports whether a word that looks like a unary operator is none:
// because nothing follows, or because what follows is a binary operator.
func (c *condition) isOperand(i int) bool {
	next, ok := c.word(i + 1)
	if !ok {
		return true
	}
	if _, ok := c.word(i + 2); !ok {
		return false
	}
	return binaryOperators[next]
}

func (c *condition) unary(op, operand string) (bool, error) {
	switch op {
	case "-n":
		return operand != "", nil
	case "-z":
		return operand == "", nil
	case "-t":
		_, err := c.number(operand)
		return false, err // no terminal
	default:
		return false, nil // no file
	}
}

func (c *condition) binary() (bool, error) {
	left, op := c.args[c.pos], c.args[c.pos+1]
	right, ok := c.word(c.pos + 2)
	if !ok {
		return false, fmt.Errorf("%s: %s: argument expected", c.name, op)
	}
	c.pos += 2
	switch op {
	case "=":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "<":
		return left < right, nil
	case ">":
		return left > right, nil
	case "-nt", "-ot", "-ef":
		return false, nil // no file
	}
	l, err := c.number(left)
	if err != nil {
		return false, err
	}
	r, err := c.number(right)
	if err != nil {
		return false, err
	}
	switch op {
	case "-eq":
		return l == r, nil
	case "-ne":
		return l != r, nil
	case "-gt":
		return l > r, nil
	case "-ge":
		return l >= r, nil
	case "-lt":
		return l < r, nil
	default:
		return l <= r, nil
	}
}

func (c *condition) number(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.Trim(s, " \t\n\v\f\r"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: illegal number: %s", c.name, s)
	}
	return n, nil
}
