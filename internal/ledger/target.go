package ledger

import "time"

// Target is what is remembered of a cron on an environment beyond the life of its runs.
type Target struct {
	Cron          string
	Project       string
	Environment   string
	LastScheduled time.Time // scheduled time of the newest run that ended
	LastSuccess   time.Time // when a run last succeeded; zero for never
}
