package sandbox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// patch changes a resource, or reports why it cannot.
func (v *visitor) patch(path, body string) reply { return v.must(v.try("PATCH", path, body)) }

// kinds are the types of a project's activities, oldest first.
func kinds(s *Sandbox) []string {
	var list []string
	for _, a := range slices.Backward(s.Activities("shop")) {
		list = append(list, a.Type+" "+a.Environment)
	}
	return list
}

func TestVariable_IsCreatedOnceAndChanged(t *testing.T) {
	o := options()
	o.ActivityDuration, o.PendingDuration = -1, -1
	s := New(o)
	v := visit(t, s)
	for _, parent := range []string{staging, "/projects/shop"} {
		item := parent + "/variables/env%3AKEY"
		if r := v.get(item); r.status != 404 {
			t.Errorf("%s before: %d", item, r.status)
		}
		if r := v.post(parent+"/variables", `{"name":"env:KEY","value":"s3cret","is_sensitive":false}`); r.status != 202 {
			t.Fatalf("create below %s: %d %s", parent, r.status, r.text)
		}
		if r := v.post(parent+"/variables", `{"name":"env:KEY","value":"again"}`); r.status != 409 {
			t.Errorf("create again below %s: %d", parent, r.status)
		}
		got, hrefs := v.environment(item)
		if got["value"] != "s3cret" || got["is_sensitive"] != false || hrefs["#edit"] == "" {
			t.Errorf("%s: %v with links %v", item, got, hrefs)
		}
		if r := v.patch(hrefs["#edit"], `{"value":"n3w","is_sensitive":true}`); r.status != 202 {
			t.Errorf("change %s: %d %s", item, r.status, r.text)
		}
		if got := v.get(item).object; got["value"] != nil || got["is_sensitive"] != true {
			t.Errorf("%s tells a sensitive value: %v", item, got)
		}
	}
	for _, environment := range []string{"staging", ""} {
		if got := s.Variables("shop", environment); len(got) != 1 || got[0].Value != "n3w" || !got[0].Sensitive {
			t.Errorf("variables of %q: %+v", environment, got)
		}
	}
	want := []string{"environment.variable.create staging", "environment.variable.update staging", "project.variable.create ", "project.variable.update "}
	if got := kinds(s); !slices.Equal(got, want) {
		t.Errorf("activities %q, want %q", got, want)
	}
	if text := v.get("/projects/shop/activities").text; strings.Contains(text, "s3cret") || strings.Contains(text, "n3w") {
		t.Errorf("an activity tells a value: %s", text)
	}
	if got := v.get("/projects/shop/environments").list; len(got) != 3 {
		t.Errorf("the project has %d environments, want 3", len(got))
	}
	for _, parent := range []string{staging, "/projects/shop"} {
		item := parent + "/variables/env%3AKEY"
		_, hrefs := v.environment(item)
		if r := v.must(v.try("DELETE", hrefs["#delete"], "")); r.status != 202 {
			t.Errorf("delete %s: %d %s", item, r.status, r.text)
		}
		if got, again := v.get(item), v.must(v.try("DELETE", item, "")); got.status != 404 || again.status != 404 {
			t.Errorf("%s after it was deleted: %d, deleted again: %d", item, got.status, again.status)
		}
	}
	want = append(want, "environment.variable.delete staging", "project.variable.delete ")
	if got := kinds(s); !slices.Equal(got, want) {
		t.Errorf("activities %q, want %q", got, want)
	}
}

func TestVariable_OfAProjectKeepsNoEnvironmentBusy(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		v.accepted("/projects/shop/variables", `{"name":"A","value":"b"}`)
		for _, e := range v.get("/projects/shop/environments").list {
			if e["is_dirty"] != false {
				t.Errorf("%v is dirty", e["id"])
			}
		}
		v.accepted("/projects/shop/variables", `{"name":"C","value":"d"}`)
		time.Sleep(42 * time.Second) // one after the other
		for _, a := range s.Activities("shop") {
			if a.State != "complete" {
				t.Errorf("activity %+v", a)
			}
		}
	})
}

func TestVariable_IsInherited(t *testing.T) {
	o := options()
	o.ActivityDuration, o.PendingDuration = -1, -1
	v := visit(t, New(o))
	const main = "/projects/shop/environments/main"
	v.accepted(main+"/variables", `{"name":"A","value":"of main"}`)
	v.accepted(main+"/variables", `{"name":"B","value":"of main","is_inheritable":false}`)
	got, hrefs := v.environment(staging + "/variables/A")
	if got["value"] != "of main" || got["inherited"] != true || hrefs["#edit"] != "" {
		t.Errorf("A: %v with links %v", got, hrefs)
	}
	if r := v.get(staging + "/variables/B"); r.status != 404 {
		t.Errorf("B: %d", r.status)
	}
	if r := v.patch(staging+"/variables/A", `{"value":"x"}`); r.status != 404 {
		t.Errorf("change what is inherited: %d", r.status)
	}
	v.accepted(staging+"/variables", `{"name":"A","value":"of staging"}`)
	if got := v.get(staging + "/variables/A").object; got["value"] != "of staging" || got["inherited"] != false {
		t.Errorf("overridden A: %v", got)
	}
}

