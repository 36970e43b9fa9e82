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
