package shell

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// hiddenApostrophe stands for an apostrophe that the parser must not see. A
// text that has this byte already is parsed as it is.
const hiddenApostrophe = "\x01"

// defaultWord is an expansion with a plain text for the case that the variable
// is not set, as in "${BRANCH:?it isn't set}".
var defaultWord = regexp.MustCompile("\\$\\{[A-Za-z0-9_]+:?[-=+?][^}\"$`\\\\\n]*\\}")

// parse reads a text as a POSIX shell does. Within double quotes an apostrophe
// in the word of ${x:-word} is one more character; the parser would take it for
// the beginning of a quotation, so a single one is hidden from it.
func parse(src string) (*syntax.File, error) {
	if masked := hideApostrophes(src); masked != src {
		file, err := parseAsIs(masked)
		if err == nil && showApostrophes(file) == strings.Count(masked, hiddenApostrophe) {
			return file, nil
		}
	}
	return parseAsIs(src)
}

func parseAsIs(src string) (*syntax.File, error) {
	parser := syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true))
	return parser.Parse(strings.NewReader(src), "sh")
}

func hideApostrophes(src string) string {
	if strings.Contains(src, hiddenApostrophe) {
		return src
	}
	return defaultWord.ReplaceAllStringFunc(src, func(text string) string {
		if strings.Count(text, "'")%2 == 0 {
			return text
		}
		return strings.ReplaceAll(text, "'", hiddenApostrophe)
	})
}

// showApostrophes puts the hidden apostrophes back and returns how many stood
// where they are plain characters.
func showApostrophes(file *syntax.File) int {
	n := 0
	show := func(text *string) {
		n += strings.Count(*text, hiddenApostrophe)
		*text = strings.ReplaceAll(*text, hiddenApostrophe, "'")
	}
	var within func(parts []syntax.WordPart)
	within = func(parts []syntax.WordPart) {
		for _, part := range parts {
			switch part := part.(type) {
			case *syntax.Lit:
				show(&part.Value)
			case *syntax.ParamExp:
				if part.Exp != nil && part.Exp.Word != nil && !removes(part.Exp.Op) {
					within(part.Exp.Word.Parts)
				}
			}
		}
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DblQuoted:
			within(n.Parts)
		case *syntax.Redirect:
			if n.Hdoc != nil {
				within(n.Hdoc.Parts)
			}
		case *syntax.Comment:
			show(&n.Text)
		}
		return true
	})
	return n
}
