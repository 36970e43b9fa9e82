package tasks

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// ResourcesSet sets the sizes of the environment's containers, by their names, on
// flexible projects. What is not mentioned stays as it is.
type ResourcesSet struct {
	Sizes  map[string]string `yaml:"sizes" json:"sizes,omitempty"`   // profile sizes, such as "0.5"
	Counts map[string]int    `yaml:"counts" json:"counts,omitempty"` // instances of applications and workers
	Disks  map[string]int    `yaml:"disks" json:"disks,omitempty"`   // in MB, of applications, workers and services
}

var resourcesSet = &Kind{
	Name:    "resources_set",
	Command: "resources:set",
	Summary: "set the sizes of the environment's containers",
	// The link is on the environment's next deployment.
	Link:       "#edit",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/deployments/next",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.resources.update"}},
	Repeatable: true,
	Confirms:   true,
	Options: []Option{
		{Name: "size", Short: "S", TakesValue: true, Repeated: true},
		{Name: "count", Short: "C", TakesValue: true, Repeated: true},
		{Name: "disk", Short: "D", TakesValue: true, Repeated: true},
		{Name: "object-storage", TakesValue: true, Repeated: true},
		{Name: "force", Short: "f"}, // nothing looks at a trial's limits here
		{Name: "dry-run"},
	},
	New:     func() Task { return &ResourcesSet{} },
	FromCLI: resourcesSetFromCLI,
}

func resourcesSetFromCLI(in Input) (Task, error) {
	switch {
	case in.Given("dry-run"):
		return nil, errors.New("with --dry-run nothing would be done")
	case in.Given("object-storage"):
		return nil, errors.New("option --object-storage is not offered, as the API's description of a deployment has nothing of the kind")
	}
	sizes, err := namedValues(in, "size", func(text string) (string, error) { return text, nil })
	if err != nil {
		return nil, err
	}
	counts, err := namedValues(in, "count", strconv.Atoi)
	if err != nil {
		return nil, err
	}
	disks, err := namedValues(in, "disk", strconv.Atoi)
	if err != nil {
		return nil, err
	}
	return &ResourcesSet{Sizes: sizes, Counts: counts, Disks: disks}, nil
}

// namedValues reads name:value pairs, of which one option may have several with
// commas between them. Nil when there is none.
func namedValues[T any](in Input, option string, read func(string) (T, error)) (map[string]T, error) {
	var all map[string]T
	for _, list := range in.Options[option] {
		for item := range strings.SplitSeq(list, ",") {
			name, text, ok := strings.Cut(strings.TrimSpace(item), ":")
			if !ok {
				return nil, fmt.Errorf("option --%s: %q has no value; write name:value", option, item)
			}
			value, err := read(text)
			if err != nil {
				return nil, fmt.Errorf("option --%s: %q is no whole number", option, text)
			}
			if all == nil {
				all = map[string]T{}
			}
			all[name] = value
		}
	}
	return all, nil
}

// Kind implements Task.
func (*ResourcesSet) Kind() *Kind { return resourcesSet }

// Validate implements Task.
func (r *ResourcesSet) Validate() error {
	names := r.names()
	if len(names) == 0 {
		return errors.New("nothing to change: give sizes, counts or disks")
	}
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "*%") {
			return fmt.Errorf("%q is not the name of one container; name each, as which there are may change", name)
		}
		if size, ok := r.Sizes[name]; ok && slices.Contains([]string{"", "default", "min", "minimum"}, size) {
			return fmt.Errorf("size %q of %q is not offered, as it does not say what is asked for; write one of the platform's, such as 0.5", size, name)
		}
		if count, ok := r.Counts[name]; ok && count < 1 {
			return fmt.Errorf("count %d of %q is less than 1", count, name)
		}
		if r.Disks[name] < 0 {
			return fmt.Errorf("disk %d of %q is less than 0", r.Disks[name], name)
		}
	}
	return nil
}

// names are those of all containers that are mentioned, in order.
func (r *ResourcesSet) names() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(r.Sizes)), maps.Keys(r.Counts))
	names = slices.AppendSeq(names, maps.Keys(r.Disks))
	slices.Sort(names)
	return slices.Compact(names)
}

