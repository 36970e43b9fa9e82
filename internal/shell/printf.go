package shell

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// maxWidth bounds the width and precision in a format.
const maxWidth = 4096

// errWidth ends the script, since dash knows no such bound. It also stands for a width of digits and a
// *, which dash leaves to the C library.
var errWidth = fmt.Errorf("stopped at a width in printf that is no number, or more than %d", maxWidth)

// printf returns what dash's printf prints. The format is used again as long
// as arguments are left.
func printf(args []string) (string, error) {
	_, args, err := flags(args, "")
	if err == nil && len(args) == 0 {
		err = errors.New("the format is missing")
	}
	if err != nil {
		return "", &usageError{fmt.Errorf("printf: %w", err)}
	}
	f := formatter{format: args[0], args: args[1:]}
	for {
		left := len(f.args)
		if done, err := f.once(); done || err != nil {
			return f.out.String(), err
		}
		if len(f.args) == 0 || len(f.args) == left || f.out.Len() > maxBytes {
			return f.out.String(), f.err
		}
	}
}

type formatter struct {
	format string
	args   []string
	out    strings.Builder
	err    error // the first number that was none; the output goes on
}

// once goes through the format one time. Done means that \c ended the output.
func (f *formatter) once() (done bool, err error) {
	text := f.format
	for text != "" {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			i = len(text)
		}
		unescape(&f.out, text[:i], false)
		if text = text[i:]; text == "" {
			break
		}
		if strings.HasPrefix(text, "%%") {
			f.out.WriteByte('%')
			text = text[2:]
			continue
		}
		if text, done, err = f.directive(text[1:]); done || err != nil {
			return done, err
		}
		if f.out.Len() > maxBytes {
			return true, nil // to print so much ends the script
		}
	}
	return false, nil
}

// directive prints one argument. The text begins after the percent sign.
func (f *formatter) directive(text string) (rest string, done bool, err error) {
	c := conversion{precision: -1}
	spec := text
	n := len(text) - len(strings.TrimLeft(text, "#-+ 0"))
	c.flags, text = text[:n], text[n:]
	if c.width, text, err = f.number(text); err != nil {
		return "", false, err
	}
	if c.width < 0 {
		c.flags, c.width = c.flags+"-", -c.width
	}
	if strings.HasPrefix(text, ".") {
		if c.precision, text, err = f.number(text[1:]); err != nil {
			return "", false, err
		}
	}
	if text == "" {
		return "", false, &usageError{fmt.Errorf("printf: %%%s: missing format character", spec)}
	}
	verb, rest := text[0], text[1:]
	switch verb {
	case 's':
		f.out.WriteString(c.text(f.next()))
	case 'b':
		var b strings.Builder
		done = unescape(&b, f.next(), true)
		f.out.WriteString(c.text(b.String()))
	case 'c':
		f.out.WriteString(c.character(f.next()))
	case 'd', 'i':
		f.out.WriteString(c.signed(f.integer(f.next())))
	case 'u', 'o', 'x', 'X':
		f.out.WriteString(c.unsigned(verb, f.unsigned(f.next())))
	case 'a', 'A', 'e', 'E', 'f', 'F', 'g', 'G':
		f.out.WriteString(c.float(verb, f.float(f.next())))
	default:
		return "", false, &usageError{fmt.Errorf("printf: %%%s: invalid directive", spec[:len(spec)-len(rest)])}
	}
	return rest, done, nil
}

// number reads a width or precision, which * takes from the arguments.
func (f *formatter) number(text string) (n int, rest string, err error) {
	var value int64
	if strings.HasPrefix(text, "*") {
		value, rest = f.integer(f.next()), text[1:]
	} else {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		value, _, _ = parseInteger(text[:digits], 10)
		if rest = text[digits:]; strings.HasPrefix(rest, "*") {
			return 0, "", errWidth
		}
	}
	if value > maxWidth || value < -maxWidth {
		return 0, "", errWidth
	}
	return int(value), rest, nil
}

func (f *formatter) next() string {
	if len(f.args) == 0 {
		return ""
	}
	arg := f.args[0]
	f.args = f.args[1:]
	return arg
}

// integer reads a number as C writes it, or the code of a quoted character.
func (f *formatter) integer(arg string) int64 {
	if code, ok := characterCode(arg); ok {
		return int64(code)
	}
	v, n, overflow := parseInteger(arg, 0)
	f.converted(arg, n, overflow)
	return v
}

// unsigned is integer for what has no sign; a negative number wraps around.
func (f *formatter) unsigned(arg string) uint64 {
	if code, ok := characterCode(arg); ok {
		return uint64(code)
	}
	negative, v, n, overflow := scanInteger(arg, 0, math.MaxUint64)
	f.converted(arg, n, overflow)
	if negative && !overflow {
		v = -v
	}
	return v
}

func characterCode(arg string) (byte, bool) {
	if arg == "" || arg[0] != '\'' && arg[0] != '"' {
		return 0, false
	}
	if len(arg) == 1 {
		return 0, true
	}
	return arg[1], true
}

// floating is what C's strtod takes for a number.
var floating = regexp.MustCompile(`^[ \t\n\v\f\r]*([+-]?(?i:inf(?:inity)?|nan|0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?))`)

func (f *formatter) float(arg string) float64 {
	if code, ok := characterCode(arg); ok {
		return float64(code)
	}
	m := floating.FindStringSubmatch(arg)
	if m == nil {
		f.converted(arg, 0, false)
		return 0
	}
	text := m[1]
	if len(text) > 2 && strings.ContainsAny(text[:3], "xX") && !strings.ContainsAny(text, "pP") {
		text += "p0"
	}
	v, err := strconv.ParseFloat(text, 64)
	f.converted(arg, len(m[0]), errors.Is(err, strconv.ErrRange))
	return v
}

// converted notes what is wrong about a number of which so many bytes were read.
func (f *formatter) converted(arg string, n int, overflow bool) {
	switch {
	case n == 0 && arg != "":
		f.invalid(arg, "expected numeric value")
	case n < len(arg):
		f.invalid(arg, "not completely converted")
	case overflow:
		f.invalid(arg, "out of range")
	}
}

func (f *formatter) invalid(arg, why string) {
	if f.err == nil {
		f.err = fmt.Errorf("printf: %s: %s", arg, why)
	}
}
