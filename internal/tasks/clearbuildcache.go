package tasks

import (
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// ClearBuildCache forgets what builds of the project's applications have kept,
// so that the next build starts from nothing.
type ClearBuildCache struct{}

var clearBuildCache = &Kind{
	Name:    "clear_build_cache",
	Command: "project:clear-build-cache",
	Summary: "clear the project's build cache",
	// The link is on the project.
	Link:       "#clear-build-cache",
	Route:      projectRoute + "/clear_build_cache",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"project.clear_build_cache"}},
	Repeatable: true,
	NeverWaits: true,
	New:        func() Task { return &ClearBuildCache{} },
	FromCLI:    func(Input) (Task, error) { return &ClearBuildCache{}, nil },
}

// Kind implements Task.
func (*ClearBuildCache) Kind() *Kind { return clearBuildCache }

// Validate implements Task.
func (*ClearBuildCache) Validate() error { return nil }

// Body implements Task.
func (*ClearBuildCache) Body() any { return nil }

func (*ClearBuildCache) projectWide() bool { return true }

// prepare follows the project's link. Whether every project has one is not
// known, so without it the request goes where the OpenAPI description has it,
// and the platform says whether the user may.
func (*ClearBuildCache) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	project, err := lookAtProject(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	path, ok := project.Links.Path(clearBuildCache.Link)
	if !ok {
		if path, ok = project.Links.Path("self"); !ok {
			return platform.Request{}, refuseOnProject(clearBuildCache, env)
		}
		path += "/clear_build_cache"
	}
	return request(http.MethodPost, path, clearBuildCache.Route, nil)
}
