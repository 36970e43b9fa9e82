package sandbox

import (
	"encoding/json"
	"fmt"
	"time"
)

// stamp is a time as the API writes it: UTC with microseconds. Zero is null.
type stamp time.Time

// layout is the form of the API's times, also in the starts_at parameter.
const layout = "2006-01-02T15:04:05.000000-07:00"

func (s stamp) MarshalJSON() ([]byte, error) {
	t := time.Time(s)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().AppendFormat(make([]byte, 0, len(layout)+2), `"`+layout+`"`), nil
}

// optional is a string of which the empty one is null.
type optional string

func (o optional) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(o))
}

// links are HAL links: mostly a link each, but some names have an array.
type links map[string]any

type link struct {
	Href string `json:"href"`
}

// curie is an entry of the array that real answers carry beside the links.
type curie struct {
	Name      string `json:"name"`
	Href      string `json:"href"`
	Templated bool   `json:"templated"`
}

// problem is an error in the form of the project API. The shape is the one that
// the vendor's client library reads.
type problem struct {
	Status  string   `json:"status"`
	Code    int      `json:"code"`
	Title   string   `json:"title"`
	Message string   `json:"message"`
	Detail  struct{} `json:"detail"`
}

// accepted is the envelope of an accepted operation.
type accepted struct {
	Status   string    `json:"status"`
	Code     int       `json:"code"`
	Embedded *embedded `json:"_embedded,omitempty"`
}

type embedded struct {
	Activities []activityView `json:"activities"`
	Entity     any            `json:"entity,omitempty"` // the resource, when it was changed at once
}

// uuid makes a name into something in the form of a user's id.
func uuid(name string) string {
	a, b := hashed(name), hashed(name, "uuid")
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}