// Body implements Task. Under which heading a container is sent, and whether
// anything changes, only the deployment says.
func (*ResourcesSet) Body() any { return sizes{} }

// sizes are those of containers, by name, under the headings of the API.
type sizes map[string]map[string]containerSize

type containerSize struct {
	Resources     *profile `json:"resources,omitempty"`
	InstanceCount *int     `json:"instance_count,omitempty"`
	Disk          *int     `json:"disk,omitempty"` // in MB
}

type profile struct {
	Size *string `json:"profile_size"`
}

// sized are the headings under which a deployment has containers.
type sized struct{ Webapps, Workers, Services, Tasks map[string]containerSize }

// find returns a container and its heading, which is "" when there is none.
func (d sized) find(name string) (heading string, has containerSize) {
	for _, group := range []struct {
		heading    string
		containers map[string]containerSize
	}{{"webapps", d.Webapps}, {"workers", d.Workers}, {"services", d.Services}, {"tasks", d.Tasks}} {
		if has, ok := group.containers[name]; ok {
			return group.heading, has
		}
	}
	return "", containerSize{}
}

// prepare compares with the next deployment, which has the link.
func (r *ResourcesSet) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	next, err := look(environmentRoute+"/deployments/next", "")
	if err != nil {
		return platform.Request{}, err
	}
	path, ok := "", false
	if next != nil {
		path, ok = next.Links.Path(resourcesSet.Link)
	}
	if !ok || !resourcesSet.Accepts(env.Status) {
		return platform.Request{}, refuse(resourcesSet, env)
	}
	var has sized
	if err := next.Decode(&has); err != nil {
		return platform.Request{}, err
	}
	changes, err := r.changes(has, env)
	if err != nil {
		return platform.Request{}, err
	}
	return request(http.MethodPatch, path, resourcesSet.Route, changes)
}

// changes are what differs from a deployment. The error is a *Refusal.
func (r *ResourcesSet) changes(has sized, env *platform.Environment) (sizes, error) {
	all := sizes{}
	for _, name := range r.names() {
		heading, size := has.find(name)
		if heading == "" {
			return nil, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no container %q", env.ID, name)}
		}
		change, refusal := r.change(name, heading, size)
		if refusal != nil {
			return nil, refusal
		}
		if change == (containerSize{}) {
			continue
		}
		if all[heading] == nil {
			all[heading] = map[string]containerSize{}
		}
		all[heading][name] = change
	}
	if len(all) == 0 {
		return nil, &Refusal{RefusedAlready, fmt.Sprintf("the containers of environment %q have these sizes already", env.ID)}
	}
	return all, nil
}

// spellSize writes a size that is a number as the platform does: ".25" is "0.25",
// for which the vendor's CLI takes it too.
func spellSize(size string) string {
	number, err := strconv.ParseFloat(size, 64)
	if err != nil || strings.Trim(size, ".0123456789") != "" {
		return size
	}
	return strconv.FormatFloat(number, 'f', -1, 64)
}

// change is what differs for one container. One whose count is not told has one
// instance, as for the vendor's CLI.
func (r *ResourcesSet) change(name, heading string, has containerSize) (containerSize, *Refusal) {
	var to containerSize
	if size := spellSize(r.Sizes[name]); size != "" && (has.Resources == nil || has.Resources.Size == nil || *has.Resources.Size != size) {
		to.Resources = &profile{&size}
	}
	if count, ok := r.Counts[name]; ok {
		if heading != "webapps" && heading != "workers" {
			return to, &Refusal{RefusedConflict, fmt.Sprintf("the instances of %q cannot be counted: it is neither an application nor a worker", name)}
		}
		if has.InstanceCount == nil && count != 1 || has.InstanceCount != nil && *has.InstanceCount != count {
			to.InstanceCount = &count
		}
	}
	if disk, ok := r.Disks[name]; ok {
		if heading == "tasks" {
			return to, &Refusal{RefusedConflict, fmt.Sprintf("%q is a task, which has no disk", name)}
		}
		if has.Disk == nil || *has.Disk != disk {
			to.Disk = &disk
		}
	}
	return to, nil
}
