package sandbox

import (
	"strings"
	"testing"
	"time"
)

const staging = "/projects/shop/environments/staging"

func TestOperation_WithoutALinkIsAnsweredAsChosen(t *testing.T) {
	for answer, status := range map[WithoutLink]struct{ dirty, paused int }{
		Conflict:   {409, 409},
		Forbidden:  {403, 403},
		BadRequest: {400, 400},
		Queue:      {202, 409},
	} {
		o := options()
		o.WithoutLink = answer
		s := New(o)
		v := visit(t, s)
		v.accepted(staging+"/redeploy", "")
		if r := v.post(staging+"/backup", `{"safe":true}`); r.status != status.dirty {
			t.Errorf("dirty, answer %d: %d %s, want %d", answer, r.status, r.text, status.dirty)
		}
		s.SetEnvironment("shop", "feature/x", func(e *Environment) { e.Status = "paused" })
		if r := v.post("/projects/shop/environments/feature%2Fx/backup", ""); r.status != status.paused {
			t.Errorf("paused, answer %d: %d %s, want %d", answer, r.status, r.text, status.paused)
		}
		s.SetRole("user-1", "viewer")
		if r := v.post("/projects/shop/environments/main/backup", ""); r.status != 403 {
			t.Errorf("as a viewer, answer %d: %d %s, want 403", answer, r.status, r.text)
		}
	}
}

func TestOperation_TakesOnlyTheBodyThatIsDescribed(t *testing.T) {
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/backup", ``, 202},
		{"/backup", ` {"safe": false} `, 202},
		{"/backup", `{"safe":"yes"}`, 400},
		{"/backup", `{"live":true}`, 400},
		{"/backup", `[]`, 400},
		{"/backup", `{"safe":`, 400},
		{"/backup", `{} {}`, 400},
		{"/redeploy", `{}`, 202},
		{"/redeploy", `{"force":true}`, 400},
		{"/synchronize", `{"synchronize_code":false,"synchronize_data":true,"rebase":false}`, 202},
		{"/synchronize", `{"synchronize_code":false}`, 400},
		{"/source-operation", `{"operation":"update","variables":{"env":{"A":"b"}}}`, 202},
		{"/source-operation", `{"variables":{}}`, 400},
		{"/activate", `{}`, 409},
		{"/backup", `{"safe":"` + strings.Repeat("x", maxBody) + `"}`, 400},
	} {
		s := New(options())
		r := visit(t, s).post(staging+c.path, c.body)
		if r.status != c.status {
			t.Errorf("POST …%s %.60s: %d %s, want %d", c.path, c.body, r.status, r.text, c.status)
		}
		if got := s.Posts(c.path)[0].Executed; got != (c.status == 202) {
			t.Errorf("POST …%s %.60s: executed %v", c.path, c.body, got)
		}
	}
}

func TestSourceOperation_IsOneOfThoseThatAreListed(t *testing.T) {
	s := New(options())
	v := visit(t, s)
	if r := v.get(staging + "/source-operations"); r.status != 404 {
		t.Errorf("not listed: %d %s", r.status, r.text)
	}
	s.SetEnvironment("shop", "staging", func(e *Environment) { e.SourceOperations = []string{"update"} })
	if r := v.get(staging + "/source-operations"); r.status != 200 || !strings.Contains(r.text, `"operation":"update"`) {
		t.Errorf("listed: %d %s", r.status, r.text)
	}
	if r := v.post(staging+"/source-operation", `{"operation":"other"}`); r.status != 400 {
		t.Errorf("another: %d %s", r.status, r.text)
	}
	v.accepted(staging+"/source-operation", `{"operation":"update"}`)
}

func TestOperation_BackupHasOnePathOnly(t *testing.T) {
	for plural, path := range map[bool][2]string{false: {"/backup", "/backups"}, true: {"/backups", "/backup"}} {
		o := options()
		o.PluralBackupPath = plural
		v := visit(t, New(o))
		if _, hrefs := v.environment(staging); hrefs["#backup"] != "/api"+staging+path[0] {
			t.Errorf("plural %v: #backup is %q", plural, hrefs["#backup"])
		}
		if r := v.post(staging+path[1], ""); r.status != 404 {
			t.Errorf("plural %v: POST …%s: %d, want 404", plural, path[1], r.status)
		}
		v.accepted(staging+path[0], "")
		if r := v.get(staging + "/backups"); r.status != 200 {
			t.Errorf("plural %v: list of backups: %d", plural, r.status)
		}
	}
}

func TestOperation_OverAtOnceWhenActivitiesTakeNoTime(t *testing.T) {
	o := options()
	o.ActivityDuration, o.PendingDuration = -1, -1
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		for range 3 {
			a := v.accepted(staging+"/backup", "")
			if a["state"] != "complete" || a["result"] != "success" || a["payload"].(map[string]any)["backup_name"] == nil {
				t.Errorf("activity %v", a)
			}
			time.Sleep(time.Millisecond)
		}
	})
}
