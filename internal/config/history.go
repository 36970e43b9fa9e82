package config

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// History says how long the records of what happened are kept.
type History struct {
	Keep         time.Duration // of what succeeded or was skipped
	KeepFailures time.Duration // of everything else; at least Keep
}

const (
	day = 24 * time.Hour

	standardKeep         = 90 * day
	standardKeepFailures = 365 * day

	// The ledger keeps claims for two days whatever it is told, so less would not be true.
	leastKeep = 2 * day
	mostKeep  = 3650 * day
)

// history is the section `history:` while it is read. What is not set is zero.
type history struct {
	History
	failures reader     // where KeepFailures is set
	node     *yaml.Node // its value
}

func historyFields() []field[history] {
	return []field[history]{
		{"keep", "duration, 2d to 3650d", "`90d`", func(r reader, h *history, v *yaml.Node) {
			var ok bool
			if h.Keep, ok = r.days(v, leastKeep, mostKeep); !ok {
				h.Keep = leastKeep // so that nothing else is reported because of it
			}
		}},
		{"keep_failures", "duration, 2d to 3650d", "`365d`", func(r reader, h *history, v *yaml.Node) {
			h.KeepFailures, _ = r.days(v, leastKeep, mostKeep)
			h.failures, h.node = r, v
		}},
	}
}

// finishHistory fills in what is not set. Failures are never forgotten before the rest, so a longer
// keep alone is theirs too.
func (l *loader) finishHistory() {
	h := &l.history
	if h.Keep == 0 {
		h.Keep = standardKeep
	}
	switch {
	case h.KeepFailures == 0:
		h.KeepFailures = max(standardKeepFailures, h.Keep)
	case h.KeepFailures < h.Keep:
		h.failures.errorf(h.failures.value(h.node), "history-order", fmt.Sprintf("write %s or more, or a shorter keep", inDays(h.Keep)),
			"failures would be kept for %s, and everything else for %s", inDays(h.KeepFailures), inDays(h.Keep))
	}
	l.config.History = h.History
}

// wholeDays is a number of days that a duration can hold.
var wholeDays = regexp.MustCompile(`^([0-9]{1,5})d$`)

// spokenDays is a number of days as people say it.
var spokenDays = regexp.MustCompile(`(?i)^([0-9]{1,5}) *(?:d|days?)$`)

// days reads a duration that may also be written in whole days, as 90d.
func (r reader) days(n *yaml.Node, least, most time.Duration) (time.Duration, bool) {
	return r.durationIn(n, least, most, durationForm{
		wanted: "a duration, such as 90d or 48h",
		parse: func(n *yaml.Node) (time.Duration, bool) {
			if m := wholeDays.FindStringSubmatch(n.Value); m != nil {
				count, _ := strconv.Atoi(m[1]) // five digits
				return time.Duration(count) * day, true
			}
			return parseDuration(n)
		},
		show: inDays,
		hint: func(text string) string {
			if m := spokenDays.FindStringSubmatch(text); m != nil {
				return "write " + m[1] + "d"
			}
			return "write days, such as 90d, or hours, such as 48h"
		},
	})
}

// inDays writes whole days as a reader of days takes them, and anything else as a person would.
func inDays(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return short(d)
}
