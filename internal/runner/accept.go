package runner

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/scheduler"
)

const (
	// listingAge is how old the environments may be on which a fire is judged. They are fetched
	// ahead of the fire; what changed since is answered by the platform when the request arrives.
	listingAge = 90 * time.Second

	// claimFirst and claimMost bound the fires of one ledger transaction. Of a large burst the first
	// few are claimed by themselves, so that their requests leave while the rest is being claimed;
	// from then on the batches double, because a transaction costs a wait for the disk.
	claimFirst = 32
	claimMost  = 256
)

// accept starts the runs of a batch of fires. Fires whose environments are known are claimed
// together; the others wait for their own project only, and are claimed after those. So a project's
// fires are claimed in the order they came in, because a claim says that nothing before it is owed any
// more.
func (r *Runner) accept(ctx context.Context, fires []scheduler.Fire) {
	// The next fires are judged while those before them are being claimed.
	batches := make(chan []claim, 1)
	claimed := make(chan struct{})
	r.spawn(func() {
		for batch := range batches {
			r.claim(ctx, batch)
		}
		close(claimed)
	})
	defer func() { close(batches); <-claimed }()

	size, early := claimFirst, 0
	var ready []claim
	for _, f := range fires {
		if r.queue(f) {
			continue
		}
		c, ok := r.judge(ctx, f)
		if !ok {
			r.mu.Lock()
			r.late[f.Project.ID] = []scheduler.Fire{f}
			r.mu.Unlock()
			r.spawn(func() { r.acceptLate(ctx, f.Project, claimed) })
			continue
		}
		early += c.early()
		if ready = append(ready, c); len(ready) == size || early >= r.together() {
			batches <- ready
			if early < r.together() {
				size = min(2*size, claimMost)
			}
			ready, early = nil, 0
		}
	}
	if len(ready) > 0 {
		batches <- ready
	}
}

// queue puts a fire behind those of its project that wait for a listing, if any do.
func (r *Runner) queue(f scheduler.Fire) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting, ok := r.late[f.Project.ID]
	if ok {
		r.late[f.Project.ID] = append(waiting, f)
	}
	return ok
}

// judge makes the claim of a fire for which nothing has to be asked first.
func (r *Runner) judge(ctx context.Context, f scheduler.Fire) (claim, bool) {
	if record, done := r.recordOnly(f); done {
		return record, true
	}
	listing, ok := r.Inventory.Cached(f.Project.ID, listingAge)
	if !ok {
		return claim{}, false
	}
	return r.decide(ctx, f, listing), true
}

// acceptLate lists the environments of one project, within the start deadline of its most
// patient fire, then goes on as accept does, until no fire of the project waits. It claims none before
// earlier is closed.
func (r *Runner) acceptLate(ctx context.Context, project *job.Project, earlier <-chan struct{}) {
	for {
		fires := r.takeLate(project.ID)
		if len(fires) == 0 {
			return
		}
		listing, err := r.list(ctx, project, latestStart(fires))
		<-earlier
		if r.isStopping() || ctx.Err() != nil {
			r.abandon(fires)
			return
		}
		claims := make([]claim, len(fires))
		for i, f := range fires {
			record, done := r.recordOnly(f)
			switch {
			case done:
				claims[i] = record
			case err != nil:
				claims[i] = failed(f, err)
			default:
				claims[i] = r.decide(ctx, f, listing)
			}
		}
		if !r.claim(ctx, claims) {
			return
		}
	}
}

// abandon leaves fires that nothing was recorded of, because the daemon stops. The next start finds those
// of a schedule owed; the others wait for Run to end.
func (r *Runner) abandon(fires []scheduler.Fire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inbox = append(r.inbox, fires...)
}

// recordTriggers records the runs by hand that have not begun when the daemon has stopped: no start finds
// them owed, and somebody may wait for them.
func (r *Runner) recordTriggers(ctx context.Context) {
	fires := r.take()
	r.mu.Lock()
	for _, waiting := range r.late {
		fires = append(fires, waiting...)
	}
	r.mu.Unlock()
	var claims []claim
	for _, f := range fires {
		if f.Manual != "" {
			claims = append(claims, newClaim(f).ended(ledger.Missed, ledger.Deadline, "the daemon stopped before it could begin"))
		}
	}
	if len(claims) == 0 {
		return
	}
	// What they waited for may have used up the grace.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	r.claim(ctx, claims)
}

// takeLate returns the fires of a project that wait for its listing. While it returns any, further
// ones keep queueing; with the last, the project's fires need not wait any more.
func (r *Runner) takeLate(project string) []scheduler.Fire {
	r.mu.Lock()
	defer r.mu.Unlock()
	fires := r.late[project]
	if len(fires) == 0 {
		delete(r.late, project)
		return nil
	}
	r.late[project] = []scheduler.Fire{}
	return fires
}

// latestStart is when the last of the fires passes its start deadline.
func latestStart(fires []scheduler.Fire) time.Time {
	var latest time.Time
	for _, f := range fires {
		if d := f.ScheduledAt.Add(f.Job.LatestStart()); d.After(latest) {
			latest = d
		}
	}
	return latest
}

