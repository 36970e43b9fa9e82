package platform

import (
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

const environmentBody = `{
	"id": "feature/x", "name": "feature/x", "machine_name": "feature-x-bvxea6i", "title": "Feature X",
	"created_at": "2025-02-03T09:12:44.120000+00:00", "updated_at": "2026-08-01T05:00:11.002000+00:00",
	"type": "development", "status": "active", "parent": "main", "project": "k3q",
	"is_main": false, "is_dirty": true, "has_staged_activities": true, "last_backup_at": null,
	"http_access": {"is_enabled": false, "addresses": []}, "deployment_state": {"crons": {"status": "running"}},
	"_links": {
		"curies": [{"name": "pf", "href": "https://docs/{rel}", "templated": true}],
		"pf:routes": [{"href": "/r1"}, {"href": "/r2"}],
		"self": {"href": "https://eu-5.platform.sh/api/projects/k3q/environments/feature%2Fx"},
		"#backup": {"href": "/api/projects/k3q/environments/feature%2Fx/backup"},
		"#query": {"href": "https://eu-5.platform.sh/api/x?a=b%26c#part"},
		"#empty": {"href": ""}, "#none": {}, "#null": null, "#number": {"href": 5}, "#text": "x", "#relative": {"href": "backup"},
		"#host": {"href": "//evil.test/h"}, "#two": {"href": "https://evil.test//other.test/x"}, "#mail": {"href": "mailto:a@b"},
		"ssh": {"href": "ssh://k3q@ssh.eu.platform.sh"}
	}}`

func TestEnvironment_IsReadAsTheAPISendsIt(t *testing.T) {
	s := newServer(t, status(200, environmentBody))
	got, err := s.client(t).Environment(t.Context(), "k3q", "feature/x")
	if err != nil {
		t.Fatal(err)
	}
	want := &Environment{
		ID: "feature/x", Name: "feature/x", MachineName: "feature-x-bvxea6i", Type: "development",
		Status: "active", Parent: "main", Project: "k3q", IsDirty: true, HasStagedActivities: true,
		Links: Links{
			"self":    "/api/projects/k3q/environments/feature%2Fx",
			"#backup": "/api/projects/k3q/environments/feature%2Fx/backup",
			"#query":  "/api/x?a=b%26c",
			"#host":   "/h",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if uri := s.asked()[0].uri; uri != "/projects/k3q/environments/feature%2Fx" {
		t.Errorf("asked %s", uri)
	}
}

func TestEnvironment_EscapesWhateverItIsCalled(t *testing.T) {
	for id, want := range map[string]string{
		"main": "main", "feature/x": "feature%2Fx", "a b": "a%20b", "é": "%C3%A9", "a?b#c": "a%3Fb%23c", "a%2Fb": "a%252Fb", "..": "..",
	} {
		s := newServer(t, status(200, `{"id":"x"}`))
		if _, err := s.client(t).Environment(t.Context(), "p", id); err != nil {
			t.Errorf("%q: %v", id, err)
		} else if got := s.asked()[0].uri; got != "/projects/p/environments/"+want {
			t.Errorf("%q: asked %s", id, got)
		}
	}
}

func TestEnvironment_OddFieldsReadAsAbsent(t *testing.T) {
	s := newServer(t, status(200, `[{"id":"main","status":7,"title":{},"is_dirty":"yes","parent":[],"_links":[],"last_backup_at":{}},
		null, {}, {"id":"dev","status":"active","_links":null}]`))
	list, err := s.client(t).Environments(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].ID != "main" || list[0].Status != "" || list[0].Project != "p" || list[0].Name != "main" ||
		list[1].ID != "dev" || list[1].Status != "active" {
		t.Errorf("listed %+v", list)
	}
}

func TestEnvironments_ListsEachOnce(t *testing.T) {
	s := newServer(t, status(200, `[{"id":"main","status":"active"},{"id":"dev"},{"id":"main","status":"paused"}]`))
	list, err := s.client(t).Environments(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].ID != "main" || list[0].Status != "active" || list[1].ID != "dev" {
		t.Errorf("listed %+v", list)
	}
}

func TestEnvironments_AnotherFormAltogetherIsAnError(t *testing.T) {
	for _, body := range []string{"null", "{}", `"x"`, "", "<html>", "[1]", `[{"id":"main"}`} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, inMemory(answering(body)))
			if list, err := c.Environments(t.Context(), "p"); err == nil {
				t.Errorf("%q was read as %v", body, list)
			}
		})
	}
}

