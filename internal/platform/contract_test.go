package platform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/automatond/automatond/internal/sandbox"
)

// description returns the API's OpenAPI description, as the vendor publishes it, or skips the
// test. It is not part of the project: a folder beside the checkout may hold it.
func description(t *testing.T) *openapi3.T {
	t.Helper()
	folder := os.Getenv("AUTOMATOND_VENDOR_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "vendor-data")
	}
	file := filepath.Join(folder, "openapi-upsun.json")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no OpenAPI description to hold the requests against (set AUTOMATOND_VENDOR_DATA to its folder): %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// inspector holds every request and its answer against the description.
type inspector struct {
	t      *testing.T
	next   http.RoundTripper
	router routers.Router

	mu    sync.Mutex
	asked map[string]int // by method and route template
}

func newInspector(t *testing.T, next http.RoundTripper, doc *openapi3.T) *inspector {
	t.Helper()
	doc.Servers = nil // the sandbox is none of them
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	return &inspector{t: t, next: next, router: router, asked: map[string]int{}}
}

func (i *inspector) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/oauth2/token" { // not described
		return i.next.RoundTrip(r)
	}
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	input := i.checkRequest(r, sent)
	response, err := i.next.RoundTrip(r)
	if err != nil || input == nil {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(r.Context(), answer.SetBodyBytes(withoutHAL(i.t, body))); err != nil {
		i.t.Errorf("%s %s: the answer is not as described: %v", r.Method, r.URL, err)
	}
	return response, nil
}

func (i *inspector) checkRequest(r *http.Request, sent []byte) *openapi3filter.RequestValidationInput {
	described := r.Clone(r.Context())
	described.Body = io.NopCloser(bytes.NewReader(sent))
	// A slash within an id stays escaped, and the gateway serves the API under /api too.
	described.URL.Path, described.URL.RawPath = strings.TrimPrefix(r.URL.EscapedPath(), "/api"), ""
	route, params, err := i.router.FindRoute(described)
	if err != nil {
		i.t.Errorf("%s %s is not described: %v", r.Method, r.URL, err)
		return nil
	}
	i.mu.Lock()
	i.asked[r.Method+" "+route.Path]++
	i.mu.Unlock()
	input := &openapi3filter.RequestValidationInput{
		Request: described, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, RejectWhenRequestBodyNotSpecified: true,
		},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		i.t.Errorf("%s %s with %q is not as described: %v", r.Method, r.URL, sent, err)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		i.t.Errorf("%s %s has no bearer", r.Method, r.URL)
	}
	return input
}

// withoutHAL takes out of an answer what the description leaves out: _links and _embedded of a
// resource, or of each in a list.
func withoutHAL(t *testing.T, body []byte) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Errorf("%q: %v", body, err)
		return body
	}
	resources, ok := value.([]any)
	if !ok {
		resources = []any{value}
	}
	for _, r := range resources {
		if resource, ok := r.(map[string]any); ok {
			delete(resource, "_links")
			delete(resource, "_embedded")
		}
	}
	stripped, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return stripped
}

