package tasks

import (
	"fmt"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

// existingBackup is a backup that the platform has.
type existingBackup struct {
	ID         string         `json:"id"`
	CreatedAt  string         `json:"created_at"`
	Status     string         `json:"status"`
	Restorable *bool          `json:"restorable"` // nil when the platform does not say
	Automated  bool           `json:"automated"`  // made by the platform's own policy
	Links      platform.Links `json:"_links"`
}

// restorable reports whether the platform would take it for a restoration.
func (e existingBackup) restorable() bool {
	return (e.Restorable == nil || *e.Restorable) && e.Status != "DELETING" && e.Status != "DELETED"
}

// created is zero when the platform does not say.
func (e existingBackup) created() time.Time {
	at, _ := time.Parse(time.RFC3339, e.CreatedAt)
	return at
}

// listBackups lists the environment's backups, newest first.
func listBackups(look Lookup) ([]existingBackup, error) {
	return list[existingBackup](look, environmentRoute+"/backups")
}

// findBackup looks a backup up by its ID. The error is a *Refusal when there is
// none.
func findBackup(id string, env *platform.Environment, look Lookup) (*existingBackup, error) {
	found, err := look(environmentRoute+"/backups/{backup}", id)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no backup %q", env.ID, id)}
	}
	b := &existingBackup{}
	return b, found.Decode(b)
}
