package shell

import (
	"fmt"
	"strings"
)

// flags reads the options that a built-in's arguments begin with, as dash does:
// letters behind a dash, alone or together, up to "--" or a word that is none.
// A letter that a colon follows in known takes a value, attached or the next
// word, which is left out of the result.
func flags(args []string, known string) (given string, rest []string, err error) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		for i := 1; i < len(word); i++ {
			at := strings.IndexByte(known, word[i])
			if at < 0 || word[i] == ':' {
				return "", nil, fmt.Errorf("illegal option -%c", word[i])
			}
			given += word[i : i+1]
			if !strings.HasPrefix(known[at+1:], ":") {
				continue
			}
			if i == len(word)-1 {
				if len(args) == 0 {
					return "", nil, fmt.Errorf("no argument for option -%c", word[i])
				}
				args = args[1:]
			}
			break
		}
	}
	return given, args, nil
}
