package control

import (
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/ledger"
)

// Progress is how far a fire that was asked for has come.
type Progress struct {
	AskedFire
	Claimed bool           `json:"claimed"` // the ledger has it; until then its environments are being listed
	Already bool           `json:"already"` // an earlier request with the same id asked for it
	Outcome string         `json:"outcome"` // "" while a run is open
	Reason  string         `json:"reason"`
	Message string         `json:"message"`
	NotRun  map[string]int `json:"not_run"` // environments without a run, by reason
	Runs    []Record       `json:"runs"`

	// Accepted says that the platform has accepted everything that was asked for so far, and that
	// nothing is on its way to it.
	Accepted bool `json:"accepted"`
}

// How often the ledger is looked at: soon at first, then less often.
const (
	firstLook = 20 * time.Millisecond
	lastLook  = time.Second
)

// Await follows what was asked for until enough says that it has come far enough, or ctx ends, and
// returns how far it has come. It reads the ledger, so it outlives a restart of the daemon.
func (h *History) Await(ctx context.Context, asked Asked, enough func(Progress) bool) ([]Progress, error) {
	for pause := firstLook; ; pause = min(pause*3/2, lastLook) {
		all, err := h.progress(context.WithoutCancel(ctx), asked)
		if err != nil {
			return nil, err
		}
		done := true
		for _, p := range all {
			done = done && enough(p)
		}
		if done || ctx.Err() != nil {
			return all, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (h *History) progress(ctx context.Context, asked Asked) ([]Progress, error) {
	all := make([]Progress, len(asked.Fires))
	for i, f := range asked.Fires {
		all[i] = Progress{AskedFire: f, NotRun: map[string]int{}, Runs: []Record{}}
		if err := h.look(ctx, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (h *History) look(ctx context.Context, p *Progress) error {
	fire, err := h.ledger.Fire(ctx, p.Cron, p.Project, p.Slot)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Claimed, p.Already = true, fire.ID != p.Record
	p.Outcome, p.Reason, p.Message = string(fire.Outcome), string(fire.Reason), fire.Message
	p.NotRun = countsOf(fire.NotRun)
	if p.Runs, err = h.runsOf(ctx, fire); err != nil {
		return err
	}
	p.Accepted = len(p.Runs) > 0
	for i, u := range p.Runs {
		run, dispatches, err := h.ledger.Run(ctx, u.ID)
		if err != nil {
			return err
		}
		p.Runs[i] = ofRun(*run) // it may have moved since, and is to be of one moment with its dispatches
		p.Accepted = p.Accepted && accepted(dispatches)
	}
	return nil
}

func accepted(dispatches []ledger.Dispatch) bool {
	for _, d := range dispatches {
		switch {
		case d.State == ledger.DispatchTracking:
		case d.State == ledger.DispatchDone && d.ExitStatus == 0:
		default:
			return false
		}
	}
	return len(dispatches) > 0
}
