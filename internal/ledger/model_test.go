package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLedger_DoesAsItsModel performs random operations of several owners and compares every answer,
// and in the end every row, with a model in memory.
func TestLedger_DoesAsItsModel(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		rapid.Check(t, func(t *rapid.T) {
			// The checks share one ledger, so each has a project of its own.
			m := &model{
				l: l, project: NewID(), runs: map[string]*modelRun{}, fires: map[string]*modelFire{},
				asked: map[string]bool{}, activities: map[string]modelActivity{},
			}
			t.Repeat(map[string]func(*rapid.T){
				"claim": m.claim, "begin": m.begin, "begin and intend": m.beginAndIntend, "intend": m.intend,
				"intend first": m.intendFirst, "return": m.withdraw, "retry": m.retry,
				"record": m.record, "adopt": m.adopt, "finish": m.finish, "take over": m.takeOver,
				"forget later": m.forgetLater,
			})
			m.check(t)
			m.leave(t)
		})
	})
}

type model struct {
	l          *Ledger
	project    string
	clock      int // makes the times of intents differ
	ids        []string
	runs       map[string]*modelRun
	fires      map[string]*modelFire    // by cron and slot
	asked      map[string]bool          // slot and dedupe
	hour       int                      // how often time has passed
	activities map[string]modelActivity // by id; those that the ledger is to know
}

type modelFire struct {
	open    int
	outcome Outcome
	final   Outcome // "" while open
}

type modelRun struct {
	cron, environment, slot, owner string
	hour                           int // when it was claimed
	fire                           *modelFire
	exclusive                      bool
	outcome                        Outcome
	dispatches                     map[int]*modelDispatch
}

type modelDispatch struct {
	State    DispatchState
	Outcome  Outcome
	Attempts int
	Activity string
	Retries  int
}

type modelKey struct {
	run     string
	ordinal int
}

type modelActivity struct {
	holder modelKey
	hour   int // when it was recorded
}

var (
	owners    = rapid.SampledFrom([]string{"a", "b"})
	letters   = rapid.SampledFrom([]string{"x", "y"})
	outcomes  = rapid.SampledFrom([]Outcome{Succeeded, Failed, Unknown, Skipped})
	ordinals  = rapid.IntRange(0, 1)
	minutes   = rapid.IntRange(0, 5)
	exclusive = rapid.Bool()
	first     = rapid.Bool()
	intended  = rapid.Bool()
	ahead     = rapid.Bool()
	several   = rapid.IntRange(1, 3)
)

// owner makes owners of different checks differ too.
func (m *model) owner(t *rapid.T) string { return m.project + owners.Draw(t, "owner") }

func (m *model) run(t *rapid.T) (string, *modelRun) {
	if len(m.ids) == 0 {
		t.Skip("no run")
	}
	id := rapid.SampledFrom(m.ids).Draw(t, "run")
	return id, m.runs[id]
}

// dispatch draws a dispatch and says whether the owner may move it.
func (m *model) dispatch(t *rapid.T) (id string, ordinal int, owner string, d *modelDispatch, may bool) {
	id, u := m.run(t)
	ordinal, owner = ordinals.Draw(t, "ordinal"), m.owner(t)
	d = u.dispatches[ordinal]
	return id, ordinal, owner, d, d != nil && u.owner == owner && u.outcome == ""
}

func (m *model) tick() time.Time {
	m.clock++
	return slotTime.Add(time.Duration(m.clock) * time.Second)
}

