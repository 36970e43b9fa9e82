package shell

import (
	"math"
	"strconv"
	"strings"
)

// conversion is what a directive of printf says beside its letter. It formats
// as C does, in bytes.
type conversion struct {
	flags     string // of #-+ and space and 0
	width     int
	precision int // -1 if there is none
}

func (c conversion) has(flag byte) bool { return strings.IndexByte(c.flags, flag) >= 0 }

// pad fills a text up to the width.
func (c conversion) pad(s string) string {
	n := c.width - len(s)
	switch {
	case n <= 0:
		return s
	case c.has('-'):
		return s + strings.Repeat(" ", n)
	}
	return strings.Repeat(" ", n) + s
}

func (c conversion) text(s string) string {
	if c.precision >= 0 {
		s = s[:min(len(s), c.precision)]
	}
	return c.pad(s)
}

// character is the first byte, or a zero byte if there is none.
func (c conversion) character(s string) string {
	if s == "" {
		s = "\x00"
	}
	return c.pad(s[:1])
}

func (c conversion) signed(v int64) string {
	magnitude := uint64(v)
	if v < 0 {
		magnitude = -magnitude
	}
	return c.number(c.sign(v < 0), c.digits(magnitude, 10))
}

func (c conversion) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case c.has('+'):
		return "+"
	case c.has(' '):
		return " "
	}
	return ""
}

func (c conversion) unsigned(verb byte, v uint64) string {
	switch verb {
	case 'o':
		digits := c.digits(v, 8)
		if c.has('#') && !strings.HasPrefix(digits, "0") {
			digits = "0" + digits
		}
		return c.number("", digits)
	case 'x', 'X':
		prefix := ""
		if c.has('#') && v != 0 {
			prefix = "0x"
		}
		s := c.number(prefix, c.digits(v, 16))
		if verb == 'X' {
			s = strings.ToUpper(s)
		}
		return s
	}
	return c.number("", c.digits(v, 10))
}

// digits writes a number with at least as many digits as the precision says;
// 0 with precision 0 has none.
func (c conversion) digits(v uint64, base int) string {
	if v == 0 && c.precision == 0 {
		return ""
	}
	s := strconv.FormatUint(v, base)
	return strings.Repeat("0", max(0, c.precision-len(s))) + s
}

// number puts a sign or prefix before digits, and fills up to the width:
// between them with zeros if the flag says so and there is no precision.
func (c conversion) number(prefix, digits string) string {
	if c.has('0') && !c.has('-') && c.precision < 0 {
		digits = strings.Repeat("0", max(0, c.width-len(prefix)-len(digits))) + digits
	}
	return c.pad(prefix + digits)
}

func (c conversion) float(verb byte, v float64) string {
	sign := c.sign(math.Signbit(v))
	v = math.Abs(v)
	lower := verb | 0x20
	var s string
	switch {
	case math.IsInf(v, 0) || math.IsNaN(v):
		s = strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64), "+"))
		c.flags = strings.ReplaceAll(c.flags, "0", "")
	case lower == 'a':
		s = hexadecimal(v, c.precision)
	case lower == 'g':
		s = c.general(v)
	default:
		s = c.pointed(strconv.FormatFloat(v, lower, c.precisionOr6(), 64))
	}
	if lower == 'a' && strings.HasPrefix(s, "0x") {
		sign, s = sign+"0x", s[2:]
	}
	c.precision = -1 // it does not concern the zeros of the width
	s = c.number(sign, s)
	if verb != lower {
		s = strings.ToUpper(s)
	}
	return s
}

func (c conversion) precisionOr6() int {
	if c.precision < 0 {
		return 6
	}
	return c.precision
}

// pointed adds the decimal point that # asks for.
func (c conversion) pointed(s string) string {
	if !c.has('#') || strings.Contains(s, ".") {
		return s
	}
	mantissa, exponent, found := strings.Cut(s, "e")
	if found {
		exponent = "e" + exponent
	}
	return mantissa + "." + exponent
}

// general is %g: as short as so many significant digits can be written.
func (c conversion) general(v float64) string {
	digits := max(1, c.precisionOr6())
	scientific := strconv.FormatFloat(v, 'e', digits-1, 64)
	exponent, _ := strconv.Atoi(scientific[strings.IndexByte(scientific, 'e')+1:])
	s := scientific
	if exponent >= -4 && exponent < digits {
		s = strconv.FormatFloat(v, 'f', digits-1-exponent, 64)
	}
	if c.has('#') {
		return c.pointed(s)
	}
	mantissa, tail, found := strings.Cut(s, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if found {
		return mantissa + "e" + tail
	}
	return mantissa
}

// hexadecimal is %a. C writes the exponent with as few digits as it has.
func hexadecimal(v float64, precision int) string {
	s := strconv.FormatFloat(v, 'x', precision, 64)
	i := strings.IndexByte(s, 'p') + 2
	exponent := strings.TrimLeft(s[i:], "0")
	if exponent == "" {
		exponent = "0"
	}
	return s[:i] + exponent
}
