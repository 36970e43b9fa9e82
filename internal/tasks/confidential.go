package tasks

import (
	"errors"
	"fmt"
	"io"
)

// Confidential is a parameter that nobody should read, such as a password or
// the value of a variable. It prints and encodes as <redacted>, so it is in no
// log, no record of the ledger and no plan; only a request has it, to send it.
type Confidential string

// redacted stands for a confidential value. Nothing can be sent with it: a task
// that was decoded from its record does not know its values any more.
const redacted = "<redacted>"

// Format writes <redacted> for every verb and flag.
func (Confidential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns <redacted>; JSON and YAML use it.
func (Confidential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText reads a value.
func (c *Confidential) UnmarshalText(text []byte) error {
	*c = Confidential(text)
	return nil
}

// confider is a task with confidential parameters.
type confider interface {
	// confidences returns the values in an order that depends on nothing else.
	confidences() []Confidential
}

func confidences(t Task) []Confidential {
	if c, ok := t.(confider); ok {
		return c.confidences()
	}
	return nil
}

var errRedacted = errors.New("a confidential value is not known, because records do not keep it")

// complete reports a task that has lost a confidential value.
func complete(t Task) error {
	for _, c := range confidences(t) {
		if c == redacted {
			return errRedacted
		}
	}
	return nil
}
