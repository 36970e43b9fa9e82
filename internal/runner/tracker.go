package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
)

// tracker follows the activities of open dispatches until they end: one list request per project
// and interval, however many of its activities are open.
type tracker struct {
	*Runner
	mu       sync.Mutex
	projects map[string]*tracked
	planned  time.Time     // when run will look next
	wake     chan struct{} // holds one token when a project is due earlier than planned
}

// tracked is what the tracker follows in one project.
type tracked struct {
	project    string
	dispatches []*trackedDispatch
	next       time.Time // when to look again
	polling    bool      // a look is under way
}

// trackedDispatch is one dispatch with activities that are not over.
type trackedDispatch struct {
	*dispatch
	activities []ledger.Activity
	since      time.Time     // when the platform accepted it, by our clock
	unread     error         // why the last look did not see all its activities
	missing    int           // looks in a row that did not find an activity
	hidden     time.Time     // since when they have not found the project either; zero: they have
	done       chan struct{} // closed when it is over and somebody waits for it
	ended      verdict       // how; read it after done is closed
}

func newTracker(r *Runner) *tracker {
	return &tracker{Runner: r, projects: map[string]*tracked{}, wake: make(chan struct{}, 1)}
}

// follow takes on a dispatch whose activities are known.
func (t *tracker) follow(of *dispatch, activities []ledger.Activity) *trackedDispatch {
	u := of.run
	since := of.row.SentAt
	if since.IsZero() {
		since = time.Now()
	}
	d := &trackedDispatch{dispatch: of, activities: activities, since: since, done: make(chan struct{})}
	u.mu.Lock()
	u.open++
	for _, a := range activities {
		u.activities = append(u.activities, a.ID)
	}
	u.mu.Unlock()
	t.Metrics.activities(len(activities))

	next := time.Now().Add(jitter(t.Timing.PollFirst))
	t.mu.Lock()
	project := of.row.Project
	p := t.projects[project]
	if p == nil {
		p = &tracked{project: project, next: next}
		t.projects[project] = p
	}
	p.dispatches = append(p.dispatches, d)
	if next.Before(p.next) {
		p.next = next
	}
	t.planLocked(p.next)
	t.mu.Unlock()
	return d
}

// planLocked wakes run if it would come too late. The caller holds t.mu.
func (t *tracker) planLocked(next time.Time) {
	if !next.Before(t.planned) {
		return
	}
	t.planned = next
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run looks at each project when it is due, until the daemon stops.
func (t *tracker) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := t.due(time.Now())
		for _, p := range due {
			t.spawn(func() { t.poll(ctx, p) })
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-t.wake:
		case <-t.stopping:
			return
		case <-ctx.Done():
			return
		}
	}
}

// due takes the projects to look at now, and says when the next one is due.
func (t *tracker) due(now time.Time) ([]*tracked, time.Time) {
	next := now.Add(time.Hour)
	var due []*tracked
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.projects {
		switch {
		case p.polling:
		case !p.next.After(now):
			p.polling = true
			due = append(due, p)
		case p.next.Before(next):
			next = p.next
		}
	}
	t.planned = next
	return due, next
}

// poll looks once at a project's open activities and ends the dispatches that are over.
func (t *tracker) poll(ctx context.Context, p *tracked) {
	t.mu.Lock()
	open := append([]*trackedDispatch(nil), p.dispatches...)
	t.mu.Unlock()

	err := t.look(ctx, p.project, open)
	if err != nil {
		t.log.Warn().Str("project", p.project).Err(err).Msg("activities not listed")
	}
	now := time.Now()
	over := map[*trackedDispatch]bool{}
	for _, d := range open {
		if v, ended := d.verdict(now, err); ended {
			over[d] = true
			t.end(ctx, d, v)
		}
	}
	t.reschedule(p, over, now)
}

// look lists the project's activities since the oldest open dispatch and notes what it finds. One
// that the list does not show is asked for by its id.
func (t *tracker) look(ctx context.Context, project string, open []*trackedDispatch) error {
	client, err := t.client(project)
	if err != nil {
		return err
	}
	oldest := time.Now()
	for _, d := range open {
		if d.since.Before(oldest) {
			oldest = d.since
		}
	}
	listed, err := client.Activities(ctx, project, "", platform.ActivityQuery{
		Since: oldest.Add(client.ClockOffset() - clockMargin), Count: len(open) + others, MaxPages: 3,
	})
	gone := errors.Is(err, platform.ErrNotFound) // a project that is gone shows none
	if err != nil && !gone {
		return err
	}
	seen := make(map[string]*platform.Activity, len(listed))
	for i := range listed {
		seen[listed[i].ID] = &listed[i]
	}
	for _, d := range open {
		d.unread = t.noteAll(ctx, client, d, seen)
		switch {
		case !gone:
			d.hidden = time.Time{}
		case d.hidden.IsZero():
			d.hidden = time.Now()
		}
	}
	return nil
}

