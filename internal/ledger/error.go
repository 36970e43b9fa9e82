package ledger

import "errors"

var (
	// ErrLocked means that another process has the data directory.
	ErrLocked = errors.New("data directory is in use")
	// ErrClosed means that the ledger was closed before the operation was taken up.
	ErrClosed = errors.New("ledger is closed")
	// ErrNotOwned means that the run is done or another replica's, or that the dispatch is past
	// the state from which it was to be moved. The caller must not act on it.
	ErrNotOwned = errors.New("not owned")
	// ErrUndecided means that an activity may be that of another dispatch, whose answer is not
	// recorded yet. Ask again.
	ErrUndecided = errors.New("undecided")
	// ErrLeaseLost means that the replica's lease is gone or was over.
	ErrLeaseLost = errors.New("lease lost")
	// ErrNotInDoubt means that nobody is asked what has become of the run.
	ErrNotInDoubt = errors.New("it is not in doubt")
	// ErrNotFound means that the ledger has no such row.
	ErrNotFound = errors.New("not found")
)
