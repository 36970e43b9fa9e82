package config

import (
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/shell"
	"gopkg.in/yaml.v3"
)

// parsedScript keeps what was found, because every cron with the same script reports it at its
// own place.
type parsedScript struct {
	script   *shell.Script
	problems []shell.Problem
}

// readCommands reads the section `commands:`, or the plain text that many published files have
// there although the vendor's JSON Schema does not allow it.
func (r reader) readCommands(v *yaml.Node, c *cron) {
	if r.app != nil && resolved(v).Tag == "!include" {
		r.readScript(v, c.job)
		return
	}
	n := r.value(v)
	if n != nil && n.Kind == yaml.ScalarNode && !isNull(n) {
		r.report(Warning, r.key, "commands-text", "write commands: {start: …}, or cmd:", "a text here is read as commands.start")
		r.readScript(v, c.job)
		return
	}
	if section(r, v, commandsFields(), c) && !c.start {
		r.errorf(r.key, "missing-value", "write start: with the script", "it has no start")
	}
}

// readScript hands a script to package shell and puts its findings where they are in the file.
func (r reader) readScript(v *yaml.Node, j *job.Job) {
	if r.isElsewhere(v) {
		j.Left = []string{includedPath(resolved(v))}
		return
	}
	text, ok := r.text(v)
	if !ok {
		return
	}
	if strings.TrimSpace(text) == "" {
		r.missing()
		return
	}
	parsed, ok := r.scripts[text]
	if !ok {
		parsed.script, parsed.problems = shell.Parse(text)
		r.scripts[text] = parsed
	}
	n := r.value(v)
	if r.app != nil && parsed.script == nil && !shell.Mentions(text) {
		// What is wrong about the application's own scripts is its own affair.
		r.leave(j, []string{})
		return
	}
	unreadable := slices.ContainsFunc(parsed.problems, func(p shell.Problem) bool { return p.Code == "syntax" })
	if unreadable && r.src.folded(n) {
		r.errorf(n, "script-folded", scriptHint(r.key.Value), "without a | the lines of the script are read as one line, and that is no script")
		return
	}
	for _, p := range parsed.problems {
		r.reportScript(n, p)
	}
	if parsed.script == nil {
		return
	}
	j.Script = parsed.script
	j.ScriptLine = firstLine(n)
	if j.Script.UsesCLI() {
		return
	}
	programs := j.Script.Programs()
	switch {
	case len(programs) > 0:
		r.leave(j, programs)
	case j.Script.MayUseCLI():
	case r.app != nil:
		r.leave(j, []string{})
	case len(parsed.problems) == 0: // else it is said already that the script does nothing
		r.report(Warning, r.key, "script-idle", "call platform or upsun in it", "the script asks the platform for nothing")
	}
}

// reportScript reports what package shell found in the script n.
func (r reader) reportScript(n *yaml.Node, p shell.Problem) {
	if p.Code == "other-program" && len(looksSecret([]byte(p.Hint))) > 0 { // which repeats the script
		p.Hint = "make two crons of it, one with the calls and one for the container"
	}
	r.reportWithin(n, offsetOf(n.Value, p.Line, p.Column), max(0, p.EndColumn-p.Column), Diagnostic{
		Severity: Severity(p.Severity), Code: p.Code, Message: p.Message, Hint: p.Hint,
	})
}

// leave leaves a cron to the application's container, because of the programs that it runs.
func (r reader) leave(j *job.Job, programs []string) {
	j.Left = programs
	because, hint := "it calls neither platform nor upsun", ""
	if len(programs) > 0 {
		because = "it runs " + strings.Join(programs, ", ")
	}
	if i := slices.IndexFunc(programs, shell.IsBranded); i >= 0 {
		hint = "if it is to be taken, call " + programs[i] + " by the name platform"
	}
	r.report(Info, r.key, "left-to-container", hint, "left to the application's container, because %s", because)
}

// folded reports a text whose lines in the file YAML joins to one.
func (s *source) folded(n *yaml.Node) bool {
	if n.Style&yaml.LiteralStyle != 0 {
		return false
	}
	_, _, whole := s.locateInLine(n, 0)
	return !whole
}

// firstLine returns the line where a script begins, 0 if its lines are not lines of the file.
func firstLine(n *yaml.Node) int {
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		return n.Line + 1
	case strings.Contains(strings.TrimSuffix(n.Value, "\n"), "\n"):
		return 0
	}
	return n.Line
}

// offsetOf turns a line and a byte column, both from 1, into a byte offset.
func offsetOf(text string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	return min(offset+max(0, column-1), len(text))
}
