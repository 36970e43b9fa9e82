package shell

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxWidth bounds the width and precision in a format.
const maxWidth = 4096

// printf returns what dash's printf prints. The format is used again as long
// as arguments are left.
func printf(args []string) (string, error) {
	switch {
	case len(args) > 0 && args[0] == "--":
		args = args[1:]
	case len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-':
		return "", &usageError{fmt.Errorf("printf: illegal option -%c", args[0][1])}
	}
	if len(args) == 0 {
		return "", &usageError{errors.New("printf: the format is missing")}
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
	}
	return false, nil
}

// directive prints one argument. The text begins after the percent sign.
func (f *formatter) directive(text string) (rest string, done bool, err error) {
	spec := "%"
	n := len(text) - len(strings.TrimLeft(text, "#-+ 0"))
	spec, text = spec+text[:n], text[n:]
	var number string
	if number, text, err = f.number(text); err != nil {
		return "", false, err
	}
	spec += number
	if strings.HasPrefix(text, ".") {
		if number, text, err = f.number(text[1:]); err != nil {
			return "", false, err
		}
		spec += "." + strings.TrimPrefix(number, "-")
	}
	if text == "" {
		return "", false, fmt.Errorf("printf: %s: missing format character", spec)
	}
	verb, rest := text[0], text[1:]
	switch verb {
	case 's':
		fmt.Fprintf(&f.out, stringSpec(spec)+"s", f.next())
	case 'b':
		var b strings.Builder
		done = unescape(&b, f.next(), true)
		fmt.Fprintf(&f.out, stringSpec(spec)+"s", b.String())
	case 'c':
		c := f.next()
		fmt.Fprintf(&f.out, stringSpec(spec)+"s", c[:min(1, len(c))])
	case 'd', 'i':
		fmt.Fprintf(&f.out, spec+"d", f.integer(f.next()))
	case 'u':
		fmt.Fprintf(&f.out, spec+"d", uint64(f.integer(f.next())))
	case 'o', 'x', 'X':
		fmt.Fprintf(&f.out, spec+string(verb), uint64(f.integer(f.next())))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		fmt.Fprintf(&f.out, spec+string(verb), f.float(f.next()))
	default:
		return "", false, fmt.Errorf("printf: %s%c: invalid directive", spec, verb)
	}
	return rest, done, nil
}

// stringSpec drops the flags that mean nothing for text.
func stringSpec(spec string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("#+ ", r) {
			return -1
		}
		return r
	}, "%"+strings.TrimLeft(spec, "%0"))
}

// number reads a width or precision, which * takes from the arguments.
func (f *formatter) number(text string) (number, rest string, err error) {
	if strings.HasPrefix(text, "*") {
		number, rest = strconv.FormatInt(f.integer(f.next()), 10), text[1:]
	} else {
		n := len(text) - len(strings.TrimLeft(text, "0123456789"))
		number, rest = text[:n], text[n:]
	}
	if n, _ := strconv.Atoi(strings.TrimPrefix(number, "-")); n > maxWidth || len(number) > 6 {
		return "", "", fmt.Errorf("printf: width %s is more than %d", number, maxWidth)
	}
	return number, rest, nil
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
	if arg == "" {
		return 0
	}
	if arg[0] == '\'' || arg[0] == '"' {
		if len(arg) > 1 {
			return int64(arg[1])
		}
		return 0
	}
	text := strings.TrimLeft(arg, " \t\n")
	end := len(text)
	for ; end > 0; end-- {
		if n, err := strconv.ParseInt(text[:end], 0, 64); err == nil && !strings.ContainsAny(text[:end], "_oObB") {
			if end < len(text) {
				f.invalid(arg, "not completely converted")
			}
			return n
		}
		if end > 70 {
			end = 70
		}
	}
	f.invalid(arg, "expected numeric value")
	return 0
}

func (f *formatter) float(arg string) float64 {
	if arg == "" {
		return 0
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(arg), 64)
	if err != nil {
		f.invalid(arg, "expected numeric value")
	}
	return v
}

func (f *formatter) invalid(arg, why string) {
	if f.err == nil {
		f.err = fmt.Errorf("printf: %s: %s", arg, why)
	}
}
