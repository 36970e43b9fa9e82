package shell

import "strings"

// glyph is a byte of an expanded word, with what the expansion knows of it.
type glyph uint16

const (
	quotedGlyph glyph = 1 << (8 + iota) // it has no special meaning
	quoteMark                           // it is no byte, but the place of a quote, which keeps an empty field alive
)

func (g glyph) byte() byte { return byte(g) }

// is reports whether the glyph is this byte and not quoted.
func (g glyph) is(b byte) bool { return g == glyph(b) }

// pattern is a compiled shell pattern: a list of what each byte must be.
type pattern []element

type element struct {
	star  bool
	any   bool
	class *byteSet // a bracket expression
	b     byte
}

// compilePattern reads a pattern as dash does: byte by byte, a backslash that
// comes from an expansion quotes the next byte, ! but not ^ negates a bracket
// expression, and one that does not end is a literal bracket.
func compilePattern(glyphs []glyph) pattern {
	glyphs = unescaped(glyphs)
	p := make(pattern, 0, len(glyphs))
	for i := 0; i < len(glyphs); i++ {
		g := glyphs[i]
		switch {
		case g.is('*'):
			if len(p) == 0 || !p[len(p)-1].star {
				p = append(p, element{star: true})
			}
		case g.is('?'):
			p = append(p, element{any: true})
		case g.is('['):
			class, n := bracket(glyphs[i:])
			if n == 0 {
				p = append(p, element{b: '['})
				break
			}
			p = append(p, element{class: class})
			i += n - 1
		default:
			p = append(p, element{b: g.byte()})
		}
	}
	return p
}

// unescaped drops quote marks, and the backslashes that quote what follows.
func unescaped(glyphs []glyph) []glyph {
	out := make([]glyph, 0, len(glyphs))
	escaped := false
	for _, g := range glyphs {
		switch {
		case g&quoteMark != 0:
		case escaped:
			out = append(out, g|quotedGlyph)
			escaped = false
		case g.is('\\'):
			escaped = true
		default:
			out = append(out, g)
		}
	}
	if escaped {
		out = append(out, glyph('\\')|quotedGlyph)
	}
	return out
}

// byteSet holds bytes, one bit each.
type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b/64] |= 1 << (b % 64) }
func (s *byteSet) has(b byte) bool { return s[b/64]>>(b%64)&1 == 1 }

// bracket reads a bracket expression and returns how many glyphs it has, 0 if
// it does not end.
func bracket(glyphs []glyph) (*byteSet, int) {
	var set byteSet
	i := 1
	negated := i < len(glyphs) && glyphs[i].is('!')
	if negated {
		i++
	}
	for first := true; ; first = false {
		if i >= len(glyphs) {
			return nil, 0
		}
		g := glyphs[i]
		if g.is(']') && !first {
			break
		}
		if g.is('[') {
			if n := namedClass(&set, glyphs[i:]); n > 0 {
				i += n
				continue
			}
		}
		i++
		low, high := g.byte(), g.byte()
		if i+1 < len(glyphs) && glyphs[i].is('-') && !glyphs[i+1].is(']') {
			high = glyphs[i+1].byte()
			i += 2
		}
		for c := int(low); c <= int(high); c++ {
			set.add(byte(c))
		}
	}
	if negated {
		for i := range set {
			set[i] = ^set[i]
		}
	}
	return &set, i + 1
}

// classes are the named classes of the C locale.
var classes = map[string]func(byte) bool{
	"alnum":  func(b byte) bool { return isAlpha(b) || isDigit(b) },
	"alpha":  isAlpha,
	"blank":  func(b byte) bool { return b == ' ' || b == '\t' },
	"cntrl":  func(b byte) bool { return b < ' ' || b == 0x7f },
	"digit":  isDigit,
	"graph":  func(b byte) bool { return b > ' ' && b < 0x7f },
	"lower":  func(b byte) bool { return b >= 'a' && b <= 'z' },
	"print":  func(b byte) bool { return b >= ' ' && b < 0x7f },
	"punct":  func(b byte) bool { return b > ' ' && b < 0x7f && !isAlpha(b) && !isDigit(b) },
	"space":  func(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' },
	"upper":  func(b byte) bool { return b >= 'A' && b <= 'Z' },
	"xdigit": func(b byte) bool { return isDigit(b) || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' },
}

func isAlpha(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// namedClass adds a class such as [:alpha:] and returns its length, or 0 when
// there is none.
func namedClass(set *byteSet, glyphs []glyph) int {
	if len(glyphs) < 2 || !glyphs[1].is(':') {
		return 0
	}
	var name strings.Builder
	for i := 2; i+1 < len(glyphs) && i < 10; i++ {
		if !glyphs[i].is(':') {
			name.WriteByte(glyphs[i].byte())
			continue
		}
		class, ok := classes[name.String()]
		if !ok || !glyphs[i+1].is(']') {
			return 0
		}
		for c := range 256 {
			if class(byte(c)) {
				set.add(byte(c))
			}
		}
		return i + 2
	}
	return 0
}

// matches reports whether the pattern matches the whole text, and how many
// bytes it had to look at, which is at most their product.
func (p pattern) matches(text string) (matched bool, work int) {
	i, j := 0, 0
	star, from := -1, 0 // the latest star, and where the text after it was last tried
	for i < len(text) {
		work++
		switch {
		case j < len(p) && p[j].star:
			star, from = j, i
			j++
		case j < len(p) && p[j].accepts(text[i]):
			i++
			j++
		case star >= 0:
			from++
			i, j = from, star+1
		default:
			return false, work
		}
	}
	for j < len(p) && p[j].star {
		j++
	}
	return j == len(p), work
}

func (e element) accepts(b byte) bool {
	switch {
	case e.any:
		return true
	case e.class != nil:
		return e.class.has(b)
	default:
		return e.b == b
	}
}

// trim removes what an operator of ${x#pattern} says from a value, and returns
// the range that is left.
func (p pattern) trim(value string, prefix, longest bool, spend func(int) error) (from, to int, err error) {
	for k := range len(value) + 1 {
		n := k // the length of the part that is tried
		if longest {
			n = len(value) - k
		}
		part := value[:n]
		if !prefix {
			part = value[len(value)-n:]
		}
		matched, work := p.matches(part)
		if err := spend(work + 1); err != nil {
			return 0, 0, err
		}
		switch {
		case matched && prefix:
			return n, len(value), nil
		case matched:
			return 0, len(value) - n, nil
		}
	}
	return 0, len(value), nil
}