func (m *model) claim(t *rapid.T) {
	at := slotTime.Add(time.Duration(minutes.Draw(t, "minute")) * time.Minute)
	c := claimOf(at, "main", "feature")
	c.Fire.Project, c.Fire.Cron = m.project, letters.Draw(t, "cron")
	c.Runs[0].Exclusive, c.Runs[1].Exclusive = exclusive.Draw(t, "main exclusive"), exclusive.Draw(t, "feature exclusive")
	for i := range c.Runs {
		if !first.Draw(t, "with its first dispatch") {
			continue
		}
		d := &Dispatch{Kind: "backup", Project: m.project, Environment: c.Runs[i].Environment}
		if intended.Draw(t, "with its intent") {
			d.SentAt, d.SettleAt = m.tick(), slotTime
		}
		c.Runs[i].First = d
	}
	c.Ahead = ahead.Draw(t, "ahead of its time")
	owner := m.owner(t)
	claimed := mustClaimed(t, m.l, owner, c)

	key := c.Fire.Cron + c.Fire.Slot
	if m.fires[key] == nil && claimed.Excluded != (c.Ahead && m.excludes(&c)) {
		t.Fatalf("excluded = %t", claimed.Excluded)
	}
	if claimed.Excluded && !claimed.Owned {
		return
	}
	if claimed.Owned == (m.fires[key] != nil) {
		t.Fatalf("owned = %t", claimed.Owned)
	}
	if !claimed.Owned {
		return
	}
	fire := &modelFire{}
	m.fires[key] = fire
	var opened []string
	displaced := 0
	for _, u := range c.Runs {
		if u.Exclusive && m.excluded(c.Fire.Cron, u.Environment) {
			if !m.displace(c.Fire.Cron, u.Environment) {
				continue
			}
			displaced++
		}
		fire.open++
		opened = append(opened, u.ID)
		m.ids = append(m.ids, u.ID)
		dispatches := map[int]*modelDispatch{}
		if u.First != nil {
			dispatches[0] = &modelDispatch{State: DispatchClaimed}
			if !u.First.SentAt.IsZero() {
				dispatches[0] = &modelDispatch{State: DispatchDispatching, Attempts: 1}
			}
		}
		m.runs[u.ID] = &modelRun{
			cron: c.Fire.Cron, environment: u.Environment, slot: c.Fire.Slot, owner: owner, fire: fire, hour: m.hour,
			exclusive: u.Exclusive, dispatches: dispatches,
		}
	}
	if fire.open == 0 {
		fire.final = Skipped
	}
	var got []string
	for _, u := range claimed.Runs {
		got = append(got, u.ID)
	}
	if len(claimed.Displaced) != displaced {
		t.Fatalf("displaced %+v, want %d", claimed.Displaced, displaced)
	}
	if diff := cmp.Diff(opened, got); diff != "" || claimed.Fire.Outcome != fire.final {
		t.Fatalf("fire %q, runs (-want +got):\n%s", claimed.Fire.Outcome, diff)
	}
}

func mustClaimed(t *rapid.T, l *Ledger, owner string, c Claim) Claimed {
	claimed, err := l.Claim(t.Context(), owner, []Claim{c})
	if err != nil {
		t.Fatal(err)
	}
	return claimed[0]
}

func (m *model) excluded(cron, environment string) bool {
	for _, u := range m.runs {
		if u.exclusive && u.outcome == "" && u.cron == cron && u.environment == environment {
			return true
		}
	}
	return false
}

// excludes reports whether an open run excludes one of a claim's.
func (m *model) excludes(c *Claim) bool {
	return slices.ContainsFunc(c.Runs, func(u Run) bool { return u.Exclusive && m.excluded(c.Fire.Cron, u.Environment) })
}

func (m *model) begin(t *rapid.T)          { m.beginning(t, false) }
func (m *model) beginAndIntend(t *rapid.T) { m.beginning(t, true) }

