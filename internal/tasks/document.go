package tasks

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Document is a parameter of any form, sent as JSON as it is. It is confidential, since nobody but
// its author knows what it has in it. The zero value is no document.
type Document struct{ Confidential }

// NewDocument makes a document of maps with text keys, slices, texts, numbers, booleans and nil.
// Equal values make equal documents.
func NewDocument(value any) (Document, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return Document{}, fmt.Errorf("encode a document: %w", err)
	}
	return Document{Confidential(text)}, nil
}

// confidences are the whole, and each text in it, for an answer may repeat that alone.
func (d Document) confidences() []Confidential {
	var value any
	_ = json.Unmarshal([]byte(d.Confidential), &value) // one from a record has no value any more
	return append([]Confidential{d.Confidential}, textsIn(value)...)
}

func textsIn(value any) []Confidential {
	var list []Confidential
	switch value := value.(type) {
	case string:
		list = []Confidential{Confidential(value)}
	case []any:
		for _, item := range value {
			list = append(list, textsIn(item)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			list = append(list, textsIn(value[key])...)
		}
	}
	return list
}
