package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Resolution is what a person says has become of a run of which the ledger does not know.
type Resolution struct {
	RunID   string
	Outcome Outcome // Succeeded or Failed
	By      string
	Note    string
	At      time.Time
}

// Resolved says what a resolution meant.
type Resolved struct {
	Run      Run  // as it is now
	WasOpen  bool // the run ended with it
	Requests int  // how many were in doubt
}

// inDoubt is the condition on a dispatch that it is, or remained, in doubt, as the index has it.
const inDoubt = `(state = 'in_doubt' OR outcome = 'unknown' AND reason = 'in_doubt')`

const (
	selectDispatches = `SELECT ` + dispatchColumns + ` FROM dispatches WHERE run_id = ? ORDER BY ordinal`

	resolveDispatch = `UPDATE dispatches SET state = 'done', outcome = ?, reason = ?, message = ?, exit_status = ?
		WHERE run_id = ? AND ordinal = ?`

	// lockRun keeps a replica that works on the run from moving it meanwhile.
	lockRun = `UPDATE runs SET owner = owner WHERE id = ?`

	resolveRun = `UPDATE runs SET outcome = ?, reason = ?, message = ? WHERE id = ?`

	selectEnds = `SELECT outcome, reason, message FROM runs WHERE fire_id = ? AND finished_at IS NOT NULL
		ORDER BY finished_at, id`

	judgeFire = `UPDATE fires SET severity = ?, outcome = ?, reason = ?, message = ?
		WHERE slot = ? AND cron = ? AND project = ?`

	insertResolution = `INSERT INTO resolutions (run_id, resolved_at, resolved_by, outcome, note) VALUES (?, ?, ?, ?, ?)`

	selectResolution = `SELECT run_id, resolved_at, resolved_by, outcome, note FROM resolutions WHERE run_id = ?`

	selectLiveOwner = `SELECT 1 FROM replicas WHERE id = ? AND expires_at > {now}`
)

// Resolve gives a run the outcome that a person found out, together with those of its requests that
// are, or remained, in doubt. An open run ends with it, whoever owns it. A run that ended for another
// reason keeps its own outcome. Who said so is recorded. The error is ErrNotFound when there is no
// such run, and ErrNotInDoubt when nothing of it is in doubt, or something else of it still goes on.
func (l *Ledger) Resolve(ctx context.Context, r Resolution) (Resolved, error) {
	if r.Outcome != Succeeded && r.Outcome != Failed {
		return Resolved{}, fmt.Errorf("resolve run %s: nobody can say that it is %q", r.RunID, r.Outcome)
	}
	r.At = stored(r.At)
	var res Resolved
	var refusal error
	err := l.write(ctx, opResolve, "resolve run "+r.RunID, 2, func(s *session) (err error) {
		res, refusal, err = s.resolve(&r)
		return err
	})
	if err == nil && refusal != nil {
		err = fmt.Errorf("run %s: %w", r.RunID, refusal)
	}
	return res, err
}

// resolve returns a refusal before it has changed anything.
func (s *session) resolve(r *Resolution) (res Resolved, refusal, err error) {
	if _, err := s.exec(lockRun, r.RunID); err != nil {
		return Resolved{}, nil, err
	}
	u, err := scanRun(s.row(`SELECT `+runColumns+` FROM runs WHERE id = ?`, r.RunID))
	if errors.Is(err, sql.ErrNoRows) {
		return Resolved{}, ErrNotFound, nil
	} else if err != nil {
		return Resolved{}, nil, err
	}
	doubtful, refusal, err := s.doubtful(&u)
	if refusal != nil || err != nil {
		return Resolved{}, refusal, err
	}
	end := Finish{RunID: u.ID, Owner: u.Owner, Outcome: r.Outcome, Message: "closed by hand by " + r.By, At: r.At}
	if r.Note != "" {
		end.Message += ": " + r.Note
	}
	if r.Outcome == Failed {
		end.Reason = InDoubt
	}
	for _, d := range doubtful {
		if err := s.resolveDispatch(&d, &end); err != nil {
			return Resolved{}, nil, err
		}
	}
	if err := s.resolveRun(&u, &end); err != nil {
		return Resolved{}, nil, err
	}
	_, err = s.exec(insertResolution, u.ID, micros(r.At), r.By, string(r.Outcome), r.Note)
	if err != nil {
		return Resolved{}, nil, err
	}
	res = Resolved{WasOpen: u.State != RunDone, Requests: len(doubtful)}
	res.Run, err = scanRun(s.row(`SELECT `+runColumns+` FROM runs WHERE id = ?`, u.ID))
	return res, nil, err
}

