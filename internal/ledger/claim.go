package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

var (
	insertFires = newInsertion(`INSERT INTO fires (slot, cron, project, id, scheduled_at, claimed_at, owner,
			open_runs, severity, outcome, reason, message, targets, not_run, missed_from, missed_count,
			without_run)`, 17,
		`ON CONFLICT (slot, cron, project) DO NOTHING`)

	// insertRuns inserts nothing of a run when an open run excludes it, or when the fire has a run on
	// that environment already.
	insertRuns = newInsertion(`INSERT INTO runs (id, fire_id, environment, cron, project, slot, lane, scheduled_at,
			start_deadline, deadline, claimed_at, owner, snapshot, tracking, outcome, reason, message)`, 17,
		`ON CONFLICT DO NOTHING`)

	// insertFirsts inserts the first dispatches of runs that the same transaction has inserted.
	insertFirsts = newInsertion(`INSERT INTO dispatches (run_id, slot, `+dispatchInserted+`)`, 20, `ON CONFLICT DO NOTHING`)

	raiseWatermarks = newInsertion(`INSERT INTO schedules (cron, project, watermark)`, 3,
		`ON CONFLICT (cron, project) DO UPDATE SET watermark = excluded.watermark
		WHERE schedules.watermark IS NULL OR schedules.watermark < excluded.watermark`)
)

const (
	// excluding is the condition of the open run that excludes another one of its cron and environment, as
	// the index has it that allows only one.
	excluding = `cron = ? AND project = ? AND environment = ? AND lane = '' AND finished_at IS NULL`

	selectExcluding = `SELECT fire_id FROM runs WHERE ` + excluding

	lockSchedule = `UPDATE schedules SET watermark = watermark WHERE cron = ? AND project = ?`

	// countCovering finds records of missed times that cover one of them under a later key.
	countCovering = `SELECT count(*) FROM fires WHERE cron = ? AND project = ? AND slot > ? AND slot <= ? AND missed_from <= ?`
)

const settleFire = `UPDATE fires SET open_runs = ?, severity = ?, outcome = ?, reason = ?, message = ?, not_run = ?,
			without_run = ?
		WHERE slot = ? AND cron = ? AND project = ?`

// Claim inserts fires and their runs and returns, in the same order, which of them this owner now
// owns. Of a fire that was claimed before nothing is written. An open run of another fire which only
// waits for a retry ends. A run that another open run excludes is left out, counted in the fire's
// NotRun, and its environment is listed; so is a second run of one fire on one environment.
//
// A run's first dispatch (Run.First) is written with it, as Begin or BeginAndIntend would, so that a
// request needs one wait for the disk and not two.
//
// A fire that remains without a run ends at once: with the outcome it was given, else skipped with
// the most telling reason of its NotRun.
//
// A fire that stands for missed times has the key of the last of them only, so what keeps it apart from other
// claims of these times is the watermark: whoever has claimed a time has dealt with all before it. Such a
// fire is cut down to the times that are left, and is not written when there are none. A fire for one of the
// times that such a record covers is not written either.
//
// Claim may be repeated with the same fire ids after an error; what the first try did write is
// then returned as owned.
func (l *Ledger) Claim(ctx context.Context, owner string, claims []Claim) ([]Claimed, error) {
	now := time.Now()
	weight := len(claims)
	for i := range claims {
		weight += 2 * len(claims[i].Runs) // each may bring a dispatch
	}
	claimed, order := make([]Claimed, len(claims)), byKey(claims)
	apart := func(s *session) error {
		for _, i := range order {
			var err error
			if claimed[i], err = s.claim(owner, &claims[i], now); err != nil {
				f := &claims[i].Fire
				return fmt.Errorf("cron %q, project %q, slot %q: %w", f.Cron, f.Project, f.Slot, err)
			}
		}
		return nil
	}
	ask := &request{weight: weight, key: firstKey(claims, order), ahead: true, do: apart}
	if areAlike(claims, order) {
		ask.apart = apart
		ask.do = func(s *session) error { return s.claimTogether(owner, claims, order, claimed, now) }
	}
	if err := l.ask(ctx, opClaim, "claim fires", ask); err != nil {
		return nil, err
	}
	return claimed, nil
}

