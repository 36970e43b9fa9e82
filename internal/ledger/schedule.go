package ledger

import (
	"context"
	"fmt"
	"time"
)

// ScheduleKey names a cron on a project and the version of it that is configured.
type ScheduleKey struct {
	Cron    string
	Project string
	Hash    string // changes when the cron's schedule or work changes
}

// Baseline says from when on the fires of a cron on a project are owed.
type Baseline struct {
	Cron    string
	Project string
	// At is the latest of: newest recorded fire, first seen, edited, the end of a suspension. No
	// fire at or before it is owed.
	At time.Time
	// WatermarkAhead means that a fire was recorded for a time so long after now that it was not
	// just claimed ahead. Such a fire does not count for At: a clock that ran ahead must not silence the
	// cron until then. It is reported once.
	WatermarkAhead bool
}

const (
	// seeSchedule writes a key that is first seen, or back after having left the configuration.
	seeSchedule = `INSERT INTO schedules (cron, project, hash, first_seen_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (cron, project) DO UPDATE SET
			hash = excluded.hash, first_seen_at = excluded.first_seen_at, removed_at = NULL`

	editSchedule = `UPDATE schedules SET hash = ?, edited_at = ? WHERE cron = ? AND project = ?`

	removeSchedule = `UPDATE schedules SET removed_at = ? WHERE cron = ? AND project = ?`

	resetSchedule = `UPDATE schedules SET first_seen_at = ?, edited_at = ? WHERE cron = ? AND project = ?`

	resetWatermark = `UPDATE schedules SET watermark = ? WHERE cron = ? AND project = ?`
)

// Schedules tells the ledger the whole configuration and returns a baseline for each key, in the
// same order. A key that is new, or back after having left, is first seen now; one whose hash
// differs is edited now. Keys that are not given have left the configuration: what would have
// been due until they come back is not owed. fresh means that the ledger knew no schedule before.
func (l *Ledger) Schedules(
	ctx context.Context, now time.Time, keys []ScheduleKey,
) (baselines []Baseline, fresh bool, err error) {
	now = stored(now)
	err = l.write(ctx, opSchedules, "read baselines", groupLimit, func(s *session) error {
		known, err := s.schedules()
		if err != nil {
			return err
		}
		fresh = true
		for _, k := range known {
			fresh = fresh && k.hash == nil
		}
		resumed, err := s.resumed(now)
		if err != nil {
			return err
		}
		ahead, err := s.resetWatermarks(now, known)
		if err != nil {
			return err
		}
		baselines = make([]Baseline, len(keys))
		for i, key := range keys {
			if baselines[i], err = s.baseline(now, key, known); err != nil {
				return fmt.Errorf("cron %q, project %q: %w", key.Cron, key.Project, err)
			}
			baselines[i].At = latest(baselines[i].At, resumed[AllCrons], resumed[key.Cron])
			baselines[i].WatermarkAhead = ahead[scheduleID{key.Cron, key.Project}]
		}
		return s.removeSchedules(now, known)
	})
	return baselines, fresh && err == nil, err
}

// schedule is a row of the schedules table.
type schedule struct {
	hash      *string // nil until it was seen in a configuration
	firstSeen stamp
	edited    stamp
	removed   stamp
	watermark stamp
	present   bool // among the keys given now
}

type scheduleID struct{ cron, project string }

func (s *session) schedules() (map[scheduleID]*schedule, error) {
	known := map[scheduleID]*schedule{}
	err := s.each(`SELECT cron, project, hash, first_seen_at, edited_at, removed_at, watermark
		FROM schedules`, nil, func(row scanner) error {
		var id scheduleID
		var k schedule
		err := row.Scan(&id.cron, &id.project, &k.hash, &k.firstSeen, &k.edited, &k.removed, &k.watermark)
		known[id] = &k
		return err
	})
	return known, err
}

func (s *session) baseline(now time.Time, key ScheduleKey, known map[scheduleID]*schedule) (Baseline, error) {
	id := scheduleID{key.Cron, key.Project}
	k := known[id]
	if k == nil {
		k = &schedule{}
		known[id] = k
	}
	k.present = true
	if k.clamp(now) {
		_, err := s.exec(resetSchedule, nullMicros(k.firstSeen.Time), nullMicros(k.edited.Time), key.Cron, key.Project)
		if err != nil {
			return Baseline{}, err
		}
	}
	var err error
	switch {
	case k.hash == nil || !k.removed.IsZero():
		k.firstSeen.Time = now
		_, err = s.exec(seeSchedule, key.Cron, key.Project, key.Hash, micros(now))
	case *k.hash != key.Hash:
		k.edited.Time = now
		_, err = s.exec(editSchedule, key.Hash, micros(now), key.Cron, key.Project)
	}
	at := latest(k.watermark.Time, k.firstSeen.Time, k.edited.Time)
	return Baseline{Cron: key.Cron, Project: key.Project, At: at}, err
}

// resumed returns when suspensions that are over ended, by cron.
func (s *session) resumed(now time.Time) (map[string]time.Time, error) {
	ended := map[string]time.Time{}
	err := s.each(selectSuspensions, nil, func(row scanner) error {
		v, err := scanSuspension(row)
		if !v.Covers(now) {
			ended[v.Cron] = v.Until
		}
		return err
	})
	return ended, err
}

// clamp brings times back that a clock which ran ahead has left in the future.
func (k *schedule) clamp(now time.Time) (changed bool) {
	for _, t := range []*stamp{&k.firstSeen, &k.edited} {
		if t.After(now) {
			t.Time, changed = now, true
		}
	}
	return changed
}

// claimedAhead is more than claims come ahead of their time.
const claimedAhead = 5 * time.Second

// resetWatermarks brings watermarks that lie further ahead than that back to the newest fire that does not, and
// returns whose they were. Only then are the fires themselves looked through, once.
func (s *session) resetWatermarks(now time.Time, known map[scheduleID]*schedule) (map[scheduleID]bool, error) {
	ahead := map[scheduleID]bool{}
	for id, k := range known {
		if k.watermark.After(now.Add(claimedAhead)) {
			ahead[id] = true
			k.watermark.Time = time.Time{}
		}
	}
	if len(ahead) == 0 {
		return nil, nil
	}
	err := s.each(`SELECT cron, project, max(scheduled_at) FROM fires WHERE slot <= ? GROUP BY cron, project`,
		[]any{slotAt(now)}, func(row scanner) error {
			var id scheduleID
			var newest stamp
			err := row.Scan(&id.cron, &id.project, &newest)
			if ahead[id] {
				known[id].watermark = newest
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	for id := range ahead {
		if _, err := s.exec(resetWatermark, nullMicros(known[id].watermark.Time), id.cron, id.project); err != nil {
			return nil, err
		}
	}
	return ahead, nil
}

// removeSchedules notes which schedules have left the configuration.
func (s *session) removeSchedules(now time.Time, known map[scheduleID]*schedule) error {
	for id, k := range known {
		if k.present || k.hash == nil || !k.removed.IsZero() {
			continue
		}
		if _, err := s.exec(removeSchedule, micros(now), id.cron, id.project); err != nil {
			return err
		}
	}
	return nil
}

func latest(times ...time.Time) time.Time {
	var newest time.Time
	for _, t := range times {
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}
