package platform

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

const organization = "01H2X80DMRDZWR6CX753YQHTND"

// canned is a platform in memory that has an answer for each path and query; "403 " in front of one is its
// status. What it has no answer for is not found.
type canned map[string]string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := c[strings.NewReplacer("%5B", "[", "%5D", "]").Replace(r.URL.RequestURI())]
	answer := httptest.NewRecorder()
	switch rest, forbidden := strings.CutPrefix(body, "403 "); {
	case r.URL.Path == "/oauth2/token":
		body = `{"access_token":"access","expires_in":900,"token_type":"bearer"}`
	case !ok:
		answer.WriteHeader(http.StatusNotFound)
	case forbidden:
		answer.WriteHeader(http.StatusForbidden)
		body = rest
	}
	answer.WriteString(body)
	return answer.Result(), nil
}

func TestClient_ProjectsOfAnOrganizationAreThoseOfEveryPage(t *testing.T) {
	c := newClient(t, inMemory(canned{
		"/organizations/name=acme": `{"id":"` + organization + `","name":"acme"}`,
		"/organizations/" + organization + "/projects?page[size]=100": `{"count":4,"items":[{"id":"b","title":"Blog","status":"active"},
			{"id":"gone","title":"Gone","status":"deleted"}],"_links":{"next":{"href":"https://elsewhere.test/api/organizations/x/projects?page[after]=1"}}}`,
		"/api/organizations/x/projects?page[after]=1": `{"count":4,"items":[{"id":"a","title":"Shop"},{"id":"b","title":"Blog"}],"_links":{"next":null}}`,
	}))
	for _, name := range []string{organization, "acme"} {
		got, err := c.Projects(t.Context(), name)
		if want := []ListedProject{{"a", "Shop"}, {"b", "Blog"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestClient_ProjectsThatAUserSeesHaveTitlesWhereTheListLeadsToThem(t *testing.T) {
	c := newClient(t, inMemory(canned{
		"/users/me": `{"id":"u/1"}`,
		"/users/u%2F1/extended-access?filter[resource_type]=project": `{"items":[{"resource_id":"b","resource_type":"project"},
			{"resource_id":"gone","resource_type":"project"},{"resource_id":"asleep","resource_type":"project"},
			{"resource_id":"a","resource_type":"project"},{"resource_id":"org","resource_type":"organization"}],
			"_links":{"ref:projects:0":{"href":"/ref/projects?in=a,gone,asleep&sig=s"},"self":{"href":"/x"}}}`,
		"/ref/projects?in=a,gone,asleep&sig=s": `{"a":{"id":"a","title":"Shop","status":"active"},"gone":null,"asleep":{"id":"asleep","status":"suspended"}}`,
	}))
	got, err := c.Projects(t.Context(), "")
	if want := []ListedProject{{"a", "Shop"}, {"b", ""}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestClient_ListOfProjectsIsCompleteOrAnError(t *testing.T) {
	const first = "/organizations/" + organization + "/projects?page[size]=100"
	const item = `"items":[{"id":"a"}]`
	synctest.Test(t, func(t *testing.T) { // a read that cannot be understood is repeated, after pauses
		for name, bodies := range map[string]canned{
			"no list":          {first: `{}`},
			"null":             {first: `{"items":null}`},
			"another form":     {first: `{"items":{"a":1}}`},
			"a bare list":      {first: `[{"id":"a"}]`},
			"item without id":  {first: `{"items":[{"title":"x"}]}`},
			"item of a number": {first: `{"items":[1]}`},
			"forbidden":        {first: `403 {"error":"no"}`},
			"page is missing":  {first: `{` + item + `,"_links":{"next":{"href":"/2"}}}`},
			"page is HTML":     {first: `{` + item + `,"_links":{"next":{"href":"/2"}}}`, "/2": "403 <html>"},
			"page has no list": {first: `{` + item + `,"_links":{"next":{"href":"/2"}}}`, "/2": `{"message":"later"}`},
			"fewer than told":  {first: `{"count":2,` + item + `}`},
			"leads nowhere":    {first: `{` + item + `,"_links":{"next":{"href":"?page=2"}}}`},
			"endless":          {first: `{` + item + `,"_links":{"next":{"href":"/2"}}}`, "/2": `{"items":[],"_links":{"next":{"href":"/2"}}}`},
		} {
			got, err := newClient(t, inMemory(bodies)).Projects(t.Context(), organization)
			if err == nil || got != nil {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
		c := newClient(t, inMemory(canned{"/users/me": `{"id":"u"}`, "/users/u/extended-access?filter[resource_type]=project": `{"items":[{"resource_id":"a"}],
		"_links":{"ref:projects:0":{"href":"/ref/projects?in=a"}}}`}))
		if got, err := c.Projects(t.Context(), ""); !errors.Is(err, ErrNotFound) || got != nil {
			t.Errorf("without its references: got %v, %v", got, err)
		}
		c = newClient(t, inMemory(canned{first: `{"count":0,"items":[]}`}))
		if got, err := c.Projects(t.Context(), organization); err != nil || len(got) != 0 {
			t.Errorf("of an empty list got %v, %v", got, err)
		}
	})
}
