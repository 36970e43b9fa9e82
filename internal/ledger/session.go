package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
)

// session is the writer's connection with its prepared statements. Its context cannot be
// cancelled: what is taken up is brought to an end, and the driver needs no goroutine a call.
type session struct {
	conn     *sql.Conn
	terms    *terms
	queries  map[string]*sql.Stmt   // by their text, for the life of the connection
	commands map[string]driver.Stmt // likewise, but without package sql around them
	args     []driver.NamedValue    // of the command that is being run
	rows     rows                   // of the claim that is being written
	list     []any                  // arguments of a command that takes a varying number

	ahead    bool       // what a command changes is foreseen, where the database takes many at once
	foreseen []foreseen // commands that have not been run yet
}

// foreseen is a command that is to change so many rows.
type foreseen struct {
	text string // in the database's own words
	args []any
	rows int64
}

func newSession(conn *sql.Conn, t *terms) *session {
	return &session{conn: conn, terms: t, queries: map[string]*sql.Stmt{}, commands: map[string]driver.Stmt{}}
}

// exec runs a statement and returns how many rows it changed: one, as a rule.
func (s *session) exec(query string, args ...any) (int64, error) {
	return s.change(1, query, args...)
}

// change runs a statement that should change so many rows, and returns how many it did.
//
// While the session is ahead, the database runs it later, together with others, and it is taken to do
// what it should. When it did not, everything that followed from that is undone and done again (see
// errApart), so an operation may rely on the number either way.
func (s *session) change(rows int64, query string, args ...any) (changed int64, err error) {
	storable(args)
	if s.ahead {
		s.foreseen = append(s.foreseen, foreseen{s.terms.translate(query), slices.Clone(args), rows})
		return rows, nil
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	return s.run(query, args)
}

// flush runs what was foreseen. The error is errApart when one of the statements did otherwise.
func (s *session) flush() error {
	if len(s.foreseen) == 0 {
		return nil
	}
	list := s.foreseen
	s.foreseen = s.foreseen[:0]
	return s.conn.Raw(func(conn any) error { return s.terms.pipeline(conn, list) })
}

// run talks to the driver itself: a burst runs thousands of statements, and package sql allocates about
// as much for each as all the rest does.
func (s *session) run(query string, args []any) (changed int64, err error) {
	err = s.conn.Raw(func(conn any) error {
		command, err := s.command(conn, query)
		if err != nil {
			return err
		}
		if err := s.bind(args); err != nil {
			return err
		}
		res, err := command.ExecContext(context.Background(), s.args)
		if err != nil {
			return err
		}
		changed, err = res.RowsAffected()
		return err
	})
	return changed, err
}

// command returns a prepared statement of the driver's connection.
func (s *session) command(conn any, query string) (driver.StmtExecContext, error) {
	st, ok := s.commands[query]
	if !ok {
		var err error
		st, err = conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), s.terms.translate(query))
		if err != nil {
			return nil, err
		}
		s.commands[query] = st
	}
	return st.(driver.StmtExecContext), nil
}

// bind makes the arguments what a driver takes.
func (s *session) bind(args []any) error {
	s.args = s.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return nil
}

// row runs a query for one row. Scan returns sql.ErrNoRows when there is none.
func (s *session) row(query string, args ...any) scanner {
	st, err := s.query(query)
	if err != nil {
		return unscannable{err}
	}
	return st.QueryRow(storable(args)...)
}

// each runs a query and calls scan for every row.
func (s *session) each(query string, args []any, scan func(scanner) error) error {
	st, err := s.query(query)
	if err != nil {
		return err
	}
	rows, err := st.Query(storable(args)...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

func (s *session) query(query string) (*sql.Stmt, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	if st, ok := s.queries[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(context.Background(), s.terms.translate(query))
	if err != nil {
		return nil, err
	}
	s.queries[query] = st
	return st, nil
}

// close gives the connection up for good; it does not go back to the pool.
func (s *session) close() {
	for _, st := range s.queries {
		_ = st.Close()
	}
	_ = s.conn.Raw(func(any) error {
		for _, st := range s.commands {
			_ = st.Close()
		}
		return driver.ErrBadConn
	})
	_ = s.conn.Close()
}

// scanner is what *sql.Row and *sql.Rows have in common.
type scanner interface {
	Scan(dest ...any) error
}

// unscannable stands for a row that could not be asked for.
type unscannable struct{ err error }

func (u unscannable) Scan(...any) error { return u.err }

func eachRow(rows *sql.Rows, scan func(scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
