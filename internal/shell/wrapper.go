package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/automatond/automatond/internal/tasks"
)

// wrapper is a program that does nothing to the command behind it but to pass it on.
type wrapper struct {
	valued  string         // letters of its options with a value
	options []string       // its long options, with an = if they have a value
	value   *regexp.Regexp // what they take, if it is looked at
	operand *regexp.Regexp // what stands before the command, if anything
	assigns bool           // variables for the command may stand before it, and no options
	note    string         // what becomes of it here
	hint    string
}

var (
	// coreDuration is what timeout takes, from its manual.
	coreDuration = regexp.MustCompile(`^(\d+\.?\d*|\.\d+)[smhd]?$`)
	niceness     = regexp.MustCompile(`^[-+]?\d+$`)
	anything     = regexp.MustCompile(`.`)
)

const noProcess = "has nothing to do: no process is started"

// wrappers are those that are found before the CLI in crons, by their names without a path.
var wrappers = map[string]wrapper{
	"timeout": {valued: "ks", options: []string{"foreground", "kill-after=", "preserve-status", "signal=", "verbose"}, operand: coreDuration,
		note: "has nothing to do: the call is never waited for", hint: "remove it; how long a run may take in all is the cron's timeout"},
	"nice": {valued: "n", options: []string{"adjustment="}, value: niceness,
		note: noProcess, hint: "remove it"},
	"ionice": {valued: "cn", options: []string{"class=", "classdata=", "ignore"}, note: noProcess, hint: "remove it"},
	"nohup":  {note: noProcess, hint: "remove it"},
	"setsid": {options: []string{"ctty", "fork", "wait"}, note: noProcess, hint: "remove it"},
	"stdbuf": {valued: "ioe", options: []string{"input=", "output=", "error="}, note: noProcess, hint: "remove it"},
	"env": {assigns: true,
		note: "has nothing to do: the call reads no variables", hint: "remove it"},
	"flock": {valued: "wE", options: []string{"close", "conflict-exit-code=", "exclusive", "nb", "no-fork", "nonblock", "shared", "timeout=", "verbose", "wait="},
		operand: anything, note: "locks nothing: the file is not here", hint: "remove it; a cron whose previous run is still going is skipped, which its overlap says"},
	"chronic": {note: "only passes the call on: what it prints goes nowhere", hint: "remove it; how runs end is told by the metrics and by `automatond runs`"},
	"croncape": {valued: "eft",
		note: "only passes the call on, and sends no mail", hint: "remove it; how runs end is told by the metrics and by `automatond runs`"},
	"php": {valued: "dc",
		note: "is not run: the CLI is built in", hint: "call the CLI as platform"},
}

// passedOn returns the index of the command that a wrapper passes on, and 0 if the line does not
// begin with a wrapper that would.
func passedOn(line []word) int {
	w, ok := wrappers[path.Base(line[0].text)]
	if !ok || !line[0].literal {
		return 0
	}
	i := 1
	for w.assigns && i < len(line) && isOwnAssignment(line[i].text) {
		i++
	}
	for i < len(line) && strings.HasPrefix(line[i].text, "-") {
		if w.assigns {
			return 0
		}
		if line[i].text == "--" {
			i++
			break
		}
		width := w.option(line[i:])
		if width == 0 {
			return 0
		}
		i += width
	}
	if w.operand != nil {
		if i >= len(line) || line[i].literal && !w.operand.MatchString(line[i].text) {
			return 0
		}
		i++
	}
	if i >= len(line) {
		return 0
	}
	return i
}

// isOwnAssignment reports a word that gives a variable to a command, and not one from which the CLI
// takes its target.
func isOwnAssignment(text string) bool {
	name, _, assigned := strings.Cut(text, "=")
	return assigned && syntax.ValidName(name) && !guardVariables[name]
}

// option returns how many words the wrapper's option takes with which the line begins, 0 if that is
// not right.
func (w wrapper) option(line []word) int {
	long, isLong := strings.CutPrefix(line[0].text, "--")
	if isLong && len(w.options) > 0 {
		name, _, attached := strings.Cut(long, "=")
		switch valued := slices.Contains(w.options, name+"="); {
		case valued && !attached:
			return 2
		case valued, !attached && slices.Contains(w.options, name):
			return 1
		}
		return 0
	}
	text := strings.TrimLeft(line[0].text, "-")
	switch {
	case text == "":
		return 0
	case len(text) > 1, !strings.Contains(w.valued, text):
		return 1
	case len(line) < 2, w.value != nil && line[1].literal && !w.value.MatchString(line[1].text):
		return 0
	}
	return 2
}

// withoutWrappers returns the CLI's command line behind wrappers, or the line as it is.
func withoutWrappers(args []string) []string {
	line := make([]word, len(args))
	for i, text := range args {
		line[i] = word{text, true}
	}
	for at := 0; at < len(args); {
		width := passedOn(line[at:])
		if width == 0 {
			return args
		}
		if at += width; isCLI(args[at]) {
			return args[at:]
		}
	}
	return args
}

// behindWrappers is the CLI's command line behind wrappers, or the command as it is.
func (c *checker) behindWrappers(outer command) command {
	inner := outer
	for !inner.function && len(inner.args) > 0 {
		width := passedOn(wordsOf(inner.args))
		if width == 0 {
			return outer
		}
		inner.wrappers = append(inner.wrappers, inner.args[:width])
		inner.args = inner.args[width:]
		inner.name, inner.literal = literalName(inner.args[0])
		if c.isCLI(inner) || !inner.literal && c.cliNamed && !endsInPath(inner.args[0]) {
			return inner
		}
	}
	return outer
}

// wrapped says what becomes of the wrappers before a call.
func (c *checker) wrapped(call command) {
	waits := slices.ContainsFunc(call.args, func(w *syntax.Word) bool { return w.Lit() == "--wait" })
	for _, words := range call.wrappers {
		name, _ := literalName(words[0])
		name = path.Base(name)
		note := wrappers[name].note
		if name == "timeout" && waits {
			note = "does not end the wait for the call"
		}
		c.foundHere(words[0], Info, "wrapper", name+" "+note, wrappers[name].hint)
	}
}

// handsOn reports whether a program that is no wrapper calls the CLI all the same: as its last words
// after sudo, or in a text after sh -c or flock -c.
func handsOn(line []word) bool {
	shell := false
	for i, w := range line {
		if i > 0 && isCLI(w.text) && i+1 < len(line) {
			if _, err := tasks.ByCommand(line[i+1].text); err == nil {
				return true
			}
		}
		if shell && strings.Contains(w.text, " ") && Mentions(w.text) {
			return true
		}
		switch path.Base(w.text) {
		case "sh", "dash", "bash", "zsh", "flock", "su":
			shell = true
		}
	}
	return false
}

// wordsOf reads words as far as they are the same at every run.
func wordsOf(args []*syntax.Word) []word {
	line := make([]word, len(args))
	for i, w := range args {
		text, literal := literalName(w)
		if !literal {
			text = literalStart(w)
		}
		line[i] = word{text, literal}
	}
	return line
}