// list reads a project's environments. When the platform does not answer, the last known listing
// serves; in a sidecar the container's own variables do; else it tries again until the deadline.
func (r *Runner) list(ctx context.Context, p *job.Project, deadline time.Time) (inventory.Listing, error) {
	// A platform that never answers keeps no record from being written. What comes late has the time of
	// one request all the same.
	ctx, cancel := context.WithTimeoutCause(ctx, max(time.Until(deadline), r.Timing.Request), errUnlisted)
	defer cancel()
	for wait := r.backoff(); ; {
		listing, err := r.Inventory.Environments(ctx, p.ID, listingAge)
		if err == nil {
			return listing, nil
		}
		if known, ok := r.Inventory.Last(p.ID); ok {
			return known, nil
		}
		if p.Environment != nil {
			return inventory.Listing{Environments: []*platform.Environment{unread(p)}}, nil
		}
		pause := wait.step()
		if isFinal(err) || time.Now().Add(pause).After(deadline) {
			return inventory.Listing{}, err
		}
		if err := r.pause(ctx, pause); err != nil {
			return inventory.Listing{}, err
		}
	}
}

var errUnlisted = errors.New("the platform did not answer before the start deadline")

// unread is the sidecar's environment as the container describes it. It has no status and no
// links, so it is read from the API before anything is sent.
func unread(p *job.Project) *platform.Environment {
	s := p.Environment
	return &platform.Environment{
		ID: s.Branch, Name: s.Branch, MachineName: s.MachineName, Type: s.Type, Project: p.ID,
	}
}

// claim is one fire on its way into the ledger, with the runs that will follow.
type claim struct {
	fire scheduler.Fire
	row  ledger.Claim
	runs map[string]*run // by environment
}

// slot is the fire's key beside its cron and project.
func slot(f scheduler.Fire) string {
	if f.Manual != "" {
		return ledger.ManualSlot(f.Manual)
	}
	return f.ScheduledAt.UTC().Format(time.RFC3339)
}

func newClaim(f scheduler.Fire) claim {
	id := f.RecordID
	if id == "" {
		id = ledger.NewID()
	}
	return claim{fire: f, row: ledger.Claim{Fire: ledger.Fire{
		ID: id, Cron: f.Job.Name, Project: f.Project.ID, Slot: slot(f), ScheduledAt: f.ScheduledAt,
	}}}
}

// recordOnly makes the claim of a fire that runs nothing, whatever its targets are.
func (r *Runner) recordOnly(f scheduler.Fire) (claim, bool) {
	end := r.revoked(f.Job, f.Project.ID, f.ScheduledAt)
	if f.Missed == nil && end == nil {
		return claim{}, false
	}
	c := newClaim(f)
	if f.Missed != nil {
		c.row.Fire.MissedFrom, c.row.Fire.MissedCount, c.row.Rest = f.Missed.From, f.Missed.Count, f.Missed.Rest
	}
	if end != nil {
		return c.ended(end.outcome, end.reason, end.message), true
	}
	return c.ended(ledger.Missed, ledger.Deadline, "its start deadline had passed"), true
}

func (c claim) ended(outcome ledger.Outcome, reason ledger.Reason, message string) claim {
	c.row.Fire.Outcome, c.row.Fire.Reason, c.row.Fire.Message = outcome, reason, message
	return c
}

// failed makes the claim of a fire whose targets could not be found.
func failed(f scheduler.Fire, err error) claim {
	return newClaim(f).ended(ledger.Failed, reasonOf(err), "list environments: "+err.Error())
}

// decide judges a fire on every target of its project.
func (r *Runner) decide(ctx context.Context, f scheduler.Fire, listing inventory.Listing) claim {
	c := newClaim(f)
	c.row.Fire.NotRun = map[ledger.Reason]int{}
	var seen observed
	for _, env := range listing.Environments {
		if s := f.Project.Environment; s != nil && !isCalled(env, s.Branch) {
			continue
		}
		if f.Environment != "" && !isCalled(env, f.Environment) {
			continue
		}
		target := plan.NewTarget(f.Project, listing.DefaultBranch, env)
		if f.Environment == "" && f.Project.Environment == nil && !plan.Accepts(f.Job, env) {
			continue // in a fleet, a cron exists only where its tasks can work
		}
		c.row.Fire.Targets++
		switch d := plan.Decide(ctx, f.Job, target); {
		case d.Action == plan.Skip:
			c.row.Fire.NotRun[ledger.Reason(d.Reason)]++
			c.row.Fire.Message = d.Message
		case r.Observe:
			c.row.Fire.NotRun[ledger.Observe]++
			seen.add(d)
		default:
			u := r.newRun(c.row.Fire, f, target)
			u.first = r.foresee(u)
			c.add(u)
		}
	}
	switch {
	case c.row.Fire.NotRun[ledger.Observe] > 0:
		c.row.Fire.Message = seen.message()
	case c.row.Fire.Targets == 0 && f.Environment != "":
		c.row.Fire.Message = "environment " + f.Environment + " is not among its targets"
	}
	return c
}