// byKey is the order in which claims are written, and firstKey that of several callers' claims in one
// transaction. It is the same for all replicas, so that of two which claim the same fires one waits
// for the other, and not each for the other.
func byKey(claims []Claim) []int {
	order := make([]int, len(claims))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &claims[i].Fire, &claims[j].Fire
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Cron, b.Cron), cmp.Compare(a.Project, b.Project))
	})
	return order
}

func firstKey(claims []Claim, order []int) string {
	if len(order) == 0 {
		return ""
	}
	f := &claims[order[0]].Fire
	return f.Slot + "\x00" + f.Cron + "\x00" + f.Project
}

func (s *session) claim(owner string, c *Claim, now time.Time) (Claimed, error) {
	fire := c.row(owner, now)
	if excluded, err := s.isExcluded(c); excluded || err != nil {
		return Claimed{Fire: c.Fire, Excluded: excluded}, err
	}
	if settled, err := s.settled(c, &fire, now); err != nil {
		return Claimed{}, err
	} else if settled {
		return s.reclaim(owner, c)
	}
	values, err := fire.values(nil, len(c.Runs))
	if err != nil {
		return Claimed{}, err
	}
	inserted, err := s.exec(insertFires.one, values...)
	if err != nil {
		return Claimed{}, err
	}
	if inserted == 0 {
		return s.reclaim(owner, c)
	}
	res := Claimed{Owned: true}
	if err := s.insertRuns(&res, &fire, c.Runs); err != nil {
		return Claimed{}, err
	}
	if len(res.Overlapped) > 0 {
		if err := s.settleFire(&fire, &c.Fire, len(res.Runs), len(res.Overlapped)); err != nil {
			return Claimed{}, err
		}
	}
	res.Fire = fire
	return res, nil
}

// isExcluded reports whether an open run excludes one of a claim that is ahead of its time. The claim's own
// runs do, too, when it was written before: then it is not excluded, but claimed.
func (s *session) isExcluded(c *Claim) (bool, error) {
	if !c.Ahead {
		return false, nil
	}
	for i := range c.Runs {
		u := &c.Runs[i]
		if !u.Exclusive {
			continue
		}
		var fire string
		err := s.row(selectExcluding, c.Fire.Cron, c.Fire.Project, u.Environment).Scan(&fire)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return false, err
		case fire != c.Fire.ID:
			return true, nil
		}
	}
	return false, nil
}

// settled raises the watermark, and reports whether all that the fire stands for has been dealt with under
// another key. It cuts a record of missed times down to what has not. What a clock that ran ahead has left
// in the future does not count.
func (s *session) settled(c *Claim, f *Fire, now time.Time) (bool, error) {
	switch {
	case f.Manual():
		return false, nil
	case f.MissedCount > 0:
		done, err := s.watermark(f)
		if err != nil {
			return false, err
		}
		if !done.Before(f.MissedFrom) && !done.After(now.Add(claimedAhead)) {
			f.MissedFrom, f.MissedCount = c.rest(done)
			if f.MissedCount == 0 {
				return true, nil
			}
		}
	}
	raised, err := s.exec(raiseWatermarks.one, f.Cron, f.Project, micros(f.ScheduledAt))
	if raised > 0 || err != nil {
		return false, err
	}
	var covering int
	err = s.row(countCovering, f.Cron, f.Project, f.Slot, slotAt(now), micros(f.ScheduledAt)).Scan(&covering)
	return covering > 0, err
}

// watermark reads the time up to which a fire's cron is claimed on its project, and keeps others from
// raising it meanwhile.
func (s *session) watermark(f *Fire) (time.Time, error) {
	if _, err := s.exec(lockSchedule, f.Cron, f.Project); err != nil {
		return time.Time{}, err
	}
	var done stamp
	err := s.row(`SELECT watermark FROM schedules WHERE cron = ? AND project = ?`, f.Cron, f.Project).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return done.Time, err
}

