package platform

import (
	"context"
	"time"
)

// Backup is one backup of an environment.
type Backup struct {
	ID          string
	CreatedAt   time.Time // zero if the platform does not say
	Automated   bool      // made by the platform's own policy
	Safe        bool      // made while the site was held
	Status      string
	Environment string
}

// MadeByHand reports whether it is a manual backup that was made after a time, by the platform's clock.
func (b Backup) MadeByHand(after time.Time) bool { return !b.Automated && b.CreatedAt.After(after) }

// backupJSON is a backup as the API sends it.
type backupJSON struct {
	ID          string    `json:"id"`
	CreatedAt   timestamp `json:"created_at"`
	Automated   bool      `json:"automated"`
	Safe        bool      `json:"safe"`
	Status      string    `json:"status"`
	Environment string    `json:"environment"`
}

// Backups lists an environment's backups, newest first.
func (c *Client) Backups(ctx context.Context, project, environment string) ([]Backup, error) {
	const endpoint = "/projects/{project}/environments/{environment}/backups"
	wire, err := read[[]backupJSON](ctx, c, project, endpoint, environmentPath(project, environment)+"/backups", nil)
	if err != nil {
		return nil, err
	}
	list := make([]Backup, 0, len(wire))
	for _, w := range wire {
		list = append(list, Backup{
			ID: w.ID, CreatedAt: w.CreatedAt.Time, Automated: w.Automated, Safe: w.Safe,
			Status: w.Status, Environment: w.Environment,
		})
	}
	return list, nil
}
