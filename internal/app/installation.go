package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/ledger"
)

// install makes sure that the ledger is this installation's. A data volume that was copied to another
// environment holds the runs and the times of the one it comes from.
func (a *app) install(ctx context.Context) error {
	installation, err := a.store.Install(ctx, placeOf(a.current.Load().config), a.AdoptLedger)
	var foreign *ledger.ForeignError
	if errors.As(err, &foreign) {
		return fmt.Errorf("%w; if its data was copied to %s, move ledger.db, ledger.db-wal and ledger.db-shm there away to "+
			"start with an empty ledger; if this environment is to go on with it, start with `automatond run --adopt-ledger %s`",
			err, a.Data, foreign.Ledger.ID)
	}
	if err == nil {
		a.Logger.Info().Str("installation", installation.ID).Msg("ledger opened")
	}
	return err
}

// placeOf is the environment beside whose container the daemon stands, if it does.
func placeOf(cfg *config.Config) ledger.Place {
	for _, p := range cfg.Projects {
		if p.Environment != nil {
			return ledger.Place{Project: p.ID, Branch: p.Environment.Branch}
		}
	}
	return ledger.Place{}
}
