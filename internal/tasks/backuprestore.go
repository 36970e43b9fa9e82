package tasks

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// BackupRestore puts a backup of the environment in the place of what the
// environment, or another one, has now.
type BackupRestore struct {
	Backup string `yaml:"backup" json:"backup,omitempty"` // its ID; the newest, when it is empty
	// Target is the environment to restore to, which need not exist. Empty is the
	// environment itself.
	Target     string `yaml:"target" json:"target,omitempty"`
	BranchFrom string `yaml:"branch_from" json:"branch_from,omitempty"` // parent of a target that does not exist
	NoCode     bool   `yaml:"no_code" json:"no_code,omitempty"`         // restore the data only
	// NoResources leaves the target's sizes as they are, on flexible projects.
	NoResources bool `yaml:"no_resources" json:"no_resources,omitempty"`
	// ResourcesInit says where the target's sizes come from, on flexible projects:
	// "backup", "parent", "default" or "minimum". Empty leaves that to the platform.
	ResourcesInit string `yaml:"resources_init" json:"resources_init,omitempty"`
}

var backupRestore = &Kind{
	Name:    "backup_restore",
	Command: "backup:restore",
	Aliases: []string{"environment:restore", "snapshot:restore"},
	Summary: "put a backup in the place of what an environment has now",
	// The link is on the backup.
	Link:     "#restore",
	Route:    environmentRoute + "/backups/{backup}/restore",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.restore"}},
	Confirms: true,

	Destructive: true,
	Options: []Option{
		{Name: "target", TakesValue: true},
		{Name: "branch-from", TakesValue: true},
		{Name: "no-code"},
		{Name: "restore-code", Hidden: true}, // has had no effect for long
		{Name: "no-resources"},
		{Name: "resources-init", TakesValue: true},
	},
	Arguments: []Argument{{Name: "backup"}},
	New:       func() Task { return &BackupRestore{} },
	FromCLI: func(in Input) (Task, error) {
		return &BackupRestore{
			Backup: in.Argument("backup"), Target: in.Option("target"), BranchFrom: in.Option("branch-from"),
			NoCode: in.Given("no-code"), NoResources: in.Given("no-resources"), ResourcesInit: in.Option("resources-init"),
		}, nil
	},
}

// Kind implements Task.
func (*BackupRestore) Kind() *Kind { return backupRestore }

// Validate implements Task.
func (b *BackupRestore) Validate() error {
	return checkResourcesInit(b.ResourcesInit, "backup", "parent", "default", "minimum")
}

// Body implements Task. As in the CLI, the target is always mentioned, and code
// and resources only when they are to be left alone.
func (b *BackupRestore) Body() any {
	body := struct {
		EnvironmentName  string  `json:"environment_name,omitempty"`
		BranchFrom       string  `json:"branch_from,omitempty"`
		RestoreCode      *bool   `json:"restore_code,omitempty"`
		RestoreResources *bool   `json:"restore_resources,omitempty"`
		Resources        *sizing `json:"resources,omitempty"`
	}{EnvironmentName: b.Target, BranchFrom: b.BranchFrom, Resources: sizingFrom(b.ResourcesInit)}
	if b.NoCode {
		body.RestoreCode = new(false)
	}
	if b.NoResources {
		body.RestoreResources = new(false)
	}
	return body
}

// prepare follows the link of the backup that is named, or of the newest one.
func (b *BackupRestore) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	found, err := b.find(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	if !found.restorable() {
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("backup %q cannot be restored", found.ID)}
	}
	if err := b.checkBranchFrom(look); err != nil {
		return platform.Request{}, err
	}
	path, ok := found.Links.Path(backupRestore.Link)
	if !ok {
		return platform.Request{}, refuse(backupRestore, env)
	}
	restore := *b
	restore.Target = cmp.Or(b.Target, env.ID)
	return request(http.MethodPost, path, backupRestore.Route, restore.Body())
}

func (b *BackupRestore) find(env *platform.Environment, look Lookup) (*existingBackup, error) {
	if b.Backup != "" {
		return findBackup(b.Backup, env, look)
	}
	backups, err := listBackups(look)
	if err != nil {
		return nil, err
	}
	if len(backups) == 0 {
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no backup", env.ID)}
	}
	return &backups[0], nil
}

// checkBranchFrom refuses a parent that does not exist, as the vendor's CLI does.
func (b *BackupRestore) checkBranchFrom(look Lookup) error {
	if b.BranchFrom == "" {
		return nil
	}
	all, err := listEnvironments(look)
	if err == nil && findRelative(b.BranchFrom, all) == nil {
		err = &Refusal{RefusedMissing, fmt.Sprintf("there is no environment %q to be the parent", b.BranchFrom)}
	}
	return err
}
