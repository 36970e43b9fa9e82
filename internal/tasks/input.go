package tasks

// Option is one option of a CLI command.
type Option struct {
	Name       string // without dashes, such as "live"
	Short      string // one letter, or empty
	TakesValue bool   // --name=value or --name value; false is a switch
	Repeated   bool   // may be given several times; all values count
	Hidden     bool   // accepted, but absent from the command's help
}

// Argument is one positional argument of a CLI command.
type Argument struct {
	Name     string
	Required bool
	Repeated bool // takes all the words that are left; only the last argument may
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

// Argument returns the argument's first value, or "".
func (in Input) Argument(name string) string {
	if values := in.Arguments[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
