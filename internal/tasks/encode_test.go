package tasks

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

func samples() []Task {
	return []Task{
		&Backup{}, &Backup{Live: true}, &Redeploy{}, &Pause{}, &Resume{},
		&Synchronize{Code: true}, &Synchronize{Code: true, Data: true, Resources: true, Rebase: true},
		&SourceOperation{Operation: "update"},
		&SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "<1>", "B": ""}}},
		&ResourcesSet{Sizes: map[string]string{"app": "1"}}, &ResourcesSet{Counts: map[string]int{"b": 2, "a": 1}, Disks: map[string]int{"a": 1}},
		&TaskRun{Task: "migrate"}, &TaskRun{Task: "migrate", Variables: map[string]map[string]string{"env": {"A": "b"}}},
		&Activate{}, &Activate{ResourcesInit: "parent"}, &Deactivate{}, &Deactivate{AllowParent: true},
		&Deploy{}, &Deploy{Strategy: "rolling"},
		&HTTPAccess{Enabled: new(false)}, &HTTPAccess{Access: []string{"allow:192.0.2.1", "deny:any"}}, &HTTPAccess{ClearAccess: true},
		&Operation{Operation: "migrate"}, &Operation{Operation: "migrate", App: "app", Parameters: []string{"--force", ""}},
		&VariableUpdate{Name: "env:A", Enabled: new(true)}, &VariableUpdate{Name: "env:A", JSON: new(true), Level: "project"},
		&BackupRestore{}, &BackupRestore{Backup: "b1", NoCode: true}, &BackupDelete{Backup: "b1"},
		&BackupVerify{MaxAge: Duration(26 * time.Hour)}, &BackupVerify{MaxAge: Duration(90 * time.Second), Automated: new(true)},
		&Branch{Name: "x"}, &Branch{Name: "x", NoCloneParent: true}, &Merge{}, &Merge{ResourcesInit: "child"}, &ClearBuildCache{},
		&DeployType{Type: "automatic"}, &DeployType{Type: "manual"}, &ActivityCancel{}, &ActivityCancel{Types: []string{"cron"}},
		&ProjectInfo{Title: "T"}, &EnvironmentDelete{}, &EnvironmentInfo{Title: "T"}, &EnvironmentInfo{ClearParent: true}, &EnvironmentInfo{EnableSMTP: new(false)},
		&VariableDelete{Name: "env:A"}, &VariableDelete{Name: "env:A", Level: "project"}, &VariableEnable{Name: "env:A"}, &VariableDisable{Name: "env:A"},
		&DomainAdd{Name: "a.example"}, &DomainAdd{Name: "a.example", Attach: "b.example"}, &DomainDelete{Name: "a.example"},
		&CertificateAdd{Certificate: "/c", Key: "/k"}, &CertificateAdd{Certificate: "/c", Key: "/k", Chain: []string{"/a", "/b"}}, &CertificateDelete{Certificate: "c1"},
		&AutoscalingSet{Service: "app", InstancesMax: 2}, &AutoscalingSet{Service: "app", Metric: "cpu", Enabled: new(false), ThresholdDown: new(0.5), CooldownUp: Duration(time.Hour)},
		&API{Method: "POST", Path: "x", Evidence: "none"}, &API{Method: "PUT", Path: "x", Evidence: "environment.redeploy"},
	}
}

// confiding are tasks with values that nobody may read.
func confiding(value Confidential) []Task {
	return []Task{
		&HTTPAccess{Auth: map[string]Confidential{"guest": value}},
		&VariableSet{Name: "env:A", Value: &value},
		&VariableSet{Name: "env:A", Value: &value, Level: "project", Sensitive: new(true)},
		&VariableCreate{Name: "env:A", Value: &value, Sensitive: new(false)},
		&VariableUpdate{Name: "env:A", Value: &value, VisibleBuild: new(true)},
		&API{Method: "POST", Path: "x", Content: documentOf(map[string]any{"a": []any{1, string(value)}}), Evidence: "none"},
	}
}

func documentOf(value any) Document {
	d, err := NewDocument(value)
	if err != nil {
		panic(err)
	}
	return d
}

func TestEncode_LeavesOutConfidentialValues(t *testing.T) {
	const value = "pa55w0rd"
	env := &platform.Environment{ID: "main", Status: "active", Links: platform.Links{"#edit": "/e", "#manage-variables": "/v"}}
	for _, task := range confiding(value) {
		kind, params, err := Encode(task)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{string(params), fmt.Sprintf("%v %+v %#v %q", task, task, task, confidences(task))} {
			if strings.Contains(shown, value) {
				t.Errorf("%s: the value is in %s", kind, shown)
			}
		}
		if _, err := Prepare(task, env, nothingThere); errors.Is(err, errRedacted) {
			t.Errorf("%s: a task with its value was refused: %v", kind, err)
		}
		decoded, err := Decode(kind, params)
		if err != nil {
			t.Errorf("%s: %s does not decode: %v", kind, params, err)
			continue
		}
		if _, again, _ := Encode(decoded); string(again) != string(params) {
			t.Errorf("%s: got %s, then %s", kind, params, again)
		}
		if r, err := Prepare(decoded, env, nothingThere); !errors.Is(err, errRedacted) {
			t.Errorf("%s: a task without its value was prepared: %s, %v", kind, r.Body, err)
		}
	}
}

func TestHash_CoversConfidentialValues(t *testing.T) {
	others := confiding("0ther-value")
	for i, task := range confiding("pa55w0rd") {
		if Hash(task) == Hash(others[i]) {
			t.Errorf("%s: two values have one hash", task.Kind().Name)
		}
		if Hash(task) != Hash(confiding("pa55w0rd")[i]) {
			t.Errorf("%s: one value has two hashes", task.Kind().Name)
		}
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
