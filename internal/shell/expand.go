package shell

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// expansion is a word on its way to fields: what it has expanded to so far,
// and which parts of that are split.
type expansion struct {
	m       *machine
	out     []glyph
	regions []region
	fields  bool // fields are wanted, and not one text
	colons  bool // a ~ is expanded after : too, as in an assignment
	named   bool // the assignment's name is part of the word, so after the first = as well
}

// region is a part of an expansion that is split into fields: at the
// characters of IFS or, if it is "$@", between the parameters.
type region struct {
	from, to int
	params   bool
}

// quoting says how a part of a word is quoted.
type quoting struct {
	quoted bool // within double quotes or a here-document
	here   bool // in a here-document, where " is literal
	braces bool // within the word of ${x:-word}
	tilde  bool // at the beginning, where ~ is expanded
}

// words expands the arguments of a command. Those of export, readonly and
// local which are assignments are not split.
func (m *machine) words(list []*syntax.Word) ([]string, error) {
	var fields []string
	assigns := false
	for i, w := range list {
		e := expansion{m: m, fields: true}
		if assigns && isAssignment(w) {
			e.fields, e.colons, e.named = false, true, true
		}
		if err := e.word(w, quoting{tilde: true}); err != nil {
			return nil, err
		}
		before := len(fields)
		if e.fields {
			fields = append(fields, e.split(m.ifs(), -1)...)
		} else {
			fields = append(fields, e.text())
		}
		for _, f := range fields[before:] {
			if err := m.account(len(f) + perValue); err != nil {
				return nil, err
			}
		}
		if i == 0 || len(fields) == 1 {
			assigns = len(fields) > 0 && assignsVariables(fields)
		}
	}
	return fields, nil
}

// assignsVariables reports whether a command is one that declares variables.
func assignsVariables(fields []string) bool {
	switch fields[0] {
	case "export", "readonly", "local":
		return true
	}
	return false
}

// isAssignment reports whether a word reads name=... before any expansion.
func isAssignment(w *syntax.Word) bool {
	lit, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return false
	}
	name, _, found := strings.Cut(lit.Value, "=")
	return found && syntax.ValidName(name)
}

// text expands a word to one text.
func (m *machine) text(w *syntax.Word) (string, error) {
	return m.single(w, &expansion{m: m}, quoting{tilde: true})
}

// value expands the right side of an assignment.
func (m *machine) value(w *syntax.Word) (string, error) {
	return m.single(w, &expansion{m: m, colons: true}, quoting{tilde: true})
}

func (m *machine) single(w *syntax.Word, e *expansion, c quoting) (string, error) {
	if w == nil {
		return "", nil
	}
	if err := e.word(w, c); err != nil {
		return "", err
	}
	return e.text(), nil
}

// hereDocument returns the body of a here-document, expanded unless its
// delimiter was quoted.
func (m *machine) hereDocument(r *syntax.Redirect) (string, error) {
	if r.Hdoc == nil {
		return "", nil
	}
	w := r.Hdoc
	if r.Op == syntax.DashHdoc {
		w = withoutTabs(w)
	}
	if isQuoted(r.Word) {
		return w.Lit(), m.account(len(w.Lit()))
	}
	text, err := m.single(w, &expansion{m: m}, quoting{quoted: true, here: true})
	if err != nil {
		return "", err
	}
	return text, m.account(len(text))
}

// isQuoted reports whether any part of a delimiter is quoted.
func isQuoted(w *syntax.Word) bool {
	for _, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); !ok || strings.IndexByte(lit.Value, '\\') >= 0 {
			return true
		}
	}
	return false
}

// withoutTabs drops the tabs that begin a line of the document, but not those
// of what is expanded in it.
func withoutTabs(w *syntax.Word) *syntax.Word {
	parts := make([]syntax.WordPart, len(w.Parts))
	start := true // of a line
	for i, part := range w.Parts {
		parts[i] = part
		if lit, ok := part.(*syntax.Lit); ok {
			var b strings.Builder
			for line := range strings.Lines(lit.Value) {
				if start {
					line = strings.TrimLeft(line, "\t")
				}
				b.WriteString(line)
				start = strings.HasSuffix(line, "\n")
			}
			parts[i] = &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: b.String()}
			continue
		}
		start = false
	}
	return &syntax.Word{Parts: parts}
}

// pattern expands a word to a pattern.
func (m *machine) pattern(w *syntax.Word) (pattern, error) {
	e := expansion{m: m}
	if w != nil {
		if err := e.word(w, quoting{tilde: true}); err != nil {
			return nil, err
		}
	}
	return compilePattern(e.out), m.spend(len(e.out))
}

