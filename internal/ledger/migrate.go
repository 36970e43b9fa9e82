package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to this version's. It refuses a newer one: what that means is not
// known here, and a guess could repeat a request.
func migrate(ctx context.Context, d dialect) (err error) {
	db, err := d.open(forMigrating)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	known, err := knownVersion(d.terms().migrations)
	if err != nil {
		return err
	}
	provider, err := newProvider(d, db)
	if err != nil {
		return err
	}
	// goose takes a version table that cannot be read for none, and would make another.
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, selectSchema).Scan(&version); err != nil && d.isStoreGone(err) {
		return fmt.Errorf("read schema version: %w", err)
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if current > known {
		return newerSchema(current, known)
	}
	if current == known {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema from version %d to %d: %w", current, known, err)
	}
	return nil
}

// selectSchema reads the schema version of a ledger.
const selectSchema = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`

func newProvider(d dialect, db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, d.terms().migrations)
	if err != nil {
		return nil, err
	}
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(d.terms().goose, db, files, append(lock, goose.WithDisableGlobalRegistry(true))...)
}

// knownVersion is the schema version of this automatond: that of its last migration, the same on
// every engine.
func knownVersion(dir string) (int64, error) {
	files, err := fs.ReadDir(migrations, dir)
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(files[len(files)-1].Name())
}

func newerSchema(current, known int64) error {
	return fmt.Errorf("the ledger has schema version %d and this automatond knows up to %d: "+
		"run the newer automatond that wrote it, or restore a copy from before the upgrade", current, known)
}
