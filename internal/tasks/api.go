package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// API asks for anything that the platform offers below the project and no other
// kind knows. What the request does, and what proves that it executed, only the
// one who writes it can say.
type API struct {
	Method string `yaml:"method" json:"method"` // "POST", "PATCH", "PUT" or "DELETE"
	// Path is below the project, such as "environments/{environment}/redeploy".
	// Its only placeholder is {environment}; without it the request is for the
	// project, whichever environment it is asked for.
	Path    string   `yaml:"path" json:"path"`
	Content Document `yaml:"body" json:"body,omitzero"` // what is sent, as JSON
	// Evidence is the type of the activity that the request starts, such as
	// "environment.redeploy", or "none" when nothing shows that it executed.
	Evidence string `yaml:"witness" json:"witness"`
}

var api = &Kind{
	Name:     "api",
	Summary:  "ask for anything else that the API offers below the project",
	Route:    projectRoute + "/{path}",
	Statuses: []string{statusActive, statusPaused, statusInactive},
	Free:     true,
	New:      func() Task { return &API{} },
}

const (
	environmentPlaceholder = "{environment}"
	noEvidence             = "none"
)

var (
	plainPath    = regexp.MustCompile(`^[A-Za-z0-9._~:@!,=+/-]+$`) // nothing that is escaped or begins a query
	activityType = regexp.MustCompile(`^[a-z_]+(\.[a-z_-]+)+$`)
)

// Kind implements Task.
func (*API) Kind() *Kind { return api }

// Validate implements Task.
func (a *API) Validate() error {
	switch {
	case a.Method == "":
		return errors.New("method is missing: write POST, PATCH, PUT or DELETE")
	case !slices.Contains([]string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}, a.Method):
		return fmt.Errorf("method %q is not one that changes something; write POST, PATCH, PUT or DELETE", a.Method)
	case a.Evidence == "":
		return errors.New("witness is missing: name the type of the activity that the request starts, such as environment.redeploy, or write none")
	case a.Evidence != noEvidence && !activityType.MatchString(a.Evidence):
		return fmt.Errorf("witness %q is not the type of an activity; write one such as environment.redeploy, or none", a.Evidence)
	}
	return a.checkPath()
}

// checkPath holds the path below the project: what leads elsewhere, or could be
// read in two ways, is refused.
func (a *API) checkPath() error {
	switch {
	case a.Path == "":
		return errors.New("path is missing: write one below the project, such as environments/{environment}/redeploy")
	case strings.HasPrefix(a.Path, "/"), strings.Contains(a.Path, "://"):
		return fmt.Errorf("path %q must begin below the project, such as environments/{environment}/redeploy", a.Path)
	case path.Clean("/"+a.Path) != "/"+a.Path:
		return fmt.Errorf("path %q has a segment that is .., . or empty", a.Path)
	}
	for segment := range strings.SplitSeq(a.Path, "/") {
		if segment != environmentPlaceholder && !plainPath.MatchString(segment) {
			return fmt.Errorf("path %q: segment %q may have letters, digits and ._~:@!,=+- only, or be {environment}", a.Path, segment)
		}
	}
	return nil
}

// Body implements Task.
func (a *API) Body() any {
	if a.Content == (Document{}) {
		return nil
	}
	return json.RawMessage(a.Content.Confidential)
}

func (a *API) projectWide() bool { return !strings.Contains(a.Path, environmentPlaceholder) }

func (a *API) destructive() bool { return a.Method == http.MethodDelete }

func (a *API) witness() Witness {
	if a.Evidence == noEvidence {
		return Witness{}
	}
	return Witness{Activities: []string{a.Evidence}}
}

func (a *API) confidences() []Confidential {
	if a.Content == (Document{}) {
		return nil
	}
	return a.Content.confidences()
}

// prepare puts the path below the project's own address. There is no link that
// would say whether the platform takes the request, so it is asked once the
// environment is clean, as everything else is.
func (a *API) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	if !a.projectWide() && !ready(api, env) {
		return platform.Request{}, refuse(api, env)
	}
	project, err := lookAtProject(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	var is struct{ ID string }
	if err := project.Decode(&is); err != nil {
		return platform.Request{}, err
	}
	base, _ := project.Links.Path("self")
	full := base + "/" + strings.ReplaceAll(a.Path, environmentPlaceholder, url.PathEscape(env.ID))
	if is.ID == "" || !strings.HasSuffix(base, "/projects/"+is.ID) || path.Clean(full) != full {
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("%q is not an address below project %q", full, is.ID)}
	}
	return request(a.Method, full, api.Route, a.Body())
}
