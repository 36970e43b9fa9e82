package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	driverName       = "sqlite"
	sqliteMigrations = "migrations/sqlite"

	// fileName is the ledger's file in its directory.
	fileName = "ledger.db"
)

// sqlite is a ledger in a file.
type sqlite struct {
	path  string
	words terms
}

func newSQLite(dir string) (*sqlite, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &sqlite{path: filepath.Join(dir, fileName), words: terms{
		goose: goose.DialectSQLite3, migrations: sqliteMigrations,
		begin: "BEGIN IMMEDIATE", rollback: "ROLLBACK",
		now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)", // read to the millisecond
		// There is one writer, so nobody changes anything before the transaction ends.
		share: "",
	}}, nil
}

// String implements dialect.
func (d *sqlite) String() string { return d.path }

func (d *sqlite) terms() *terms { return &d.words }

// lock needs nothing more: whoever opens the ledger has locked its directory.
func (d *sqlite) lock() ([]goose.ProviderOption, error) { return nil, nil }

// open opens the file. It creates one only for a purpose that writes.
func (d *sqlite) open(p purpose) (*sql.DB, error) {
	dsn := writerDSN(d.path)
	if p == forReading {
		dsn = readerDSN(d.path)
		if _, err := os.Stat(d.path); err != nil {
			return nil, err
		}
	} else if err := createFile(d.path); err != nil {
		return nil, err
	}
	return sql.Open(driverName, dsn)
}

// createFile makes the file, readable by its owner only, and makes its name survive a power cut.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir))) // the directory may be new as well
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writerDSN opens a file for the one connection that writes. FULL makes every commit wait for the
// disk: a claim that a power cut undoes is a request sent twice.
func writerDSN(path string) string {
	return dsn(path, "rw", "immediate", "journal_mode(wal)", "synchronous(full)", "cache_size(-8192)",
		"wal_autocheckpoint(2000)", "journal_size_limit(67108864)")
}

// readerDSN opens the same file for connections that cannot write.
func readerDSN(path string) string {
	return dsn(path, "rw", "deferred", "query_only(1)", "cache_size(-2048)")
}

// dsn says how the file is opened, in which mode a transaction begins, and what is set on every
// connection. The file is never made by it: an empty one in the place of a ledger that is away would
// have forgotten every claim.
func dsn(path, access, mode string, pragmas ...string) string {
	query := url.Values{
		"mode":          {access},
		"_txlock":       {mode},
		"_busy_timeout": {"5000"}, // milliseconds
		"_pragma":       pragmas,
		"_dqs":          {"0"}, // a misspelt column is an error, not a text
		"_error_rc":     {"1"}, // messages that belong to their codes
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	return u.String()
}

func (d *sqlite) watch() (func() error, error) { return watchFile(d.path) }

func (d *sqlite) commit(s *session) error {
	_, err := s.exec("COMMIT")
	return err
}

func (d *sqlite) isStoreGone(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL:
		return true
	default:
		return false
	}
}

// isConflict is never so: the directory's lock leaves no other writer.
func (d *sqlite) isConflict(error) bool { return false }

func (d *sqlite) isUsable(error) bool { return true }

func (d *sqlite) isNoTransaction(err error) bool {
	return primaryCode(err) == sqlite3.SQLITE_ERROR
}

// explain adds what to do about a damaged file. The file itself is never touched: what it still
// holds is the only record of what may have been sent.
func (d *sqlite) explain(err error) error {
	if !isDamage(err) {
		return err
	}
	return fmt.Errorf("%w; %s is damaged and was left as it is: %s", err, d.path, remedy)
}

// remedy is what to do about a damaged file.
const remedy = "stop automatond, restore the file from a backup, or save what can be read with " +
	"`sqlite3 ledger.db .recover`, or move ledger.db, ledger.db-wal and ledger.db-shm away to start with an " +
	"empty ledger, which owes nothing from before its start"

// isDamage reports whether an error means that the file is not what was written.
func isDamage(err error) bool {
	code := primaryCode(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// primaryCode is SQLite's result code without its extension, or 0 for other errors.
func primaryCode(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}
