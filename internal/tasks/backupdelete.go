package tasks

import (
	"errors"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// BackupDelete deletes a backup of the environment, and fails when there is none
// of that ID.
type BackupDelete struct {
	Backup string `yaml:"backup" json:"backup"` // its ID
}

var backupDelete = &Kind{
	Name:    "backup_delete",
	Command: "backup:delete",
	Summary: "delete a backup",
	// The link is on the backup.
	Link:     "#delete",
	Method:   http.MethodDelete,
	Route:    environmentRoute + "/backups/{backup}",
	Role:     "admin",
	Statuses: []string{statusActive, statusPaused, statusInactive},
	Witness:  Witness{Activities: []string{"environment.backup.delete"}},
	Confirms: true,

	Destructive: true,
	Arguments:   []Argument{{Name: "backup", Required: true}},
	New:         func() Task { return &BackupDelete{} },
	FromCLI:     func(in Input) (Task, error) { return &BackupDelete{Backup: in.Argument("backup")}, nil },
}

// Kind implements Task.
func (*BackupDelete) Kind() *Kind { return backupDelete }

// Validate implements Task.
func (b *BackupDelete) Validate() error {
	if b.Backup == "" {
		return errors.New("backup is missing: give the backup's ID")
	}
	return nil
}

// Body implements Task.
func (*BackupDelete) Body() any { return nil }

func (b *BackupDelete) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	found, err := findBackup(b.Backup, env, look)
	if err != nil {
		return platform.Request{}, err
	}
	return remove(backupDelete, env, found.Links)
}
