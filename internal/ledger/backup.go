package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of a ledger's file to another, as of one moment, whether or not a process
// works on it, and whichever version wrote it. The copy is a ledger of its own: put in the place of
// ledger.db, it serves. It is complete and on the disk when Backup returns, and readable by its
// owner only; until then nothing has its name. It returns the copy's size in bytes. A file that is
// there already is left alone: the error is fs.ErrExist.
func Backup(ctx context.Context, from, to string) (int64, error) {
	size, err := backup(ctx, from, to)
	if err != nil {
		return 0, fmt.Errorf("back up ledger to %s: %w", to, (&sqlite{path: from}).explain(err))
	}
	return size, nil
}

func backup(ctx context.Context, from, to string) (size int64, err error) {
	if to, err = filepath.Abs(to); err != nil {
		return 0, err
	}
	if from, err = filepath.Abs(from); err != nil {
		return 0, err
	}
	if err := mustBeFree(to); err != nil {
		return 0, err
	}
	dir := filepath.Dir(to)
	unfinished, err := os.CreateTemp(dir, "."+filepath.Base(to)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(unfinished.Name()))
		}
	}()
	err = vacuumInto(ctx, from, unfinished.Name())
	info, statErr := unfinished.Stat()
	if err := errors.Join(err, statErr, unfinished.Sync(), unfinished.Close()); err != nil {
		return 0, err
	}
	// Once more, because a rename asks nobody and the copying takes a while.
	if err := mustBeFree(to); err != nil {
		return 0, err
	}
	if err := os.Rename(unfinished.Name(), to); err != nil {
		return 0, err
	}
	return info.Size(), syncDir(dir)
}

func mustBeFree(file string) error {
	_, err := os.Lstat(file)
	switch {
	case err == nil:
		return fmt.Errorf("%w: name another, or move it away", fs.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// vacuumInto copies the database into an empty file. It reads as of one moment and keeps no writer
// waiting.
func vacuumInto(ctx context.Context, from, to string) error {
	db, err := sql.Open(driverName, readOnlyDSN(from))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	return errors.Join(err, db.Close())
}

// readOnlyDSN opens a file such that SQLite does not even tidy up behind itself: a connection that
// could write moves what a killed process left in the journal into the file when it is closed.
func readOnlyDSN(path string) string {
	return dsn(path, "ro", "deferred")
}
