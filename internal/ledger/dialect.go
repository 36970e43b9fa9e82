package ledger

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Everything that only SQLite says this way stands in this file and in migrations/sqlite.

const (
	driverName    = "sqlite"
	gooseDialect  = goose.DialectSQLite3
	migrationsDir = "migrations/sqlite"

	begin    = "BEGIN IMMEDIATE"
	commit   = "COMMIT"
	rollback = "ROLLBACK"

	// dbNow is the database's clock in microseconds. SQLite reads it to the millisecond.
	dbNow = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
)

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

// isStoreGone reports whether an error means that the store as a whole does not work now, as
// opposed to one operation that it refuses.
func isStoreGone(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL:
		return true
	default:
		return false
	}
}

// isNoTransaction reports whether a rollback found nothing to roll back, because the database had
// done so by itself.
func isNoTransaction(err error) bool {
	return primaryCode(err) == sqlite3.SQLITE_ERROR
}

// explain adds what to do about a damaged file. The file itself is never touched: what it still
// holds is the only record of what may have been sent.
func explain(path string, err error) error {
	if !isDamage(err) {
		return err
	}
	return fmt.Errorf("%w; %s is damaged and was left as it is: %s", err, path, remedy)
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
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}
