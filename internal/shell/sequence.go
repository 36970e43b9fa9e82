package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"reflect"
	"slices"

	"github.com/automatond/automatond/internal/tasks"
)

// mostCalls bounds the calls of a script that is declared. How they follow each other is tried out for
// every combination of their answers.
const mostCalls = 8

var (
	errMany     = fmt.Errorf("it makes more than %d calls", mostCalls)
	errReads    = errors.New("it reads a variable of the environment beside its conditions, and makes no call where that is not set")
	errOrder    = errors.New("its calls follow on each other's success and failure in a way that steps do not")
	errAccepted = errors.New("a call of it follows as soon as the one before is accepted, and a step when that has succeeded; with --wait it could be declared")
	errAtOnce   = errors.New("a call of it need not wait for the one before, and a step does; with --wait it could be declared")
)

// noBranches are names that no branch of a condition has.
var noBranches = []string{"~none", "~other"}

// examplesOf are the variables of environments on which the conditions hold, and nothing else, so that
// a script which also reads something else ends there. There is one for every branch that the
// conditions name. Of calls that name the branch it is known that every environment has one.
func examplesOf(conditions []Comparison, named bool) []map[string]string {
	vars := map[string]string{}
	var branches []string
	for _, c := range conditions {
		values := c.Values
		if c.Differs {
			values = noBranches
		}
		isBranch := c.Variable == "PLATFORM_BRANCH"
		switch {
		case isBranch && (branches == nil || !c.Differs):
			branches = values
		case !isBranch && (vars[c.Variable] == "" || !c.Differs):
			vars[c.Variable] = values[0]
		}
	}
	if branches == nil && named {
		branches = noBranches
	}
	if branches == nil {
		return []map[string]string{vars}
	}
	var examples []map[string]string
	for _, branch := range branches {
		if meets(branch, conditions) || len(branches) == 1 {
			example := maps.Clone(vars)
			example["PLATFORM_BRANCH"] = branch
			examples = append(examples, example)
		}
	}
	return examples
}

// meets reports whether the conditions on branches hold for one.
func meets(branch string, conditions []Comparison) bool {
	return !slices.ContainsFunc(conditions, func(c Comparison) bool {
		return c.Variable == "PLATFORM_BRANCH" && slices.Contains(c.Values, branch) == c.Differs
	})
}

// sequence finds the calls of a script which makes the same ones on every environment on which the
// conditions hold.
func (s *Script) sequence(conditions []Comparison) (calls []Call, stops bool, err error) {
	for i, vars := range examplesOf(conditions, has(s.program.file, namesBranch)) {
		found, foundStops, err := s.sequenceOn(vars)
		switch {
		case err != nil:
			return nil, false, err
		case i == 0:
			calls, stops = found, foundStops
		case stops != foundStops || !slices.EqualFunc(calls, found, askAlike):
			return nil, false, errWords
		}
	}
	if len(calls) == 0 {
		return nil, false, errMore
	}
	return calls, stops, nil
}

// askAlike reports whether two calls ask for the same, in whatever words.
func askAlike(a, b Call) bool {
	return reflect.DeepEqual(a.Task, b.Task) && a.Wait == b.Wait && a.Project == b.Project && a.Environment == b.Environment
}

// sequenceOn finds the calls on one environment, and whether each is made only if the one before it
// succeeded. Otherwise all are, whatever comes of them.
func (s *Script) sequenceOn(vars map[string]string) (calls []Call, stops bool, err error) {
	calls, err = s.callsAnswered(vars, 0)
	switch {
	case err != nil:
		return nil, false, err
	case len(calls) == 0:
		return nil, false, errMore
	case len(calls) > mostCalls:
		return nil, false, errMany
	}
	stops, continues := true, true
	for failing := range uint(1) << len(calls) {
		made, err := s.callsAnswered(vars, failing)
		if err != nil {
			return nil, false, err
		}
		first := min(bits.TrailingZeros(failing)+1, len(calls)) // calls up to the first that fails
		stops = stops && sameCalls(made, calls[:first])
		continues = continues && sameCalls(made, calls)
	}
	if !stops && !continues {
		return nil, false, errOrder
	}
	return calls, !continues, declarable(calls, !continues)
}

// callsAnswered are the calls that the script makes when those with their bit in failing fail.
func (s *Script) callsAnswered(vars map[string]string, failing uint) ([]Call, error) {
	var made []Call
	res := s.Run(context.Background(), vars, func(_ context.Context, c Call) int {
		if c.Environment == vars["PLATFORM_BRANCH"] {
			c.Environment = "" // the run's own
		}
		made = append(made, c)
		return int(failing >> min(len(made)-1, mostCalls) & 1)
	})
	switch {
	case res.Skipped != "":
		return nil, errReads
	case res.Err != nil:
		return nil, errMore
	}
	return made, nil
}

func sameCalls(a, b []Call) bool {
	return slices.EqualFunc(a, b, func(x, y Call) bool { return reflect.DeepEqual(x, y) })
}

// declarable reports what tasks one after the other would not do as the calls do. Each of them but the
// last is waited for to its end, and goes to the run's own environment.
func declarable(calls []Call, stops bool) error {
	for i, c := range calls {
		switch last := i == len(calls)-1; {
		case c.Project != "" || c.Environment != "":
			return errors.New("its call names a project or an environment, and a task goes to the run's own")
		case last || c.Wait:
		case stops:
			return errAccepted
		case tasks.ProjectWide(c.Task) || !tasks.AwaitsClean(calls[i+1].Task):
			return errAtOnce
		}
	}
	return nil
}