func TestContract_RequestsAndAnswersAreAsDescribed(t *testing.T) {
	doc := description(t)
	server, err := sandbox.Start(sandbox.Options{
		Projects: []sandbox.Project{{ID: "shop", DefaultBranch: "main", Environments: []sandbox.Environment{
			{Name: "main"}, {Name: "feature/x"}, {Name: "asleep", Status: "paused"}, {Name: "off", Status: "inactive"}, {Name: "idle", Status: "inactive"},
		}}},
		ActivityDuration: time.Millisecond,
	}, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	transport, err := NewTransport(TransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	seen := newInspector(t, transport, doc)
	c := newClient(t, func(o *Options) { o.APIURL, o.AuthURL, o.Transport = server.URL, server.URL, seen })
	ctx := t.Context()

	server.AddDomain("shop", "main", sandbox.Domain{Name: "shop.example"})
	if p, err := c.Project(ctx, "shop"); err != nil || p.DefaultBranch != "main" {
		t.Fatalf("project %+v, %v", p, err)
	}
	list, err := c.Environments(ctx, "shop")
	if err != nil || len(list) != 5 {
		t.Fatalf("environments %v, %v", list, err)
	}
	if list, err := c.Projects(ctx, "sandbox"); err != nil || len(list) != 1 || list[0].ID != "shop" {
		t.Fatalf("projects of the organization %v, %v", list, err)
	}
	if list, err := c.Projects(ctx, ""); err != nil || len(list) != 1 || list[0].Title != "shop" {
		t.Fatalf("projects of the user %v, %v", list, err)
	}
	for _, request := range []struct{ environment, link, body string }{
		// A domain of production, which has a name alone, would be as the description has both kinds.
		{"feature/x", "#domains", `{"name":"x.example","replacement_for":"shop.example"}`},
		{"feature/x", "#deploy", `{"strategy":"stopstart"}`},
		{"main", "#manage-variables", `{"name":"env:A","value":"b","is_json":false,"is_sensitive":true,"is_enabled":true,"is_inheritable":true}`},
		{"feature/x", "#edit", `{"http_access":{"is_enabled":true,"addresses":[{"permission":"deny","address":"0.0.0.0/0"}],"basic_auth":{"guest":"secret"}}}`},
		{"feature/x", "#edit", `{"enable_smtp":false,"parent":"main","title":"X","type":"staging"}`},
		{"feature/x", "#edit", `{"parent":null,"restrict_robots":true}`},
		{"feature/x", "#edit", `{"parent":"main","restrict_robots":false}`},
		{"feature/x", "#backup", `{"safe":true}`},
		{"feature/x", "#redeploy", ""},
		{"feature/x", "#synchronize", `{"synchronize_code":false,"synchronize_data":true,"rebase":false}`},
		{"feature/x", "#source-operation", `{"operation":"update","variables":{"env":{"A":"b"}}}`},
		{"feature/x", "#branch", `{"name":"y","title":"y","clone_parent":false,"type":"staging","resources":{"init":"parent"}}`},
		{"feature/x", "#merge", `{"resources":{"init":"child"}}`},
		{"feature/x", "#merge", `{}`},
		{"feature/x", "#pause", ""},
		{"asleep", "#resume", ""},
		{"asleep", "#deactivate", ""},
		{"idle", "#activate", `{"resources":{"init":"minimum"}}`},
	} {
		path := linkOnceClean(t, c, request.environment, request.link)
		r := Request{Method: http.MethodPost, Path: path, Endpoint: "/" + request.link}
		if request.link == "#edit" {
			r.Method = http.MethodPatch
		}
		if request.body != "" {
			r.Body = []byte(request.body)
		}
		accepted, err := c.Do(ctx, r)
		if err != nil || len(accepted.Started) != 1 {
			t.Fatalf("%s: %+v, %v", request.link, accepted, err)
		}
		a, err := c.Activity(ctx, "shop", accepted.Started[0].ID)
		if err != nil || a.ID != accepted.Started[0].ID || a.Type == "" || a.CreatedAt.IsZero() {
			t.Errorf("%s: activity %+v, %v", request.link, a, err)
		}
	}
	const project, environment = "/projects/{project}", "/projects/{project}/environments/{environment}"
	server.AddBackup("shop", "main", sandbox.Backup{ID: "b1"})
	server.AddCertificate("shop", sandbox.Certificate{ID: "c1"})
	pem, err := os.ReadFile(filepath.Join("..", "tasks", "testdata", "certificate.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificate := fmt.Sprintf(`{"certificate":%q,"key":"a key","chain":[]}`, pem)
	for _, request := range []struct{ method, route, variable, link, body, below string }{
		{http.MethodPost, environment + "/backups/{backup}", "b1", "#restore",
			`{"environment_name":"main","branch_from":"main","restore_code":false,"restore_resources":false,"resources":{"init":"backup"}}`, ""},
		{http.MethodDelete, environment + "/backups/{backup}", "b1", "self", "", ""},
		{http.MethodPost, project, "", "#clear-build-cache", "", ""},
		{http.MethodDelete, environment + "/domains/{domain}", "shop.example", "#delete", "", ""},
		{http.MethodDelete, project + "/certificates/{certificate}", "c1", "#delete", "", ""},
		{http.MethodPatch, environment, "", "#manage-autoscaling", `{"services":{"app":{"instances":{"max":4,"min":2},"scale_cooldown":{"up":300},` +
			`"triggers":{"cpu":{"enabled":true,"up":{"duration":60,"threshold":70.5}}}}}}`, ""},
		{http.MethodPost, project, "", "self", certificate, "/certificates"},
		{http.MethodPatch, environment + "/variables/{variable}", "env:A", "#edit", `{"value":"c"}`, ""},
		{http.MethodPost, project, "", "#manage-variables", `{"name":"php:memory_limit","value":"1G","visible_build":true,"visible_runtime":true,"application_scope":["app"]}`, ""},
		{http.MethodPatch, project + "/variables/{variable}", "php:memory_limit", "#edit", `{"value":"2G","is_json":false}`, ""},
		{http.MethodDelete, environment + "/variables/{variable}", "env:A", "#delete", "", ""},
		{http.MethodDelete, project + "/variables/{variable}", "php:memory_limit", "#delete", "", ""},
		{http.MethodPost, environment, "", "self", `{"variables":{"env":{"A":"b"}}}`, "/tasks/migrate/run"},
		{http.MethodPatch, environment + "/deployments/next", "", "#edit", `{"webapps":{"app":{"resources":{"profile_size":"0.5"},"instance_count":2,"disk":512}}}`, ""},
		{http.MethodPost, environment + "/deployments/current", "", "#operations", `{"operation":"clear-cache","service":"app","parameters":["a"]}`, ""},
	} {
		linkOnceClean(t, c, "main", "#backup") // a backup has its self link all the time
		found := resourceOnceItOffers(t, c, request.route, request.variable, request.link)
		path, _ := found.Links.Path(request.link)
		r := Request{Method: request.method, Path: path + request.below, Endpoint: "/" + request.link}
		if request.body != "" {
			r.Body = []byte(request.body)
		}
		accepted, err := c.Do(ctx, r)
		unseen := request.link == "#manage-autoscaling" || strings.Contains(request.route+request.below, "/certificates") // nobody knows an activity of theirs
		if err != nil || (len(accepted.Started) == 1) == unseen {
			t.Fatalf("%s %s: %+v, %v", request.route, request.link, accepted, err)
		}
	}
	off, err := c.Environment(ctx, "shop", "off")
	if err != nil {
		t.Fatal(err)
	}
	if accepted, err := c.Do(ctx, Request{Method: http.MethodDelete, Path: off.Links["self"], Endpoint: "/self"}); err != nil || len(accepted.Started) != 1 {
		t.Fatalf("delete an environment: %+v, %v", accepted, err)
	}
	me, err := c.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if access, err := c.Access(ctx, "shop", me.ID); err != nil || !access.Administrates() {
		t.Errorf("access %+v, %v", access, err)
	}
	for _, environment := range []string{"", "feature/x"} {
		found, err := c.Activities(ctx, "shop", environment, ActivityQuery{Types: []string{"environment.backup"}})
		if err != nil || len(found) != 1 || found[0].UserID != me.ID {
			t.Errorf("activities of %q: %+v, %v; want the one by %s", environment, found, err, me.ID)
		}
	}
	if backups, err := c.Backups(ctx, "shop", "feature/x"); err != nil || len(backups) != 1 || backups[0].Automated {
		t.Errorf("backups %+v, %v", backups, err)
	}
	if len(seen.asked) != 49 {
		t.Errorf("%d operations were held against the description, want 49: %v", len(seen.asked), seen.asked)
	}
}

// resourceOnceItOffers reads a resource of the environment main until it offers a link.
func resourceOnceItOffers(t *testing.T, c *Client, route, variable, link string) *Resource {
	t.Helper()
	for range 1000 {
		r, err := c.Resource(t.Context(), route, "shop", "main", variable)
		if err != nil {
			t.Fatal(err)
		}
		if r != nil {
			if _, ok := r.Links.Path(link); ok {
				return r
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s never offered %s", route, link)
	return nil
}

// linkOnceClean reads an environment until it offers a link.
func linkOnceClean(t *testing.T, c *Client, environment, link string) string {
	t.Helper()
	for range 1000 {
		e, err := c.Environment(t.Context(), "shop", environment)
		if err != nil {
			t.Fatal(err)
		}
		if path, ok := e.Links.Path(link); ok {
			return path
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s never offered %s", environment, link)
	return ""
}
