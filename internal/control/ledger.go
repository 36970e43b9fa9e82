package control

import (
	"context"
	"errors"
	"os"

	"github.com/automatond/automatond/internal/ledger"
)

// Backup writes a copy of the ledger as of one moment and returns its size in bytes. A file that is
// there already is left alone, with an error that is os.ErrExist.
func (h *History) Backup(ctx context.Context, file string) (int64, error) {
	return h.ledger.Backup(ctx, file)
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

// LedgerFile is the ledger's file in a data directory.
func LedgerFile(dir string) string { return ledger.File(dir) }

// CheckLedger reads a ledger's file from end to end and changes nothing. Without one the error is
// ErrNoHistory.
func CheckLedger(ctx context.Context, file string) (Health, error) {
	found, err := ledger.Check(ctx, file)
	if errors.Is(err, os.ErrNotExist) {
		return Health{}, errors.Join(ErrNoHistory, err)
	}
	if err != nil {
		return Health{}, err
	}
	return Health{
		Sound: found.Sound(), File: found.File, Schema: found.Schema, Known: found.Known,
		Installation: found.Installation.ID, Project: found.Installation.Place.Project, Branch: found.Installation.Place.Branch,
		Problems: orEmpty(found.Problems), Remedy: found.Remedy,
	}, nil
}

// orEmpty makes a list that JSON shows as [] and not as null.
func orEmpty(list []string) []string { return append([]string{}, list...) }