// isCalled reports whether a name is the environment's.
func isCalled(env *platform.Environment, name string) bool { return env.ID == name || env.Name == name }

// early counts the runs whose first request can be written with the claim.
func (c *claim) early() int {
	n := 0
	for _, u := range c.runs {
		if u.early() {
			n++
		}
	}
	return n
}

func (c *claim) add(u *run) {
	if c.runs == nil {
		c.runs = map[string]*run{}
	}
	c.runs[u.Environment] = u
	c.row.Runs = append(c.row.Runs, u.Run)
}

// claim writes a batch of fires and starts the runs that are now this replica's.
func (r *Runner) claim(ctx context.Context, claims []claim) bool {
	r.arm(ctx, claims)
	rows := make([]ledger.Claim, len(claims))
	for i := range claims {
		rows[i] = claims[i].row
		rows[i].Ahead = time.Until(claims[i].fire.ScheduledAt) > 0
	}
	var claimed []ledger.Claimed
	owner := r.Lease.Owner() // the same at each try: what one has claimed, the next is to recognise
	err := r.persist(ctx, "claim fires", func() (err error) {
		claimed, err = r.Ledger.Claim(ctx, owner, rows)
		return err
	})
	if err != nil {
		claimed = make([]ledger.Claimed, len(claims)) // stopping: unrecorded fires are found owed at the next start
	}
	ahead := map[time.Time][]*run{} // by when they are due
	for i, c := range claimed {
		switch {
		case c.Owned:
			for _, u := range r.start(claims[i], c) {
				if u.waits() {
					ahead[u.due] = append(ahead[u.due], u)
					continue
				}
				r.setOut(ctx, u)
			}
		case c.Excluded:
			r.hold([]scheduler.Fire{claims[i].fire}, time.Until(claims[i].fire.ScheduledAt))
		}
		claims[i].disarm(c.Runs)
	}
	for _, runs := range ahead {
		r.spawn(func() { r.launch(ctx, runs) })
	}
	return err == nil
}

// start reports what was decided without a run and returns the claimed runs.
func (r *Runner) start(c claim, claimed ledger.Claimed) (runs []*run) {
	r.Metrics.claimed(claimed)
	for _, u := range claimed.Displaced {
		r.displaced(&u)
	}
	if claimed.Fire.Outcome != "" {
		r.logFire(claimed)
	}
	for _, environment := range claimed.Overlapped {
		if claimed.Fire.Outcome != "" {
			break // said already
		}
		r.log.Warn().Str("cron", claimed.Fire.Cron).Str("project", claimed.Fire.Project).
			Str("environment", environment).Str("outcome", "skipped").Str("reason", "overlap").
			Msg("run skipped: the previous one is still open")
	}
	for _, row := range claimed.Runs {
		u := c.runs[row.Environment]
		u.Run = row
		u.armed()
		runs = append(runs, u)
	}
	return runs
}

// persist repeats a ledger operation until it succeeds, because nothing may be sent or forgotten
// while the store is away. It gives up only when the daemon stops.
func (r *Runner) persist(ctx context.Context, what string, op func() error) error {
	for wait := r.backoff(); ; {
		err := op()
		if err == nil {
			return nil
		}
		if errors.Is(err, ledger.ErrNotOwned) || ctx.Err() != nil {
			return err
		}
		r.log.Error().Err(err).Str("operation", what).Msg("store failed")
		if err := r.pause(ctx, wait.step()); err != nil {
			return err
		}
	}
}

// snapshot is what a script was judged on. It is kept with the run so that a replay after a crash
// sees the same values.
type snapshot struct {
	DefaultBranch string            `json:"default_branch,omitempty"`
	Name          string            `json:"name"`
	MachineName   string            `json:"machine_name,omitempty"`
	Type          string            `json:"type,omitempty"`
	Variables     map[string]string `json:"variables,omitempty"` // of a script
}

func (r *Runner) newRun(fire ledger.Fire, f scheduler.Fire, t plan.Target) *run {
	j := f.Job
	due := dueAt(j, fire.Slot, f.ScheduledAt, f.Project.ID, t.Environment.ID)
	row := ledger.Run{
		ID: ledger.NewID(), FireID: fire.ID, Cron: j.Name, Project: f.Project.ID, Environment: t.Environment.ID,
		Slot: fire.Slot, ScheduledAt: f.ScheduledAt,
		StartDeadline: due.Add(j.StartDeadline), Deadline: due.Add(j.Timeout),
		Exclusive: j.Overlap == job.OverlapSkip,
	}
	u := &run{Run: row, job: j, target: t, due: due}
	if j.Script != nil {
		u.variables = plan.Variables(j, t)
	}
	u.Snapshot, _ = json.Marshal(snapshot{ // strings only: cannot fail
		DefaultBranch: t.DefaultBranch, Name: t.Environment.Name, MachineName: t.Environment.MachineName,
		Type: t.Environment.Type, Variables: u.variables,
	})
	return u
}

// jitter spreads d by up to a quarter in both directions.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d*3/4 + rand.N(d/2+1)
}
