package tasks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Encode returns the task's kind and its parameters as JSON, for the ledger.
// Equal tasks have equal bytes. Confidential values are left out.
func Encode(t Task) (kind string, params []byte, err error) {
	kind = t.Kind().Name
	if params, err = json.Marshal(t); err != nil {
		return "", nil, fmt.Errorf("encode %s task: %w", kind, err)
	}
	return kind, params, nil
}

// Decode reads what Encode wrote. A parameter this version does not know is an
// error, since leaving it out would ask for something else. A task that had a
// confidential value can be followed, but Prepare refuses it.
func Decode(kind string, params []byte) (Task, error) {
	k, ok := ByName(kind)
	if !ok {
		return nil, fmt.Errorf("decode task: kind %q is unknown", kind)
	}
	t := k.New()
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("decode %s task: %w", kind, err)
	}
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("decode %s task: %w", kind, err)
	}
	return t, nil
}

// Hash returns a short text that is equal for two tasks exactly when they ask
// for the same: 32 hexadecimal digits over kind and parameters.
func Hash(t Task) string {
	kind, params, err := Encode(t)
	if err != nil {
		// Not reachable with the catalogue's types; an unequal hash would only
		// miss a duplicate, so the kind alone is the careful answer.
		params = nil
	}
	var buf [256]byte
	text := append(append(append(buf[:0], kind...), 0), params...)
	for _, c := range confidences(t) {
		text = append(append(text, 0), c...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
