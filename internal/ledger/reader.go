package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// readers is how many queries may run beside the writer.
const readers = 4

// Reader answers queries and changes nothing. It may be used concurrently.
type Reader struct {
	dialect dialect
	reader  *pool
	errors  *prometheus.CounterVec
}

// OpenReader opens a ledger for queries, whether or not a process works on it: that of a directory,
// or of a postgres:// URL. It creates nothing: without a ledger the error is os.ErrNotExist.
func OpenReader(ctx context.Context, store string) (*Reader, error) {
	d, err := dialectOf(store)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	r := &Reader{dialect: d}
	if r.errors, err = newStoreErrors(nil); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	if err := r.openPool(); err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", d, err)
	}
	if err := r.checkSchema(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read ledger %s: %w", d, d.explain(err)), r.Close())
	}
	return r, nil
}

// String names the store. It holds no secret.
func (r *Reader) String() string { return r.dialect.String() }

// Close ends the queries.
func (r *Reader) Close() error { return r.reader.Close() }

func (r *Reader) openPool() error {
	db, err := r.dialect.open(forReading)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	r.reader = &pool{db, r.dialect.terms()}
	return nil
}

// checkSchema refuses a ledger that this version's queries do not fit.
func (r *Reader) checkSchema(ctx context.Context) error {
	known, err := knownVersion(r.dialect.terms().migrations)
	if err != nil {
		return err
	}
	var current int64
	if err := r.reader.QueryRowContext(ctx, selectSchema).Scan(&current); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	switch {
	case current > known:
		return newerSchema(current, known)
	case current < known:
		return fmt.Errorf("the ledger has schema version %d and this automatond reads version %d: "+
			"start this version's daemon once, which brings it up to date", current, known)
	}
	return nil
}

// judge counts an error of the store, and wraps every error with what was attempted.
func (r *Reader) judge(ctx context.Context, op, attempt string, err error) error {
	if err == nil {
		return nil
	}
	if !isAnswer(err) && !errors.Is(err, ErrClosed) && ctx.Err() == nil {
		r.errors.WithLabelValues(op).Inc()
	}
	return fmt.Errorf("%s: %w", attempt, r.dialect.explain(err))
}