func (m *model) beginning(t *rapid.T, intend bool) {
	id, u := m.run(t)
	ordinal, owner, dedupe := ordinals.Draw(t, "ordinal"), m.owner(t), m.project+letters.Draw(t, "dedupe")
	d := Dispatch{RunID: id, Ordinal: ordinal, Kind: "backup", Project: m.project, Environment: u.environment, Dedupe: dedupe}
	at := m.tick()
	var res BeginResult
	var err error
	if intend {
		res, err = m.l.BeginAndIntend(t.Context(), d, owner, at, at)
	} else {
		res, err = m.l.Begin(t.Context(), d, owner)
	}
	if u.owner != owner || u.outcome != "" {
		m.wantNotOwned(t, err, true)
		return
	}
	old := u.dispatches[ordinal]
	switch {
	case old != nil && old.State == DispatchDone && old.Outcome == Skipped && old.Attempts == 0 && res.Duplicate:
		m.wantNotOwned(t, err, false)
	case old != nil && !intend:
		m.wantNotOwned(t, err, false)
	case old != nil:
		m.wantNotOwned(t, err, old.State != DispatchClaimed)
		if old.State == DispatchClaimed {
			old.State = DispatchDispatching
			old.Attempts++
		}
	case m.asked[u.slot+dedupe]:
		m.wantNotOwned(t, err, false)
		u.dispatches[ordinal] = &modelDispatch{State: DispatchDone, Outcome: Skipped}
		if !res.Duplicate || res.Replayed {
			t.Fatalf("result = %+v, want a duplicate", res)
		}
	default:
		m.wantNotOwned(t, err, false)
		m.asked[u.slot+dedupe] = true
		fresh := &modelDispatch{State: DispatchClaimed}
		if intend {
			fresh = &modelDispatch{State: DispatchDispatching, Attempts: 1}
		}
		u.dispatches[ordinal] = fresh
		if res.Duplicate || res.Replayed {
			t.Fatalf("result = %+v, want neither duplicate nor replayed", res)
		}
	}
}

func (m *model) wantNotOwned(t *rapid.T, err error, want bool) {
	if got := errors.Is(err, ErrNotOwned); got != want || err != nil && !got {
		t.Fatalf("error = %v, want ErrNotOwned: %t", err, want)
	}
}

func (m *model) intend(t *rapid.T) {
	id, ordinal, owner, d, may := m.dispatch(t)
	at := m.tick()
	ok, err := m.l.Intend(t.Context(), id, ordinal, owner, at, at)
	want := may && d.State == DispatchClaimed
	if ok != want || err != nil {
		t.Fatalf("Intend = %t, %v; want %t", ok, err, want)
	}
	if want {
		d.State = DispatchDispatching
		d.Attempts++
	}
}

func (m *model) intendFirst(t *rapid.T) {
	owner, at := m.owner(t), m.tick()
	var ids []string
	var want []bool
	for range several.Draw(t, "runs") {
		id, u := m.run(t)
		if slices.Contains(ids, id) {
			continue
		}
		d := u.dispatches[0]
		may := d != nil && d.State == DispatchClaimed && u.owner == owner && u.outcome == ""
		ids, want = append(ids, id), append(want, may)
		if may {
			d.State = DispatchDispatching
			d.Attempts++
		}
	}
	for range 2 { // once more, as after a lost acknowledgement
		got, err := m.l.IntendFirst(t.Context(), ids, owner, at, at)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("IntendFirst = %v, %v; want %v", got, err, want)
		}
	}
}

func (m *model) withdraw(t *rapid.T) {
	id, ordinal, owner, d, may := m.dispatch(t)
	may = may && (d.State == DispatchClaimed || d.State == DispatchDispatching || d.State == DispatchInDoubt)
	m.wantNotOwned(t, m.l.Return(t.Context(), id, ordinal, owner, ""), !may)
	if may {
		d.State = DispatchClaimed
	}
}

func (m *model) retry(t *rapid.T) {
	id, ordinal, owner, d, may := m.dispatch(t)
	may = may && (d.State == DispatchClaimed || d.State == DispatchDispatching || d.State == DispatchTracking)
	n := 1
	if d != nil {
		n += d.Retries
	}
	earlier := make([]Attempt, n)
	for i := range earlier {
		earlier[i] = Attempt{Outcome: Failed, EndedAt: slotTime}
	}
	m.wantNotOwned(t, m.l.Retry(t.Context(), Retry{RunID: id, Ordinal: ordinal, Owner: owner, Earlier: earlier, At: m.tick()}), !may)
	if may {
		*d = modelDispatch{State: DispatchClaimed, Retries: n}
	}
}

