package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/shell"
)

// Condition is one thing that a decision hung on, for a person who wants to see all of them.
type Condition struct {
	Condition string `json:"condition"` // `only.branches [master]`, `[ "$PLATFORM_BRANCH" = master ]`
	Value     string `json:"value"`     // what it saw: `branch is "dev"`, `PLATFORM_BRANCH is not set`
	Holds     bool   `json:"holds"`     // under except, one that does not hold lets the run pass
	Line      int    `json:"line,omitempty"`

	Answer string `json:"-"` // in a word or a few: "yes" or "no", in a script "true" or "false"
}

// Explain lists the conditions that Decide came to for cron j on target t, with what they saw. It
// runs a script again, slowly, so it is for those who ask; Decide does not pay for it.
func Explain(ctx context.Context, j *job.Job, t Target) []Condition {
	list := []Condition{}
	if j.Left != nil || j.Suspended {
		return list
	}
	for _, c := range j.Guard.Explain(guardTarget(t)) {
		list = append(list, Condition{c.Condition, c.Value, c.Holds, 0, yesOrNo(c.Holds)})
	}
	accepts := Accepts(j, t.Environment)
	if t.Environment.Status != "" {
		list = append(list, Condition{
			Condition: "statuses the cron works in [" + strings.Join(j.Statuses(), ", ") + "]",
			Value:     fmt.Sprintf("status is %q", t.Environment.Status),
			Holds:     accepts, Answer: yesOrNo(accepts),
		})
	}
	if passes, _ := Allows(j, t); !passes || !accepts || j.Script == nil {
		return list
	}
	succeed := func(context.Context, shell.Call) int { return 0 }
	for _, c := range j.Script.Trace(ctx, Variables(j, t), succeed) {
		list = append(list, scripted(j, c))
	}
	return list
}

func yesOrNo(holds bool) string {
	if holds {
		return "yes"
	}
	return "no"
}

// scripted words a condition of a script, with its place in the configuration.
func scripted(j *job.Job, c shell.Condition) Condition {
	values := make([]string, len(c.Variables))
	for i, v := range c.Variables {
		values[i] = shown(v)
	}
	answer := fmt.Sprint(c.Holds)
	if c.Ended {
		answer = "the script ends here"
	}
	line := 0
	if j.ScriptLine > 0 {
		line = j.ScriptLine + c.Line - 1
	}
	return Condition{c.Text, strings.Join(values, ", "), c.Holds, line, answer}
}

// shown says what a variable was, but for what may be a secret.
func shown(v shell.Variable) string {
	const most = 60
	switch {
	case !v.Set:
		return v.Name + " is not set"
	case v.Value == "":
		return v.Name + " is empty"
	case secretive(v.Name):
		return v.Name + " is set"
	case len(v.Value) > most:
		return fmt.Sprintf("%s is %q…", v.Name, strings.ToValidUTF8(v.Value[:most], ""))
	}
	return fmt.Sprintf("%s is %q", v.Name, v.Value)
}

// secretive reports whether a variable's name says that its value is nobody's business.
func secretive(name string) bool {
	return slices.ContainsFunc([]string{"TOKEN", "SECRET", "PASS", "CREDENTIAL", "KEY"}, func(word string) bool {
		return strings.Contains(strings.ToUpper(name), word)
	})
}
