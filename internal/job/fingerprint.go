package job

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"github.com/automatond/automatond/internal/tasks"
)

// Fingerprint returns a short text that changes exactly when the job's fires or what they do
// change: spec, zone, guard, application, script or tasks, and the variables. Projects, policies and
// the position in the file are no part of it. It fills Job.Hash.
func (j *Job) Fingerprint() string {
	// Every part begins with its kind and length, so that no two different jobs write the same text.
	var buf [512]byte
	text := buf[:0]
	part := func(kind byte, value string) {
		text = append(text, kind)
		text = strconv.AppendInt(text, int64(len(value)), 10)
		text = append(text, ':')
		text = append(text, value...)
	}
	part('s', j.Spec.String())
	part('z', j.Location.String())
	part('g', j.Guard.String())
	if j.Application != "" {
		part('a', j.Application)
	}
	if j.Script != nil {
		part('c', j.Script.Source())
	}
	for _, t := range j.Tasks {
		part('t', tasks.Hash(t))
	}
	if len(j.Variables) > 0 {
		for _, name := range slices.Sorted(maps.Keys(j.Variables)) {
			part('n', name)
			part('v', j.Variables[name])
		}
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
