package app

import (
	"context"
	"time"
)

const (
	pruneEvery = time.Hour
	pruneBatch = 200 // fires in one transaction
)

// keepHistory prunes old records now and then, in batches that other writes pass between. How long
// they are kept is the configuration's that is in force.
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
			now, history := time.Now(), a.current.Load().config.History
			if n, err = a.store.Prune(ctx, now.Add(-history.Keep), now.Add(-history.KeepFailures), pruneBatch); err != nil {
				a.Logger.Warn().Err(err).Msg("old records not pruned")
				break
			}
		}
	}
}