func (c *Claim) rest(after time.Time) (from time.Time, count int) {
	if c.Rest == nil {
		return time.Time{}, 0
	}
	return c.Rest(after)
}

// row is the fire of a claim as it is written.
func (c *Claim) row(owner string, now time.Time) Fire {
	fire := c.Fire
	fire.Owner, fire.ClaimedAt, fire.ScheduledAt = owner, stored(now), stored(fire.ScheduledAt)
	fire.NotRun = maps.Clone(fire.NotRun)
	if fire.ID == "" {
		fire.ID = NewID()
	}
	if len(c.Runs) > 0 {
		fire.Outcome, fire.Reason = "", ""
	} else {
		fire.settle(c.Fire.Outcome, c.Fire.Reason)
	}
	return fire
}

// values appends what insertFires takes.
func (f *Fire) values(list []any, open int) ([]any, error) {
	notRun, err := encodeNotRun(f.NotRun)
	return append(list, f.Slot, f.Cron, f.Project, f.ID, micros(f.ScheduledAt), micros(f.ClaimedAt), f.Owner,
		open, f.Outcome.severity(), string(f.Outcome), string(f.Reason), f.Message, f.Targets, notRun,
		nullMicros(f.MissedFrom), f.MissedCount, withoutRun(open)), err
}

// withoutRun marks a fire that led to no run, for the indexes of those.
func withoutRun(open int) int {
	if open == 0 {
		return 1
	}
	return 0
}

func (s *session) insertRuns(res *Claimed, f *Fire, runs []Run) error {
	for _, u := range runs {
		u.belongTo(f)
		n, err := s.exec(insertRuns.one, u.values(nil)...)
		if err == nil && n == 0 && u.Exclusive {
			n, err = s.insertInstead(res, &u)
		}
		if err != nil {
			return fmt.Errorf("run on environment %q: %w", u.Environment, err)
		}
		if n == 0 {
			res.Overlapped = append(res.Overlapped, u.Environment)
			continue
		}
		if err := s.insertFirst(&u); err != nil {
			return fmt.Errorf("first dispatch on environment %q: %w", u.Environment, err)
		}
		res.Runs = append(res.Runs, u)
	}
	return nil
}

// insertInstead inserts a run in the place of one that only waits for a retry, if that is what
// excludes it.
func (s *session) insertInstead(res *Claimed, u *Run) (int64, error) {
	displaced, err := s.displace(u)
	if displaced == nil || err != nil {
		return 0, err
	}
	res.Displaced = append(res.Displaced, *displaced)
	return s.exec(insertRuns.one, u.values(nil)...)
}

// belongTo makes a run one of a fire, as it is written.
func (u *Run) belongTo(f *Fire) {
	if u.ID == "" {
		u.ID = NewID()
	}
	u.FireID, u.Cron, u.Project, u.Slot = f.ID, f.Cron, f.Project, f.Slot
	u.ScheduledAt, u.ClaimedAt, u.Owner, u.State = f.ScheduledAt, f.ClaimedAt, f.Owner, RunClaimed
	u.StartDeadline, u.Deadline = stored(u.StartDeadline), stored(u.Deadline)
}

// values appends what insertRuns takes.
func (u *Run) values(list []any) []any {
	lane := u.ID
	if u.Exclusive {
		lane = ""
	}
	return append(list, u.ID, u.FireID, u.Environment, u.Cron, u.Project, u.Slot, lane, micros(u.ScheduledAt),
		nullMicros(u.StartDeadline), nullMicros(u.Deadline), micros(u.ClaimedAt), u.Owner, nullText(u.Snapshot),
		0, "", "", "")
}

// insertFirst writes the first dispatch of a run that was just inserted, if it brings one.
func (s *session) insertFirst(u *Run) error {
	if u.First == nil {
		return nil
	}
	values, err := u.begin(nil)
	if err != nil {
		return err
	}
	n, err := s.exec(insertFirsts.one, values...)
	if err == nil && n == 0 {
		err = errors.New("its key is taken")
	}
	return err
}

