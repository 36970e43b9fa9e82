package cronspec

import "fmt"

// Error is what Parse finds wrong. Offset and Length are the bytes of the expression concerned,
// counted from 0, for an underline beneath it.
type Error struct {
	Spec    string // the whole expression
	Field   string // "minute", "hour", "day of month", "month", "day of week"; empty for the whole
	Offset  int
	Length  int
	Message string
	Hint    string // what to write instead; may be empty
}

// Error says what is wrong, without the hint.
func (e *Error) Error() string { return fmt.Sprintf("spec %q: %s", e.Spec, e.Message) }
