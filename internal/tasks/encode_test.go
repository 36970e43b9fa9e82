package tasks

import (
	"reflect"
	"strings"
	"testing"
)

func samples() []Task {
	return []Task{
		&Backup{}, &Backup{Live: true}, &Redeploy{}, &Pause{}, &Resume{},
		&Synchronize{Code: true}, &Synchronize{Code: true, Data: true, Resources: true, Rebase: true},
		&SourceOperation{Operation: "update"},
		&SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "<1>", "B": ""}}},
	}
}

func TestEncode_DecodeGivesTheSameTask(t *testing.T) {
	for _, task := range samples() {
		kind, params, err := Encode(task)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(kind, params)
		if err != nil || !reflect.DeepEqual(got, task) {
			t.Errorf("%s %s: got %+v, %v", kind, params, got, err)
		}
	}
}

func TestEncode_IsStable(t *testing.T) {
	task := &SourceOperation{Operation: "o", Variables: map[string]map[string]string{
		"env": {"C": "3", "A": "1", "B": "2"}, "drupal": {"x": "y"}}}
	_, first, _ := Encode(task)
	for range 50 {
		if _, again, _ := Encode(task); string(again) != string(first) {
			t.Fatalf("got %s, then %s", first, again)
		}
	}
}

func TestDecode_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, tt := range []struct{ kind, params, want string }{
		{"restore", `{}`, `kind "restore" is unknown`},
		{"backup", `{"live":true,"encrypted":true}`, "encrypted"},
		{"backup", `{"live":`, "decode backup task"},
		{"backup", ``, "decode backup task"},
		{"synchronize", `{}`, "nothing to synchronize"},
	} {
		if got, err := Decode(tt.kind, []byte(tt.params)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: got %v, %v, want %q", tt.kind, tt.params, got, err, tt.want)
		}
	}
}

func TestHash_TellsTasksApart(t *testing.T) {
	seen := map[string]Task{}
	for _, task := range samples() {
		h := Hash(task)
		if len(h) != 32 {
			t.Errorf("hash %q has %d digits", h, len(h))
		}
		if other, ok := seen[h]; ok {
			t.Errorf("%+v and %+v have one hash", task, other)
		}
		seen[h] = task
	}
	for _, task := range samples() {
		kind, params, _ := Encode(task)
		again, err := Decode(kind, params)
		if err != nil || Hash(again) != Hash(task) {
			t.Errorf("%+v has another hash after decoding, %v", task, err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	task := &Backup{}
	b.ReportAllocs()
	for b.Loop() {
		Hash(task)
	}
}
