package sandbox

import (
	"fmt"
	"testing"
)

func TestUser_AccessNamesItsPermissions(t *testing.T) {
	o := options()
	o.Users = append(o.Users,
		User{ID: "v", Token: "t-v", Role: "viewer"},
		User{ID: "c", Token: "t-c", Role: "contributor"},
		User{ID: "m", Token: "t-m", Role: "viewer production:admin"},
		User{ID: "x", Token: "t-x", Projects: []string{"other"}})
	s := New(o)
	v := visit(t, s)
	for id, want := range map[string]string{
		"user-1": "[admin]",
		"v":      "[viewer]",
		"c":      "[viewer development:contributor staging:contributor production:contributor]",
		"m":      "[viewer production:admin]",
	} {
		r := v.get("/projects/shop/user-access/" + id)
		if got := fmt.Sprint(r.object["permissions"]); r.status != 200 || got != want {
			t.Errorf("%s: %d %s, want %s", id, r.status, r.text, want)
		}
	}
	for _, id := range []string{"x", "nobody"} {
		if r := v.get("/projects/shop/user-access/" + id); r.status != 404 || r.object["error"] == nil {
			t.Errorf("%s: %d %s, want 404 with an error", id, r.status, r.text)
		}
	}
	v = visit(t, s)
	v.token = "t-v"
	if r := v.get("/projects/shop/user-access/user-1"); r.status != 403 {
		t.Errorf("another's access, to a viewer: %d, want 403", r.status)
	}
	if r := v.get("/projects/shop/user-access/v"); r.status != 200 {
		t.Errorf("the viewer's own access: %d, want 200", r.status)
	}
	v = visit(t, s)
	v.token = "t-x"
	if r := v.get("/projects/shop/environments"); r.status != 403 {
		t.Errorf("a project the user may not see: %d, want 403", r.status)
	}
}
