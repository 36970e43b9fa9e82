package shell

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// file is what a descriptor stands for: /dev/null, a text to be read, or a
// place where what is printed is kept. The parts of a pipeline come one after
// the other, so a pipe is a sink first and a text then.
type file struct {
	text     string // what is left to read
	sink     *strings.Builder
	readable bool
	writable bool
}

func devNull() *file { return &file{readable: true, writable: true} }

// newSink returns a file that keeps what is written to it.
func newSink() *file { return &file{sink: &strings.Builder{}, writable: true} }

// newText returns a file that can be read once.
func newText(text string) *file { return &file{text: text, readable: true} }

// kept reports whether what is written can be seen by the script.
func (f *file) kept() bool { return f != nil && f.sink != nil }

// closed reports whether nothing can be written.
func (f *file) closed() bool { return f == nil || !f.writable }

// read returns the next byte; ok is false at the end.
func (f *file) read() (b byte, ok bool) {
	if f == nil || f.text == "" {
		return 0, false
	}
	b, f.text = f.text[0], f.text[1:]
	return b, true
}

// redirect applies redirections in their order. Their words are expanded
// before, but here-documents only in their turn. What was applied before an
// error remains; the caller restores the files.
func (m *machine) redirect(list []*syntax.Redirect) error {
	targets := make([]string, len(list))
	for i, r := range list {
		if isHereDocument(r) {
			continue
		}
		target, err := m.text(r.Word)
		if err != nil {
			return err
		}
		targets[i] = target
	}
	for i, r := range list {
		if err := m.redirectOne(r, targets[i]); err != nil {
			return &redirectError{err}
		}
	}
	return nil
}

// redirectError is an error of a redirection, which ends a script only if it
// stands at a special built-in.
type redirectError struct{ error }

func isHereDocument(r *syntax.Redirect) bool {
	return r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc
}

func (m *machine) redirectOne(r *syntax.Redirect, target string) error {
	fd := 1
	switch r.Op {
	case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc:
		fd = 0
	}
	if r.N != nil {
		if len(r.N.Value) != 1 || r.N.Value > "2" {
			return m.stop(fmt.Errorf("descriptor %s: only 0, 1 and 2 exist", r.N.Value))
		}
		fd = int(r.N.Value[0] - '0')
	}
	if fd == 1 && m.unsure && target != "1" {
		// dash closes the pipe at the end of the redirection: it takes it for closed still.
		return m.stop(errors.New("a redirection of an output that was closed around it"))
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		text, err := m.hereDocument(r)
		if err != nil {
			return err
		}
		m.files[fd] = newText(text)
	case syntax.DplIn, syntax.DplOut:
		return m.duplicate(fd, target)
	default:
		return m.open(fd, r.Op, target)
	}
	return nil
}

// open opens /dev/null, also in place of a file that is written only: nothing here could read it.
func (m *machine) open(fd int, op syntax.RedirOperator, path string) error {
	if path != "/dev/null" && (!isOutput(op) || !isPlainFile(path)) {
		return m.stop(fmt.Errorf("open %s: only /dev/null can be opened", path))
	}
	m.files[fd] = &file{readable: !isOutput(op), writable: op != syntax.RdrIn}
	return nil
}

// isOutput reports whether a redirection opens a file for writing only.
func isOutput(op syntax.RedirOperator) bool {
	switch op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob:
		return true
	}
	return false
}

// isPlainFile reports whether a path is that of a file in the container. What is below /dev and /proc
// may be one of the script's own descriptors.
func isPlainFile(path string) bool {
	return path != "" && !strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/proc/")
}

// pipeTo makes a pipe the standard output of a subshell.
func (m *machine) pipeTo(pipe *file) {
	m.unsure = m.unsure || m.files[1] == nil
	m.files[1] = pipe
}

func (m *machine) duplicate(fd int, target string) error {
	switch {
	case target == "-":
		m.files[fd] = nil
	case len(target) == 1 && target >= "0" && target <= "2":
		from := m.files[target[0]-'0']
		if from == nil && int(target[0]-'0') != fd { // onto itself changes nothing, closed or not
			return fmt.Errorf("%s: bad file descriptor", target)
		}
		m.files[fd] = from
	case len(target) == 1 && target >= "3" && target <= "9":
		return fmt.Errorf("%s: bad file descriptor", target)
	default:
		// dash finds this while it parses the line that eval or the script gave.
		return m.stop(fmt.Errorf("%s: bad descriptor number", target))
	}
	return nil
}

// print writes to standard output or, with descriptor 2, to standard error.
func (m *machine) print(fd int, text string) error {
	if text == "" {
		return nil
	}
	if err := m.account(len(text)); err != nil {
		return err
	}
	f := m.files[fd]
	if f.closed() {
		return errWrite
	}
	if f.sink != nil {
		f.sink.WriteString(text)
	}
	return nil
}
