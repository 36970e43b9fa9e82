package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const apiToken = "api-token-of-the-test"

// visitor is a client that logs in when it has to and reads JSON.
type visitor struct {
	t      *testing.T
	http   http.Client
	base   string
	token  string
	access string
}

// visit goes to a sandbox without sockets.
func visit(t *testing.T, s *Sandbox) *visitor {
	return &visitor{t: t, http: http.Client{Transport: s.Transport()}, base: "http://platform.test", token: apiToken}
}

// reply is an answer with its JSON decoded as far as it is an object or a list.
type reply struct {
	status int
	header http.Header
	text   string
	object map[string]any
	list   []map[string]any
}

func (v *visitor) login() {
	v.t.Helper()
	r := v.exchange(v.token)
	if r.status != 200 {
		v.t.Fatalf("log in: %d %s", r.status, r.text)
	}
	v.access = r.object["access_token"].(string)
}

// exchange asks for an access token.
func (v *visitor) exchange(token string) reply {
	v.t.Helper()
	form := url.Values{"grant_type": {"api_token"}, "api_token": {token}}
	r, err := http.NewRequest("POST", v.base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("platform-api-user", "")
	return v.must(v.send(r))
}

func (v *visitor) get(path string) reply { return v.must(v.try("GET", path, "")) }

func (v *visitor) post(path, body string) reply { return v.must(v.try("POST", path, body)) }

// environment reads one and returns it with its links.
func (v *visitor) environment(path string) (object map[string]any, hrefs map[string]string) {
	v.t.Helper()
	r := v.get(path)
	if r.status != 200 {
		v.t.Fatalf("GET %s: %d %s", path, r.status, r.text)
	}
	hrefs = map[string]string{}
	for name, l := range r.object["_links"].(map[string]any) {
		if l, ok := l.(map[string]any); ok {
			hrefs[name] = l["href"].(string)
		}
	}
	return r.object, hrefs
}

// accepted posts and returns the activity that was started.
func (v *visitor) accepted(path, body string) map[string]any {
	v.t.Helper()
	r := v.post(path, body)
	if r.status != 202 {
		v.t.Fatalf("POST %s: %d %s", path, r.status, r.text)
	}
	list := r.object["_embedded"].(map[string]any)["activities"].([]any)
	if len(list) != 1 {
		v.t.Fatalf("POST %s started %d activities, want 1", path, len(list))
	}
	return list[0].(map[string]any)
}

// try sends a request as the user, logging in at the first one.
func (v *visitor) try(method, path, body string) (reply, error) {
	v.t.Helper()
	if v.access == "" {
		v.login()
	}
	r, err := http.NewRequest(method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+v.access)
	return v.send(r)
}

func (v *visitor) send(r *http.Request) (reply, error) {
	answer, err := v.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	got := reply{status: answer.StatusCode, header: answer.Header, text: string(data)}
	json.Unmarshal(data, &got.object)
	json.Unmarshal(data, &got.list)
	return got, err
}

func (v *visitor) must(r reply, err error) reply {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// options are a project "shop" with main, staging and feature/x, and one
// administrator. Activities are pending for 2 s and run for 20 s.
func options() Options {
	return Options{
		Projects: []Project{{ID: "shop", DefaultBranch: "main", Environments: []Environment{
			{Name: "main", Type: "production"},
			{Name: "staging", Type: "staging"},
			{Name: "feature/x"},
		}}},
		Users:            []User{{Token: apiToken, ID: "user-1", Name: "bot"}},
		ActivityDuration: 20 * time.Second,
		PendingDuration:  2 * time.Second,
	}
}

// inBubble runs a test in virtual time, with a visitor of a new sandbox.
func inBubble(t *testing.T, o Options, body func(*testing.T, *Sandbox, *visitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(o)
		body(t, s, visit(t, s))
	})
}

func TestSandbox_SaysThatItIsOne(t *testing.T) {
	v := visit(t, New(options()))
	r, _ := http.NewRequest("GET", v.base+"/", nil)
	landing := v.must(v.send(r))
	if landing.status != 200 || !strings.Contains(landing.text, "Nothing here is real") {
		t.Errorf("landing page: %d %q", landing.status, landing.text)
	}
	for _, r := range []reply{landing, v.get("/projects/shop"), v.get("/projects/none"), v.exchange("wrong")} {
		if got := r.header.Get("X-Automatond-Sandbox"); got != "simulated platform" {
			t.Errorf("answer %d has X-Automatond-Sandbox %q", r.status, got)
		}
	}
}

func TestSandbox_KnowsOnlyItsProjectsUnlessOpen(t *testing.T) {
	v := visit(t, New(options()))
	for _, path := range []string{"/projects/blog", "/projects/shop/environments/none", "/projects/shop/environments/none/backups",
		"/projects/shop/activities/none", "/projects/shop/environments/main/backups/none", "/nothing"} {
		if r := v.get(path); r.status != 404 || r.object["message"] == "" {
			t.Errorf("GET %s: %d %s, want 404", path, r.status, r.text)
		}
	}

	o := options()
	o.Open, o.DefaultBranch = true, "master"
	v = visit(t, New(o))
	list := v.get("/projects/whatever/environments").list
	var got []string
	for _, e := range list {
		got = append(got, e["id"].(string)+" "+e["type"].(string)+" "+e["status"].(string))
	}
	want := "master production active, staging staging active, develop development active"
	if strings.Join(got, ", ") != want {
		t.Errorf("environments on demand: %v, want %s", got, want)
	}
	if got := v.get("/projects/whatever").object["default_branch"]; got != "master" {
		t.Errorf("default branch %v, want master", got)
	}
}

func TestSandbox_AnswersUnderBothPrefixesAndForEscapedNames(t *testing.T) {
	v := visit(t, New(options()))
	for _, path := range []string{"/projects/shop/environments/feature%2Fx", "/api/projects/shop/environments/feature%2Fx"} {
		e, hrefs := v.environment(path)
		if e["id"] != "feature/x" || e["parent"] != "main" || e["type"] != "development" {
			t.Errorf("GET %s: id %v, parent %v, type %v", path, e["id"], e["parent"], e["type"])
		}
		if got, want := hrefs["#backup"], "/api/projects/shop/environments/feature%2Fx/backup"; got != want {
			t.Errorf("#backup is %q, want %q", got, want)
		}
		self, err := url.Parse(hrefs["self"])
		if err != nil || !strings.HasSuffix(self.Host, ".platform.sh") || !strings.HasPrefix(self.Path, "/api/projects/") {
			t.Errorf("self is %q, want an absolute address in a region", hrefs["self"])
		}
		v.accepted(hrefs["#backup"], "")
		v.access = ""
		v = visit(t, New(options()))
	}
}

func TestSandbox_MakesDifferentIDsBySeed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range []*Sandbox{New(Options{Seed: 1}), New(Options{Seed: 2})} {
		for range 1000 {
			id := s.newID()
			if len(id) != 13 || seen[id] {
				t.Fatalf("id %q is no new one of 13 characters", id)
			}
			seen[id] = true
		}
	}
	if a, b := New(Options{Seed: 1}).newID(), New(Options{Seed: 1}).newID(); a != b {
		t.Errorf("the same seed gave %q and %q", a, b)
	}
}
