package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to this version's. It refuses a newer one: what that means is not
// known here, and a guess could repeat a request.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, migrationsDir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(gooseDialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	known, err := knownVersion()
	if err != nil {
		return err
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

// knownVersion is the schema version of this automatond: that of its last migration.
func knownVersion() (int64, error) {
	files, err := fs.ReadDir(migrations, migrationsDir)
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(files[len(files)-1].Name())
}

func newerSchema(current, known int64) error {
	return fmt.Errorf("the ledger has schema version %d and this automatond knows up to %d: "+
		"run the newer automatond that wrote it, or restore a copy from before the upgrade", current, known)
}
