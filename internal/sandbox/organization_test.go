package sandbox

import (
	"fmt"
	"slices"
	"testing"
)

// walk reads a list to its end and returns what each item has under a key, and the pages.
func (v *visitor) walk(path, key string) (values []string, pages int) {
	for path != "" {
		r := v.get(path)
		items, _ := r.object["items"].([]any)
		for _, item := range items {
			values = append(values, fmt.Sprint(item.(map[string]any)[key]))
		}
		pages++
		links, _ := r.object["_links"].(map[string]any)
		next, _ := links["next"].(map[string]any)
		path, _ = next["href"].(string)
	}
	return values, pages
}

func TestSandbox_ListsProjectsPageByPage(t *testing.T) {
	o := options()
	o.PageSize = 2
	o.Projects = append(o.Projects, Project{ID: "a", Title: "Alpha"}, Project{ID: "b"}, Project{ID: "other", Organization: "acme"})
	o.Users[0].Projects, o.Users[0].Organizations = []string{"a", "other", "shop"}, []string{"sandbox"}
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		for _, organization := range []string{"name=sandbox", organizationID("sandbox")} {
			id := v.get("/organizations/" + organization).object["id"].(string)
			got, pages := v.walk("/organizations/"+id+"/projects?page[size]=100", "id")
			if want := []string{"a", "b", "shop"}; !slices.Equal(got, want) || pages != 2 {
				t.Errorf("%s: %v on %d pages, want %v on 2", organization, got, pages, want)
			}
		}
		got, pages := v.walk("/users/user-1/extended-access?filter[resource_type]=project", "resource_id")
		if want := []string{"a", "other", "shop"}; !slices.Equal(got, want) || pages != 2 {
			t.Errorf("the user sees %v on %d pages, want %v on 2", got, pages, want)
		}
		if r := v.get("/ref/projects?in=a,gone&sig=sandbox"); r.object["a"].(map[string]any)["title"] != "Alpha" || r.object["gone"] != nil {
			t.Errorf("references %s", r.text)
		}
		for path, want := range map[string]int{
			"/organizations/name=acme": 403, "/organizations/name=none": 404, "/users/user-2/extended-access": 403,
			"/organizations/name=sandbox/projects?page[size]=101": 400, "/ref/projects?in=a&sig=made-up": 403,
		} {
			if r := v.get(path); r.status != want {
				t.Errorf("%s: %d, want %d", path, r.status, want)
			}
		}
		s.RemoveProject("b")
		if got, _ := v.walk("/organizations/name=sandbox/projects", "id"); slices.Contains(got, "b") {
			t.Errorf("after its removal there is b among %v", got)
		}
	})
}
