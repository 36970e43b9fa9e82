package shell

import (
	"errors"
	"strconv"
	"strings"
)

// getoptsState is how far getopts has come: the number of the next word, and
// the place in the one before it, or -1 when that one is done with.
type getoptsState struct{ index, offset int }

// getOption is getopts.
func (m *machine) getOption(args []string) int {
	if len(args) < 3 {
		return m.usage(args, errors.New("usage: getopts optstring var [arg]"))
	}
	words := m.params
	if len(args) > 3 {
		words = args[3:]
	}
	if m.getopts.index < 1 || m.getopts.index > len(words)+1 {
		m.getopts = getoptsState{index: 1, offset: -1}
	}
	o := optionReader{m: m, options: args[1], words: words, next: m.getopts.index - 1, current: -1}
	letter, err := o.read()
	if err != nil {
		return m.usage(args, err)
	}
	done := letter == 0
	if done {
		letter = '?'
	}
	state := getoptsState{index: o.next + 1, offset: o.current}
	if err := m.assign("OPTIND", strconv.Itoa(state.index)); err != nil {
		return m.usage(args, err)
	}
	name, err := variableName(args[2])
	if err == nil {
		err = m.assign(name, string(letter))
	}
	if err != nil {
		return m.usage(args, err)
	}
	m.getopts = state
	return int(truth(done))
}

// optionReader reads one option.
type optionReader struct {
	m       *machine
	options string
	words   []string
	next    int // index of the word after the present one
	current int // offset in the present word, or -1
}

// read returns the next option's letter, or 0 at the end.
func (o *optionReader) read() (byte, error) {
	rest := ""
	if s := o.m.getopts; s.index > 1 && s.offset >= 0 && s.offset <= len(o.words[o.next-1]) {
		rest = o.words[o.next-1][s.offset:]
	}
	if rest == "" {
		if o.next >= len(o.words) || len(o.words[o.next]) < 2 || o.words[o.next][0] != '-' {
			return 0, nil
		}
		rest = o.words[o.next][1:]
		o.next++
		if rest == "-" {
			return 0, nil
		}
	}
	letter := rest[0]
	rest = rest[1:]
	i := o.find(letter)
	if i < 0 {
		o.stay(rest)
		return o.wrong('?', letter)
	}
	if i+1 == len(o.options) || o.options[i+1] != ':' {
		o.stay(rest)
		return letter, o.m.assign("OPTARG", "")
	}
	if rest == "" {
		if o.next >= len(o.words) {
			return o.wrong(':', letter)
		}
		rest = o.words[o.next]
		o.next++
	}
	return letter, o.m.assign("OPTARG", rest)
}

// stay remembers the place in the present word.
func (o *optionReader) stay(rest string) { o.current = len(o.words[o.next-1]) - len(rest) }

// find returns where the option stands in the option string.
func (o *optionReader) find(letter byte) int {
	for i := 0; i < len(o.options); i++ {
		if o.options[i] == letter {
			return i
		}
		if i+1 < len(o.options) && o.options[i+1] == ':' {
			i++
		}
	}
	return -1
}

// wrong reports an unknown option or a missing argument: to the script if the
// option string begins with a colon.
func (o *optionReader) wrong(kind, letter byte) (byte, error) {
	if strings.HasPrefix(o.options, ":") {
		return kind, o.m.assign("OPTARG", string(letter))
	}
	return '?', o.m.unset("OPTARG")
}
