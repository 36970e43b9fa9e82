package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/automatond/automatond/internal/job"
)

// Severity says what a diagnostic means for the configuration.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // the configuration is refused
	Warning Severity = "warning" // it loads, and probably means something else than it says
	Info    Severity = "info"    // worth knowing
)

// Diagnostic is one finding about a configuration. It never contains a secret.
type Diagnostic struct {
	Severity  Severity `json:"severity"`
	File      string   `json:"file"`   // "" when the finding is about the process's variables
	Line      int      `json:"line"`   // from 1; 0 for the file as a whole
	Column    int      `json:"column"` // from 1, in characters
	EndColumn int      `json:"-"`      // one after the last character; 0 if it is not known
	Cron      string   `json:"cron"`   // "" outside `crons:`
	Code      string   `json:"code"`   // stable, in kebab-case
	Message   string   `json:"message"`
	Hint      string   `json:"hint"` // what to write instead, "" if there is nothing to say

	source *source // the file, for Print; nil when it could not be read
}

// String returns the diagnostic as one line without its hint:
//
//	automatond.yaml:14:11: cron "nightly": spec "60 * * * *": minute 60 is out of range 0-59
//
// A warning or an info says so after the position.
func (d Diagnostic) String() string {
	if d.Severity == Error {
		return d.place() + d.Sentence()
	}
	return d.place() + string(d.Severity) + ": " + d.Sentence()
}

// place is where it is, with a colon and a blank after it, or "" for the process's variables.
func (d Diagnostic) place() string {
	return job.Position{File: d.File, Line: d.Line, Column: d.Column}.Prefix()
}

// Sentence is what it says, without where.
func (d Diagnostic) Sentence() string {
	if d.Cron == "" {
		return d.Message
	}
	return fmt.Sprintf("cron %q: %s", d.Cron, d.Message)
}

// Diagnostics are all findings about a configuration, in the order of the files and the lines in
// them; those about the process's variables come last.
type Diagnostics []Diagnostic

// HasErrors reports whether one of them refuses the configuration.
func (ds Diagnostics) HasErrors() bool { return ds.Count(Error) > 0 }

// Count returns how many have the severity.
func (ds Diagnostics) Count(s Severity) int {
	n := 0
	for i := range ds {
		if ds[i].Severity == s {
			n++
		}
	}
	return n
}

// Error returns the first error in one line, and says how many more there are. It is "" without
// an error.
func (ds Diagnostics) Error() string {
	n := ds.Count(Error)
	i := slices.IndexFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
	switch {
	case i < 0:
		return ""
	case n == 1:
		return ds[i].String()
	default:
		return fmt.Sprintf("%s (and %d more)", ds[i], n-1)
	}
}

// findings collects diagnostics while a configuration is read.
type findings struct {
	list   Diagnostics
	order  map[string]int // file -> its place in the order of reading
	seen   map[finding]bool
	errors int // how many were met, also again
}

// finding is what makes two diagnostics the same for a reader: an anchor that is used by many
// crons has its problem once.
type finding struct {
	file         string
	line, column int
	code         string
	message      string
}

func (f *findings) add(d Diagnostic) {
	if d.Severity == Error {
		f.errors++
	}
	key := finding{d.File, d.Line, d.Column, d.Code, d.Message}
	if d.Line > 0 && f.seen[key] {
		return
	}
	f.seen[key] = true
	f.list = append(f.list, d)
}

// sorted returns what was collected, in the order Diagnostics promises.
func (f *findings) sorted() Diagnostics {
	place := func(file string) int {
		if file == "" {
			return len(f.order)
		}
		return f.order[file]
	}
	slices.SortStableFunc(f.list, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(place(a.File), place(b.File)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
	return f.list
}
