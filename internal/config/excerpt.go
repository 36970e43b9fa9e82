package config

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// excerpt is the line of a file that a diagnostic is about, as it is shown: without its secrets,
// and without anything that a terminal would act on.
type excerpt struct {
	text       string
	start, end int // of the caret line, in a terminal's columns from 0; end is one after the last
}

// redactedText stands for a secret in an excerpt.
const redactedText = "<redacted>"

// tabWidth is how many blanks stand for a tab.
const tabWidth = 4

// excerpt returns line n with the characters from column up to endColumn marked. An endColumn
// that is not after column marks one character.
func (s *source) excerpt(n, column, endColumn int) excerpt {
	raw := s.line(n)
	hidden := s.secretsOn(n)
	e := excerpt{start: -1}
	var b strings.Builder
	at, width := 1, 0 // column in the file, column on the terminal
	put := func(text string, columns, cells int) {
		if e.start < 0 && column < at+columns {
			e.start = width
		}
		b.WriteString(text)
		at += columns
		width += cells
		if e.start >= 0 && e.end == 0 && max(endColumn, column+1) <= at {
			e.end = width
		}
	}
	for len(raw) > 0 {
		if len(hidden) > 0 && at >= hidden[0].from {
			columns := min(hidden[0].to-at, utf8.RuneCount(raw))
			hidden = hidden[1:]
			if columns > 0 {
				put(redactedText, columns, len(redactedText))
				raw = raw[bytesBefore(raw, columns+1):]
			}
			continue
		}
		char, size := utf8.DecodeRune(raw)
		text, cells := shown(char)
		put(text, 1, cells)
		raw = raw[size:]
	}
	e.text = b.String()
	if e.start < 0 {
		e.start = width
	}
	if e.end <= e.start {
		e.end = e.start + 1
	}
	return e.window()
}

// shown returns how a character is written, and how many columns of a terminal that takes.
func shown(char rune) (string, int) {
	switch {
	case char == '\t':
		return strings.Repeat(" ", tabWidth), tabWidth
	case unicode.In(char, unicode.Mn, unicode.Me):
		return string(char), 0
	case unicode.Is(unicode.Cf, char), unicode.IsControl(char), char == utf8.RuneError:
		return "\ufffd", 1
	case wide(char):
		return string(char), 2
	}
	return string(char), 1
}

// wide reports the characters that take two columns: East Asian ones and most pictures.
func wide(char rune) bool {
	return char >= 0x1100 && (unicode.In(char, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) && (char < 0xff61 || char > 0xffdc) ||
		char >= 0x3000 && char <= 0x303e || char >= 0xff01 && char <= 0xff60 || char >= 0x1f300 && char <= 0x1faff)
}

// maxExcerpt is how many columns of a longer line are shown.
const maxExcerpt = 140

// window cuts a long line down to what surrounds the caret.
func (e excerpt) window() excerpt {
	const before, ellipsis = 50, "…"
	if len(e.text) <= maxExcerpt { // bytes are at least as many as columns
		return e
	}
	skip := 0
	if e.end > maxExcerpt {
		skip = max(0, e.start-before)
	}
	var b strings.Builder
	at, began, cut := 0, 0, false
	for _, char := range e.text {
		_, cells := shown(char)
		switch {
		case at < skip:
			began = at + cells
		case at+cells > skip+maxExcerpt:
			cut = true
		default:
			b.WriteRune(char)
		}
		at += cells
	}
	text := b.String()
	shift := -began
	if skip > 0 {
		text = ellipsis + text
		shift++
	}
	if cut {
		text += ellipsis
	}
	e.text, e.start, e.end = text, e.start+shift, min(e.end, skip+maxExcerpt)+shift
	return e
}

// carets returns the line beneath the excerpt, which begins with blanks.
func (e excerpt) carets() (blanks, marks string) {
	return strings.Repeat(" ", e.start), "^" + strings.Repeat("~", max(0, e.end-e.start-1))
}