func TestVariable_IsForAdministrators(t *testing.T) {
	o := options()
	o.Users[0].Role = "viewer staging:admin"
	v := visit(t, New(o))
	v.accepted(staging+"/variables", `{"name":"A","value":"b"}`)
	for _, parent := range []string{"/projects/shop/environments/main", "/projects/shop"} {
		if r := v.post(parent+"/variables", `{"name":"A","value":"b"}`); r.status != 403 {
			t.Errorf("below %s: %d", parent, r.status)
		}
	}
	if _, hrefs := v.environment("/projects/shop"); hrefs["#manage-variables"] != "" {
		t.Error("the project offers #manage-variables to a viewer")
	}
}

func TestHTTPAccess_KeepsWhatIsNotMentioned(t *testing.T) {
	o := options()
	o.ActivityDuration, o.PendingDuration = -1, -1
	s := New(o)
	v := visit(t, s)
	for _, step := range []struct{ body, want string }{
		{`{"http_access":{"is_enabled":true,"addresses":[{"permission":"deny","address":"0.0.0.0/0"}]}}`,
			`{"is_enabled":true,"addresses":[{"permission":"deny","address":"0.0.0.0/0"}],"basic_auth":{}}`},
		{`{"http_access":{"basic_auth":{"guest":"pa55word"}}}`,
			`{"is_enabled":true,"addresses":[{"permission":"deny","address":"0.0.0.0/0"}],"basic_auth":{"guest":"pa55word"}}`},
		{`{"http_access":{"is_enabled":false,"addresses":[]}}`,
			`{"is_enabled":false,"addresses":[],"basic_auth":{"guest":"pa55word"}}`},
	} {
		_, hrefs := v.environment(staging)
		if r := v.patch(hrefs["#edit"], step.body); r.status != 202 {
			t.Fatalf("%s: %d %s", step.body, r.status, r.text)
		}
		if got := v.get(staging).text; !strings.Contains(got, `"http_access":`+step.want) {
			t.Errorf("after %s: %s", step.body, got)
		}
	}
	if got := kinds(s); !slices.Equal(slices.Compact(got), []string{"environment.update.http_access staging"}) {
		t.Errorf("activities %q", got)
	}
	if text := v.get("/projects/shop/activities").text; strings.Contains(text, "pa55word") {
		t.Error("an activity tells a password")
	}
	if r := v.patch(staging, `{"name":"x"}`); r.status != 400 {
		t.Errorf("another property: %d", r.status)
	}
}

func TestDeployment_RunsOperationsOfTheirRole(t *testing.T) {
	o := options()
	o.Users[0].Role = "contributor"
	o.Projects[0].Environments[1].Operations = map[string]string{"migrate": "admin", "warm-up": "contributor"}
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		view, hrefs := v.environment(staging + "/deployments/current")
		app := view["webapps"].(map[string]any)["app"].(map[string]any)
		if operations := app["operations"].(map[string]any); len(operations) != 2 {
			t.Errorf("operations %v", operations)
		}
		for _, step := range []struct {
			body   string
			status int
		}{
			{`{"service":"app","operation":"none"}`, 400},
			{`{"service":"api","operation":"warm-up"}`, 400},
			{`{"service":"app","operation":"migrate"}`, 403},
			{`{"service":"app","operation":"warm-up","extra":1}`, 400},
			{`{"service":"app","operation":"warm-up","parameters":["x"]}`, 202},
			{`{"service":"app","operation":"warm-up"}`, 409}, // busy
		} {
			if r := v.post(hrefs["#operations"], step.body); r.status != step.status {
				t.Errorf("%s: %d %s, want %d", step.body, r.status, r.text, step.status)
			}
		}
		if _, hrefs := v.environment(staging + "/deployments/current"); hrefs["#operations"] != "" {
			t.Error("a busy environment offers #operations")
		}
		if got := kinds(s); !slices.Equal(got, []string{"environment.operation staging"}) {
			t.Errorf("activities %q", got)
		}
		s.SetEnvironment("shop", "main", func(e *Environment) { e.Status = "inactive" })
		if r := v.get("/projects/shop/environments/main/deployments/current"); r.status != 404 {
			t.Errorf("deployment of an inactive environment: %d", r.status)
		}
	})
}

func TestDeploy_DeploysWhatIsStaged(t *testing.T) {
	o := options()
	o.Projects[0].Environments[1].HasStagedActivities = true
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		deployedAt := func() any {
			return v.get(staging).object["deployment_state"].(map[string]any)["last_deployment_at"]
		}
		before := deployedAt()
		if r := v.post(staging+"/deploy", `{"strategy":"slow"}`); r.status != 400 {
			t.Errorf("strategy slow: %d", r.status)
		}
		v.accepted(staging+"/deploy", `{"strategy":"rolling"}`)
		time.Sleep(22 * time.Second)
		if got := v.get(staging).object["has_staged_activities"]; got != false || deployedAt() == before {
			t.Errorf("has_staged_activities %v, deployed %v, before %v", got, deployedAt(), before)
		}
	})
}
