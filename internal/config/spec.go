package config

import (
	"errors"
	"strings"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"gopkg.in/yaml.v3"
)

// parsedSpec keeps what was found, because every cron with the same spec reports it at its own
// place.
type parsedSpec struct {
	spec     *cronspec.Spec
	warnings []cronspec.Warning
}

func (r reader) readSpec(v *yaml.Node, j *job.Job) {
	text, ok := r.text(v)
	if !ok {
		return
	}
	n := r.value(v)
	parsed, ok := r.specs[text]
	if !ok {
		var err error
		if parsed.spec, err = cronspec.Parse(text); err != nil {
			d := Diagnostic{Severity: Error, Code: "spec-invalid", Message: err.Error()}
			offset, length := 0, len(text)
			if specError, ok := errors.AsType[*cronspec.Error](err); ok {
				d.Hint, offset, length = specError.Hint, specError.Offset, specError.Length
			}
			if word, ok := strings.CutPrefix(d.Hint, "write @"); ok && !strings.Contains(word, " ") {
				d.Hint = "write '@" + word + "', in quotes"
			}
			r.path = "" // the error begins with the key and the value
			r.reportWithin(n, offset, length, d)
			return
		}
		parsed.warnings = parsed.spec.Warnings()
		r.specs[text] = parsed
	}
	for _, w := range parsed.warnings {
		r.reportWithin(n, w.Offset, w.Length, Diagnostic{Severity: Warning, Code: w.Code, Message: w.Message, Hint: w.Hint})
	}
	j.Spec = parsed.spec
}