// doubtful returns the dispatches that a resolution is about. A request whose answer is awaited is in
// doubt if nobody awaits it any more.
func (s *session) doubtful(u *Run) (list []Dispatch, refusal, err error) {
	awaited, err := s.isAlive(u.Owner)
	if err != nil {
		return nil, nil, err
	}
	going := false
	err = s.each(selectDispatches, []any{u.ID}, func(row scanner) error {
		d, err := scanDispatch(row)
		switch {
		case d.State == DispatchInDoubt, d.Outcome == Unknown && d.Reason == InDoubt,
			d.State == DispatchDispatching && !awaited:
			list = append(list, d)
		case d.State != DispatchDone:
			going = true
		}
		return err
	})
	switch {
	case err != nil:
		return nil, nil, err
	case len(list) == 0 && u.State == RunDone:
		return nil, fmt.Errorf("%w: it ended as %s", ErrNotInDoubt, u.Outcome), nil
	case len(list) == 0:
		return nil, fmt.Errorf("%w: its state is %s", ErrNotInDoubt, u.State), nil
	case going && u.State != RunDone:
		return nil, fmt.Errorf("%w alone: another request of it is not over yet", ErrNotInDoubt), nil
	}
	return list, nil, nil
}

// isAlive reports whether a replica has a lease.
func (s *session) isAlive(owner string) (bool, error) {
	var found int
	err := s.row(selectLiveOwner, owner).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (s *session) resolveDispatch(d *Dispatch, end *Finish) error {
	status := 0
	if end.Outcome != Succeeded {
		status = 1
	}
	_, err := s.exec(resolveDispatch, string(end.Outcome), string(end.Reason), end.Message, status, d.RunID, d.Ordinal)
	return err
}

func (s *session) resolveRun(u *Run, end *Finish) error {
	switch {
	case u.State != RunDone:
		_, err := s.finish(end)
		return err
	case u.Outcome != Unknown || u.Reason != InDoubt:
		return nil
	}
	if _, err := s.exec(resolveRun, string(end.Outcome), string(end.Reason), end.Message, u.ID); err != nil {
		return err
	}
	if end.Outcome == Succeeded {
		// When it ended, not when somebody looked: its work is as old as that.
		if _, err := s.exec(raiseTarget, micros(u.FinishedAt), u.ID); err != nil {
			return err
		}
	}
	return s.judgeFire(u)
}

// judgeFire finds the worst of a fire's runs anew. Of equals it is the first, as when they end.
func (s *session) judgeFire(u *Run) error {
	var worst Finish
	err := s.each(selectEnds, []any{u.FireID}, func(row scanner) error {
		var end Finish
		err := row.Scan(&end.Outcome, &end.Reason, &end.Message)
		if Worse(end.Outcome, worst.Outcome) {
			worst = end
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.exec(judgeFire, worst.Outcome.severity(), string(worst.Outcome), string(worst.Reason), worst.Message,
		u.Slot, u.Cron, u.Project)
	return err
}

// Resolution returns what a person said of a run. The error is ErrNotFound when nobody did.
func (r *Reader) Resolution(ctx context.Context, runID string) (Resolution, error) {
	var v Resolution
	var at stamp
	err := r.reader.QueryRowContext(ctx, selectResolution, runID).Scan(&v.RunID, &at, &v.By, &v.Outcome, &v.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return Resolution{}, fmt.Errorf("resolution of run %s: %w", runID, ErrNotFound)
	}
	v.At = at.Time
	return v, r.judge(ctx, opQuery, "read resolution of run "+runID, err)
}

// InDoubt counts the requests that are, or remained, in doubt.
func (r *Reader) InDoubt(ctx context.Context) (int, error) {
	var n int
	err := r.reader.QueryRowContext(ctx, `SELECT count(*) FROM dispatches WHERE `+inDoubt).Scan(&n)
	return n, r.judge(ctx, opQuery, "count requests in doubt", err)
}