// displace ends the open exclusive run of a cron on an environment if it only waits for a retry.
func (m *model) displace(cron, environment string) bool {
	for _, u := range m.runs {
		if u.cron != cron || u.environment != environment || !u.exclusive || u.outcome != "" {
			continue
		}
		waits, worst := false, Outcome("")
		for _, d := range u.dispatches {
			outcome := d.Outcome
			switch {
			case d.State == DispatchClaimed && d.Retries > 0:
				waits, outcome = true, Failed
			case d.State != DispatchClaimed && d.State != DispatchDone:
				return false
			}
			if Worse(outcome, worst) {
				worst = outcome
			}
		}
		if !waits {
			return false
		}
		for _, d := range u.dispatches {
			if d.State == DispatchClaimed && d.Retries > 0 {
				d.State, d.Outcome = DispatchDone, Failed
			}
		}
		u.outcome = worst
		u.fire.open--
		if Worse(worst, u.fire.outcome) {
			u.fire.outcome = worst
		}
		if u.fire.open == 0 {
			u.fire.final = u.fire.outcome
		}
		return true
	}
	return false
}

func (m *model) record(t *rapid.T) {
	id, ordinal, owner, d, may := m.dispatch(t)
	r := Result{RunID: id, Ordinal: ordinal, Owner: owner}
	r.State = rapid.SampledFrom([]DispatchState{DispatchTracking, DispatchInDoubt, DispatchDone}).Draw(t, "state")
	if r.State == DispatchDone {
		r.Outcome = outcomes.Draw(t, "outcome")
	}
	err := m.l.Record(t.Context(), r)
	if may && d.State == DispatchDone {
		// Only the very same end may be written again; a duplicate's has a reason besides.
		if err == nil && (r.State != DispatchDone || r.Outcome != d.Outcome) {
			t.Fatal("another end was written")
		}
		return
	}
	m.wantNotOwned(t, err, !may)
	if may {
		d.State, d.Outcome = r.State, r.Outcome
	}
}

func (m *model) adopt(t *rapid.T) {
	id, ordinal, owner, d, may := m.dispatch(t)
	a := activity(letters.Draw(t, "activity"))
	a.Project = m.project
	adopted, err := m.l.Adopt(t.Context(), id, ordinal, owner, a)
	key := modelKey{id, ordinal}
	known, held := m.activities[a.ID]
	if may && d.State == DispatchTracking && d.Activity == a.ID {
		if !adopted || err != nil {
			t.Fatalf("a retry: %t, %v", adopted, err)
		}
		return
	}
	may = may && (d.State == DispatchDispatching || d.State == DispatchInDoubt)
	if may && !held && m.awaited(key) {
		if adopted || !errors.Is(err, ErrUndecided) {
			t.Fatalf("beside a request under way: %t, %v", adopted, err)
		}
		return
	}
	m.wantNotOwned(t, err, !may)
	if want := may && (!held || known.holder == key); adopted != want {
		t.Fatalf("adopted = %t, want %t", adopted, want)
	}
	if adopted {
		if !held {
			m.activities[a.ID] = modelActivity{key, m.hour}
		}
		d.State, d.Activity = DispatchTracking, a.ID
	}
}

// awaited reports whether another request to the dispatch's environment awaits its answer.
func (m *model) awaited(key modelKey) bool {
	for id, u := range m.runs {
		if u.outcome != "" || u.environment != m.runs[key.run].environment {
			continue
		}
		for ordinal, d := range u.dispatches {
			if d.State == DispatchDispatching && (modelKey{id, ordinal}) != key {
				return true
			}
		}
	}
	return false
}