// text returns what was expanded without its quotes.
func (e *expansion) text() string { return plain(e.out) }

func plain(glyphs []glyph) string {
	var b strings.Builder
	b.Grow(len(glyphs))
	for _, g := range glyphs {
		if g&quoteMark == 0 {
			b.WriteByte(g.byte())
		}
	}
	return b.String()
}

// put appends a text.
func (e *expansion) put(text string, quoted bool) error {
	if err := e.m.account(len(text)); err != nil {
		return err
	}
	var flag glyph
	if quoted {
		flag = quotedGlyph
	}
	for i := range len(text) {
		e.out = append(e.out, glyph(text[i])|flag)
	}
	return nil
}

// record makes a region of what was appended since from.
func (e *expansion) record(from int, params bool) {
	e.regions = append(e.regions, region{from, len(e.out), params})
}

func (e *expansion) word(w *syntax.Word, c quoting) error {
	return e.parts(w.Parts, c)
}

func (e *expansion) parts(parts []syntax.WordPart, c quoting) error {
	for i, part := range parts {
		if err := e.part(part, c, i == len(parts)-1); err != nil {
			return err
		}
		c.tilde = false
	}
	return nil
}

func (e *expansion) part(part syntax.WordPart, c quoting, last bool) error {
	switch part := part.(type) {
	case *syntax.Lit:
		return e.literal(part.Value, c, last)
	case *syntax.SglQuoted:
		if c.quoted {
			// Within double quotes a single quote is nothing special; see
			// checker.quotes for what the text may hold.
			return e.put("'"+part.Value+"'", true)
		}
		e.out = append(e.out, quoteMark)
		return e.put(part.Value, true)
	case *syntax.DblQuoted:
		if !isParameters(part) || c.quoted {
			e.out = append(e.out, quoteMark)
		}
		return e.parts(part.Parts, quoting{quoted: true, braces: c.quoted && c.braces})
	case *syntax.ParamExp:
		return e.m.hearing(func() error { return e.parameter(part, c) })
	case *syntax.CmdSubst:
		if e.m.unheard && isShown(part) {
			return e.substitute(part, c)
		}
		return e.m.hearing(func() error { return e.substitute(part, c) })
	case *syntax.ArithmExp:
		return e.m.hearing(func() error {
			text, err := e.m.arithmeticText(part.X)
			if err != nil {
				return err
			}
			n, err := e.m.calculate(text)
			if err != nil {
				return err
			}
			return e.insert(strconv.FormatInt(n, 10), c)
		})
	default:
		return e.m.stop(fmt.Errorf("%T is not supported", part))
	}
}

// substitute appends what commands print.
func (e *expansion) substitute(s *syntax.CmdSubst, c quoting) error {
	text, err := e.m.substitute(s.Stmts)
	if err != nil {
		return err
	}
	return e.insert(text, c)
}

// isParameters reports whether a quoted string is "$@", which is nothing at
// all when there are no parameters.
func isParameters(q *syntax.DblQuoted) bool {
	if len(q.Parts) != 1 {
		return false
	}
	p, ok := q.Parts[0].(*syntax.ParamExp)
	return ok && p.Param.Value == "@" && p.Exp == nil && !p.Length
}

// insert appends the result of a substitution.
func (e *expansion) insert(text string, c quoting) error {
	from := len(e.out)
	if err := e.put(text, c.quoted); err != nil {
		return err
	}
	if !c.quoted {
		e.record(from, false)
	}
	return nil
}

// literal appends text of the script, without its backslashes.
func (e *expansion) literal(text string, c quoting, last bool) error {
	if err := e.m.account(len(text)); err != nil {
		return err
	}
	from := len(e.out)
	// Text in the word of ${x:-word} is split like a value, but for what is
	// quoted in it.
	flush := func() {
		if c.braces && !c.quoted && len(e.out) > from {
			e.record(from, false)
		}
	}
	tilde := c.tilde && !c.quoted
	for i := 0; i < len(text); i++ {
		b := text[i]
		if tilde && b == '~' {
			if home, ok := e.home(text[i+1:], last); ok {
				flush()
				for j := range len(home) {
					e.out = append(e.out, glyph(home[j])|quotedGlyph)
				}
				from = len(e.out)
				tilde = false
				continue
			}
		}
		tilde = e.colons && !c.quoted && (b == ':' || b == '=' && e.named)
		e.named = e.named && b != '='
		switch {
		case b == '\\' && strings.HasPrefix(text[i+1:], "\n"):
			i++ // a continued line; the parser removes most of them
		case b != '\\' || i == len(text)-1:
			g := glyph(b)
			if c.quoted {
				g |= quotedGlyph
			}
			e.out = append(e.out, g)
		case c.quoted && !escapable(text[i+1], c):
			e.out = append(e.out, '\\'|quotedGlyph)
		default:
			flush()
			i++
			e.out = append(e.out, glyph(text[i])|quotedGlyph)
			from = len(e.out)
		}
	}
	flush()
	return nil
}

