package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// Replica is one process that works on the ledger.
type Replica struct {
	ID         string // from NewID, new at every start
	Host       string
	ConfigHash string
	StartedAt  time.Time
}

// Lease is how long a replica may act. Both times are readings of the database's clock, so their
// difference is what counts for a replica whose own clock differs.
type Lease struct {
	ExpiresAt time.Time
	Now       time.Time
}

const (
	foreign = `finished_at IS NULL AND owner <> ?`

	// orphaned are the open runs of replicas without a lease.
	orphaned = foreign + ` AND owner NOT IN (SELECT id FROM replicas WHERE expires_at > {now})`

	selectOwnRun = `SELECT ` + runColumns + ` FROM runs WHERE id = ? AND owner = ? AND finished_at IS NULL`

	// selectOpenDispatches reads the dispatches of an owner's open runs between two ids, each run's in order.
	selectOpenDispatches = `SELECT ` + dispatchColumns + ` FROM dispatches
		WHERE run_id BETWEEN ? AND ? AND run_id IN (SELECT id FROM runs WHERE finished_at IS NULL AND owner = ?) ORDER BY run_id, ordinal`
)

// takeOver takes over some of the runs for which a condition holds, the first by id. It holds for them still
// when they are written: another replica may take the same ones meanwhile. They are not ordered by the bare id, by which
// SQLite would read all runs that ever were.
func takeOver(condition string) string {
	return `UPDATE runs SET owner = ? WHERE id IN (SELECT id FROM runs WHERE ` + condition + ` ORDER BY id || '' LIMIT ?) AND ` +
		condition + ` RETURNING ` + runColumns
}

// staleReplica is how long a replica that is gone stays listed, in microseconds.
const staleReplica = int64(24 * time.Hour / time.Microsecond)

// Register gives a replica its lease.
func (l *Ledger) Register(ctx context.Context, r Replica, ttl time.Duration) (Lease, error) {
	var lease Lease
	err := l.write(ctx, opLease, "register replica "+r.ID, 1, func(s *session) error {
		if _, err := s.exec(`DELETE FROM replicas WHERE expires_at < {now} - ?`, staleReplica); err != nil {
			return err
		}
		return lease.scan(ttl, s.row(`INSERT INTO replicas (id, host, config_hash, started_at, expires_at)
			VALUES (?, ?, ?, ?, {now} + ?)
			ON CONFLICT (id) DO UPDATE SET host = excluded.host, config_hash = excluded.config_hash,
				started_at = excluded.started_at, expires_at = excluded.expires_at
			RETURNING expires_at`, r.ID, r.Host, r.ConfigHash, micros(r.StartedAt), ttl.Microseconds()))
	})
	return lease, err
}

// Renew prolongs a lease and says with which configuration the replica works now. The error is
// ErrLeaseLost when the lease was over, or is gone.
func (l *Ledger) Renew(ctx context.Context, r Replica, ttl time.Duration) (Lease, error) {
	var lease Lease
	err := l.write(ctx, opLease, "renew lease of replica "+r.ID, 1, func(s *session) error {
		err := lease.scan(ttl, s.row(`UPDATE replicas SET expires_at = {now} + ?, config_hash = ?
			WHERE id = ? AND expires_at > {now} RETURNING expires_at`, ttl.Microseconds(), r.ConfigHash, r.ID))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrLeaseLost
		}
		return err
	})
	return lease, err
}

func (l *Lease) scan(ttl time.Duration, row scanner) error {
	var expires stamp
	err := row.Scan(&expires)
	*l = Lease{ExpiresAt: expires.Time, Now: expires.Add(-ttl.Truncate(time.Microsecond))}
	return err
}

// Release ends a lease, if there is one.
func (l *Ledger) Release(ctx context.Context, id string) error {
	return l.write(ctx, opLease, "release lease of replica "+id, 1, func(s *session) error {
		_, err := s.exec(`DELETE FROM replicas WHERE id = ?`, id)
		return err
	})
}

// Replicas returns the replicas with a live lease, by id.
func (r *Reader) Replicas(ctx context.Context) ([]Replica, error) {
	live, err := collect(ctx, r.reader, scanReplica,
		`SELECT id, host, config_hash, started_at FROM replicas WHERE expires_at > {now} ORDER BY id`)
	return live, r.judge(ctx, opQuery, "read replicas", err)
}

