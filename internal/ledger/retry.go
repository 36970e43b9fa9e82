package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Attempt is one that a dispatch has behind it: what came of it before it was made again.
type Attempt struct {
	SentAt     time.Time  `json:"sent_at,omitzero"`     // of its last intent; zero when there was none
	AnsweredAt time.Time  `json:"answered_at,omitzero"` // as in Dispatch
	EndedAt    time.Time  `json:"ended_at"`
	StatusCode int        `json:"status_code,omitempty"`
	Outcome    Outcome    `json:"outcome"`
	Reason     Reason     `json:"reason"`
	Message    string     `json:"message"`
	Activities []Activity `json:"activities,omitempty"`
}

// Retry says of a dispatch, whose request did not execute or may execute again, when it is due again.
type Retry struct {
	RunID   string
	Ordinal int
	Owner   string
	Earlier []Attempt // all that it has behind it, the oldest first
	At      time.Time
}

const (
	// retryDispatch never moves a request that is in doubt: it may have executed.
	retryDispatch = `UPDATE dispatches SET state = 'claimed', earlier = ?, retry_at = ?, message = ?, attempts = 0,
			sent_at = NULL, settle_at = NULL, answered_at = NULL, status_code = 0, activities = NULL, last = 0
		WHERE run_id = ? AND ordinal = ? AND state IN ('claimed', 'dispatching', 'tracking') AND ` + ownedRun

	// selectWaiting finds the open run that excludes another, if all that it has to do is a retry.
	selectWaiting = `SELECT id FROM runs WHERE ` + excluding + ` AND fire_id <> ?
			AND EXISTS (SELECT 1 FROM dispatches WHERE run_id = runs.id AND state = 'claimed' AND retry_at IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM dispatches WHERE run_id = runs.id AND state NOT IN ('claimed', 'done'))`
)

// Retry takes a dispatch back to claimed, to be sent again at a time, and keeps what came of it so
// far. Its activities remain known as its own, so they testify for no later attempt. The caller
// knows that the request did not execute, or that it may execute again. It may be repeated after an
// error; ErrNotOwned means that the run is not the owner's or is done, or the dispatch is in doubt
// or done.
func (l *Ledger) Retry(ctx context.Context, r Retry) error {
	what := attempt("retry", r.RunID, r.Ordinal)
	earlier, err := json.Marshal(r.Earlier)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	message := ""
	if n := len(r.Earlier); n > 0 {
		message = r.Earlier[n-1].Message
	}
	return l.write(ctx, opRetry, what, 1, func(s *session) error {
		n, err := s.exec(retryDispatch, string(earlier), micros(r.At), message, r.RunID, r.Ordinal, r.Owner)
		if n == 0 && err == nil {
			err = fmt.Errorf("it is in doubt or done, or not the owner's: %w", ErrNotOwned)
		}
		return err
	})
}

// tried reports whether the activity followed from an earlier attempt.
func (d *Dispatch) tried(a Activity) bool {
	return slices.ContainsFunc(d.Earlier, func(e Attempt) bool {
		return slices.ContainsFunc(e.Activities, func(own Activity) bool {
			return own.ID == a.ID && own.Project == a.Project
		})
	})
}

// displace ends the run that excludes u and only waits for a retry, with what came of its last
// attempt. It returns nil when there is none, or when its request may have left meanwhile.
func (s *session) displace(u *Run) (*Run, error) {
	var id string
	for locked := false; ; locked = true {
		err := s.row(selectWaiting, u.Cron, u.Project, u.Environment, u.FireID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		if locked {
			break
		}
		if _, err := s.exec(lockRun, id); err != nil {
			return nil, err
		}
	}
	waiting, err := scanRun(s.row(`SELECT `+runColumns+` FROM runs WHERE id = ?`, id))
	if err != nil {
		return nil, err
	}
	end, err := s.displaced(&waiting, u.ClaimedAt)
	if err != nil {
		return nil, err
	}
	if _, err := s.finish(end); err != nil {
		return nil, fmt.Errorf("end run %s, which waits for a retry: %w", id, err)
	}
	waiting.State, waiting.FinishedAt = RunDone, end.At
	waiting.Outcome, waiting.Reason, waiting.Message = end.Outcome, end.Reason, end.Message
	return &waiting, nil
}

// displacedBy returns the runs that ended because those of a fire, on these environments, took their place.
func (s *session) displacedBy(f *Fire, environments map[string]bool) (runs []Run, err error) {
	query := `SELECT ` + runColumns + ` FROM runs WHERE cron = ? AND project = ? AND fire_id <> ? AND finished_at = ?`
	err = s.each(query, []any{f.Cron, f.Project, f.ID, micros(f.ClaimedAt)}, func(row scanner) error {
		u, err := scanRun(row)
		if environments[u.Environment] {
			runs = append(runs, u)
		}
		return err
	})
	return runs, err
}

// displaced is the end of a run that gives way: as badly as the worst of its dispatches.
func (s *session) displaced(u *Run, at time.Time) (*Finish, error) {
	end := &Finish{RunID: u.ID, Owner: u.Owner, At: at}
	err := s.each(selectDispatches, []any{u.ID}, func(row scanner) error {
		d, err := scanDispatch(row)
		if err != nil {
			return err
		}
		if n := len(d.Earlier); n > 0 && d.State == DispatchClaimed {
			last := d.Earlier[n-1]
			d.Outcome, d.Reason, d.StatusCode = last.Outcome, last.Reason, last.StatusCode
			d.Message = fmt.Sprintf("%s (attempt %d; the next fire came before another)", last.Message, n)
			end.Dispatches = append(end.Dispatches, Result{
				RunID: u.ID, Ordinal: d.Ordinal, Owner: u.Owner, StatusCode: d.StatusCode, State: DispatchDone,
				Outcome: d.Outcome, Reason: d.Reason, Message: d.Message, ExitStatus: 1,
			})
		}
		if end.Outcome == "" || Worse(d.Outcome, end.Outcome) {
			end.Outcome, end.Reason, end.Message = d.Outcome, d.Reason, d.Message
		}
		return nil
	})
	return end, err
}
