package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/ledger"
)

// Resolve closes a run by hand where no daemon runs: it has the data directory to itself meanwhile.
func Resolve(ctx context.Context, o Options, r control.Resolve) (res control.Resolved, err error) {
	store, err := ledger.Open(ctx, ledger.Options{Dir: o.Data, Store: o.Store, Logger: o.Logger})
	if err != nil {
		return control.Resolved{}, fmt.Errorf("open store: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return r.With(ctx, store.Resolve)
}
