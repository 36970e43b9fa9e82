// Package secret keeps a credential from being shown by accident. A Secret prints as <redacted>
// in every format this program writes; only Reveal gives the value away, so that one search for
// Reveal finds every place that uses it. A Source says where a secret comes from.
package secret

import (
	"fmt"
	"io"
)

const redacted = "<redacted>"

// Secret is a credential that prints as <redacted>. The zero value is the empty secret.
type Secret struct {
	value *string // a pointer, so that reflection-based printers find an address and not the value
}

// New makes a secret of value.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself, for the one request that carries it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns <redacted>, whatever the value.
func (s Secret) String() string { return redacted }

// GoString returns <redacted>, for %#v.
func (s Secret) GoString() string { return redacted }

// Format writes <redacted> for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns <redacted>; YAML and zerolog use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "<redacted>" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
