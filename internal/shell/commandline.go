package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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
	{Name: "host", TakesValue: true, Hidden: true}, // has had no effect for long
	{Name: "environment", Short: "e", TakesValue: true},
}

// waitOptions are those of every command that can wait for its activities.
var waitOptions = []tasks.Option{
	{Name: "no-wait", Short: "W"},
	{Name: "wait"},
}

// ParseCommandLine reads a command line of the vendor's CLI as the CLI does,
// that is, by the rules of Symfony Console: --option=value, --option value,
// -o value, -ovalue, grouped switches (-yW), -- before arguments that begin
// with a dash, and abbreviated commands. Long options may be abbreviated too,
// which the CLI itself does not accept. args[0] is the program's name. The task
// in the result is valid.
func ParseCommandLine(args []string) (Call, error) {
	l, err := parseLine(args)
	if err != nil {
		return Call{}, err
	}
	return l.call()
}

// wordError is what is wrong with one word of a command line.
type wordError struct {
	word int // index in the arguments
	err  error
}

// Error implements error.
func (e *wordError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong, without the place.
func (e *wordError) Unwrap() error { return e.err }

// line is a command line in the course of parsing.
type line struct {
	args        []string
	shown       []string // args with redacted values in place of secret ones
	kind        *tasks.Kind
	command     int // index of the command's name
	next        int // index of the word to be read
	input       tasks.Input
	positional  int      // how many arguments were read, the command's name not counted
	abbreviated []string // long options that were not written in full
}

var errNoCommand = errors.New("no command is given")

func parseLine(args []string) (*line, error) {
	if len(args) == 0 {
		return nil, errors.New("the command line is empty")
	}
	command, ok := commandWord(args)
	if !ok {
		return nil, errNoCommand
	}
	kind, err := tasks.ByCommand(args[command])
	if err != nil {
		return nil, &wordError{command, err}
	}
	l := &line{
		args: args, shown: slices.Clone(args), kind: kind, command: command, next: 1,
		input: tasks.Input{Options: map[string][]string{}, Arguments: map[string][]string{}},
	}
	return l, l.parse()
}

// commandWord returns the index of the first word that is no option. The CLI
// looks for it before it knows the command's options, so the value of an option
// in front of it, as in "-p abc backup", is taken for the command.
func commandWord(args []string) (int, bool) {
	for i, word := range args[1:] {
		if !strings.HasPrefix(word, "-") {
			return i + 1, word != ""
		}
	}
	return 0, false
}

func (l *line) parse() error {
	options, sawCommand := true, false
	for l.next < len(l.args) {
		at := l.next
		word := l.args[at]
		l.next++
		var err error
		switch {
		case options && word == "--":
			options = false
		case options && strings.HasPrefix(word, "--"):
			err = l.long(word[2:])
		case options && len(word) > 1 && word[0] == '-':
			err = l.short(word[1:])
		case !sawCommand && at != l.command:
			err = fmt.Errorf("%q stands where the command belongs", word)
		case !sawCommand:
			sawCommand = true
		default:
			err = l.argument(word)
		}
		if err != nil {
			return &wordError{at, err}
		}
	}
	for _, a := range l.kind.Arguments {
		if a.Required && len(l.input.Arguments[a.Name]) == 0 {
			return &wordError{l.command, fmt.Errorf("argument <%s> is missing", a.Name)}
		}
	}
	return nil
}

// long reads --name, --name=value or --name value. An attached value counts
// also when it is empty.
func (l *line) long(text string) error {
	name, value, attached := strings.Cut(text, "=")
	option, err := findOption(l.kind, name)
	if err != nil {
		return err
	}
	if option.Name != name {
		l.abbreviated = append(l.abbreviated, "--"+name)
	}
	if !attached {
		return l.set(option)
	}
	if !option.TakesValue {
		return fmt.Errorf("option --%s does not accept a value", option.Name)
	}
	if option.Secret {
		l.shown[l.next-1] = "--" + name + "=" + redacted
	}
	l.note(option, value)
	return nil
}

// redacted is shown in place of a secret value.
const redacted = "<redacted>"

// findOption finds a command's option by its name, or by an abbreviation that
// fits no other of those the command's help lists.
func findOption(kind *tasks.Kind, name string) (tasks.Option, error) {
	var found, all []string
	var option tasks.Option
	for o := range optionsOf(kind) {
		if o.Name == name {
			return o, nil
		}
		if name != "" && !o.Hidden && strings.HasPrefix(o.Name, name) {
			found, option = append(found, "--"+o.Name), o
		}
		all = append(all, o.Name)
	}
	switch len(found) {
	case 0:
		return tasks.Option{}, noSuchOption(kind, "--"+name, tasks.Closest(name, all))
	case 1:
		return option, nil
	default:
		return tasks.Option{}, fmt.Errorf("option --%s is ambiguous: it may be %s", name, strings.Join(found, " or "))
	}
}

func noSuchOption(kind *tasks.Kind, name, nearest string) error {
	if nearest != "" {
		return fmt.Errorf("option %s does not exist for %s; did you mean --%s?", name, kind.Command, nearest)
	}
	return fmt.Errorf("option %s does not exist for %s", name, kind.Command)
}

// short reads switches that stand together, of which the last may take a
// value, attached or as the next word.
func (l *line) short(text string) error {
	for text != "" {
		_, size := utf8.DecodeRuneInString(text)
		option, err := findShort(l.kind, text[:size])
		if err != nil {
			return err
		}
		text = text[size:]
		if !option.TakesValue || text == "" {
			if err := l.set(option); err != nil {
				return err
			}
			continue
		}
		if strings.HasPrefix(text, "=") { // the CLI would keep it
			return fmt.Errorf("option -%s would get the value %q; write -%s %s", option.Short, text, option.Short, text[1:])
		}
		l.note(option, text)
		return nil
	}
	return nil
}

func findShort(kind *tasks.Kind, letter string) (tasks.Option, error) {
	for o := range optionsOf(kind) {
		if o.Short == letter {
			return o, nil
		}
	}
	return tasks.Option{}, noSuchOption(kind, "-"+letter, "")
}

// optionsOf yields every option a command has.
func optionsOf(kind *tasks.Kind) func(yield func(tasks.Option) bool) {
	return func(yield func(tasks.Option) bool) {
		wait := waitOptions
		if kind.NeverWaits {
			wait = nil
		}
		for _, list := range [][]tasks.Option{globalOptions, targetOptions, wait, kind.Options} {
			for _, o := range list {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// set notes an option without an attached value: its value is the next word,
// unless that begins with a dash.
func (l *line) set(o tasks.Option) error {
	if !o.TakesValue {
		l.note(o, "")
		return nil
	}
	if l.next == len(l.args) || strings.HasPrefix(l.args[l.next], "-") {
		return fmt.Errorf("option --%s requires a value", o.Name)
	}
	if o.Secret {
		l.shown[l.next] = redacted
	}
	l.note(o, l.args[l.next])
	l.next++
	return nil
}

// note keeps all values of a repeated option, and the last one of any other.
func (l *line) note(o tasks.Option, value string) {
	if o.Repeated {
		l.input.Options[o.Name] = append(l.input.Options[o.Name], value)
	} else {
		l.input.Options[o.Name] = []string{value}
	}
}

func (l *line) argument(word string) error {
	all := l.kind.Arguments
	i := min(l.positional, len(all)-1)
	if i < 0 || i < l.positional && !all[i].Repeated {
		if hasSecrets(l.kind) { // the word may be the rest of an unquoted value
			return fmt.Errorf("there is one argument too many for %s", l.kind.Command)
		}
		return fmt.Errorf("argument %q is one too many for %s", word, l.kind.Command)
	}
	if all[i].Secret {
		l.shown[l.next-1] = redacted
	}
	l.positional++
	l.input.Arguments[all[i].Name] = append(l.input.Arguments[all[i].Name], word)
	return nil
}

func hasSecrets(kind *tasks.Kind) bool {
	return slices.ContainsFunc(kind.Options, func(o tasks.Option) bool { return o.Secret }) ||
		slices.ContainsFunc(kind.Arguments, func(a tasks.Argument) bool { return a.Secret })
}

// call turns the options and arguments into what is to be done.
func (l *line) call() (Call, error) {
	given := l.input.Given
	switch {
	case given("help"), given("version"):
		return Call{}, errors.New("the command would only print help or its version")
	case l.kind.Confirms && given("no") && !given("yes"):
		return Call{}, errors.New("-n answers the CLI's question with no, so nothing would be done; write --yes")
	case l.kind.Destructive && !given("yes"):
		return Call{}, fmt.Errorf("%s ends what cannot be brought back; write --yes if that is meant", l.kind.Command)
	}
	c := Call{Args: slices.Clone(l.args), Shown: l.shown, Wait: given("wait") && !given("no-wait")}
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
	if err := l.environmentArgument(&c); err != nil {
		return Call{}, err
	}
	if of := l.kind.OfMain; of != nil && c.Environment == "" && of(l.input) {
		c.Environment = "."
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
	if !l.input.Given(option) {
		return "", nil
	}
	value := l.input.Option(option)
	if value == "" {
		return "", fmt.Errorf("the %s is empty", option)
	}
	return value, nil
}

// environmentArgument takes the environment from the argument that some
// commands have for it.
func (l *line) environmentArgument(c *Call) error {
	switch values := l.input.Arguments[tasks.ArgumentEnvironment]; {
	case len(values) == 0:
		return nil
	case c.Environment != "":
		return errors.New("the environment is given twice, as an argument and with --environment")
	case len(values) > 1:
		return fmt.Errorf("%d environments are named; write one call for each", len(values))
	case values[0] == "":
		return errors.New("the environment is empty")
	default:
		c.Environment = values[0]
		return nil
	}
}

// word is a word of a command line in a script.
type word struct {
	text    string // what it is at every run, or begins with
	literal bool   // it is no more than that
}

// checkLine finds what is wrong with a command line whatever becomes of the
// words that differ from run to run. An unknown option is found also between
// such words: a word that begins with a dash is never the value of another.
func checkLine(words []word) (*line, error) {
	args := make([]string, len(words))
	literal := true
	for i, w := range words {
		args[i] = w.text
		literal = literal && w.literal
	}
	if literal {
		l, err := parseLine(args)
		if err == nil {
			_, err = l.call()
		}
		return l, err
	}
	command, ok := commandWord(args)
	if !ok || slices.ContainsFunc(words[:command+1], func(w word) bool { return !w.literal }) {
		return nil, nil
	}
	kind, err := tasks.ByCommand(args[command])
	if err != nil {
		return nil, &wordError{command, err}
	}
	for i, w := range words[1:] {
		if w.literal && w.text == "--" {
			break
		}
		if err := checkOption(kind, w); err != nil {
			return nil, &wordError{i + 1, err}
		}
	}
	return &line{kind: kind}, nil
}

// mayHoldSecrets reports whether one of the words may be a secret value.
func mayHoldSecrets(words []word) bool {
	for _, w := range words[1:] {
		if strings.HasPrefix(w.text, "-") {
			continue
		}
		kind, err := tasks.ByCommand(w.text)
		return !w.literal || err != nil || hasSecrets(kind)
	}
	return false
}

// checkOption reports whether a word is an option that does not exist. Of a
// word that differs from run to run, a long option's name is known if the word
// goes on behind an equals sign.
func checkOption(kind *tasks.Kind, w word) error {
	long, isLong := strings.CutPrefix(w.text, "--")
	name, _, attached := strings.Cut(long, "=")
	switch {
	case isLong && (w.literal || attached):
		_, err := findOption(kind, name)
		return err
	case !isLong && w.literal && len(w.text) > 1 && w.text[0] == '-':
		for _, letter := range w.text[1:] {
			option, err := findShort(kind, string(letter))
			if err != nil || option.TakesValue {
				return err
			}
		}
	}
	return nil
}
