package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Print writes the diagnostics for a person: each with its place, what is wrong, its code, the
// line of the file with the columns underlined, and what to write instead.
//
//	automatond.yaml:3:16: error: cron "nightly": spec "60 * * * *": minute 60 is out of range 0-59 [spec-invalid]
//	  3 |         spec: '60 * * * *'
//	    |                ^~
//	  hint: write a minute from 0 to 59
//
// With color it is for a terminal.
func (ds Diagnostics) Print(w io.Writer, color bool) error {
	var b strings.Builder
	for i, d := range ds {
		if i > 0 {
			b.WriteByte('\n')
		}
		d.print(&b, palette(color))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Diagnostic) print(b *strings.Builder, color palette) {
	fmt.Fprintf(b, "%s%s %s %s\n", color.bold(d.place()), color.severity(d.Severity, string(d.Severity)+":"),
		d.Sentence(), color.dim("["+d.Code+"]"))
	if d.source != nil && d.Line > 0 {
		e := d.source.excerpt(d.Line, d.Column, d.EndColumn)
		number := strconv.Itoa(d.Line)
		blanks, marks := e.carets()
		fmt.Fprintf(b, "  %s %s\n", color.dim(number+" |"), e.text)
		fmt.Fprintf(b, "  %s %s%s\n", color.dim(strings.Repeat(" ", len(number))+" |"), blanks, color.severity(d.Severity, marks))
	}
	if d.Hint != "" {
		fmt.Fprintf(b, "  %s %s\n", color.bold("hint:"), d.Hint)
	}
}

// palette says whether text is coloured.
type palette bool

func (p palette) paint(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p palette) bold(text string) string { return p.paint("1", text) }
func (p palette) dim(text string) string  { return p.paint("2", text) }

func (p palette) severity(s Severity, text string) string {
	switch s {
	case Error:
		return p.paint("1;31", text)
	case Warning:
		return p.paint("1;33", text)
	}
	return p.paint("1;36", text)
}
