package runner

import (
	"fmt"
	"strings"

	"github.com/automatond/automatond/internal/plan"
)

// observedMost is how many calls the message of an observed fire names.
const observedMost = 5

// observed is what a fire would have asked for, had it not only been observed, on all its targets.
type observed struct {
	calls []string // "backup on main"
	fails []string // how scripts would end without a call
}

// add takes in what was decided for one target.
func (o *observed) add(d plan.Decision) {
	if d.Action == plan.Error {
		o.fails = append(o.fails, d.Message)
	}
	for _, c := range d.Calls {
		name := c.Task.Kind().Name
		if c.Environment != "" {
			name += " on " + c.Environment
		}
		o.calls = append(o.calls, name)
	}
}

// message says it in one line of bounded length.
func (o *observed) message() string {
	switch {
	case len(o.calls) > observedMost:
		return fmt.Sprintf("observing: would ask for %s and %d more", strings.Join(o.calls[:observedMost], ", "), len(o.calls)-observedMost)
	case len(o.calls) > 0:
		return "observing: would ask for " + strings.Join(o.calls, ", ")
	default:
		return "observing: would fail: " + o.fails[0]
	}
}
