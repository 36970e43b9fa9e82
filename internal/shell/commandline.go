package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/tasks"
)

// globalOptions are those of every command of the vendor's CLI, from its
// sources. The short forms -vv and -vvv are -v repeated.
var globalOptions = []tasks.Option{
	{Name: "help", Short: "h"},
	{Name: "version", Short: "V"},
	{Name: "verbose", Short: "v"},
	{Name: "quiet", Short: "q"},
	{Name: "yes", Short: "y"},
	{Name: "no-interaction"},
	{Name: "ansi", Hidden: true},
	{Name: "no-ansi", Hidden: true},
	{Name: "no", Short: "n", Hidden: true},
}

// targetOptions are those of every command that acts on an environment.
var targetOptions = []tasks.Option{
	{Name: "project", Short: "p", TakesValue: true},
	{Name: "environment", Short: "e", TakesValue: true},
	{Name: "no-wait", Short: "W"},
	{Name: "wait"},
}

// ParseCommandLine reads a command line of the vendor's CLI as the CLI does,
// that is, by the rules of Symfony Console: --option=value, --option value,
// -o value, -ovalue, grouped switches (-yW), -- before arguments that begin
// with a dash, and abbreviated commands. args[0] is the program's name. The
// task in the result is valid.
func ParseCommandLine(args []string) (Call, error) {
	l, err := parseLine(args)
	if err != nil {
		return Call{}, err
	}
	return l.call()
}

// line is a command line in the course of parsing.
type line struct {
	args        []string
	kind        *tasks.Kind
	rest        []string // tokens that are not read yet
	input       tasks.Input
	positional  int      // how many arguments were read, the command's name not counted
	abbreviated []string // long options that were not written in full
}

func parseLine(args []string) (*line, error) {
	if len(args) == 0 {
		return nil, errors.New("the command line is empty")
	}
	name, ok := commandName(args[1:])
	if !ok {
		return nil, errors.New("no command is given")
	}
	kind, err := tasks.ByCommand(name)
	if err != nil {
		return nil, err
	}
	l := &line{args: args, kind: kind, rest: args[1:], input: tasks.Input{
		Options: map[string][]string{}, Arguments: map[string][]string{}}}
	return l, l.parse()
}

// commandName returns the first word that is no option. The CLI looks for it
// before it knows the command's options, so the value of an option in front of
// it, as in "-p abc backup", is taken for the command.
func commandName(tokens []string) (string, bool) {
	for _, token := range tokens {
		if !strings.HasPrefix(token, "-") {
			return token, token != ""
		}
	}
	return "", false
}

func (l *line) parse() error {
	options, sawCommand := true, false
	for len(l.rest) > 0 {
		token := l.rest[0]
		l.rest = l.rest[1:]
		var err error
		switch {
		case options && token == "--":
			options = false
		case options && strings.HasPrefix(token, "--"):
			err = l.long(token[2:])
		case options && len(token) > 1 && token[0] == '-':
			err = l.short(token[1:])
		case !sawCommand:
			sawCommand = true
		default:
			err = l.argument(token)
		}
		if err != nil {
			return err
		}
	}
	for _, a := range l.kind.Arguments {
		if a.Required && len(l.input.Arguments[a.Name]) == 0 {
			return fmt.Errorf("argument <%s> is missing", a.Name)
		}
	}
	return nil
}

// long reads --name, --name=value or --name value.
func (l *line) long(text string) error {
	name, value, given := strings.Cut(text, "=")
	option, err := l.longOption(name)
	if err != nil {
		return err
	}
	if given && !option.TakesValue {
		return fmt.Errorf("option --%s does not accept a value", option.Name)
	}
	return l.set(option, value, given && value != "")
}

// longOption finds an option by its name or by an abbreviation that fits no
// other.
func (l *line) longOption(name string) (tasks.Option, error) {
	var found []tasks.Option
	for o := range l.options {
		if o.Name == name {
			return o, nil
		}
		if name != "" && strings.HasPrefix(o.Name, name) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return tasks.Option{}, fmt.Errorf("option --%s does not exist for %s", name, l.kind.Command)
	case 1:
		l.abbreviated = append(l.abbreviated, "--"+name)
		return found[0], nil
	}
	var names []string
	for _, o := range found {
		names = append(names, "--"+o.Name)
	}
	return tasks.Option{}, fmt.Errorf("option --%s is ambiguous: it may be %s", name, strings.Join(names, " or "))
}

