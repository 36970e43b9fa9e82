package sandbox

import (
	"slices"
	"time"
)

// Activity is an activity as it stands when it is asked for.
type Activity struct {
	ID, Type, Environment string
	UserID                string
	State, Result         string // as in the API; Result is "" until there is one
	CompletionPercent     int
	BackupName            string // of a backup that has succeeded
	// Zero until the activity was started and completed.
	CreatedAt, StartedAt, CompletedAt time.Time
}

// activity is an activity with its whole future: when it will start, when it
// will end, and how. Its project's lock guards it.
type activity struct {
	id, kind    string
	operation   string // a clause such as "created a backup of"
	environment *environment
	user        author
	body        string // the request's, "" or a JSON object
	effect      func(*environment, *activity)
	createdAt   time.Time
	pending     time.Duration
	length      time.Duration // from start to end, unless cancelled
	ending      Ending

	startAt, endAt time.Time // startAt is zero when it was cancelled before it began
	backup         string    // id of the backup that it made
}

type author struct {
	ID   string `json:"id"`
	Name string `json:"display_name"`
}

// plan sets start and end; an environment works on one activity at a time.
func (a *activity) plan(before *activity, earliest time.Time) {
	a.startAt = a.createdAt.Add(a.pending)
	if a.startAt.Before(earliest) {
		a.startAt = earliest
	}
	if before != nil && a.startAt.Before(before.endAt) {
		a.startAt = before.endAt
	}
	length := a.length
	if a.ending == Cancelled {
		length /= 2
	}
	a.endAt = a.startAt.Add(length)
}

// state is the API's word for where the activity is at a time.
func (a *activity) state(now time.Time) string {
	switch {
	case now.Before(a.startAt):
		return "pending"
	case now.Before(a.endAt):
		return "in_progress"
	case a.ending == Cancelled:
		return "cancelled"
	case a.ending == Staged:
		return "staged"
	default:
		return "complete"
	}
}

// result is the API's word for the result, "" as long as there is none.
func (a *activity) result(now time.Time) string {
	switch {
	case now.Before(a.endAt) || a.ending == Staged:
		return ""
	case a.ending == Success || a.ending == HookFailure:
		return "success"
	default:
		return "failure"
	}
}

// percent is how far the activity has come. It stops where it was cancelled, and
// reaches 100 only when it is complete.
func (a *activity) percent(now time.Time) int {
	if a.state(now) == "complete" {
		return 100
	}
	if a.startAt.IsZero() || now.Before(a.startAt) || a.length == 0 || a.state(now) == "staged" {
		return 0
	}
	if now.After(a.endAt) {
		now = a.endAt
	}
	return min(99, int(100*now.Sub(a.startAt)/a.length))
}

// startedAt is zero as long as the activity has not started.
func (a *activity) startedAt(now time.Time) time.Time {
	if now.Before(a.startAt) {
		return time.Time{}
	}
	return a.startAt
}

// completedAt is zero as long as it is not over, and for one that never ran: one
// staged, or cancelled before it began.
func (a *activity) completedAt(now time.Time) time.Time {
	if now.Before(a.endAt) || a.ending == Staged || a.startAt.IsZero() {
		return time.Time{}
	}
	return a.endAt
}

func (a *activity) path() string {
	return a.environment.project.path + "/activities/" + a.id
}

// public is the exported form.
func (a *activity) public(now time.Time) Activity {
	return Activity{
		ID: a.id, Type: a.kind, Environment: a.environment.Name, UserID: a.user.ID,
		State: a.state(now), Result: a.result(now), CompletionPercent: a.percent(now), BackupName: a.backup,
		CreatedAt: a.createdAt, StartedAt: a.startedAt(now), CompletedAt: a.completedAt(now),
	}
}

// start adds an activity and plans it behind those under way.
func (s *Sandbox) start(e *environment, a *activity, now time.Time) *activity {
	p := e.project
	a.id, a.environment, a.createdAt = s.newID(), e, now.Truncate(time.Microsecond)
	a.pending, a.length = s.options.PendingDuration, s.options.ActivityDuration
	a.ending = s.endings.next(p.id, e.Name)
	// Two activities of a project never have the same time, so that paging by it works.
	if n := len(p.activities); n > 0 && !a.createdAt.After(p.activities[n-1].createdAt) {
		a.createdAt = p.activities[n-1].createdAt.Add(time.Microsecond)
	}
	p.activities = append(p.activities, a)
	e.queue = append(e.queue, a)
	e.replan(len(e.queue)-1, a.createdAt)
	return a
}

// replan plans the queue again from an index on.
func (e *environment) replan(from int, earliest time.Time) {
	var before *activity
	if from > 0 {
		before = e.queue[from-1]
	}
	for _, a := range e.queue[from:] {
		a.plan(before, earliest)
		before = a
	}
}

// cancel ends an activity that is not over yet; those behind it move up.
func (a *activity) cancel(now time.Time) {
	if now.Before(a.startAt) {
		a.startAt = time.Time{}
	}
	a.ending, a.endAt = Cancelled, now
	e := a.environment
	i := slices.Index(e.queue, a)
	if i < 0 {
		return
	}
	e.queue = slices.Delete(e.queue, i, i+1)
	e.updatedAt = now
	e.replan(i, now)
}

// StartActivity lets somebody else do something: an activity of the given type,
// such as "environment.backup", by the user with this id. It queues behind those
// under way and returns the activity's id, "" when there is no such environment.
func (s *Sandbox) StartActivity(project, environment, kind, userID string) string {
	p := s.project(project)
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.now()
	p.settle(now)
	e := p.environment(environment)
	if e == nil {
		return ""
	}
	a := &activity{kind: kind, operation: "started " + kind + " on", user: author{userID, userID}, effect: s.effect(kind)}
	return s.start(e, a, now).id
}

// Activities lists a project's activities, newest first.
func (s *Sandbox) Activities(project string) []Activity {
	p := s.project(project)
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.now()
	p.settle(now)
	list := make([]Activity, 0, len(p.activities))
	for _, a := range slices.Backward(p.activities) {
		list = append(list, a.public(now))
	}
	return list
}
