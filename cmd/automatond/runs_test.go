package main

import (
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/ledger"
)

func TestWriteDetail_SaysHowLateARequestLeftAndWhatItsAttemptsTook(t *testing.T) {
	due := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	d := &control.Detail{
		Record: control.Record{
			ID: "dc3bhkpksdua6f57ns60", Cron: "nightly", Project: "k3qz7p2m5nwya", Environment: "main",
			ScheduledAt: due, State: "tracking",
		},
		ClaimedAt: due.Add(time.Second),
		Dispatches: []control.Dispatch{{
			Task: "redeploy", Project: "k3qz7p2m5nwya", Environment: "main", State: "tracking", StatusCode: 202,
			Earlier: []ledger.Attempt{{
				SentAt: due.Add(time.Second), AnsweredAt: due.Add(2 * time.Second), EndedAt: due.Add(20 * time.Second), StatusCode: 503,
				Outcome: ledger.Failed, Reason: ledger.APIError, Message: "no",
			}},
			RetryAt: due.Add(time.Minute), SentAt: due.Add(61 * time.Second), Delay: 61.0421, AnsweredAt: due.Add(61*time.Second + 350*time.Millisecond),
		}},
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	writeDetail(table, d)
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `id           dc3bhkpksdua6f57ns60
cron         nightly
project      k3qz7p2m5nwya
environment  main
scheduled    2026-03-01T05:00:00Z
claimed      2026-03-01T05:00:01Z
state        tracking
request 1    redeploy on main of k3qz7p2m5nwya
  attempt 1  failed (api_error): no
    sent     2026-03-01T05:00:01Z
    answer   503, 1s after it was sent
    ended    2026-03-01T05:00:20Z
  retry at   2026-03-01T05:01:00Z
  sent       2026-03-01T05:01:01Z, 1m1.042s after the scheduled time
  state      tracking
  answer     202, 350ms after it was sent
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
}
