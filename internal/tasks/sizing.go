package tasks

import (
	"fmt"
	"slices"
)

// sizing is about the sizes of an environment's containers, in the body of a
// request that makes some. Only flexible projects have them.
type sizing struct {
	Init string `json:"init"` // where they come from
}

// sizingFrom returns nil for "", so that the request does not mention them.
func sizingFrom(init string) *sizing {
	if init == "" {
		return nil
	}
	return &sizing{init}
}

// checkResourcesInit reports a value that is neither empty nor one of the
// choices.
func checkResourcesInit(init string, choices ...string) error {
	if init != "" && !slices.Contains(choices, init) {
		return fmt.Errorf("resources_init %q is not known; write %s", init, alternatives(choices))
	}
	return nil
}
