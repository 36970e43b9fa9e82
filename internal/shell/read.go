package shell

import (
	"errors"
	"strings"
)

// read reads a line, splits it at IFS and assigns its fields. Without -r a
// backslash quotes the next byte, also the end of a line.
func (m *machine) read(args []string) int {
	given, names, err := flags(args[1:], "p:r") // only a terminal gets a prompt
	if err == nil && len(names) == 0 {
		err = errors.New("argument count")
	}
	if err != nil {
		return m.usage(args, err)
	}
	e := expansion{m: m, fields: true}
	status, err := m.readLine(&e, strings.Contains(given, "r"))
	if err != nil {
		return 1
	}
	fields := e.split(m.ifs(), len(names))
	for i, name := range names {
		value := ""
		if i < len(fields) {
			value = fields[i]
		}
		variable, err := variableName(name)
		if err != nil {
			return m.usage(args, err)
		}
		if err := m.assign(variable, value); err != nil {
			return m.usage(args, err)
		}
	}
	return status
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
