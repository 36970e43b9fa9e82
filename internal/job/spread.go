package job

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Offset returns how long after a scheduled time the requests for an environment leave: a time within
// the job's spread, in whole seconds, that stays the same for the target from fire to fire.
func (j *Job) Offset(project, environment string) time.Duration {
	seconds := uint64(j.Spread / time.Second)
	if seconds == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(j.seed(project) + "\x00" + environment))
	return time.Duration(binary.BigEndian.Uint64(sum[:])%seconds) * time.Second
}

// OnlyOffset returns the offset of a sidecar's one target, and whether there is one.
func (j *Job) OnlyOffset() (time.Duration, bool) {
	if j.Spread == 0 || len(j.Projects) != 1 || j.Projects[0].Environment == nil {
		return 0, false
	}
	return j.Offset(j.Projects[0].ID, j.Projects[0].Environment.Branch), true
}

// LatestStart is how late after a scheduled time the first dispatch on any target may still leave.
func (j *Job) LatestStart() time.Duration { return j.Spread + j.StartDeadline }
