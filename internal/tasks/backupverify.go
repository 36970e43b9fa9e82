package tasks

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

// BackupVerify makes sure that the environment has a backup that can be restored
// and is not too old. It changes nothing: it succeeds, or fails for somebody to
// be told.
type BackupVerify struct {
	MaxAge Duration `yaml:"max_age" json:"max_age"` // of the newest backup that can be restored
	// Automated counts only the backups that the platform makes by itself, or, when it
	// is false, only those that somebody asked for. Nil counts both.
	Automated *bool `yaml:"automated" json:"automated,omitempty"`
}

var backupVerify = &Kind{
	Name:       "backup_verify",
	Summary:    "fail unless the environment has a restorable backup that is recent",
	Route:      environmentRoute + "/backups",
	Role:       "viewer",
	Statuses:   []string{statusActive},
	Repeatable: true,
	ReadOnly:   true,
	New:        func() Task { return &BackupVerify{} },
}

// Kind implements Task.
func (*BackupVerify) Kind() *Kind { return backupVerify }

// Validate implements Task.
func (b *BackupVerify) Validate() error {
	if b.MaxAge <= 0 {
		return errors.New("max_age is missing: say how old the newest backup may be, such as 26h")
	}
	return nil
}

// Body implements Task.
func (*BackupVerify) Body() any { return nil }

// prepare looks at the backups, and always refuses, for there is nothing to ask for.
func (b *BackupVerify) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	backups, err := listBackups(look)
	if err != nil {
		return platform.Request{}, err
	}
	return platform.Request{}, b.verdict(backups, env, time.Now())
}

// verdict says how the newest of the backups that count fares.
func (b *BackupVerify) verdict(backups []existingBackup, env *platform.Environment, now time.Time) *Refusal {
	backups = slices.DeleteFunc(backups, func(e existingBackup) bool { return !b.counts(e) })
	if len(backups) == 0 {
		return &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no %s that can be restored", env.ID, b.wanted())}
	}
	newest := slices.MaxFunc(backups, func(a, b existingBackup) int { return a.created().Compare(b.created()) })
	age := now.Sub(newest.created()).Truncate(time.Minute)
	text := fmt.Sprintf("the newest %s of environment %q that can be restored, %s of %s, is %s old",
		b.wanted(), env.ID, newest.ID, newest.created().UTC().Format("2006-01-02 15:04 UTC"), Duration(age))
	if age > time.Duration(b.MaxAge) {
		return &Refusal{RefusedMissing, fmt.Sprintf("%s, more than %s", text, b.MaxAge)}
	}
	return &Refusal{RefusedAlready, text}
}

// counts reports whether a backup may prove anything. One whose age is not known
// proves nothing.
func (b *BackupVerify) counts(e existingBackup) bool {
	return !e.created().IsZero() && e.restorable() && (b.Automated == nil || *b.Automated == e.Automated)
}

// wanted names the backups that count.
func (b *BackupVerify) wanted() string {
	switch {
	case b.Automated == nil:
		return "backup"
	case *b.Automated:
		return "automated backup"
	default:
		return "manual backup"
	}
}
