package tasks

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/platform"
)

func TestPrepare_FollowsTheLinkAndSendsTheBody(t *testing.T) {
	for _, tt := range []struct {
		task Task
		body string
	}{
		{&Backup{}, `{"safe":true}`},
		{&Backup{Live: true}, `{"safe":false}`},
		{&Redeploy{}, ``},
		{&Synchronize{Data: true}, `{"synchronize_code":false,"synchronize_data":true,"rebase":false}`},
		{&Synchronize{Code: true, Resources: true, Rebase: true},
			`{"synchronize_code":true,"synchronize_data":false,"rebase":true,"synchronize_resources":true}`},
		{&SourceOperation{Operation: "update"}, `{"operation":"update","variables":{}}`},
		{&SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"B": "2", "A": "1"}}},
			`{"operation":"update","variables":{"env":{"A":"1","B":"2"}}}`},
		{&Pause{}, ``},
		{&Resume{}, ``},
	} {
		k := tt.task.Kind()
		// The path is the link's, wherever that leads; the plural has been seen.
		env := &platform.Environment{ID: "main", Links: platform.Links{k.Link: "/api/odd/path?x=1"}}
		got, err := Prepare(tt.task, env)
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if got.Method != http.MethodPost || got.Path != "/api/odd/path?x=1" || got.Endpoint != k.Route {
			t.Errorf("%s: got %s %s (%s)", k.Name, got.Method, got.Path, got.Endpoint)
		}
		if string(got.Body) != tt.body {
			t.Errorf("%s: got body %s, want %s", k.Name, got.Body, tt.body)
		}
	}
}

func TestPrepare_ReadsAMissingLinkWithTheEnvironment(t *testing.T) {
	for _, tt := range []struct {
		name    string
		task    Task
		env     platform.Environment
		reason  string
		message string
	}{
		{"dirty flag", &Backup{}, platform.Environment{Status: "active", IsDirty: true}, "dirty", "pending or in progress"},
		{"dirty status", &Backup{}, platform.Environment{Status: "dirty"}, "dirty", "pending or in progress"},
		{"paused and waking up", &Backup{}, platform.Environment{Status: "paused", IsDirty: true}, "dirty", "pending"},
		{"paused and waking up, to be paused", &Pause{}, platform.Environment{Status: "paused", IsDirty: true}, "dirty", "pending"},
		{"inactive", &Backup{}, platform.Environment{Status: "inactive"}, "inactive", `"x" is inactive, backup wants it active`},
		{"paused", &Redeploy{}, platform.Environment{Status: "paused"}, "inactive", "is paused"},
		{"deleting", &Backup{}, platform.Environment{Status: "deleting", IsDirty: true}, "inactive", "being deleted"},
		{"no status", &Backup{}, platform.Environment{}, "inactive", "unknown status"},
		{"forbidden", &Backup{}, platform.Environment{Status: "active"}, "forbidden", "role admin"},
		{"no parent", &Synchronize{Data: true}, platform.Environment{Status: "active"}, "forbidden", "no parent"},
		{"parent", &Synchronize{Data: true}, platform.Environment{Status: "active", Parent: "main"}, "forbidden", "role admin"},
		{"already paused", &Pause{}, platform.Environment{Status: "paused"}, "already", "is paused already"},
		{"already awake", &Resume{}, platform.Environment{Status: "active"}, "already", "is active already"},
		{"inactive, to be resumed", &Resume{}, platform.Environment{Status: "inactive"}, "inactive", "wants it paused"},
		{"paused, resume forbidden", &Resume{}, platform.Environment{Status: "paused"}, "forbidden", "role admin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.env.ID = "x"
			tt.env.Links = platform.Links{"self": "/projects/p/environments/x"}
			_, err := Prepare(tt.task, &tt.env)
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatalf("got %v, want a refusal", err)
			}
			if refusal.Reason != tt.reason || !strings.Contains(refusal.Message, tt.message) {
				t.Errorf("got %s: %s", refusal.Reason, refusal.Message)
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	env := &platform.Environment{ID: "main", Status: "active", Links: platform.Links{"#backup": "/api/projects/p/environments/main/backup"}}
	task := &Backup{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Prepare(task, env); err != nil {
			b.Fatal(err)
		}
	}
}