// short reads switches that stand together, of which the last may take a
// value, attached or as the next word.
func (l *line) short(text string) error {
	for i := range len(text) {
		option, ok := l.shortOption(text[i : i+1])
		if !ok {
			return fmt.Errorf("option -%s does not exist for %s", text[i:i+1], l.kind.Command)
		}
		if option.TakesValue {
			value := text[i+1:]
			if strings.HasPrefix(value, "=") {
				return fmt.Errorf("option -%s would get the value %q; write -%s %s",
					option.Short, value, option.Short, value[1:])
			}
			return l.set(option, value, value != "")
		}
		if err := l.set(option, "", false); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) shortOption(letter string) (tasks.Option, bool) {
	for o := range l.options {
		if o.Short == letter {
			return o, true
		}
	}
	return tasks.Option{}, false
}

// options yields every option the command has.
func (l *line) options(yield func(tasks.Option) bool) {
	for _, list := range [][]tasks.Option{globalOptions, targetOptions, l.kind.Options} {
		for _, o := range list {
			if !yield(o) {
				return
			}
		}
	}
}

// set notes an option. A value that is not attached is the next word, unless
// that begins with a dash.
func (l *line) set(o tasks.Option, value string, attached bool) error {
	if o.TakesValue && !attached {
		if len(l.rest) == 0 || len(l.rest[0]) > 0 && l.rest[0][0] == '-' {
			return fmt.Errorf("option --%s requires a value", o.Name)
		}
		value, l.rest = l.rest[0], l.rest[1:]
	}
	if o.Repeated {
		l.input.Options[o.Name] = append(l.input.Options[o.Name], value)
	} else {
		l.input.Options[o.Name] = []string{value}
	}
	return nil
}

func (l *line) argument(token string) error {
	all := l.kind.Arguments
	i := min(l.positional, len(all)-1)
	if i < 0 || i < l.positional && !all[i].Repeated {
		return fmt.Errorf("argument %q is one too many for %s", token, l.kind.Command)
	}
	l.positional++
	l.input.Arguments[all[i].Name] = append(l.input.Arguments[all[i].Name], token)
	return nil
}

// call turns the options and arguments into what is to be done.
func (l *line) call() (Call, error) {
	given := l.input.Given
	switch {
	case given("help"), given("version"):
		return Call{}, errors.New("the command would only print help or its version")
	case l.kind.Confirms && given("no") && !given("yes"):
		return Call{}, errors.New("-n answers the CLI's question with no, so nothing would be done; write --yes")
	}
	c := Call{Args: slices.Clone(l.args), Wait: given("wait") && !given("no-wait")}
	var err error
	if c.Project, err = l.selected("project"); err != nil {
		return Call{}, err
	}
	if strings.Contains(c.Project, "/") {
		return Call{}, fmt.Errorf("project %q: give the project's ID, not an address", c.Project)
	}
	if c.Environment, err = l.selected("environment"); err != nil {
		return Call{}, err
	}
	if values := l.input.Arguments[tasks.ArgumentEnvironment]; len(values) > 0 {
		if c.Environment != "" {
			return Call{}, errors.New("the environment is given twice, as an argument and with --environment")
		}
		if c.Environment = values[0]; c.Environment == "" {
			return Call{}, errors.New("the environment is empty")
		}
	}
	if c.Task, err = l.kind.FromCLI(l.input); err != nil {
		return Call{}, err
	}
	return c, c.Task.Validate()
}

// selected returns the value of --project or --environment. An empty one is an
// error, since it would otherwise mean the run's own target; a script gets
// there with a variable that is not set.
func (l *line) selected(option string) (string, error) {
	values := l.input.Options[option]
	if len(values) == 0 {
		return "", nil
	}
	if values[0] == "" {
		return "", fmt.Errorf("the %s is empty", option)
	}
	return values[0], nil
}