// begin says that the run's first dispatch is written with it, and appends what insertFirsts takes.
func (u *Run) begin(list []any) ([]any, error) {
	d := u.first()
	u.First, u.State = d, RunRunning
	return d.values(append(list, d.RunID, u.Slot))
}

// first is the run's first dispatch as a claim writes it, or nil.
func (u *Run) first() *Dispatch {
	if u.First == nil {
		return nil
	}
	d := u.First.claimed()
	if !u.First.SentAt.IsZero() {
		d = u.First.intended(u.First.SentAt, u.First.SettleAt)
	}
	d.RunID, d.Ordinal = u.ID, 0
	return &d
}

// settleFire writes what overlapping runs left of a fire.
func (s *session) settleFire(f, given *Fire, open, overlapped int) error {
	if f.NotRun == nil {
		f.NotRun = map[Reason]int{}
	}
	f.NotRun[Overlap] += overlapped
	if open == 0 {
		f.settle(given.Outcome, given.Reason)
		if f.Reason == Overlap {
			f.Message = "the previous run is still open"
		}
	}
	notRun, err := encodeNotRun(f.NotRun)
	if err != nil {
		return err
	}
	_, err = s.exec(settleFire, open, f.Outcome.severity(), string(f.Outcome), string(f.Reason), f.Message, notRun,
		withoutRun(open), f.Slot, f.Cron, f.Project)
	return err
}

// settle gives a fire without a run its outcome.
func (f *Fire) settle(outcome Outcome, reason Reason) {
	if outcome != "" {
		f.Outcome, f.Reason = outcome, reason
		return
	}
	f.Outcome, f.Reason = Skipped, NoTarget
	for _, why := range []Reason{Overlap, Duplicate, Inactive, Observe, Guard} {
		if f.NotRun[why] > 0 {
			f.Reason = why
			return
		}
	}
}

// reclaim answers a claim of a fire that is there already. It is this owner's when the very same
// claim was written before and only its acknowledgement was lost.
func (s *session) reclaim(owner string, c *Claim) (Claimed, error) {
	lost := Claimed{Fire: c.Fire}
	if c.Fire.ID == "" {
		return lost, nil
	}
	fire, err := scanFire(s.row(`SELECT `+fireColumns+` FROM fires
		WHERE slot = ? AND cron = ? AND project = ? AND id = ? AND owner = ?`,
		c.Fire.Slot, c.Fire.Cron, c.Fire.Project, c.Fire.ID, owner))
	if errors.Is(err, sql.ErrNoRows) {
		return lost, nil
	} else if err != nil {
		return Claimed{}, err
	}
	res := Claimed{Owned: true, Fire: fire}
	written := map[string]bool{}
	first := map[string]*Dispatch{} // by run; what the same transaction wrote with it
	for _, u := range c.Runs {
		first[u.ID] = u.first()
	}
	query := `SELECT ` + runColumns + ` FROM runs WHERE fire_id = ? ORDER BY id`
	err = s.each(query, []any{fire.ID}, func(row scanner) error {
		u, err := scanRun(row)
		if err != nil {
			return err
		}
		written[u.Environment] = true
		if u.State != RunDone && u.Owner == owner {
			u.First = first[u.ID]
			res.Runs = append(res.Runs, u)
		}
		return nil
	})
	if err != nil {
		return Claimed{}, err
	}
	for _, u := range c.Runs {
		if !written[u.Environment] {
			res.Overlapped = append(res.Overlapped, u.Environment)
		}
	}
	res.Displaced, err = s.displacedBy(&fire, written)
	return res, err
}

func encodeNotRun(counts map[Reason]int) (any, error) {
	if len(counts) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(counts)
	return string(text), err
}

// stored is a time as it will be read back.
func stored(t time.Time) time.Time { return t.Truncate(time.Microsecond).UTC() }