// escapable reports whether a backslash within double quotes removes itself
// before this byte.
func escapable(b byte, c quoting) bool {
	switch b {
	case '$', '`', '\\':
		return true
	case '"':
		return !c.here || c.braces
	case '}':
		return c.braces
	}
	return false
}

// home returns what ~ stands for if it stands alone before the rest of a
// literal. Other users' homes are unknown here, and stay as they are.
func (e *expansion) home(rest string, last bool) (string, bool) {
	end := strings.IndexAny(rest, "/:")
	switch {
	case end > 0, end < 0 && (rest != "" || !last), end == 0 && rest[0] == ':' && !e.colons:
		return "", false
	}
	v := e.m.vars["HOME"]
	return v.value, v.set
}

// parameter appends the expansion of a parameter.
func (e *expansion) parameter(p *syntax.ParamExp, c quoting) error {
	name := p.Param.Value
	if err := e.m.spend(1); err != nil {
		return err
	}
	op, word := syntax.ParExpOperator(0), (*syntax.Word)(nil)
	if p.Exp != nil {
		op, word = p.Exp.Op, p.Exp.Word
	}
	from := len(e.out)
	set, err := e.putParameter(name, c.quoted)
	if err != nil {
		return err
	}
	nonEmpty := set && len(e.out) > from
	switch op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		e.out = e.out[:from]
		if set && (op == syntax.AlternateUnset || nonEmpty) {
			return e.alternative(word, c)
		}
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if !set || op == syntax.DefaultUnsetOrNull && !nonEmpty {
			e.out = e.out[:from]
			return e.alternative(word, c)
		}
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if !set || op == syntax.AssignUnsetOrNull && !nonEmpty {
			e.out = e.out[:from]
			return e.assignDefault(name, word, c)
		}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if !set || op == syntax.ErrorUnsetOrNull && !nonEmpty {
			return e.missing(name, op, word, c)
		}
	default:
		if err := e.mustBeSet(p, set); err != nil {
			return err
		}
		if !set && !p.Length {
			return nil // and no region: "$@"$unset ends as "$@" does
		}
		if p.Length {
			n := len(e.out) - from
			e.out = e.out[:from]
			return e.insert(strconv.Itoa(n), c)
		}
		if p.Exp != nil {
			if err := e.trim(from, op, word); err != nil {
				return err
			}
		}
	}
	e.recordParameter(name, from, c)
	return nil
}

func (e *expansion) recordParameter(name string, from int, c quoting) {
	switch {
	case !c.quoted:
		e.record(from, false)
	case name == "@" && len(e.m.params) > 0:
		e.record(from, true)
	}
}

// mustBeSet is asked where an operator does not say what an unset parameter
// means.
func (e *expansion) mustBeSet(p *syntax.ParamExp, set bool) error {
	name := p.Param.Value
	switch {
	case set:
		return nil
	case guardVariables[name] && !e.m.tolerated[p]:
		return e.m.skip(name)
	case e.m.options.has('u'):
		return fmt.Errorf("%s: parameter not set", name)
	}
	return nil
}

// putParameter appends the value of a parameter.
func (e *expansion) putParameter(name string, quoted bool) (set bool, err error) {
	if name != "@" && name != "*" {
		value, set := e.m.parameter(name)
		return set, e.put(value, quoted)
	}
	separator, separated := e.separator(name, quoted)
	for i, value := range e.m.params {
		if i > 0 && separated {
			if err := e.put(string(separator), quoted && separator != 0); err != nil {
				return false, err
			}
		}
		if err := e.put(value, quoted); err != nil {
			return false, err
		}
	}
	return true, nil // dash counts them as set even when there are none
}

