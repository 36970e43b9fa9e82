package shell

import (
	"errors"
	"fmt"

	"mvdan.cc/sh/v3/syntax"
)

// read reads a line, splits it at IFS and assigns its fields. Without -r a
// backslash quotes the next byte, also the end of a line.
func (m *machine) read(args []string) int {
	names, raw, err := readOptions(args[1:])
	if err != nil {
		return m.usage(args, err)
	}
	e := expansion{m: m, fields: true}
	status, err := m.readLine(&e, raw)
	if err != nil {
		return 1
	}
	fields := e.split(m.ifs(), len(names))
	for i, name := range names {
		value := ""
		if i < len(fields) {
			value = fields[i]
		}
		if !syntax.ValidName(name) {
			return m.usage(args, fmt.Errorf("%s: bad variable name", name))
		}
		if err := m.assign(name, value); err != nil {
			return m.usage(args, err)
		}
	}
	return status
}

func readOptions(args []string) (names []string, raw bool, err error) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
	flags:
		for i, flag := range word[1:] {
			switch {
			case flag == 'r':
				raw = true
			case flag == 'p' && i+2 < len(word):
				break flags // the rest is the prompt, which only a terminal gets
			case flag == 'p' && len(args) > 0:
				args = args[1:]
				break flags
			case flag == 'p':
				return nil, false, errors.New("no argument for option -p")
			default:
				return nil, false, fmt.Errorf("illegal option -%c", flag)
			}
		}
	}
	if len(args) == 0 {
		return nil, false, errors.New("argument count")
	}
	return args, raw, nil
}

// readLine reads up to the end of a line. The status is 1 if the text ends
// before.
func (m *machine) readLine(e *expansion, raw bool) (status int, err error) {
	from, escaped := 0, false
	for {
		b, ok := m.files[0].read()
		if !ok {
			status = 1
			break
		}
		if err := m.account(1); err != nil {
			return 1, err
		}
		switch {
		case b == 0:
			continue
		case escaped:
			e.record(from, false)
			if b != '\n' {
				e.out = append(e.out, glyph(b)|quotedGlyph)
			}
			from, escaped = len(e.out), false
			continue
		case b == '\\' && !raw:
			escaped = true
			continue
		case b == '\n':
			e.record(from, false)
			return 0, nil
		}
		e.out = append(e.out, glyph(b))
	}
	e.record(from, false)
	return status, nil
}
