package control

import (
	"context"
	"errors"
	"os"

	"github.com/automatond/automatond/internal/ledger"
)

// LedgerFile is the ledger's file in a data directory.
func LedgerFile(dir string) string { return ledger.File(dir) }

// BackUpLedger writes a copy of a ledger's file as of one moment and returns its size in bytes. A
// file that is there already is left alone. Without a ledger the error is ErrNoHistory.
func BackUpLedger(ctx context.Context, from, to string) (int64, error) {
	if _, err := os.Stat(from); err != nil {
		return 0, noHistory(err)
	}
	return ledger.Backup(ctx, from, to)
}

// Health is what a check of a ledger found.
type Health struct {
	Sound        bool     `json:"sound"`
	File         string   `json:"file"`
	Schema       int64    `json:"schema_version"`       // 0 when it could not be read
	Known        int64    `json:"known_schema_version"` // that of this automatond
	Installation string   `json:"installation"`
	Project      string   `json:"project"` // of a sidecar's ledger
	Branch       string   `json:"branch"`
	Problems     []string `json:"problems"`
	Remedy       string   `json:"remedy"` // what to do about damage
}

// CheckLedger reads a ledger's file from end to end and changes nothing. Without one the error is
// ErrNoHistory.
func CheckLedger(ctx context.Context, file string) (Health, error) {
	found, err := ledger.Check(ctx, file)
	if err != nil {
		return Health{}, noHistory(err)
	}
	return Health{
		Sound: found.Sound(), File: found.File, Schema: found.Schema, Known: found.Known,
		Installation: found.Installation.ID, Project: found.Installation.Place.Project, Branch: found.Installation.Place.Branch,
		Problems: orEmpty(found.Problems), Remedy: found.Remedy,
	}, nil
}

// noHistory makes an error of a missing file ErrNoHistory.
func noHistory(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.Join(ErrNoHistory, err)
	}
	return err
}

// orEmpty makes a list that JSON shows as [] and not as null.
func orEmpty(list []string) []string { return append([]string{}, list...) }
