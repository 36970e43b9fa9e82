package ledger

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pressly/goose/v3"
)

// dialect is everything in which the databases differ that a ledger can live in. The statements are
// written once, in a notation of their own; see terms.
type dialect interface {
	// String names the store in errors. It holds no secret.
	String() string
	// open returns a pool of connections. It may connect only when the first one is used.
	open(purpose) (*sql.DB, error)
	// terms are the words of the database.
	terms() *terms
	// lock returns what keeps two processes from migrating one store at once.
	lock() ([]goose.ProviderOption, error)

	// watch returns a function that tells whether what is written now can be found again.
	watch() (func() error, error)
	// commit ends the transaction of a session. Without an error it is on the disk.
	commit(*session) error
	// isStoreGone reports whether an error means that the store as a whole does not work now, as
	// opposed to one operation that it refuses.
	isStoreGone(error) bool
	// isConflict reports whether another writer was in the way: nothing was written, and the same
	// transaction can be tried again at once.
	isConflict(error) bool
	// isUsable reports whether a connection can go on being used after an error and a rollback.
	isUsable(error) bool
	// isNoTransaction reports whether a rollback found nothing to roll back, because the database
	// had done so by itself.
	isNoTransaction(error) bool
	// explain adds to an error what to do about it. Where there is no ledger it is os.ErrNotExist.
	explain(error) error
}

// dialectOf returns the dialect of a store: a postgres:// URL, or a directory for SQLite. An error
// does not quote a URL, which may hold a password.
func dialectOf(store string) (dialect, error) {
	scheme, _, isURL := strings.Cut(store, "://")
	switch {
	case !isURL:
		return newSQLite(store)
	case scheme == "postgres" || scheme == "postgresql":
		return newPostgres(store)
	default:
		return nil, errScheme
	}
}

var errScheme = errors.New("a store's URL begins with postgres://")

// purpose is what connections are opened for.
type purpose int

const (
	forReading purpose = iota // cannot write
	forWriting
	forMigrating
)

// terms are the words of one database. In the statements of this package
//
//	?       is a parameter, in their order, and ?2 is the second one
//	{now}   is the database's clock in microseconds, which moves within a transaction
//	{share} follows a SELECT and keeps others from changing its rows until the transaction ends
type terms struct {
	goose      goose.Dialect
	migrations string // their directory
	begin      string
	rollback   string
	now        string
	share      string
	parameter  string         // what stands before a parameter's number; "" leaves ? as it is
	snapshot   *sql.TxOptions // a transaction that reads as of one moment
	// pipeline runs commands with one wait for all of them, and returns errApart when one changed other
	// than its rows. It is nil where there is nothing to gain.
	pipeline func(conn any, commands []foreseen) error

	translated sync.Map // statements in the database's own words, by their text
}

// translate writes a statement in the database's own words.
func (t *terms) translate(statement string) string {
	if known, ok := t.translated.Load(statement); ok {
		return known.(string)
	}
	text := strings.NewReplacer("{now}", t.now, "{share}", t.share).Replace(statement)
	if t.parameter != "" {
		text = numbered(text, t.parameter)
	}
	t.translated.Store(statement, text)
	return text
}

// numbered gives each parameter its number, if it has none yet, and the database's sign.
func numbered(statement, sign string) string {
	parts := strings.Split(statement, "?")
	var text strings.Builder
	text.WriteString(parts[0])
	for n, part := range parts[1:] {
		text.WriteString(sign)
		if part == "" || part[0] < '0' || part[0] > '9' {
			text.WriteString(strconv.Itoa(n + 1))
		}
		text.WriteString(part)
	}
	return text.String()
}

// storable replaces in texts what PostgreSQL cannot store, on every engine alike: a message may
// quote what somebody else has sent.
func storable(args []any) []any {
	for i, arg := range args {
		text, ok := arg.(string)
		if ok && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

// pool is the connections that read. Its queries are in the notation of this package.
type pool struct {
	*sql.DB
	terms *terms
}

func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.DB.QueryContext(ctx, p.terms.translate(query), storable(args)...)
}

func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.DB.QueryRowContext(ctx, p.terms.translate(query), storable(args)...)
}

// snapshot begins a transaction that reads as of one moment.
func (p *pool) snapshot(ctx context.Context) (*snapshot, error) {
	tx, err := p.BeginTx(ctx, p.terms.snapshot)
	if err != nil {
		return nil, err
	}
	return &snapshot{tx, p.terms}, nil
}

// snapshot is what a pool has at one moment.
type snapshot struct {
	*sql.Tx
	terms *terms
}

func (s *snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.Tx.QueryContext(ctx, s.terms.translate(query), storable(args)...)
}

func (s *snapshot) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return s.Tx.QueryRowContext(ctx, s.terms.translate(query), storable(args)...)
}
