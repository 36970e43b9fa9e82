package tasks

import "fmt"

// UnknownCommandError says that a command name leads to no task, and why.
type UnknownCommandError struct {
	Name        string   // as written
	Command     string   // the CLI's command it resolves to, when Unsupported
	Nearest     []string // names to offer instead; the candidates when Ambiguous
	Ambiguous   bool     // it abbreviates several of the CLI's commands
	Unsupported bool     // the CLI has it, automatond does not offer it
}

// Error implements error.
func (e *UnknownCommandError) Error() string { return fmt.Sprintf("command %q", e.Name) }

// ByCommand finds the kind behind a name of the vendor's CLI.
func ByCommand(name string) (*Kind, error) {
	for _, k := range Catalogue() {
		if k.Command == name {
			return k, nil
		}
	}
	return nil, &UnknownCommandError{Name: name}
}
