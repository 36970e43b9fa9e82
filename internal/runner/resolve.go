package runner

import (
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// errResolved ends the work on a run that was closed by hand.
var errResolved = errors.New("closed by hand")

// Resolve closes a run by hand of which the ledger does not know what has become. Nothing is sent
// because of it: what a script or a list of tasks would have asked for next is not asked for.
func (r *Runner) Resolve(ctx context.Context, v ledger.Resolution) (ledger.Resolved, error) {
	res, err := r.Ledger.Resolve(ctx, v)
	if err != nil {
		return ledger.Resolved{}, err
	}
	r.mu.Lock()
	stop := r.doubts[v.RunID]
	r.mu.Unlock()
	if stop != nil {
		stop(errResolved)
	}
	r.Metrics.closed(res, v.At)
	r.log.Warn().Str("cron", res.Run.Cron).Str("run", v.RunID).Str("project", res.Run.Project).
		Str("environment", res.Run.Environment).Str("outcome", string(res.Run.Outcome)).
		Str("reason", string(res.Run.Reason)).Str("by", v.By).Str("note", v.Note).Msg("run closed by hand")
	return res, nil
}

// untilResolved returns a context that ends with errResolved when the run is closed by hand.
func (r *Runner) untilResolved(ctx context.Context, run string) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doubts[run] = cancel
	return ctx, func() {
		r.mu.Lock()
		delete(r.doubts, run)
		r.mu.Unlock()
		cancel(nil)
	}
}

// closed counts what was closed by hand. A run that had ended before was counted then.
func (m *Metrics) closed(res ledger.Resolved, at time.Time) {
	if m == nil {
		return
	}
	m.resolution.WithLabelValues("by_hand").Add(float64(res.Requests))
	u := &res.Run
	if res.WasOpen {
		m.finished(u, ledger.Finish{Outcome: u.Outcome, Reason: u.Reason, At: at})
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	series := m.crons[u.Cron]
	if series == nil || u.Outcome != ledger.Succeeded {
		return
	}
	if t := series.project(u.Project).known(u.Environment); t != nil && u.FinishedAt.After(t.lastSuccess) {
		t.lastSuccess = u.FinishedAt
	}
}
