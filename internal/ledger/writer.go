package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// groupLimit bounds the rows of one transaction, so that no caller waits long for its neighbours.
	groupLimit = 512
	// lull is how long nothing urgent must have been asked for or performed until what can wait is.
	// In a burst the urgent operations come in less than that, and a transaction between them would
	// keep requests to the platform from leaving.
	lull = 25 * time.Millisecond
	// longest is how long an operation that can wait does so; then it joins the next group. A crash leaves that much
	// of answers unrecorded, which are looked for; a burst of thousands takes no longer.
	longest = 500 * time.Millisecond
	// conflicts is how often a group is tried again because another replica's was in its way.
	conflicts = 10
)

// writer performs all writes, on one connection. What is asked for while one transaction is being
// committed is gathered into the next, so a burst of operations shares few waits for the disk.
type writer struct {
	db      *sql.DB
	dialect dialect
	present func() error // nil when what is written can be found again
	work    sync.WaitGroup

	mu     sync.Mutex
	queue  []*request // what a request to the platform waits for
	later  []*request // what can wait: it came after such a request
	urgent time.Time  // when something was last added to queue, or performed of it
	closed bool
	wake   chan struct{} // holds one token when something was added or closed was set

	session *session // nil until first used and after its connection was lost

	transactions atomic.Int64 // committed; for tests
}

// request is one operation on its way through the writer.
type request struct {
	weight int       // rows, roughly
	later  bool      // it can wait for others that cannot
	next   bool      // it goes before all that waits
	ahead  bool      // as a rule each of its commands changes one row, or as many as it inserts
	key    string    // of one group, the requests are performed in the order of their keys
	since  time.Time // when it was asked for
	do     func(*session) error
	apart  func(*session) error // performed instead when do returns errApart
	err    error
	done   chan struct{} // closed when err is final
}

func newWriter(db *sql.DB, d dialect, present func() error) *writer {
	w := &writer{db: db, dialect: d, present: present, wake: make(chan struct{}, 1)}
	w.work.Go(w.run)
	return w
}

// write performs one operation in a transaction that it may share with others, and returns when
// that is on the disk. When ctx ends before the operation is taken up it is not performed; after
// that, write waits for its end, because only then is it known what happened.
//
// The operation may be performed again after a neighbour failed, so it must set its results anew
// each time. It must return an answer (see isAnswer) before it has written anything.
func (w *writer) write(ctx context.Context, weight int, later bool, do func(*session) error) error {
	return w.ask(ctx, &request{weight: weight, later: later, do: do})
}

// ask is write with all that can be said of a request.
func (w *writer) ask(ctx context.Context, r *request) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.done = make(chan struct{})
	if err := w.enqueue(r); err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if w.withdraw(r) {
			return context.Cause(ctx)
		}
		<-r.done
	}
	return r.err
}

func (w *writer) enqueue(r *request) error {
	r.since = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if !r.later {
		w.urgent = r.since
	}
	q := w.queueOf(r)
	at := len(*q)
	if r.next {
		at = 0
	}
	*q = slices.Insert(*q, at, r)
	w.signal()
	return nil
}

func (w *writer) queueOf(r *request) *[]*request {
	if r.later {
		return &w.later
	}
	return &w.queue
}

// withdraw takes a request out of its queue, if it is still there.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.queueOf(r)
	i := slices.Index(*q, r)
	if i < 0 {
		return false
	}
	*q = append((*q)[:i:i], (*q)[i+1:]...)
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close performs what is queued, then ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	w.work.Wait()
}

func (w *writer) run() {
	defer w.disconnect()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		group, wait := w.take(time.Now())
		switch {
		case len(group) > 0:
			w.perform(group)
			w.performed(group)
			continue
		case wait > 0:
			due.Reset(wait)
		case w.over():
			return
		}
		select {
		case <-w.wake:
			// Callers that are ready to run get to ask first: their operations join this group.
			runtime.Gosched()
		case <-due.C:
		}
	}
}

// performed notes when urgent operations were: what they allow to leave comes back with more.
func (w *writer) performed(group []*request) {
	if group[0].later {
		return
	}
	w.mu.Lock()
	w.urgent = time.Now()
	w.mu.Unlock()
}

