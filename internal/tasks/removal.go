package tasks

import (
	"net/http"

	"github.com/automatond/automatond/internal/platform"
)

// remove is the request that deletes the resource with these links. Whether the
// platform gives it one for that is not known: the vendor's CLI asks for none and
// goes to the resource itself, and so does this once the environment is clean.
func remove(k *Kind, env *platform.Environment, links platform.Links) (platform.Request, error) {
	path, ok := links.Path(k.Link)
	if !ok && ready(k, env) {
		path, ok = links.Path("self")
	}
	if !ok {
		return platform.Request{}, refuse(k, env)
	}
	return request(http.MethodDelete, path, k.Route, nil)
}

// removeFromProject is remove for what no environment has to be clean for.
func removeFromProject(k *Kind, env *platform.Environment, links platform.Links) (platform.Request, error) {
	for _, link := range []string{k.Link, "self"} {
		if path, ok := links.Path(link); ok {
			return request(http.MethodDelete, path, k.Route, nil)
		}
	}
	return platform.Request{}, refuseOnProject(k, env)
}
