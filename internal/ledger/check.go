package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Health is what Check found.
type Health struct {
	File   string
	Schema int64 // version; 0 when it could not be read
	Known  int64 // the version that this automatond works with
	// Installation is zero when it could not be read, and in a ledger from before there was one.
	Installation Installation
	Problems     []string
	Remedy       string // what to do about damage
}

// Sound reports whether the ledger can be worked with.
func (h *Health) Sound() bool { return len(h.Problems) == 0 }

// problemLimit bounds the problems of one kind: a damaged file may have millions.
const problemLimit = 20

// relations are what the schema implies and no constraint says. Each finds the rows that contradict,
// as a text. They ask for columns of the first schema version only.
var relations = []struct{ problem, query string }{
	{"run without its fire", `SELECT runs.id FROM runs LEFT JOIN fires
		ON fires.slot = runs.slot AND fires.cron = runs.cron AND fires.project = runs.project AND fires.id = runs.fire_id
		WHERE fires.id IS NULL`},
	{"dispatch without its run", `SELECT run_id || ' ' || ordinal FROM dispatches
		WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = run_id)`},
	{"fire that miscounts its open runs", `SELECT fires.id FROM fires LEFT JOIN
		(SELECT fire_id, count(*) AS n FROM runs WHERE finished_at IS NULL GROUP BY fire_id) AS open ON open.fire_id = fires.id
		WHERE fires.open_runs <> coalesce(open.n, 0)`},
	{"fire that is over without an outcome", `SELECT id FROM fires WHERE open_runs = 0 AND outcome = ''`},
	{"run that is over without an outcome", `SELECT id FROM runs WHERE finished_at IS NOT NULL AND outcome = ''`},
	{"dispatch that is done without an outcome", `SELECT run_id || ' ' || ordinal FROM dispatches
		WHERE state = 'done' AND outcome = ''`},
	{"dispatch in a state that there is not", `SELECT run_id || ' ' || ordinal FROM dispatches
		WHERE state NOT IN ('claimed', 'dispatching', 'in_doubt', 'tracking', 'done')`},
}

// Check reads a ledger's file from end to end and holds its rows against each other, as of one
// moment, whether or not a process works on it. It changes nothing. An error means that nothing was
// found out; without the file it is os.ErrNotExist.
func Check(ctx context.Context, file string) (*Health, error) {
	h, err := check(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("check ledger %s: %w", file, err)
	}
	return h, nil
}

// File is the ledger's file in a data directory.
func File(dir string) string { return filepath.Join(dir, fileName) }

func check(ctx context.Context, file string) (*Health, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	h := &Health{File: file}
	if h.Known, err = knownVersion(sqliteMigrations); err != nil {
		return nil, err
	}
	db, err := sql.Open(driverName, readOnlyDSN(path))
	if err != nil {
		return nil, err
	}
	err = h.examine(ctx, db)
	if isDamage(err) {
		h.damaged(err.Error())
		err = nil
	}
	return h, errors.Join(err, db.Close())
}

func (h *Health) examine(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// The whole file first: what it says of itself is worth nothing while its pages are damaged.
	found, err := collect(ctx, tx, scanText, fmt.Sprintf(`PRAGMA integrity_check(%d)`, problemLimit))
	if err != nil {
		return err
	}
	if !slices.Equal(found, []string{"ok"}) {
		h.damaged(found...)
	}
	var tables int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		h.damaged("it is a database, but not automatond's ledger")
		return nil
	}
	if err := tx.QueryRowContext(ctx, selectSchema).Scan(&h.Schema); err != nil {
		return err
	}
	if h.Schema > h.Known {
		h.Problems = append(h.Problems, newerSchema(h.Schema, h.Known).Error())
		return nil
	}
	if h.Schema >= installationSchema {
		h.Installation, err = scanInstallation(tx.QueryRowContext(ctx, selectInstallation))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	for _, r := range relations {
		rows, err := collect(ctx, tx, scanText, r.query+fmt.Sprintf(` LIMIT %d`, problemLimit))
		if err != nil {
			return err
		}
		for _, row := range rows {
			h.damaged(r.problem + ": " + row)
		}
	}
	return nil
}

func (h *Health) damaged(problems ...string) {
	h.Problems, h.Remedy = append(h.Problems, problems...), remedy
}
