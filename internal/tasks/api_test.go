package tasks

import (
	"slices"
	"testing"

	"github.com/automatond/automatond/internal/platform"
)

func TestAPI_StaysBelowTheProject(t *testing.T) {
	const project = "/projects/{project}"
	own := map[string]string{project: `{"id":"p1","_links":{"self":{"href":"https://eu.invalid/api/projects/p1"}}}`}
	for name, tt := range map[string]struct {
		task  *API
		env   platform.Environment
		there map[string]string
		want  string // request, or reason of the refusal
	}{
		"environment": {&API{Method: "POST", Path: "environments/{environment}/maintenance-redeploy"}, platform.Environment{ID: "feature/x", Status: "active"},
			own, "POST /api/projects/p1/environments/feature%2Fx/maintenance-redeploy "},
		"body": {&API{Method: "PATCH", Path: "settings", Content: documentOf(map[string]any{"b": 1, "a": nil})}, platform.Environment{ID: "x", Status: "active"},
			own, `PATCH /api/projects/p1/settings {"a":null,"b":1}`},
		"project while busy":     {&API{Method: "POST", Path: "integrations"}, platform.Environment{ID: "x", IsDirty: true}, own, "POST /api/projects/p1/integrations "},
		"environment while busy": {&API{Method: "POST", Path: "environments/{environment}/x"}, platform.Environment{ID: "x", IsDirty: true}, own, "dirty"},
		"environment in ruins":   {&API{Method: "POST", Path: "environments/{environment}/x"}, platform.Environment{ID: "x", Status: "deleting"}, own, "inactive"},
		"odd environment":        {&API{Method: "POST", Path: "environments/{environment}/x"}, platform.Environment{ID: "..", Status: "active"}, own, "conflict"},
		"no project":             {&API{Method: "POST", Path: "x"}, platform.Environment{ID: "x"}, nil, "missing"},
		"no address":             {&API{Method: "POST", Path: "x"}, platform.Environment{ID: "x"}, map[string]string{project: `{"id":"p1"}`}, "conflict"},
		"another address": {&API{Method: "POST", Path: "x"}, platform.Environment{ID: "x"},
			map[string]string{project: `{"id":"p1","_links":{"self":{"href":"/api/projects/p2"}}}`}, "conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := asked(t, tt.task, &tt.env, tt.there); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAPI_IsWhatItsParametersSay(t *testing.T) {
	for _, tt := range []struct {
		task              *API
		wide, destructive bool
		witness           []string
	}{
		{&API{Method: "POST", Path: "environments/{environment}/redeploy", Evidence: "environment.redeploy"}, false, false, []string{"environment.redeploy"}},
		{&API{Method: "DELETE", Path: "integrations/i1", Evidence: "none"}, true, true, nil},
	} {
		if ProjectWide(tt.task) != tt.wide || Destructive(tt.task) != tt.destructive || !slices.Equal(WitnessOf(tt.task).Activities, tt.witness) {
			t.Errorf("%+v: project-wide %v, destructive %v, witness %v", tt.task, ProjectWide(tt.task), Destructive(tt.task), WitnessOf(tt.task))
		}
	}
}
