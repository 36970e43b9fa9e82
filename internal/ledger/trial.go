package ledger

import (
	"context"
	"errors"
	"fmt"
)

// TryToWrite reports why nothing could be written to a store that replicas share, nil when it could: to
// its ledger, or to make one where there is none. It leaves everything as it is.
func TryToWrite(ctx context.Context, store string, made bool) (err error) {
	d, err := dialectOf(store)
	if err != nil {
		return fmt.Errorf("write to the ledger: %w", err)
	}
	db, err := d.open(forWriting)
	if err != nil {
		return fmt.Errorf("write to the ledger %s: %w", d, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write to the ledger %s: %w", d, err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	statements := []string{"CREATE TABLE automatond_trial (id INTEGER)"}
	if made { // rights are asked for also where there is no row to use them on
		statements = []string{
			"INSERT INTO heartbeat (id, beat_at) SELECT id, beat_at FROM heartbeat WHERE 1 = 0",
			"UPDATE heartbeat SET beat_at = beat_at WHERE 1 = 0",
			"DELETE FROM heartbeat WHERE 1 = 0",
		}
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write to the ledger %s: %w", d, err)
		}
	}
	return nil
}