// others is how many activities that are not looked for a page has room for: an activity is several
// kilobytes, most of them are older, and a next page can be asked for.
const others = 10

func (t *tracker) noteAll(ctx context.Context, client *platform.Client, d *trackedDispatch, seen map[string]*platform.Activity) error {
	missing := false
	for i := range d.activities {
		a := &d.activities[i]
		found := seen[a.ID]
		if found == nil {
			var err error
			found, err = client.Activity(ctx, a.Project, a.ID)
			if errors.Is(err, platform.ErrNotFound) {
				missing = true
				continue
			}
			if err != nil {
				return err
			}
		}
		a.State, a.Result = found.State, found.Result
		if a.Result == "" && found.Done() && a.State != "cancelled" && a.State != "staged" {
			a.State = "in_progress" // it says 100 % before it says how it ended
		}
	}
	if missing {
		d.missing++
	} else {
		d.missing = 0
	}
	return nil
}

// vanishedAfter is how many looks in a row must miss an activity before it counts as gone, and hiddenFor for
// how long, in the longest times between two looks, when the project is not found either: something between
// may answer so to everything for a while.
const (
	vanishedAfter = 3
	hiddenFor     = 10
)

// verdict tells whether the dispatch is over, and how. What has ended counts as it ended, also when
// that is seen only after the run's timeout, because the daemon was down or the platform silent.
func (d *trackedDispatch) verdict(now time.Time, lookErr error) (verdict, bool) {
	v, over := d.seen(now, lookErr)
	if !over && now.After(d.run.Deadline) {
		return verdict{ledger.Failed, ledger.Timeout, "its activity was not seen to end within the run's timeout"}, true
	}
	return v, over
}

// seen reads the last look: the dispatch ends with its last activity, as badly as its worst.
func (d *trackedDispatch) seen(now time.Time, lookErr error) (verdict, bool) {
	if lookErr != nil || d.unread != nil {
		return verdict{}, false
	}
	hidden := !d.hidden.IsZero() && now.Sub(d.hidden) < hiddenFor*d.Timing.PollMax
	if d.missing >= vanishedAfter && !hidden {
		return verdict{ledger.Unknown, ledger.NotFound, "its activity is not known to the platform any more"}, true
	}
	if d.missing > 0 {
		return verdict{}, false
	}
	worst := verdict{outcome: ledger.Succeeded}
	for _, a := range d.activities {
		v, over := ofActivity(a)
		if !over {
			return verdict{}, false
		}
		if ledger.Worse(v.outcome, worst.outcome) {
			worst = v
		}
	}
	return worst, true
}

// ofActivity reads the end of an activity as the vendor's CLI does: cancelled and staged are
// states of their own, anything else succeeded only if its result says so.
func ofActivity(a ledger.Activity) (verdict, bool) {
	switch {
	case a.State == "cancelled":
		return verdict{ledger.Canceled, ledger.ActivityCanceled, "activity " + a.ID + " was cancelled"}, true
	case a.State == "staged":
		return verdict{ledger.Unknown, ledger.Staged, "activity " + a.ID + " is staged until someone deploys it"}, true
	case a.Result == "success":
		return verdict{outcome: ledger.Succeeded}, true
	case a.Result == "failure":
		return verdict{ledger.Failed, ledger.ActivityFailed, "activity " + a.ID + " failed"}, true
	default:
		return verdict{}, false
	}
}

func (t *tracker) end(ctx context.Context, d *trackedDispatch, v verdict) {
	t.Metrics.activities(-len(d.activities))
	if d.call.Wait {
		d.ended = v // by whoever waits, who knows what comes next
		close(d.done)
		return
	}
	if d.retryFailed(ctx, v, d.activities) {
		return
	}
	if _, err := d.conclude(ctx, v, d.activities); err != nil {
		t.log.Warn().Str("run", d.run.ID).Err(err).Msg("dispatch outcome not recorded")
	}
}

// reschedule drops what is over and plans the next look: soon after an operation began, ever
// less often while it lasts.
func (t *tracker) reschedule(p *tracked, over map[*trackedDispatch]bool, now time.Time) {
	t.mu.Lock()
	p.polling = false
	var open []*trackedDispatch
	var youngest time.Duration = t.Timing.PollMax * 2
	for _, d := range p.dispatches {
		if over[d] {
			continue
		}
		open = append(open, d)
		youngest = min(youngest, now.Sub(d.since))
	}
	p.dispatches = open
	if len(open) == 0 {
		delete(t.projects, p.project)
	}
	p.next = now.Add(jitter(min(max(youngest/2, t.Timing.PollFirst), t.Timing.PollMax)))
	if len(open) > 0 {
		t.planLocked(p.next)
	}
	t.mu.Unlock()
}
