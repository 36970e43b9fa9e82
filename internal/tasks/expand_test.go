package tasks

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var somewhere = Names{Project: "shopid", Environment: "feature-x", Branch: `feature/"x"`}

func TestExpand_NamesThePlaceInEveryText(t *testing.T) {
	value := Confidential("on ${branch}, $${HOME}")
	document, err := NewDocument(map[string]any{"title": "of ${branch}", "left": "$${branch}", "n": 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		task Task
		want string // the body that is sent
	}{
		{&Branch{Name: "copy-of-${environment}", Title: "${project}: ${branch}"},
			`{"name":"copy-of-feature-x","title":"shopid: feature/\"x\"","clone_parent":true}`},
		{&VariableUpdate{Name: "WHERE", Value: &value}, `{"value":"on feature/\"x\", ${HOME}"}`},
		{&Operation{Operation: "o", Parameters: []string{"a", "${project}"}},
			`{"operation":"o","service":"","parameters":["a","shopid"]}`},
		{&SourceOperation{Operation: "o", Variables: map[string]map[string]string{"env": {"${key}": "${environment}"}}},
			`{"operation":"o","variables":{"env":{"${key}":"feature-x"}}}`},
		{&API{Content: document}, `{"left":"${branch}","n":3,"title":"of feature/\"x\""}`},
	} {
		got, err := json.Marshal(Expand(tt.task, somewhere).Body())
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.task.Kind().Name, got, err, tt.want)
		}
	}
}

func TestExpand_LeavesTheTaskAsItIs(t *testing.T) {
	plain := &Branch{Name: "$branch {project}"}
	if got := Expand(plain, somewhere); got != Task(plain) {
		t.Errorf("got another task: %v", got)
	}
	shared := &Operation{Operation: "o", Parameters: []string{"${branch}"}}
	Expand(shared, somewhere)
	if diff := cmp.Diff(&Operation{Operation: "o", Parameters: []string{"${branch}"}}, shared); diff != "" {
		t.Errorf("the task that others share was changed (-want +got):\n%s", diff)
	}
}

func TestHasUnknownPlaceholder(t *testing.T) {
	for text, known := range map[string]bool{
		"plain $text {x}":        true,
		"${project}-${branch}":   true,
		"$${whatever} $${":       true,
		"${Branch}":              false,
		"x ${}":                  false,
		"${project":              false,
		"$${project}${machine}":  false,
		"$${a ${b}":              false,
		QuotePlaceholders("${x"): true,
	} {
		if HasUnknownPlaceholder(text) == known {
			t.Errorf("%q: known is %t", text, !known)
		}
		if got := somewhere.text(QuotePlaceholders(text)); got != text {
			t.Errorf("%q quoted and expanded is %q", text, got)
		}
	}
}
