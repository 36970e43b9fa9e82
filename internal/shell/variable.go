package shell

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// variable is a shell variable. One that is exported or readonly may be unset.
type variable struct {
	value    string
	set      bool
	exported bool
	readonly bool
}

// defaultIFS splits fields while IFS is not set, and is what IFS begins with
// whatever the environment says.
const defaultIFS = " \t\n"

// initialVariables returns what a script begins with. An environment variable
// whose name is none does not reach it.
func initialVariables(vars map[string]string) map[string]variable {
	all := make(map[string]variable, len(vars)+2)
	for name, value := range vars {
		if syntax.ValidName(name) {
			all[name] = variable{value: value, set: true, exported: true}
		}
	}
	all["IFS"] = variable{value: defaultIFS, set: true}
	all["OPTIND"] = variable{value: "1", set: true}
	return all
}

// frame is what a function call has to undo when it ends.
type frame struct {
	function bool // local may be used
	saved    []savedVariable
	options  *options // set by "local -"
}

type savedVariable struct {
	name string
	was  variable
}

// variableName returns the name in a word that is to be one. dash passes over
// an equals sign and what follows it.
func variableName(word string) (string, error) {
	name, _, _ := strings.Cut(word, "=")
	if !syntax.ValidName(name) {
		return "", fmt.Errorf("%s: bad variable name", word)
	}
	return name, nil
}

// assign gives a variable a value.
func (m *machine) assign(name, value string) error {
	v := m.vars[name]
	if v.readonly {
		return fmt.Errorf("%s: is read only", name)
	}
	if err := m.account(len(name) + len(value) + perValue); err != nil {
		return err
	}
	v.value, v.set = value, true
	v.exported = v.exported || m.options.has('a')
	m.vars[name] = v
	if name == "OPTIND" {
		n, err := number(value)
		if err != nil {
			return err
		}
		m.getopts = getoptsState{index: max(1, n), offset: -1}
	}
	return nil
}

// mark adds attributes to a variable, which need not be set.
func (m *machine) mark(name string, exported, readonly bool) error {
	v := m.vars[name]
	v.exported = v.exported || exported
	v.readonly = v.readonly || readonly
	m.vars[name] = v
	return m.account(len(name) + perValue)
}

func (m *machine) unset(name string) error {
	if m.vars[name].readonly {
		return fmt.Errorf("%s: is read only", name)
	}
	delete(m.vars, name)
	if name == "OPTIND" {
		_, err := number("") // dash reads it again
		return err
	}
	return nil
}

// saveIn notes a variable in a frame, to be restored with it. It keeps its
// value until then.
func (m *machine) saveIn(f *frame, name string) error {
	f.saved = append(f.saved, savedVariable{name, m.vars[name]})
	return m.account(len(name) + perValue)
}

// restore undoes a frame, the latest change first.
func (m *machine) restore(f *frame) {
	for i := len(f.saved) - 1; i >= 0; i-- {
		if s := f.saved[i]; s.was == (variable{}) {
			delete(m.vars, s.name)
		} else {
			m.vars[s.name] = s.was
		}
	}
	if f.options != nil {
		m.options = *f.options
	}
}

// unwind restores a frame that is left, but not when the shell ends: the EXIT trap finds the values
// that ended it. An error ends the shell unless a command further out catches it.
func (m *machine) unwind(f *frame) {
	if m.leaving == exiting || m.leaving == failing {
		m.unrestored = append(m.unrestored, f)
		return
	}
	m.restore(f)
}

// restoreFrom restores the frames that an error has left, from the nth on.
func (m *machine) restoreFrom(n int) {
	for _, f := range m.unrestored[n:] {
		m.restore(f)
	}
	m.unrestored = m.unrestored[:n]
}

// options are the flags of set, by their letters.
type options uint64

func (o options) has(flag byte) bool { return o&(1<<(flag-'A')) != 0 }

func (o *options) put(flag byte, on bool) {
	if on {
		*o |= 1 << (flag - 'A')
	} else {
		*o &^= 1 << (flag - 'A')
	}
}

// flagOrder is the order in which $- names flags.
const flagOrder = "pubaCEVvxsnmiIfe"

func (o options) String() string {
	var b strings.Builder
	for i := range len(flagOrder) {
		if o.has(flagOrder[i]) {
			b.WriteByte(flagOrder[i])
		}
	}
	return b.String()
}

// longFlags are the names that set -o knows. Those without a letter do nothing.
var longFlags = map[string]byte{
	"errexit": 'e', "noglob": 'f', "ignoreeof": 'I', "interactive": 'i', "monitor": 'm', "noexec": 'n',
	"stdin": 's', "xtrace": 'x', "verbose": 'v', "vi": 'V', "emacs": 'E', "noclobber": 'C',
	"allexport": 'a', "notify": 'b', "nounset": 'u', "privileged": 'p', "nolog": 0, "debug": 0,
}

// setFlag turns an option on or off. What concerns a terminal cannot be.
func (m *machine) setFlag(flag byte, on bool) error {
	switch {
	case !strings.ContainsRune(flagOrder, rune(flag)):
		return fmt.Errorf("illegal option -%c", flag)
	case strings.IndexByte("imnsVE", flag) >= 0:
		return m.stop(fmt.Errorf("set: the option %c has no use here", flag))
	}
	m.options.put(flag, on)
	return nil
}

// parameter returns the value of a variable or special parameter other than $@
// and $*.
func (m *machine) parameter(name string) (value string, set bool) {
	switch name {
	case "#":
		return strconv.Itoa(len(m.params)), true
	case "?":
		return strconv.Itoa(m.status), true
	case "-":
		return m.options.String(), true
	}
	if name[0] >= '0' && name[0] <= '9' {
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || n > len(m.params) {
			return "", false
		}
		return m.params[n-1], true
	}
	v := m.vars[name]
	return v.value, v.set
}

// ifs returns the characters that split fields.
func (m *machine) ifs() string {
	if v := m.vars["IFS"]; v.set {
		return v.value
	}
	return defaultIFS
}
