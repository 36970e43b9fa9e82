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

// LatestStart is how late after a scheduled time the first dispatch on any target may still leave.
func (j *Job) LatestStart() time.Duration { return j.Spread + j.StartDeadline }
