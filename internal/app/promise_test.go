package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

// requestDeadline is how long a request may be on its way, tokens and repetition after a 401 included.
const requestDeadline = 30 * time.Second

// request is what the promise counts: an operation of a cron on an environment for a scheduled time.
type request struct {
	cron        *cron
	environment string
	due         time.Time
	ask         int // which of the cron's requests
}

func (r request) String() string {
	return fmt.Sprintf("%s on %s at %s, request %d", r.cron.name, r.environment, r.due.UTC().Format(time.RFC3339), r.ask+1)
}

// judge holds what the platform saw and what the ledger says against both sentences of the promise.
func (s *simulation) judge(all *tally) {
	ctx := context.Background()
	fires, err := s.app.store.Fires(ctx, ledger.Filter{Limit: 1 << 30})
	s.must(err)
	runs, err := s.app.store.Runs(ctx, ledger.Filter{Limit: 1 << 30})
	s.must(err)
	due := map[*cron][]time.Time{}
	named := map[string]*cron{}
	for _, c := range s.crons {
		due[c], named[c.name] = walk(c.zone, s.history.specs[c], time.Now()), c
	}
	s.judgeRecords(named, due, fires, all)
	asked := s.judgeRequests(due)
	s.judgeRuns(named, asked, runs)
	s.judgeOverlap(runs)
	s.judgeCalm(fires)
	all.add(s, fires, runs)
}

// judgeRecords demands exactly one record for every scheduled time, with an outcome and a reason, and
// none for another time.
func (s *simulation) judgeRecords(named map[string]*cron, due map[*cron][]time.Time, fires []ledger.Fire, all *tally) {
	records := map[*cron]map[time.Time]int{}
	for _, c := range s.crons {
		records[c] = map[time.Time]int{}
	}
	for _, f := range fires {
		c := named[f.Cron]
		if f.Project != c.project || !ledger.Valid(f.Outcome, f.Reason) {
			s.t.Errorf("%s at %s: the record of project %s ended %q/%q", f.Cron, f.Slot, f.Project, f.Outcome, f.Reason)
		}
		covered := span{f.ScheduledAt, f.ScheduledAt}
		if f.MissedCount > 0 {
			covered.from = f.MissedFrom
		}
		n := 0
		for _, at := range due[c] {
			if covered.contains(at) {
				records[c][at]++
				n++
			}
		}
		if n != max(f.MissedCount, 1) {
			s.t.Errorf("%s at %s: the record covers %d scheduled times from %s on, and says %d", f.Cron, f.Slot, n, covered.from, f.MissedCount)
		}
	}
	for _, c := range s.crons {
		for _, at := range due[c] {
			n := records[c][at]
			if n == 0 && s.history.forgiven(c, at) {
				all.forgive()
			} else if n != 1 {
				s.t.Errorf("%s at %s: %d records, want 1", c.name, at.UTC().Format(time.RFC3339), n)
			}
		}
	}
}

// judgeRequests finds out what each request was for, and demands that none which may have executed was
// sent again, that none came too late, and none while its cron was suspended. It returns how often each
// may have executed.
func (s *simulation) judgeRequests(due map[*cron][]time.Time) map[request]int {
	asked := map[request]int{}
	for _, e := range s.sandbox.Journal() {
		if e.Method == "GET" || !strings.Contains(e.Path, "/environments/") {
			continue
		}
		r, ok := s.attribute(e, due)
		if !ok {
			s.t.Errorf("%s %s %s at %s belongs to no scheduled time", e.Method, e.Path, e.Body, e.At.UTC().Format(time.RFC3339))
			continue
		}
		if s.history.quiet(r.cron, e.At) {
			s.t.Errorf("%s: asked for while the cron was suspended, at %s", r, e.At.UTC().Format(time.RFC3339))
		}
		if mayHaveExecuted(e) {
			asked[r]++
		} else if _, ok := asked[r]; !ok {
			asked[r] = 0
		}
	}
	for r, n := range asked {
		if n > r.cron.most {
			s.t.Errorf("%s: %d requests that may have executed, want at most %d", r, n, r.cron.most)
		}
	}
	return asked
}

// attribute finds the cron and the scheduled time of a request. Two times of a cron are further apart
// than its requests may be late.
func (s *simulation) attribute(e sandbox.Entry, due map[*cron][]time.Time) (request, bool) {
	_, rest, _ := strings.Cut(e.Path, "/projects/")
	project, rest, _ := strings.Cut(rest, "/environments/")
	environment, rest, _ := strings.Cut(rest, "/")
	for _, c := range s.crons {
		for i, a := range c.asks {
			right := environment == a.environment || a.environment == "" && slices.Contains(c.environments, environment)
			if c.project != project || !right || a.path != "/"+rest || !strings.Contains(e.Body, a.body) {
				continue
			}
			late := startDeadline + requestDeadline
			if i > 0 {
				late = runTimeout + requestDeadline
			}
			n, found := slices.BinarySearchFunc(due[c], e.At, time.Time.Compare)
			if found {
				n++
			}
			if n == 0 || e.At.Sub(due[c][n-1]) > late {
				return request{}, false
			}
			return request{c, environment, due[c][n-1], i}, true
		}
	}
	return request{}, false
}

// mayHaveExecuted tells what nobody may repeat: a request that took effect, or whose answer does not say
// that it did not.
func mayHaveExecuted(e sandbox.Entry) bool {
	return e.Executed || e.Status == 0 || e.Status == 408 || e.Status >= 500
}

