package sandbox

import (
	"slices"
	"testing"
)

func TestDomain_IsAddedOnceAndGoesWithTheOneItIsAttachedTo(t *testing.T) {
	o := options()
	o.ActivityDuration, o.PendingDuration = -1, -1
	s := New(o)
	v := visit(t, s)
	const main = "/projects/shop/environments/main"
	for _, step := range []struct {
		parent, body string
		status       int
	}{
		{staging, `{"name":"staging.example","replacement_for":"shop.example"}`, 409}, // production has none
		{main, `{"name":"shop.example","replacement_for":"other.example"}`, 400},
		{main, `{"name":"shop.example"}`, 202},
		{main, `{"name":"shop.example"}`, 409},
		{staging, `{"name":"staging.example"}`, 400},
		{staging, `{"name":"staging.example","replacement_for":"shop.example"}`, 202},
		{staging, `{}`, 400},
	} {
		if r := v.post(step.parent+"/domains", step.body); r.status != step.status {
			t.Errorf("%s %s: %d %s, want %d", step.parent, step.body, r.status, r.text, step.status)
		}
	}
	if got := v.get("/projects/shop/domains").list; len(got) != 1 {
		t.Errorf("domains of production: %v", got)
	}
	if r := v.must(v.try("DELETE", main+"/domains/shop.example", "")); r.status != 202 || len(s.Domains("shop", "staging")) != 0 {
		t.Errorf("delete: %d %s, left %v", r.status, r.text, s.Domains("shop", "staging"))
	}
	want := []string{"environment.domain.create main", "environment.domain.create staging", "environment.domain.delete main"}
	if got := kinds(s); !slices.Equal(got, want) {
		t.Errorf("activities %q, want %q", got, want)
	}
}

func TestCertificate_OfThePlatformStays(t *testing.T) {
	s := New(options())
	s.AddCertificate("shop", Certificate{ID: "own"})
	s.AddCertificate("shop", Certificate{ID: "platforms", Provisioned: true})
	v := visit(t, s)
	for path, want := range map[string]int{"own": 202, "platforms": 403, "none": 404} {
		if r := v.must(v.try("DELETE", "/projects/shop/certificates/"+path, "")); r.status != want {
			t.Errorf("delete %s: %d, want %d", path, r.status, want)
		}
	}
	if r := v.post("/projects/shop/certificates", `{"certificate":"none","key":"k"}`); r.status != 400 {
		t.Errorf("add what is none: %d", r.status)
	}
}

func TestAutoscaling_KeepsWhatARequestDoesNotMention(t *testing.T) {
	s := New(options())
	v := visit(t, s)
	body := `{"services":{"app":{"triggers":{"cpu":{"enabled":true,"up":{"duration":60}}},"instances":{"max":4}}}}`
	if r := v.patch(staging+"/autoscaling/settings", body); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.text)
	}
	got := s.Autoscaling("shop", "staging")
	if cpu := got.Triggers["cpu"]; !cpu.Enabled || cpu.Up != (Condition{80, 60}) || cpu.Down != (Condition{20, 600}) ||
		got.Instances.Min != 1 || got.Instances.Max != 4 || got.Triggers["memory"].Up.Threshold != 80 {
		t.Errorf("settings are %+v", got)
	}
	if other := s.Autoscaling("shop", "main"); other.Triggers["cpu"].Enabled {
		t.Errorf("another environment's are %+v", other)
	}
	if r := v.patch(staging+"/autoscaling/settings", `{"services":{"db":{}}}`); r.status != 400 {
		t.Errorf("an unknown container: %d", r.status)
	}
}
