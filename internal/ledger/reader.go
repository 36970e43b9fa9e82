package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
)

// readers is how many queries may run beside the writer.
const readers = 4

// Reader answers queries and changes nothing. It may be used concurrently.
type Reader struct {
	path   string
	reader *sql.DB
	errors *prometheus.CounterVec
}

// OpenReader opens the ledger of a directory for queries, whether or not a process has it open. It
// creates nothing: without a ledger the error is os.ErrNotExist.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	r := &Reader{path: filepath.Join(dir, fileName)}
	if _, err := os.Stat(r.path); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	if r.errors, err = newStoreErrors(nil); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	if err := r.openPool(); err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", r.path, err)
	}
	if err := r.checkSchema(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read ledger %s: %w", r.path, explain(r.path, err)), r.Close())
	}
	return r, nil
}

// Close ends the queries.
func (r *Reader) Close() error { return r.reader.Close() }

func (r *Reader) openPool() (err error) {
	if r.reader, err = sql.Open(driverName, readerDSN(r.path)); err != nil {
		return err
	}
	r.reader.SetMaxOpenConns(readers)
	r.reader.SetMaxIdleConns(readers)
	return nil
}

// checkSchema refuses a ledger that this version's queries do not fit.
func (r *Reader) checkSchema(ctx context.Context) error {
	known, err := knownVersion()
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
	return fmt.Errorf("%s: %w", attempt, explain(r.path, err))
}
