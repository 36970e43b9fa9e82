package tasks

import (
	"strings"
	"time"
)

// Duration is a parameter that is a length of time, written as "26h" or "90m".
type Duration time.Duration

// String writes it as a person would: 26h instead of 26h0m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// is reports whether a text is this length of time.
func (d Duration) is(text string) bool {
	other, err := time.ParseDuration(text)
	return err == nil && d == Duration(other)
}

// MarshalText returns what String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	*d = Duration(value)
	return err
}
