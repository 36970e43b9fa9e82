package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/ledger"
)

// suspensions are those in the ledger, at hand for everybody who is about to send something.
type suspensions struct {
	writing sync.Mutex // held while the ledger and byCron are brought to agree

	mu     sync.RWMutex
	byCron map[string]ledger.Suspension
}

func (s *suspensions) load(ctx context.Context, store *ledger.Ledger) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	all, err := store.Suspensions(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byCron = make(map[string]ledger.Suspension, len(all))
	for _, v := range all {
		s.byCron[v.Cron] = v
	}
	return nil
}

// why says why a cron may not run what was due at a time, "" when it may.
func (s *suspensions) why(cron string, at time.Time) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if v, ok := s.byCron[ledger.AllCrons]; ok && v.Covers(at) {
		return describe("all crons are suspended", v)
	}
	if v, ok := s.byCron[cron]; ok && v.Covers(at) {
		return describe("the cron is suspended", v)
	}
	return ""
}

func describe(what string, v ledger.Suspension) string {
	var text strings.Builder
	text.WriteString(what)
	if !v.Until.IsZero() {
		fmt.Fprintf(&text, " until %s", v.Until.Format(time.RFC3339))
	}
	if v.Note != "" {
		fmt.Fprintf(&text, ": %s", v.Note)
	}
	return text.String()
}

// active returns what is suspended now, by the crons' names.
func (s *suspensions) active(now time.Time) []ledger.Suspension {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var active []ledger.Suspension
	for _, name := range slices.Sorted(maps.Keys(s.byCron)) {
		if v := s.byCron[name]; v.Covers(now) {
			active = append(active, v)
		}
	}
	return active
}

// heed has a change written, then acts on it. Nothing can fail between the two, so what the ledger has is in
// force. A change that has come to nothing returns false.
func (s *suspensions) heed(change func() (ledger.Suspension, bool, error)) (v ledger.Suspension, changed bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	v, changed, err = change()
	if changed && err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.byCron[v.Cron] = v
	}
	return v, changed, err
}

// suspend stops new requests for a cron, or for all. What has been sent is followed to its end.
func (a *app) suspend(ctx context.Context, s control.Suspend) ([]ledger.Suspension, error) {
	now := time.Now().UTC()
	if err := a.mustKnow(s.Cron); err != nil {
		return nil, err
	}
	if !s.Until.IsZero() && !s.Until.After(now) {
		return nil, control.Refuse("%s is over already", s.Until.Format(time.RFC3339))
	}
	if err := a.suspensions.load(ctx, a.store); err != nil { // another replica's too are told
		return nil, err
	}
	v, written, err := a.suspensions.heed(func() (ledger.Suspension, bool, error) {
		return a.store.Suspend(ctx, ledger.Suspension{Cron: s.Cron, Since: now, Until: s.Until.UTC(), Note: s.Note})
	})
	if err != nil {
		return nil, err
	}
	if !written {
		return nil, refuseToShorten(v)
	}
	a.logSuspension(v, "suspended")
	return a.suspensions.active(now), nil
}

// refuseToShorten refuses a suspension that would let the one that holds end earlier.
func refuseToShorten(holds ledger.Suspension) error {
	what := "suspended already"
	if holds.Until.IsZero() {
		what += " until it is resumed"
	}
	return control.Refuse("%s; resume first to let it end earlier", describe(what, holds))
}

// tellSuspensions names those in force at a start: somebody may have forgotten them.
func (a *app) tellSuspensions() {
	for _, v := range a.suspensions.active(time.Now()) {
		a.logSuspension(v, "still suspended")
	}
}

func (a *app) logSuspension(v ledger.Suspension, message string) {
	e := a.Logger.Warn().Str("cron", v.Cron).Bool("all", v.Cron == ledger.AllCrons).Str("note", v.Note)
	if !v.Until.IsZero() {
		e.Time("until", v.Until)
	}
	e.Msg(message)
}

// resume ends a suspension now. It causes no run: what was due until now is not owed.
func (a *app) resume(ctx context.Context, cron string) ([]ledger.Suspension, error) {
	if err := a.suspensions.load(ctx, a.store); err != nil { // another replica's too are told
		return nil, err
	}
	_, ended, err := a.suspensions.heed(func() (ledger.Suspension, bool, error) {
		return a.store.Resume(ctx, cron, time.Now())
	})
	if err != nil {
		return nil, err
	}
	if ended {
		a.Logger.Info().Str("cron", cron).Bool("all", cron == ledger.AllCrons).Msg("resumed")
	} else if err := a.mustKnow(cron); err != nil {
		return nil, err
	}
	return a.suspensions.active(time.Now()), nil
}

// mustKnow refuses the name of a cron that is not configured.
func (a *app) mustKnow(cron string) error {
	if cron == ledger.AllCrons || a.job(cron) != nil {
		return nil
	}
	for _, j := range a.current.Load().config.Jobs {
		if j.Name == cron {
			return control.Refuse("cron %q is left to the app container: it runs the application's own programs", cron)
		}
	}
	return control.Refuse("no cron %q is configured", cron)
}
