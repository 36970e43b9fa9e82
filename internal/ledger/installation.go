package ledger

import (
	"context"
	"fmt"
	"time"
)

// Place is the one environment that an installation is for. The zero Place is no one: the
// installation serves projects that its configuration lists.
type Place struct {
	Project string // platform project id
	Branch  string
}

func (p Place) String() string {
	if p == (Place{}) {
		return "no one environment"
	}
	return "project " + p.Project + ", branch " + p.Branch
}

// Installation tells this ledger from every other, copies that went on elsewhere included.
type Installation struct {
	ID        string // from NewID
	Place     Place
	CreatedAt time.Time
}

// ForeignError means that the ledger is another environment's. Nothing was written.
type ForeignError struct {
	Ledger Installation
	Here   Place
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the ledger is that of another environment: installation %s is for %s, and this is %s",
		e.Ledger.ID, e.Ledger.Place, e.Here)
}

// movedAway is how runs end that a ledger had open when it was adopted by another environment.
const movedAway = "it was open when another environment adopted a copy of its ledger"

// installationSchema is the schema version since which a ledger has an installation.
const installationSchema = 3

const (
	insertInstallation = `INSERT INTO installation (singleton, id, project, branch, created_at) VALUES (1, ?, ?, ?, ?)
		ON CONFLICT (singleton) DO NOTHING`

	selectInstallation = `SELECT id, project, branch, created_at FROM installation`

	updateInstallation = `UPDATE installation SET id = ?, project = ?, branch = ?, created_at = ?`

	// cancelOpenDispatches ends what the runs of the former installation had open.
	cancelOpenDispatches = `UPDATE dispatches SET state = 'done', outcome = ?, reason = ?, message = ?, exit_status = 1
		WHERE state <> 'done' AND run_id IN (SELECT id FROM runs WHERE finished_at IS NULL)`
)

// Install says where the ledger is worked with, and returns which installation it is. A new ledger
// becomes one; a ledger for no one environment gets the place it is first given. The error is a
// *ForeignError when it is for another place, unless adopt is its id.
//
// An adopted ledger is a new installation: its history stays, but the runs that were open are the
// former one's, and end as canceled; nothing from before now is owed; and what is known of targets
// is forgotten.
func (l *Ledger) Install(ctx context.Context, here Place, adopt string) (Installation, error) {
	var found Installation
	var foreign bool
	err := l.write(ctx, opInstall, "identify installation", groupLimit, func(s *session) error {
		foreign = false
		now := time.Now()
		_, err := s.exec(insertInstallation, NewID(), here.Project, here.Branch, micros(now))
		if err != nil {
			return err
		}
		if found, err = scanInstallation(s.row(selectInstallation)); err != nil {
			return err
		}
		switch {
		case found.Place == here, here == Place{}:
			return nil
		case found.Place == Place{}:
			found.Place = here
		case found.ID == adopt:
			found = Installation{ID: NewID(), Place: here, CreatedAt: stored(now)}
			if err := s.leaveBehind(now); err != nil {
				return err
			}
		default:
			foreign = true
			return nil
		}
		_, err = s.exec(updateInstallation, found.ID, here.Project, here.Branch, micros(found.CreatedAt))
		return err
	})
	switch {
	case err != nil:
		return Installation{}, err
	case foreign:
		return found, &ForeignError{found, here}
	}
	return found, nil
}

// leaveBehind closes what is the former installation's.
func (s *session) leaveBehind(now time.Time) error {
	var open []Run
	err := s.each(`SELECT `+runColumns+` FROM runs WHERE finished_at IS NULL`, nil, func(row scanner) error {
		u, err := scanRun(row)
		open = append(open, u)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := s.exec(cancelOpenDispatches, string(Canceled), string(NotFound), movedAway); err != nil {
		return err
	}
	for _, u := range open {
		end := Finish{RunID: u.ID, Owner: u.Owner, Outcome: Canceled, Reason: NotFound, Message: movedAway, At: now}
		if _, err := s.finish(&end); err != nil {
			return err
		}
	}
	for _, statement := range []string{`DELETE FROM targets`, `DELETE FROM replicas`} {
		if _, err := s.exec(statement); err != nil {
			return err
		}
	}
	_, err = s.exec(`UPDATE schedules SET edited_at = ?`, micros(now))
	return err
}

func scanInstallation(row scanner) (Installation, error) {
	var i Installation
	var created stamp
	err := row.Scan(&i.ID, &i.Place.Project, &i.Place.Branch, &created)
	i.CreatedAt = created.Time
	return i, err
}
