package shell

import (
	"strings"
	"unicode/utf8"
)

// echo returns what dash's echo prints: backslashes are always interpreted,
// and -n is the only option.
func echo(args []string) string {
	newline := true
	if len(args) > 0 && args[0] == "-n" {
		newline = false
		args = args[1:]
	}
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if stop := unescape(&b, arg, true); stop {
			return b.String()
		}
	}
	if newline {
		b.WriteByte('\n')
	}
	return b.String()
}

// unescape writes text with its backslash sequences replaced. With zero, an
// octal number has a leading 0 and \c ends all output, as in echo and printf
// %b; without, as in the format of printf, neither is so.
func unescape(b *strings.Builder, text string, zero bool) (stop bool) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i == len(text)-1 {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case '\\':
			b.WriteByte('\\')
		case 'e':
			b.WriteByte('\x1b')
		case 'c':
			if zero {
				return true
			}
			b.WriteString(`\c`)
		case '0', '1', '2', '3', '4', '5', '6', '7':
			digits := 3
			if c == '0' && zero {
				digits = 4
			}
			i += octal(b, text[i:], digits) - 1
		default:
			b.WriteByte('\\')
			i--
			r, size := utf8.DecodeRuneInString(text[i+1:])
			if r == utf8.RuneError {
				size = 1
			}
			b.WriteString(text[i+1 : i+1+size])
			i += size
		}
	}
	return false
}

// octal writes the byte that up to so many octal digits stand for, and returns
// how many there were.
func octal(b *strings.Builder, text string, most int) int {
	n, value := 0, 0
	for n < len(text) && n < most && text[n] >= '0' && text[n] <= '7' {
		value = value*8 + int(text[n]-'0')
		n++
	}
	b.WriteByte(byte(value))
	return n
}
