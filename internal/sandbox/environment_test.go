package sandbox

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// operationLinks are the sorted names of the links that begin with #.
func operationLinks(hrefs map[string]string) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(hrefs)) {
		if strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestEnvironment_OffersWhatRoleAndStateAllow(t *testing.T) {
	const onChild = "#backup #branch #deactivate #deploy #domains #edit #manage-autoscaling #manage-variables #merge #pause #redeploy #source-operation #synchronize"
	for name, c := range map[string]struct {
		role, environment string
		set               func(*Environment)
		want              string
	}{
		"active child":        {"admin", "staging", nil, onChild},
		"active main":         {"admin", "main", nil, "#backup #branch #deploy #domains #edit #manage-autoscaling #manage-variables #pause #redeploy #source-operation"},
		"viewer":              {"viewer", "staging", nil, "#branch"},
		"contributor":         {"contributor", "staging", nil, "#branch"},
		"admin of type":       {"viewer staging:admin", "staging", nil, onChild},
		"admin of other type": {"viewer production:admin", "staging", nil, "#branch"},
		"role here":           {"viewer", "staging", func(e *Environment) { e.Role = "admin" }, onChild},
		"no role here":        {"admin", "staging", func(e *Environment) { e.Role = "viewer" }, "#branch"},
		"inactive":            {"admin", "staging", func(e *Environment) { e.Status = "inactive" }, "#activate #edit #manage-variables"},
		"paused":              {"admin", "staging", func(e *Environment) { e.Status = "paused" }, "#deactivate #edit #manage-variables #resume"},
		"deleting":            {"admin", "staging", func(e *Environment) { e.Status = "deleting" }, ""},
		"status dirty":        {"admin", "staging", func(e *Environment) { e.Status = "dirty" }, ""},
		"dirty":               {"admin", "staging", func(e *Environment) { e.Dirty = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(options())
			s.SetRole(apiToken, c.role)
			if c.set != nil {
				s.SetEnvironment("shop", c.environment, c.set)
			}
			e, hrefs := visit(t, s).environment("/projects/shop/environments/" + c.environment)
			if got := operationLinks(hrefs); got != c.want {
				t.Errorf("links %q, want %q", got, c.want)
			}
			l := e["_links"].(map[string]any)
			for _, name := range []string{"curies", "pf:routes"} {
				if _, ok := l[name].([]any); !ok {
					t.Errorf("%s is %v, want an array", name, l[name])
				}
			}
		})
	}
}

func TestEnvironment_ShowsSSHToThoseWhoMayUseIt(t *testing.T) {
	for role, want := range map[string]bool{"admin": true, "contributor": true, "viewer": false, "viewer staging:contributor": true} {
		s := New(options())
		s.SetRole("user-1", role)
		if _, hrefs := visit(t, s).environment(staging); (hrefs["pf:ssh:app"] != "") != want {
			t.Errorf("%s: ssh link %q", role, hrefs["pf:ssh:app"])
		}
	}
}

func TestEnvironment_OffersNothingWhileAnActivityIsUnderWay(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		const path = "/projects/shop/environments/staging"
		_, before := v.environment(path)
		v.accepted(before["#redeploy"], "")
		e, during := v.environment(path)
		if e["is_dirty"] != true || operationLinks(during) != "" {
			t.Errorf("while dirty: is_dirty %v, links %q", e["is_dirty"], operationLinks(during))
		}
		if _, other := v.environment("/projects/shop/environments/main"); operationLinks(other) == "" {
			t.Error("another environment offers nothing")
		}
		time.Sleep(22 * time.Second)
		e, after := v.environment(path)
		if e["is_dirty"] != false || !maps.Equal(after, before) {
			t.Errorf("afterwards: is_dirty %v, links %q", e["is_dirty"], operationLinks(after))
		}
	})
}

func TestEnvironment_ChangesStatusWhenTheActivityIsOver(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		const path = "/projects/shop/environments/staging"
		for _, step := range []struct{ link, before, after string }{
			{"#pause", "active", "paused"},
			{"#resume", "paused", "active"},
			{"#deactivate", "active", "inactive"},
			{"#activate", "inactive", "active"},
		} {
			_, hrefs := v.environment(path)
			v.accepted(hrefs[step.link], "")
			time.Sleep(22*time.Second - time.Millisecond)
			if e, _ := v.environment(path); e["status"] != step.before {
				t.Errorf("%s: %v before the end, want %s", step.link, e["status"], step.before)
			}
			time.Sleep(time.Millisecond)
			if e, _ := v.environment(path); e["status"] != step.after {
				t.Errorf("%s: %v after the end, want %s", step.link, e["status"], step.after)
			}
		}
	})
}
