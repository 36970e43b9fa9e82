package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// burst is claims that are due together, one more than two statements insert. Every third has its
// first dispatch, and the last has no run.
func burst(at time.Time) (claims []Claim) {
	for n := range 2*together + 1 {
		c := claimOf(at, "main", "staging")
		c.Fire.Cron = fmt.Sprintf("cron-%02d", n)
		switch {
		case n == 2*together:
			c.Runs = nil
			c.Fire.NotRun = map[Reason]int{Guard: 2}
		case n%4 == 1:
			c.Runs[1].First = &Dispatch{Kind: "backup", Project: "p", Environment: "staging"} // without an intent
		case n%3 == 0:
			c.Runs[1].First = &Dispatch{
				Kind: "backup", Params: []byte(`{"live":true}`), Project: "p", Environment: "staging",
				CommandLine: []string{"platform", "backup"}, SentAt: at, SettleAt: at.Add(time.Minute),
			}
		}
		claims = append(claims, c)
	}
	return claims
}

// contents is all that claims wrote, but for when.
func contents(t *testing.T, l *Ledger) (rows []string) {
	t.Helper()
	for _, query := range []string{
		`SELECT slot, cron, project, id, scheduled_at, 0, owner, open_runs, severity, outcome, reason, message, targets,
			not_run, missed_from, missed_count FROM fires ORDER BY id`,
		`SELECT id, fire_id, environment, cron, project, slot, lane, scheduled_at, start_deadline, deadline,
			tracking, outcome, reason, message, owner, snapshot FROM runs ORDER BY id`,
		`SELECT run_id, ordinal, state, kind, params, project, environment, slot, dedupe, attempts, sent_at, settle_at,
			status_code, outcome, reason, message, exit_status, last, activities, command_line FROM dispatches ORDER BY run_id`,
		`SELECT cron, project, watermark FROM schedules ORDER BY cron`,
	} {
		found, err := l.reader.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		err = eachRow(found, func(row scanner) error {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := row.Scan(into...)
			rows = append(rows, fmt.Sprint(values...))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// TestClaim_OfManyIsWhatOneByOneWouldBe claims a burst together, and its fires one after the other,
// when nothing is in the way and when it is.
func TestClaim_OfManyIsWhatOneByOneWouldBe(t *testing.T) {
	at := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	for name, before := range map[string]func(claims []Claim) (owner string, claim Claim){
		"free": nil,
		"one fire is another's": func(claims []Claim) (string, Claim) {
			taken := claims[7]
			taken.Fire.ID = NewID()
			taken.Runs = nil
			return "other", taken
		},
		"one run is excluded": func(claims []Claim) (string, Claim) {
			open := claimOf(at.Add(-time.Hour), "staging")
			open.Fire.Cron = claims[9].Fire.Cron
			return "other", open
		},
		"one was claimed before": func(claims []Claim) (string, Claim) { return "owner", claims[12] },
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, o Options) {
				claims := burst(at)
				slices.Reverse(claims) // the order of what is returned is the caller's
				many := open(t, o)
				alone := open(t, Options{Dir: t.TempDir()})
				if before != nil {
					owner, claim := before(claims)
					mustClaim(t, many, owner, claim)
					mustClaim(t, alone, owner, claim)
				}
				got, err := many.Claim(t.Context(), "owner", claims)
				if err != nil {
					t.Fatal(err)
				}
				var want []Claimed
				for _, c := range claims {
					want = append(want, mustClaim(t, alone, "owner", c))
				}
				for i := range got {
					got[i].Fire.ClaimedAt, want[i].Fire.ClaimedAt = time.Time{}, time.Time{}
					for n := range got[i].Runs {
						got[i].Runs[n].ClaimedAt, want[i].Runs[n].ClaimedAt = time.Time{}, time.Time{}
					}
					if len(got[i].Runs) == 0 && len(want[i].Runs) == 0 {
						got[i].Runs, want[i].Runs = nil, nil
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("returned (-one by one +together):\n%s", diff)
				}
				if diff := cmp.Diff(contents(t, alone), contents(t, many)); diff != "" {
					t.Errorf("written (-one by one +together):\n%s", diff)
				}
			})
		})
	}
}
