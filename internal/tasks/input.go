package tasks

import (
	"fmt"
	"strings"
)

// Option is one option of a CLI command.
type Option struct {
	Name       string // without dashes, such as "live"
	Short      string // one letter, or empty
	TakesValue bool   // --name=value or --name value; false is a switch
	Repeated   bool   // may be given several times; all values count
	Hidden     bool   // accepted, but absent from the command's help
	Secret     bool   // its value is not to be shown or kept
}

// Argument is one positional argument of a CLI command.
type Argument struct {
	Name     string
	Required bool
	Repeated bool // takes all the words that are left; only the last argument may
	Secret   bool // its value is not to be shown or kept
}

// ArgumentEnvironment is the argument that selects the environment, which some
// commands take in place of --environment. It is no parameter of the task.
const ArgumentEnvironment = "environment"

// Input is a command line after parsing, by the names in Kind.Options and
// Kind.Arguments. A switch that was given has one empty value.
type Input struct {
	Options   map[string][]string
	Arguments map[string][]string
}

// Given reports whether the option was on the command line.
func (in Input) Given(option string) bool { return len(in.Options[option]) > 0 }

// Option returns the option's value, or "". Of several, the last one counts.
func (in Input) Option(name string) string {
	if values := in.Options[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Flag reads an option whose value is a yes or a no, in the words the vendor's
// CLI takes. It is nil when the option was not given.
func (in Input) Flag(name string) (*bool, error) {
	if !in.Given(name) {
		return nil, nil
	}
	var yes bool
	switch strings.ToLower(in.Option(name)) {
	case "1", "true", "yes", "y":
		yes = true
	case "0", "false", "no", "n":
	default:
		return nil, fmt.Errorf("option --%s is %q; write true or false", name, in.Option(name))
	}
	return &yes, nil
}

// Argument returns the argument's first value, or "".
func (in Input) Argument(name string) string {
	if values := in.Arguments[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