func (m *model) finish(t *rapid.T) {
	id, u := m.run(t)
	f := Finish{RunID: id, Owner: m.owner(t), Outcome: outcomes.Draw(t, "outcome"), At: m.tick()}
	got, err := m.l.Finish(t.Context(), f)
	may := u.owner == f.Owner && u.outcome == ""
	m.wantNotOwned(t, err, !may)
	if !may {
		return
	}
	u.outcome = f.Outcome
	u.fire.open--
	if Worse(f.Outcome, u.fire.outcome) {
		u.fire.outcome = f.Outcome
	}
	if u.fire.open == 0 {
		u.fire.final = u.fire.outcome
	}
	if want := (Finished{FireDone: u.fire.open == 0, Outcome: u.fire.final}); got != want {
		t.Fatalf("finished = %+v, want %+v", got, want)
	}
}

func (m *model) takeOver(t *rapid.T) {
	owner := m.owner(t)
	taken, err := m.l.TakeOver(t.Context(), owner, true)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for id, u := range m.runs {
		if u.outcome == "" && u.owner != owner {
			want = append(want, id)
			u.owner = owner
		}
	}
	for _, u := range taken {
		if u.Project == m.project { // others are left from earlier checks
			got = append(got, u.ID)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("taken over (-want +got):\n%s", diff)
	}
}

// forgetLater has time pass, then forgets the activities that were recorded before all open runs were
// claimed.
func (m *model) forgetLater(t *rapid.T) {
	m.hour++
	oldest, want := m.hour, 0
	for _, u := range m.runs {
		if u.outcome == "" {
			oldest = min(oldest, u.hour)
		}
	}
	for id, a := range m.activities {
		if a.hour < oldest {
			delete(m.activities, id)
			want++
		}
	}
	n := 0
	err := m.l.write(t.Context(), opHeartbeat, "age and forget", 1, func(s *session) (err error) {
		if err = s.age(); err == nil {
			n, err = s.forget(100)
		}
		return err
	})
	if n != want || err != nil {
		t.Fatalf("forgot %d activities, %v; want %d", n, err, want)
	}
}

func (m *model) check(t *rapid.T) {
	runs, err := m.l.Runs(t.Context(), Filter{Project: m.project, Limit: 1000})
	if err != nil || len(runs) != len(m.runs) {
		t.Fatalf("%d runs, %v; want %d", len(runs), err, len(m.runs))
	}
	for _, u := range runs {
		want := m.runs[u.ID]
		if u.Owner != want.owner || u.Outcome != want.outcome || (u.State == RunDone) != (want.outcome != "") {
			t.Fatalf("run = %+v, want %+v", u, want)
		}
		_, rows, err := m.l.Run(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]modelDispatch{}
		for _, d := range rows {
			one := modelDispatch{State: d.State, Outcome: d.Outcome, Attempts: d.Attempts, Retries: len(d.Earlier)}
			if len(d.Activities) > 0 {
				one.Activity = d.Activities[0].ID
			}
			got[d.Ordinal] = one
		}
		stored := map[int]modelDispatch{}
		for ordinal, d := range want.dispatches {
			stored[ordinal] = *d
		}
		if !maps.Equal(stored, got) {
			t.Fatalf("dispatches of %s: %+v, want %+v", u.ID, got, stored)
		}
	}
	fires, err := m.l.Fires(t.Context(), Filter{Project: m.project, Limit: 1000})
	if err != nil || len(fires) != len(m.fires) {
		t.Fatalf("%d fires, %v; want %d", len(fires), err, len(m.fires))
	}
	for _, f := range fires {
		if want := m.fires[f.Cron+f.Slot]; f.Outcome != want.final {
			t.Fatalf("fire %s is %q, want %q", fmt.Sprint(f.Cron, f.Slot), f.Outcome, want.final)
		}
	}
}

// leave ends what is open and forgets all activities, so that nothing of this check keeps anything of the next.
func (m *model) leave(t *rapid.T) {
	err := m.l.write(t.Context(), opHeartbeat, "leave", 1, func(s *session) error {
		_, err := s.exec(`UPDATE runs SET finished_at = claimed_at WHERE finished_at IS NULL`)
		if err == nil {
			_, err = s.exec(`DELETE FROM recent_activities`)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
