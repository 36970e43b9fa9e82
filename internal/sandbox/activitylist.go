package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// defaultCount is how many activities a list has when nobody says. The vendor's
// CLI always says; so should every client.
const defaultCount = 10

// activityQuery are the parameters of a list, as the vendor's client library
// sends them; the OpenAPI description does not have them.
type activityQuery struct {
	types, states, results []string
	startsAt               time.Time // latest creation; zero is no limit
	count                  int
}

func parseActivityQuery(v url.Values) (activityQuery, error) {
	q := activityQuery{types: v["type"], states: v["state"], results: v["result"], count: defaultCount}
	if text := v.Get("starts_at"); text != "" {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return q, fmt.Errorf("starts_at %q is not a time", text)
		}
		q.startsAt = t
	}
	if text := v.Get("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return q, fmt.Errorf("count %q is not a number", text)
		}
		q.count = n
	}
	return q, nil
}

func (q activityQuery) matches(a *activity, now time.Time) bool {
	return among(q.types, a.kind) && among(q.states, a.state(now)) && among(q.results, a.result(now)) &&
		(q.startsAt.IsZero() || !a.createdAt.After(q.startsAt))
}

func among(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

func (s *Sandbox) listProjectActivities(c *call, p *project) { s.listActivities(c, p, nil) }

func (s *Sandbox) listEnvironmentActivities(c *call, e *environment) {
	s.listActivities(c, e.project, e)
}

// listActivities answers with the newest activities that match, of one
// environment or of all.
func (s *Sandbox) listActivities(c *call, p *project, only *environment) {
	q, err := parseActivityQuery(c.URL.Query())
	if err != nil {
		c.fail(400, err.Error())
		return
	}
	list := []activityView{}
	for _, a := range slices.Backward(p.activities) {
		if len(list) >= q.count {
			break
		}
		if (only == nil || a.environment == only) && q.matches(a, c.now) {
			list = append(list, s.viewActivity(a, c.caller, c.now))
		}
	}
	c.json(200, list)
}

func (s *Sandbox) getActivity(c *call, a *activity) { c.json(200, s.viewActivity(a, c.caller, c.now)) }

// cancelActivity answers 400 for an activity that is over, which the vendor's
// CLI recognises by the words "cannot be cancelled".
func (s *Sandbox) cancelActivity(c *call, a *activity) {
	switch {
	case c.caller.roleOn(a.environment) != "admin":
		c.fail(403, "You may not cancel activities of this environment")
	case !c.now.Before(a.endAt):
		c.fail(400, "The activity cannot be cancelled in its current state")
	default:
		a.cancel(c.now)
		c.executed = true
		c.json(202, accepted{Status: "Accepted", Code: 202})
	}
}
