package app

import (
	"context"
	"time"
)

// How long records are kept. Those of what went wrong are kept longer, because they are asked about.
const (
	keep         = 90 * 24 * time.Hour
	keepFailures = 365 * 24 * time.Hour

	pruneEvery = time.Hour
	pruneBatch = 200 // fires in one transaction
)

// keepHistory prunes old records now and then, in batches that other writes pass between.
func (a *app) keepHistory(ctx context.Context) error {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for n := pruneBatch; n == pruneBatch && ctx.Err() == nil; {
			var err error
			now := time.Now()
			if n, err = a.store.Prune(ctx, now.Add(-keep), now.Add(-keepFailures), pruneBatch); err != nil {
				a.Logger.Warn().Err(err).Msg("old records not pruned")
				break
			}
		}
	}
}
