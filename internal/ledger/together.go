package ledger

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// together is how many rows one statement inserts. With more it gets no quicker.
const together = 16

// insertion is a statement that inserts one row, or several in one go.
type insertion struct {
	one, many string
	width     int // parameters of a row
}

// newInsertion makes a statement of what stands before the rows, their width, and what follows them.
func newInsertion(into string, width int, otherwise string) insertion {
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	text := func(rows int) string {
		return into + " VALUES " + row + strings.Repeat(", "+row, rows-1) + " " + otherwise
	}
	return insertion{one: text(1), many: text(together), width: width}
}

// insert inserts rows, given one behind the other, and returns how many it has inserted or changed.
func (s *session) insert(i insertion, values []any) (changed int64, err error) {
	for len(values) > 0 {
		statement, size := i.one, i.width
		if many := i.width * together; len(values) >= many {
			statement, size = i.many, many
		}
		n, err := s.change(int64(size/i.width), statement, values[:size]...)
		if err != nil {
			return changed, err
		}
		changed, values = changed+n, values[size:]
	}
	return changed, nil
}

// errApart says that a statement did not do what was foreseen, and that the operation has to look at
// each row.
var errApart = errors.New("rows have to be written one by one")

// areAlike reports whether claims, in this order, are of one slot, and none a record of missed times. Then
// their fires are of different crons or projects.
func areAlike(claims []Claim, order []int) bool {
	n := len(order)
	return n > 1 && claims[order[0]].Fire.Slot == claims[order[n-1]].Fire.Slot &&
		!slices.ContainsFunc(claims, func(c Claim) bool { return c.Fire.MissedCount > 0 })
}

// rows are the values of one claim's insertions. The writer uses their space again.
type rows struct {
	fires, runs, firsts, watermarks []any
}

// claimTogether inserts claims that are alike with few statements. That is what happens of a burst,
// when nobody else has claimed any of them and nothing is still open; otherwise it is errApart.
func (s *session) claimTogether(owner string, claims []Claim, order []int, claimed []Claimed, now time.Time) error {
	r := &s.rows
	r.fires, r.runs, r.firsts, r.watermarks = r.fires[:0], r.runs[:0], r.firsts[:0], r.watermarks[:0]
	for _, i := range order {
		var err error
		if claimed[i], err = r.add(owner, &claims[i], now); err != nil {
			return err
		}
	}
	for _, i := range []struct {
		insertion
		values []any
	}{{raiseWatermarks, r.watermarks}, {insertFires, r.fires}, {insertRuns, r.runs}, {insertFirsts, r.firsts}} {
		if n, err := s.insert(i.insertion, i.values); err != nil {
			return err
		} else if int(n)*i.width != len(i.values) {
			return errApart
		}
	}
	return nil
}

// add adds the rows of one claim, and returns what it will be if all can be inserted.
func (r *rows) add(owner string, c *Claim, now time.Time) (Claimed, error) {
	fire := c.row(owner, now)
	var err error
	if r.fires, err = fire.values(r.fires, len(c.Runs)); err != nil {
		return Claimed{}, err
	}
	if !fire.Manual() {
		r.watermarks = append(r.watermarks, fire.Cron, fire.Project, micros(fire.ScheduledAt))
	}
	res := Claimed{Owned: true, Fire: fire, Runs: make([]Run, len(c.Runs))}
	for n, u := range c.Runs {
		u.belongTo(&fire)
		r.runs = u.values(r.runs)
		if u.First != nil {
			if r.firsts, err = u.begin(r.firsts); err != nil {
				return Claimed{}, err
			}
		}
		res.Runs[n] = u
	}
	return res, nil
}