func TestResources_AreReadAsTheAPISendsThem(t *testing.T) {
	answers := map[string]string{
		"/projects/p": `{"id":"p","title":"Shop","default_branch":"main","_links":{"environments":{"href":"/api/projects/p/environments"}}}`,
		"/users/me":   `{"id":"u1","username":"bot","email":"bot@example.org","mfa_enabled":true}`,
		"/projects/p/environments/main/backups": `[{"id":"b1","created_at":"2026-08-02T05:00:03Z","automated":false,"safe":true,
			"status":"CREATED","environment":"main"},{"id":"b0","created_at":null,"automated":true}]`,
	}
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { status(200, answers[r.RequestURI])(w, r) })
	c := s.client(t)
	p, err := c.Project(t.Context(), "p")
	if want := (&Project{ID: "p", Title: "Shop", DefaultBranch: "main", Links: Links{"environments": "/api/projects/p/environments"}}); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("project %+v, %v", p, err)
	}
	u, err := c.Me(t.Context())
	if want := (&User{ID: "u1", Username: "bot", Email: "bot@example.org"}); err != nil || !reflect.DeepEqual(u, want) {
		t.Errorf("user %+v, %v", u, err)
	}
	backups, err := c.Backups(t.Context(), "p", "main")
	want := []Backup{
		{ID: "b1", CreatedAt: time.Date(2026, 8, 2, 5, 0, 3, 0, time.UTC), Safe: true, Status: "CREATED", Environment: "main"},
		{ID: "b0", Automated: true},
	}
	if err != nil || !reflect.DeepEqual(backups, want) {
		t.Errorf("backups %+v, %v", backups, err)
	}
}

func TestClient_ReadsAResourceThatMayBeMissing(t *testing.T) {
	s := sandbox.New(sandbox.Options{Projects: []sandbox.Project{{ID: "shop", Environments: []sandbox.Environment{{Name: "feature/x"}}}}})
	s.AddVariable("shop", "feature/x", sandbox.Variable{Name: "php:d/e", Value: "on"})
	c := newClient(t, func(o *Options) {
		o.APIURL, o.AuthURL, o.Transport = "http://sandbox.test", "http://sandbox.test", s.Transport()
	})
	const route = "/projects/{project}/environments/{environment}/variables/{variable}"
	r, err := c.Resource(t.Context(), route, "shop", "feature/x", "php:d/e")
	if err != nil || r == nil {
		t.Fatalf("got %v, %v", r, err)
	}
	var v struct{ Name, Value string }
	if err := r.Decode(&v); err != nil || v.Name != "php:d/e" || v.Value != "on" {
		t.Errorf("got %+v, %v", v, err)
	}
	if path, ok := r.Links.Path("#edit"); !ok || path != "/api/projects/shop/environments/feature%2Fx/variables/php:d%2Fe" {
		t.Errorf("#edit leads to %q, %v", path, ok)
	}
	if r, err := c.Resource(t.Context(), route, "shop", "feature/x", "none"); r != nil || err != nil {
		t.Errorf("one that is missing: %v, %v", r, err)
	}
	if _, err := c.Resource(t.Context(), "/projects/{project}", "none", "", ""); err != nil {
		t.Errorf("a project that is missing: %v", err)
	}
}
