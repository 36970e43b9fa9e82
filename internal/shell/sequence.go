package shell

import (
	"context"
	"errors"
	"fmt"
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

// exampleOf are the variables of an environment on which the conditions hold, and nothing else, so that
// a script which also reads something else ends there.
func exampleOf(conditions []Comparison) map[string]string {
	vars := map[string]string{}
	for _, c := range conditions {
		if !c.Differs {
			vars[c.Variable] = c.Values[0]
		} else if _, ok := vars[c.Variable]; !ok {
			vars[c.Variable] = "none of them" // and no plain name
		}
	}
	return vars
}

// sequence finds the calls of a script which makes the same ones on every environment like this, and
// whether each is made only if the one before it succeeded. Otherwise all are, whatever comes of them.
func (s *Script) sequence(vars map[string]string) (calls []Call, stops bool, err error) {
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
