package sandbox

import (
	"testing"
	"time"
)

func TestBranch_MakesAnEnvironmentOnce(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, _ *Sandbox, v *visitor) {
		const request = `{"name":"new","title":"New","clone_parent":true,"type":"staging"}`
		if r := v.post(staging+"/branch", `{"name":"new"}`); r.status != 400 {
			t.Errorf("without a title: %d", r.status)
		}
		v.accepted(staging+"/branch", request)
		if r := v.get("/projects/shop/environments/new"); r.status != 404 {
			t.Errorf("before the end: %d", r.status)
		}
		time.Sleep(22 * time.Second)
		if got := v.get("/projects/shop/environments/new").object; got["parent"] != "staging" || got["type"] != "staging" || got["title"] != "New" {
			t.Errorf("got %v", got)
		}
		if r := v.post(staging+"/branch", request); r.status != 409 {
			t.Errorf("again: %d %s", r.status, r.text)
		}
	})
}