func scanReplica(row scanner) (Replica, error) {
	var r Replica
	var started stamp
	err := row.Scan(&r.ID, &r.Host, &r.ConfigHash, &started)
	r.StartedAt = started.Time
	return r, err
}

// TakeOver makes owner the owner of all open runs whose owner has no live lease and returns them.
// With exclusive it takes those of every other owner: a SQLite ledger is one process's alone, so
// another owner is a process that has ended. The UPDATE of a run decides between two that take over.
//
// Many are taken in several transactions, and leases are renewed between these: else a replica could lose its own
// over a long take-over, and with it what it took.
//
// After an error it may be repeated; what an earlier try took, unknown to the caller, is then
// returned as well.
func (l *Ledger) TakeOver(ctx context.Context, owner string, exclusive bool) ([]OpenRun, error) {
	l.taking.Lock()
	defer l.taking.Unlock()
	condition := foreign
	if !exclusive {
		condition = orphaned
	}
	var open []OpenRun
	var err error
	if len(l.unsure) > 0 {
		open, err = l.takeSome(ctx, func(s *session) ([]OpenRun, error) { return s.own(l.unsure, owner) })
	}
	for taken := groupLimit; err == nil && taken == groupLimit; {
		var some []OpenRun
		some, err = l.takeSome(ctx, func(s *session) ([]OpenRun, error) { return s.takeOver(condition, owner) })
		open, taken = append(open, some...), len(some)
	}
	if err != nil {
		for _, u := range open {
			if !slices.Contains(l.unsure, u.ID) {
				l.unsure = append(l.unsure, u.ID)
			}
		}
		return nil, err
	}
	l.unsure = nil
	sortRuns(open)
	return open, nil
}

// takeSome is one transaction of TakeOver. With an error it returns what it may have taken all the same.
func (l *Ledger) takeSome(ctx context.Context, take func(*session) ([]OpenRun, error)) (open []OpenRun, err error) {
	err = l.write(ctx, opTakeOver, "take over runs", groupLimit, func(s *session) (err error) {
		open, err = take(s)
		return err
	})
	return open, err
}

// own reads those of the runs that are the owner's.
func (s *session) own(runs []string, owner string) (open []OpenRun, err error) {
	for _, id := range runs {
		if err := s.each(selectOwnRun, []any{id, owner}, intoOpen(&open)); err != nil {
			return open, err
		}
	}
	return open, s.withDispatches(open, owner)
}

// takeOver takes over at most groupLimit runs.
func (s *session) takeOver(condition, owner string) (open []OpenRun, err error) {
	if err := s.each(takeOver(condition), []any{owner, owner, groupLimit, owner}, intoOpen(&open)); err != nil {
		return open, err
	}
	return open, s.withDispatches(open, owner)
}

// intoOpen returns a function that scans runs.
func intoOpen(open *[]OpenRun) func(scanner) error {
	return func(row scanner) error {
		u, err := scanRun(row)
		*open = append(*open, OpenRun{Run: u})
		return err
	}
}

// withDispatches reads the dispatches of an owner's runs.
func (s *session) withDispatches(open []OpenRun, owner string) error {
	if len(open) == 0 {
		return nil
	}
	byID := func(a, b OpenRun) int { return cmp.Compare(a.ID, b.ID) }
	first, last := slices.MinFunc(open, byID), slices.MaxFunc(open, byID)
	return s.each(selectOpenDispatches, []any{first.ID, last.ID, owner}, attach(open))
}

// attach returns a function that scans dispatches and adds each to its run.
func attach(open []OpenRun) func(scanner) error {
	byID := make(map[string]*OpenRun, len(open))
	for i := range open {
		byID[open[i].ID] = &open[i]
	}
	return func(row scanner) error {
		d, err := scanDispatch(row)
		if u := byID[d.RunID]; u != nil && err == nil {
			u.Dispatches = append(u.Dispatches, d)
		}
		return err
	}
}

// sortRuns orders runs by scheduled time, those of one fire by id.
func sortRuns(open []OpenRun) {
	slices.SortFunc(open, func(a, b OpenRun) int {
		return cmp.Or(a.ScheduledAt.Compare(b.ScheduledAt), cmp.Compare(a.ID, b.ID))
	})
}
