// Package guard is the declared side of "may this cron run on this environment now": the `only:`
// and `except:` sections. A guard reads the environment it is given and nothing else; it never
// asks the platform and never changes anything. The scripted side is package shell.
//
// Guards fail closed. A value that is not known, such as the type of an environment that the
// container's variables leave out, vetoes the run whenever the answer could depend on it.
package guard

import (
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// Guard vetoes runs. The zero Guard lets everything pass.
type Guard struct {
	Only   Condition // passes when all given fields match
	Except Condition // vetoes when all given fields match
}

// Condition is what one section asks for. An empty field is not asked.
type Condition struct {
	Branches         Patterns
	EnvironmentTypes []string // of EnvironmentTypes()
	Status           []string // of Statuses(); "active" includes "dirty"
}

// Target is the environment that is judged.
type Target struct {
	DefaultBranch string                // the project's default branch, "" if unknown
	Environment   *platform.Environment // nil if unknown
}

// Verdict is a guard's answer.
type Verdict struct {
	Pass    bool
	Message string // why not, as one sentence for a person; "" when it passes
}

// Check is one field of a guard, asked about a target.
type Check struct {
	Condition string // as configured, `only.branches [main, release/*]`
	Value     string // what it saw, `branch is "dev"` or "status is not known"
	Holds     bool   // it matches; what is not known matches under except, and does not under only
}

// EnvironmentTypes returns the types an environment can have, from the API's OpenAPI description.
func EnvironmentTypes() []string { return []string{"production", "staging", "development"} }

// Statuses returns the statuses an environment can have, from the API's OpenAPI description.
func Statuses() []string { return []string{"active", "dirty", "inactive", "paused", "deleting"} }

// IsZero reports whether the condition asks for nothing.
func (c *Condition) IsZero() bool {
	return len(c.Branches) == 0 && len(c.EnvironmentTypes) == 0 && len(c.Status) == 0
}

// IsZero reports whether the guard lets everything pass.
func (g *Guard) IsZero() bool { return g.Only.IsZero() && g.Except.IsZero() }

// Evaluate judges target t. It does not allocate when t passes.
func (g *Guard) Evaluate(t Target) Verdict {
	for f := range fields {
		if asked, a := g.Only.ask(f, t); asked && a != yes {
			return Verdict{Message: vetoByOnly(&g.Only, f, t, a)}
		}
	}
	if g.Except.IsZero() {
		return Verdict{Pass: true}
	}
	for f := range fields {
		if asked, a := g.Except.ask(f, t); asked && a == no {
			return Verdict{Pass: true}
		}
	}
	return Verdict{Message: vetoByExcept(&g.Except, t)}
}

// Admits reports whether an active environment with this branch and type passes. The project's
// default branch is not known.
func (g *Guard) Admits(branch, environmentType string) bool {
	at := platform.Environment{Name: branch, Type: environmentType, Status: "active"}
	return g.Evaluate(Target{Environment: &at}).Pass
}

// Explain asks every field of the guard about t, for a person who wants to see all of them.
func (g *Guard) Explain(t Target) []Check {
	var checks []Check
	for f := range fields {
		if asked, a := g.Only.ask(f, t); asked {
			checks = append(checks, Check{g.Only.words("only", f), g.Only.saw(f, t, a), a == yes})
		}
	}
	for f := range fields {
		if asked, a := g.Except.ask(f, t); asked {
			checks = append(checks, Check{g.Except.words("except", f), g.Except.saw(f, t, a), a != no})
		}
	}
	return checks
}

// String returns the guard in one line, the same for equal guards and different for others.
func (g *Guard) String() string {
	var b strings.Builder
	g.Only.write(&b, "only")
	g.Except.write(&b, "except")
	return b.String()
}