// separator returns what stands between the parameters. A zero byte separates
// fields, whatever IFS is.
func (e *expansion) separator(name string, quoted bool) (byte, bool) {
	v := e.m.vars["IFS"]
	switch {
	case e.fields && quoted && name == "@":
		return 0, true
	case !v.set:
		return ' ', true
	case e.fields && !quoted:
		return 0, true
	case v.value == "":
		return 0, false
	}
	return v.value[0], true
}

// alternative appends the word of ${x:-word} or ${x:+word}.
func (e *expansion) alternative(word *syntax.Word, c quoting) error {
	if word == nil {
		return nil
	}
	c.braces, c.tilde = true, true
	return e.word(word, c)
}

func (e *expansion) assignDefault(name string, word *syntax.Word, c quoting) error {
	c.braces, c.tilde = true, true
	inner := expansion{m: e.m}
	value, err := e.m.single(word, &inner, c)
	if err != nil {
		return err
	}
	if !syntax.ValidName(name) {
		return fmt.Errorf("%s: bad variable name", name)
	}
	if err := e.m.assign(name, value); err != nil {
		return err
	}
	if len(e.regions) == 0 && inner.beginsWithParameters() {
		e.record(len(e.out), true) // dash forgets the word's regions, but for the place of this one
	}
	return e.insert(value, c)
}

// beginsWithParameters reports whether the first thing that was expanded is "$@", in quotes, and
// nothing stands before it.
func (e *expansion) beginsWithParameters() bool {
	return len(e.regions) > 0 && e.regions[0].params && plain(e.out[:e.regions[0].from]) == ""
}

func (e *expansion) missing(name string, op syntax.ParExpOperator, word *syntax.Word, c quoting) error {
	c.braces, c.tilde = true, true
	why, err := e.m.single(word, &expansion{m: e.m}, c)
	switch {
	case err != nil:
		return err
	case why != "":
		return fmt.Errorf("%s: %s", name, why)
	case op == syntax.ErrorUnsetOrNull:
		return fmt.Errorf("%s: parameter not set or null", name)
	}
	return fmt.Errorf("%s: parameter not set", name)
}

// trim removes a prefix or suffix of what was appended since from.
func (e *expansion) trim(from int, op syntax.ParExpOperator, word *syntax.Word) error {
	p, err := e.m.pattern(word)
	if err != nil {
		return err
	}
	prefix := op == syntax.RemSmallPrefix || op == syntax.RemLargePrefix
	longest := op == syntax.RemLargePrefix || op == syntax.RemLargeSuffix
	a, b, err := p.trim(plain(e.out[from:]), prefix, longest, e.m.spend)
	if err != nil {
		return err
	}
	e.out = append(e.out[:from], e.out[from+a:from+b]...)
	return nil
}

// substitute runs statements in a subshell and returns what they print,
// without the newlines at the end.
func (m *machine) substitute(list []*syntax.Stmt) (string, error) {
	sink := newSink()
	status := m.status // $? is still that of the command before
	m.substituted = m.subshell(func(sub *machine) {
		sub.pipeTo(sink)
		sub.list(list, false)
	})
	m.status = status
	if m.stopped {
		return "", errStopped
	}
	text := sink.sink.String()
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	return strings.TrimRight(text, "\n"), nil
}

// arithmeticText writes an expression again, with its words expanded. dash
// knows no structure of it before that: x='1+2'; $(($x*2)) is 5.
func (m *machine) arithmeticText(x syntax.ArithmExpr) (string, error) {
	switch x := x.(type) {
	case nil:
		return "", nil
	case *syntax.Word:
		return m.single(x, &expansion{m: m}, quoting{quoted: true})
	case *syntax.ParenArithm:
		inner, err := m.arithmeticText(x.X)
		return "(" + inner + ")", err
	case *syntax.UnaryArithm:
		inner, err := m.arithmeticText(x.X)
		return x.Op.String() + gap(x.OpPos.Offset()+1, x.X.Pos().Offset()) + inner, err
	case *syntax.BinaryArithm:
		left, err := m.arithmeticText(x.X)
		if err != nil {
			return "", err
		}
		right, err := m.arithmeticText(x.Y)
		if err == nil {
			err = m.account(len(left) + len(right))
		}
		op := x.Op.String()
		before := gap(x.X.End().Offset(), x.OpPos.Offset())
		after := gap(x.OpPos.Offset()+uint(len(op)), x.Y.Pos().Offset())
		return left + before + op + after + right, err
	}
	return "", errArithmetic
}

// gap returns the space that the text has between two offsets: where there is
// none, the operators around an empty variable become one.
func gap(from, to uint) string {
	if to > from {
		return " "
	}
	return ""
}