// take removes the next group from the queues: what is urgent, and what can wait when it may be
// performed now. Without a group it says when what can wait is due, or zero if nothing does.
func (w *writer) take(now time.Time) (group []*request, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := 0
	group = cut(&w.queue, &rows)
	if len(w.later) == 0 {
		return group, 0
	}
	quiet := lull - now.Sub(w.urgent)
	aged := longest - now.Sub(w.later[0].since)
	if wait = min(quiet, aged); aged <= 0 || w.closed || quiet <= 0 && len(group) == 0 {
		group = append(group, cut(&w.later, &rows)...)
	}
	return group, wait
}

// cut removes from the head of a queue what a group of this many rows has room for; one request,
// however large, always fits into an empty one.
func cut(queue *[]*request, rows *int) []*request {
	n := 0
	for n < len(*queue) && (*rows == 0 || *rows+(*queue)[n].weight <= groupLimit) {
		*rows += (*queue)[n].weight
		n++
	}
	group := (*queue)[:n:n]
	*queue = (*queue)[n:]
	return group
}

func (w *writer) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed && len(w.queue) == 0 && len(w.later) == 0
}

// perform carries out a group. An operation that the store refuses leaves the group and the
// others are tried again without it; an error of the store itself is everybody's.
func (w *writer) perform(group []*request) {
	slices.SortStableFunc(group, func(a, b *request) int { return cmp.Compare(a.key, b.key) })
	ahead := w.dialect.terms().pipeline != nil
	for tries := 0; len(group) > 0; {
		bad, err := w.transact(group, ahead)
		switch {
		case err == nil:
			w.transactions.Add(1)
			finish(group, nil)
			return
		case w.dialect.isConflict(err) && tries < conflicts:
			tries++
			continue
		case ahead && !w.dialect.isStoreGone(err):
			ahead = false // to learn which request it was
			continue
		case errors.Is(err, errApart):
			group[bad].do = group[bad].apart
			continue
		case bad < 0 || w.dialect.isStoreGone(err):
			finish(group, err)
			return
		}
		finish(group[bad:bad+1], err)
		group = append(group[:bad:bad], group[bad+1:]...)
	}
}

// finish wakes the callers; a nil err leaves each request its own answer.
func finish(group []*request, err error) {
	for _, r := range group {
		if err != nil {
			r.err = err
		}
		close(r.done)
	}
}

// transact performs a group in one transaction. With an error it returns the index of the request
// that failed, or -1 when the transaction itself did. Nothing is written then, unless what failed
// was the commit and the connection with it: that is not known, and the callers ask again.
//
// Ahead, the database is not asked after each command what it did. The error is errApart then if one
// did not do what was foreseen.
func (w *writer) transact(group []*request, ahead bool) (bad int, err error) {
	if err := w.present(); err != nil {
		return -1, err
	}
	s, err := w.begin()
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			w.abandon(s, err)
		}
	}()
	for i, r := range group {
		s.ahead = ahead && r.ahead
		r.err = r.do(s)
		s.ahead = false
		if r.err != nil && !isAnswer(r.err) {
			return i, r.err
		}
	}
	if err := s.flush(); err != nil {
		return -1, err
	}
	return -1, w.dialect.commit(s)
}

// isAnswer tells an operation's answer, which its caller waits for, from an error of the store.
func isAnswer(err error) bool {
	return errors.Is(err, ErrNotOwned) || errors.Is(err, ErrUndecided) || errors.Is(err, ErrLeaseLost) ||
		errors.Is(err, ErrNotFound)
}

// begin begins a transaction. A connection that was lost while nothing was asked for is replaced.
func (w *writer) begin() (*session, error) {
	kept := w.session != nil
	s, err := w.tryBegin()
	if err != nil && kept && w.session == nil {
		return w.tryBegin()
	}
	return s, err
}

func (w *writer) tryBegin() (*session, error) {
	if w.session == nil {
		conn, err := w.db.Conn(context.Background())
		if err != nil {
			return nil, err
		}
		w.session = newSession(conn, w.dialect.terms())
	}
	s := w.session
	s.foreseen = s.foreseen[:0]
	if _, err := s.exec(s.terms.begin); err != nil {
		w.abandon(s, err)
		return nil, err
	}
	return s, nil
}

// abandon ends a transaction that failed. A connection on which even that fails may be inside the
// transaction still, so it is not used again.
func (w *writer) abandon(s *session, cause error) {
	if !w.dialect.isUsable(cause) {
		w.disconnect()
		return
	}
	s.foreseen = s.foreseen[:0]
	if _, err := s.exec(s.terms.rollback); err != nil && !w.dialect.isNoTransaction(err) {
		w.disconnect()
	}
}

func (w *writer) disconnect() {
	if w.session != nil {
		w.session.close()
		w.session = nil
	}
}