// judgeRuns holds the runs and what they asked for against what arrived.
func (s *simulation) judgeRuns(named map[string]*cron, asked map[request]int, runs []ledger.Run) {
	succeeded := map[string]int{} // by operation, against what took effect
	recorded := map[request]bool{}
	for _, u := range runs {
		if u.State != ledger.RunDone {
			s.t.Errorf("run %s of %s at %s is still %s", u.ID, u.Cron, u.Slot, u.State)
		}
		_, dispatches, err := s.app.store.Run(context.Background(), u.ID)
		s.must(err)
		c := named[u.Cron]
		for _, d := range dispatches {
			if d.Ordinal >= len(c.asks) {
				s.t.Errorf("run %s of %s has a request %d", u.ID, u.Cron, d.Ordinal+1)
				continue
			}
			r := request{c, d.Environment, u.ScheduledAt, d.Ordinal}
			recorded[r] = recorded[r] || d.Attempts > 0
			ours := c.asks[d.Ordinal].environment == ""
			if n := asked[r]; ours && n > 0 && (d.Outcome == ledger.Skipped || d.Outcome == ledger.Missed) {
				s.t.Errorf("%s: %d requests may have executed, and the record says %s/%s", r, n, d.Outcome, d.Reason)
			}
			if d.Outcome == ledger.Succeeded && c.most == 1 {
				succeeded[c.project+"/environments/"+d.Environment+c.asks[d.Ordinal].path]++
			}
		}
	}
	for r, n := range asked {
		if n > 0 && !recorded[r] {
			s.t.Errorf("%s: it was asked for and has no record", r)
		}
	}
	for _, e := range s.sandbox.Journal() {
		if _, operation, ok := strings.Cut(e.Path, "/projects/"); ok && e.Executed {
			succeeded[operation]--
		}
	}
	for operation, n := range succeeded {
		if n > 0 {
			s.t.Errorf("%s: %d more are recorded as succeeded than took effect", operation, n)
		}
	}
}

// judgeOverlap demands that a cron never had two runs open on an environment: all have overlap: skip.
func (s *simulation) judgeOverlap(runs []ledger.Run) {
	slices.SortFunc(runs, func(a, b ledger.Run) int { return a.ClaimedAt.Compare(b.ClaimedAt) })
	open := map[string]ledger.Run{}
	for _, u := range runs {
		target := u.Cron + " on " + u.Environment
		if before, ok := open[target]; ok && before.FinishedAt.After(u.ClaimedAt) {
			s.t.Errorf("%s: the run of %s began while the one of %s was going on", target, u.Slot, before.Slot)
		}
		open[target] = u
	}
}

// judgeCalm demands that what is due while nothing is wrong goes well, or as the platform lets it end.
func (s *simulation) judgeCalm(fires []ledger.Fire) {
	wrong := []ledger.Reason{ledger.Deadline, ledger.APIError, ledger.Auth, ledger.Forbidden, ledger.InDoubt, ledger.Script}
	for _, f := range fires {
		from := s.history.calm.Add(longTimeout) // until then there are runs that things went wrong with
		if f.ScheduledAt.After(from) && f.ScheduledAt.Before(s.history.over) && slices.Contains(wrong, f.Reason) {
			s.t.Errorf("%s at %s ended %s/%s (%s) when nothing was wrong", f.Cron, f.Slot, f.Outcome, f.Reason, f.Message)
		}
	}
}

// tally sums up what the simulations have been through.
type tally struct {
	mu       sync.Mutex
	fires    map[string]int // by outcome and reason
	runs     map[string]int
	counts   map[string]int
	forgiven int
}

func (a *tally) forgive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgiven++
}

func (a *tally) add(s *simulation, fires []ledger.Fire, runs []ledger.Run) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fires == nil {
		a.fires, a.runs, a.counts = map[string]int{}, map[string]int{}, map[string]int{}
	}
	for _, f := range fires {
		a.fires[strings.TrimSuffix(string(f.Outcome)+"/"+string(f.Reason), "/")]++
		if f.MissedCount > 1 {
			a.counts["ranges"]++
		}
	}
	for _, u := range runs {
		a.runs[strings.TrimSuffix(string(u.Outcome)+"/"+string(u.Reason), "/")]++
	}
	for _, e := range s.sandbox.Journal() {
		if e.Method != "GET" && strings.Contains(e.Path, "/environments/") {
			a.counts["requests"]++
			if mayHaveExecuted(e) && e.Status/100 != 2 {
				a.counts["answers lost"]++
			}
		}
	}
	a.counts["kills"] += s.lives
	a.counts["processes"] += len(s.history.down) + 1
	a.counts["activities adopted"] += strings.Count(s.logs.String(), "activity adopted")
	a.counts["runs adopted"] += strings.Count(s.logs.String(), "run adopted")
}

func (a *tally) String() string {
	return fmt.Sprintf("%s; fires: %s; runs: %s; %d scheduled times needed no record",
		list(a.counts), list(a.fires), list(a.runs), a.forgiven)
}

func list(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}

// mustHaveSeenEverything holds the simulations to being as eventful as they are meant to be.
func (a *tally) mustHaveSeenEverything(t *testing.T) {
	for _, end := range []string{
		"succeeded", "skipped/guard", "skipped/overlap", "skipped/suspended", "missed/deadline", "missed/dirty",
		"failed/api_error", "failed/auth", "failed/activity_failed", "canceled/activity_canceled",
		"unknown/in_doubt", "unknown/staged",
	} {
		if a.fires[end] == 0 {
			t.Errorf("no fire ended %s", end)
		}
	}
	for _, what := range []string{"kills", "answers lost", "activities adopted", "runs adopted", "ranges"} {
		if a.counts[what] == 0 {
			t.Errorf("there were no %s", what)
		}
	}
}
