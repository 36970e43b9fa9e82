package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The waits of a connection, each longer than the one before, so that the first to end is the one
// that tells most. A replica that is frozen inside a transaction loses it while the others still
// wait for its rows.
const (
	pgIdleInTransaction = 5 * time.Second  // the server then ends the transaction, and the connection
	pgLock              = 10 * time.Second // for another's row
	pgStatement         = 15 * time.Second
	pgSilence           = 20 * time.Second // the server does not answer at all: the connection is given up
	pgConnect           = 10 * time.Second // to one address
)

// postgres is a ledger in a PostgreSQL database, or in one that speaks and acts like it.
type postgres struct {
	config *pgx.ConnConfig
	words  terms
}

// newPostgres reads a URL. Its errors do not quote it: where a password ends is not known in a URL
// that cannot be read.
func newPostgres(url string) (*postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the store's URL cannot be read: it is postgres://USER@HOST:PORT/DATABASE, " +
			"where special characters of each part are written as %XX")
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return impatient{conn}, nil
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = pgConnect
	}
	return &postgres{config: config, words: terms{
		goose: goose.DialectPostgres, migrations: "migrations/postgres",
		// Who meets a key that another has just inserted must see that row afterwards.
		begin: "BEGIN ISOLATION LEVEL READ COMMITTED", rollback: "ROLLBACK",
		now:       "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
		share:     "FOR SHARE",
		parameter: "$",
		snapshot:  &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		pipeline:  pipeline,
	}}, nil
}

// pipeline makes one round trip, and one before it for commands that are new to the connection.
func pipeline(conn any, commands []foreseen) error {
	batch := &pgx.Batch{}
	for _, c := range commands {
		batch.Queue(c.text, c.args...)
	}
	results := conn.(*stdlib.Conn).Conn().SendBatch(context.Background(), batch)
	for _, c := range commands {
		done, err := results.Exec()
		if err == nil && done.RowsAffected() != c.rows {
			err = errApart
		}
		if err != nil {
			_ = results.Close() // its error is this one, or comes from it
			return err
		}
	}
	return results.Close()
}

// String implements dialect.
func (d *postgres) String() string {
	return net.JoinHostPort(d.config.Host, strconv.Itoa(int(d.config.Port))) + "/" + d.config.Database
}

func (d *postgres) terms() *terms { return &d.words }

// lock is one that the database frees when its holder's connection ends.
func (d *postgres) lock() ([]goose.ProviderOption, error) {
	const everySecond, fiveMinutes = 1, 300
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(everySecond, fiveMinutes))
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, err
}

// open sets for the session what the promise depends on, whatever the server's defaults are.
func (d *postgres) open(p purpose) (*sql.DB, error) {
	config := d.config.Copy()
	settings := config.RuntimeParams
	settings["application_name"] = "automatond"
	settings["synchronous_commit"] = "on" // a claim that a crash of the server undoes is a request sent twice
	settings["idle_in_transaction_session_timeout"] = milliseconds(pgIdleInTransaction)
	if p != forMigrating { // which may rewrite a table
		settings["lock_timeout"] = milliseconds(pgLock)
		settings["statement_timeout"] = milliseconds(pgStatement)
	}
	if p == forReading {
		settings["default_transaction_read_only"] = "on"
	}
	return sql.OpenDB(discreet{stdlib.GetConnector(*config)}), nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// watch has nothing to look at: a server does not lose sight of its tables.
func (d *postgres) watch() (func() error, error) { return func() error { return nil }, nil }

// commit refuses a transaction in which a statement has failed: PostgreSQL would answer that it is
// ended, and have rolled it back.
func (d *postgres) commit(s *session) error {
	err := s.conn.Raw(func(conn any) error {
		if conn.(*stdlib.Conn).Conn().PgConn().TxStatus() == 'E' {
			return errors.New("a statement of the transaction has failed")
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.exec("COMMIT")
	return err
}

// isStoreGone holds for the classes of errors that are about the connection, the server's state or
// its resources, and for what keeps the connection from working before the server says anything.
func (d *postgres) isStoreGone(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code[:2] {
		case "08", "25", "28", "3D", "53", "57", "58", "F0", "XX":
			return true
		default:
			return e.Code == "55P03" // another's row was not free in time
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.Timeout(err) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}

// isConflict holds when the database has chosen this transaction to end a deadlock, or could not
// find an order for two.
func (d *postgres) isConflict(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// isUsable is not so of a server that is going down, or has become one that only reads: the next
// connection may lead to another.
func (d *postgres) isUsable(err error) bool { return !d.isStoreGone(err) }

// isNoTransaction is never so: such a rollback is no error here.
func (d *postgres) isNoTransaction(error) bool { return false }

func (d *postgres) explain(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch e.Code {
	case "42P01":
		return fmt.Errorf("%w; the database has no ledger: %w", err, os.ErrNotExist)
	case "XX001", "XX002":
		return fmt.Errorf("%w; the database is damaged and was left as it is: stop automatond and restore it from a copy", err)
	default:
		return err
	}
}

// discreet leaves the configuration, which has the password, and the user's name out of errors.
type discreet struct{ driver.Connector }

func (c discreet) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		err = fmt.Errorf("connect: %w", e.Unwrap())
	}
	return conn, err
}

// impatient is a connection on which no answer is waited for without end. Nothing is read from it
// while no answer is due.
type impatient struct{ net.Conn }

func (c impatient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(pgSilence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(pgSilence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
