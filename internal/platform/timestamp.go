package platform

import (
	"encoding/json"
	"strconv"
	"time"
)

// timestamp is a time that may be null, missing, or in an unexpected form: all of these read as
// the zero time, for no decision may hang on a stamp that is not there.
type timestamp struct{ time.Time }

// layouts are the forms in which a time may come, the usual one first. One without a zone is UTC.
var layouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02",
}

// UnmarshalJSON never fails. A number is a Unix time in seconds.
func (t *timestamp) UnmarshalJSON(data []byte) error {
	t.Time = time.Time{}
	if string(data) == "null" {
		return nil // the usual case while work is under way: not worth an attempt to read it
	}
	if len(data) < 2 || data[0] != '"' {
		const latest = 1 << 33 // seconds, in the year 2242; what is more is not in seconds
		if seconds, err := strconv.ParseFloat(string(data), 64); err == nil && seconds > 0 && seconds < latest {
			t.Time = time.UnixMicro(int64(seconds * 1e6)).UTC()
		}
		return nil
	}
	text := string(data[1 : len(data)-1])
	for _, b := range data {
		if b == '\\' {
			_ = json.Unmarshal(data, &text) // it is a string; the syntax was checked
			break
		}
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return nil
}
