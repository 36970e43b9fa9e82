// Package ledger keeps the durable record of fires, runs, dispatches and activities, and decides
// by its unique keys who acts: whoever inserted a row owns what it stands for. What a method has
// written is on the disk when it returns.
//
// The way of a run through it is Claim, then for each of its requests BeginAndIntend before it is
// sent and Record after it, then Finish. After a crash, TakeOver returns what was left open, and
// the same calls go on from there: a row that exists already is returned instead of written again.
//
// It leaves to others what a run is for and when anything is due; it knows neither tasks nor
// schedules' expressions nor the platform. It stores times as whole microseconds in UTC.
//
// The store is a SQLite file, which is one process's alone, or a PostgreSQL database, which several
// replicas share; what differs between the two stands in dialect*.go and migrations. Each process has
// one writer, which performs concurrent operations in groups, one transaction each, because waiting
// for the disk is what a write costs most.
package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/xid"
	"github.com/rs/zerolog"
)

// Options say where the ledger lives.
type Options struct {
	Dir      string        // created with mode 0700 when it is missing, and locked
	Store    string        // a postgres:// URL; "" for a SQLite file in Dir
	LockWait time.Duration // how long to wait for another process to leave the directory
	Logger   zerolog.Logger
	Metrics  prometheus.Registerer // nil registers nothing
}

// Ledger is an open ledger. Its methods may be called concurrently.
type Ledger struct {
	Reader
	lock   *os.File
	db     *sql.DB // the writer's
	writer *writer

	taking sync.Mutex // held while runs are taken over
	unsure []string   // runs that a take-over without an answer may have taken

	closing sync.Once
	closed  error // what closing returned
}

// Open opens the ledger in a directory, or in the database that Options.Store names, creates it when
// there is none, and brings its schema up to date. While it is open no other process can open a
// ledger with this directory: Open then waits Options.LockWait and returns an error that is
// ErrLocked. A database may be shared by processes with a directory each. Open never deletes or
// replaces a file.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if o.Store != "" && !strings.Contains(o.Store, "://") {
		return nil, fmt.Errorf("open ledger: %w", errScheme)
	}
	d, err := dialectOf(cmp.Or(o.Store, dir))
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	log := o.Logger.With().Str("component", "ledger").Logger()
	lock, err := lockDir(ctx, dir, o.LockWait, log)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{Reader: Reader{dialect: d}, lock: lock}
	if err := l.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", d, d.explain(err)), l.Close())
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context, o Options) (err error) {
	if err := migrate(ctx, l.dialect); err != nil {
		return err
	}
	if l.db, err = l.dialect.open(forWriting); err != nil {
		return err
	}
	l.db.SetMaxOpenConns(1)
	// Once used with a context that can end, a SQLite connection waits for the file by Go's timers.
	if err := l.db.PingContext(ctx); err != nil {
		return err
	}
	if err := l.openPool(); err != nil {
		return err
	}
	if l.errors, err = newStoreErrors(o.Metrics); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	present, err := l.dialect.watch()
	if err != nil {
		return err
	}
	l.writer = newWriter(l.db, l.dialect, present)
	return nil
}

// Close performs the operations that wait, then gives the directory free. A second call does
// nothing.
func (l *Ledger) Close() error {
	l.closing.Do(func() { l.closed = l.close() })
	return l.closed
}

func (l *Ledger) close() error {
	if l.writer != nil {
		l.writer.close()
	}
	var errs []error
	if l.reader != nil {
		errs = append(errs, l.reader.Close())
	}
	if l.db != nil {
		errs = append(errs, l.db.Close())
	}
	return errors.Join(append(errs, l.lock.Close())...)
}

// NewID makes an id. Ids made later sort after earlier ones, to the second.
func NewID() string { return xid.New().String() }

// Writable writes a few bytes, to find out whether writing works.
func (l *Ledger) Writable(ctx context.Context) error {
	return l.write(ctx, opHeartbeat, "write heartbeat", 1, func(s *session) error {
		_, err := s.exec(`INSERT INTO heartbeat (id, beat_at) VALUES (1, ?)
			ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at`, micros(time.Now()))
		return err
	})
}

// write performs an operation through the writer. Errors of the store are counted, and all are
// wrapped with what was attempted.
func (l *Ledger) write(ctx context.Context, op, attempt string, weight int, do func(*session) error) error {
	return l.ask(ctx, op, attempt, &request{
		weight: weight, later: canWait(op), next: op == opLease, ahead: isForeseeable(op), do: do,
	})
}

func (l *Ledger) ask(ctx context.Context, op, attempt string, r *request) error {
	return l.judge(ctx, op, attempt, l.writer.ask(ctx, r))
}

// canWait tells the operations that follow on a request to the platform from those that precede
// one. Among the latter is the end of a run, because it decides whether the next one overlaps.
func canWait(op string) bool {
	return op == opRecord || op == opTrack || op == opPrune
}

// isForeseeable tells the operations of a run's way: nearly always its rows are there and its owner's.
func isForeseeable(op string) bool {
	switch op {
	case opBegin, opIntend, opRecord, opReturn, opFinish:
		return true
	default:
		return false
	}
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

// nullMicros stores the zero time as NULL.
func nullMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// stamp reads a stored time, NULL as the zero time.
type stamp struct{ time.Time }

// Scan implements sql.Scanner.
func (s *stamp) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		s.Time = time.Time{}
	case int64:
		s.Time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("%T is not a stored time", value)
	}
	return nil
}

// nullText stores an empty text as NULL.
func nullText[T ~string | ~[]byte](s T) any {
	if len(s) == 0 {
		return nil
	}
	return string(s)
}
