package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

// AutoscalingSet says between how many instances the platform may choose for an application, a worker or a
// service of the environment, on flexible projects, and by what it chooses. What is not mentioned stays as it
// is.
type AutoscalingSet struct {
	Service       string   `yaml:"service" json:"service"`                         // its name
	Metric        string   `yaml:"metric" json:"metric,omitempty"`                 // "cpu" or "memory"
	Enabled       *bool    `yaml:"enabled" json:"enabled,omitempty"`               // whether the metric counts
	ThresholdUp   *float64 `yaml:"threshold_up" json:"threshold_up,omitempty"`     // in percent; above it, instances are added
	DurationUp    Duration `yaml:"duration_up" json:"duration_up,omitempty"`       // how long above it: one of scalingDurations
	CooldownUp    Duration `yaml:"cooldown_up" json:"cooldown_up,omitempty"`       // from one addition to the next: the same
	ThresholdDown *float64 `yaml:"threshold_down" json:"threshold_down,omitempty"` // in percent; below it, instances are taken away
	DurationDown  Duration `yaml:"duration_down" json:"duration_down,omitempty"`
	CooldownDown  Duration `yaml:"cooldown_down" json:"cooldown_down,omitempty"`
	InstancesMin  int      `yaml:"instances_min" json:"instances_min,omitempty"`
	InstancesMax  int      `yaml:"instances_max" json:"instances_max,omitempty"`
}

// scalingDurations are those that the API takes, as the vendor's CLI has them written.
var scalingDurations = []string{"1m", "2m", "5m", "10m", "30m", "60m"}

var autoscalingSet = &Kind{
	Name:       "autoscaling_set",
	Command:    "autoscaling:set",
	Summary:    "set how the environment's instances follow its load",
	Link:       "#manage-autoscaling",
	Method:     http.MethodPatch,
	Route:      environmentRoute + "/autoscaling/settings",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Done: true},
	Repeatable: true,
	Confirms:   true,
	NeverWaits: true,
	Options: []Option{
		{Name: "service", Short: "s", TakesValue: true},
		{Name: "metric", Short: "m", TakesValue: true},
		{Name: "enabled", TakesValue: true},
		{Name: "threshold-up", TakesValue: true},
		{Name: "duration-up", TakesValue: true},
		{Name: "cooldown-up", TakesValue: true},
		{Name: "threshold-down", TakesValue: true},
		{Name: "duration-down", TakesValue: true},
		{Name: "cooldown-down", TakesValue: true},
		{Name: "instances-min", TakesValue: true},
		{Name: "instances-max", TakesValue: true},
		{Name: "dry-run"},
	},
	New:     func() Task { return &AutoscalingSet{} },
	FromCLI: autoscalingSetFromCLI,
}

func autoscalingSetFromCLI(in Input) (Task, error) {
	if in.Given("dry-run") {
		return nil, errors.New("with --dry-run nothing would be done")
	}
	enabled, err := in.Flag("enabled")
	if err != nil {
		return nil, err
	}
	a := &AutoscalingSet{Service: in.Option("service"), Metric: in.Option("metric"), Enabled: enabled}
	for option, into := range map[string]**float64{"threshold-up": &a.ThresholdUp, "threshold-down": &a.ThresholdDown} {
		if !in.Given(option) {
			continue
		}
		value, err := strconv.ParseFloat(in.Option(option), 64)
		if err != nil {
			return nil, fmt.Errorf("option --%s: %q is no number", option, in.Option(option))
		}
		*into = &value
	}
	for option, into := range map[string]*Duration{
		"duration-up": &a.DurationUp, "cooldown-up": &a.CooldownUp, "duration-down": &a.DurationDown, "cooldown-down": &a.CooldownDown,
	} {
		if text := in.Option(option); in.Given(option) && (!slices.Contains(scalingDurations, text) || into.UnmarshalText([]byte(text)) != nil) {
			return nil, fmt.Errorf("option --%s: %q is not one of the platform's; write %s", option, text, alternatives(scalingDurations))
		}
	}
	for option, into := range map[string]*int{"instances-min": &a.InstancesMin, "instances-max": &a.InstancesMax} {
		if !in.Given(option) {
			continue
		}
		if *into, err = strconv.Atoi(in.Option(option)); err != nil || *into < 1 {
			return nil, fmt.Errorf("option --%s: %q is not a whole number above 0", option, in.Option(option))
		}
	}
	return a, nil
}

// Kind implements Task.
func (*AutoscalingSet) Kind() *Kind { return autoscalingSet }

// Validate implements Task.
func (a *AutoscalingSet) Validate() error {
	change := a.change()
	switch {
	case a.Service == "":
		return errors.New("service is missing: name the application, worker or service")
	case !slices.Contains([]string{"", "cpu", "memory"}, a.Metric):
		return fmt.Errorf("metric %q is not known; write cpu or memory", a.Metric)
	case len(change) == 0:
		return errors.New("nothing to change: give enabled, a threshold, duration or cooldown, instances_min or instances_max")
	case a.Metric == "" && change["triggers"] != nil:
		return errors.New("metric is missing: write cpu or memory")
	case a.InstancesMin > a.InstancesMax && a.InstancesMax > 0:
		return fmt.Errorf("instances_min %d is more than instances_max %d", a.InstancesMin, a.InstancesMax)
	}
	for _, threshold := range []*float64{a.ThresholdUp, a.ThresholdDown} {
		if threshold != nil && !(*threshold >= 0 && *threshold <= 100) {
			return fmt.Errorf("threshold %v is not a number from 0 to 100", *threshold)
		}
	}
	for _, d := range []Duration{a.DurationUp, a.CooldownUp, a.DurationDown, a.CooldownDown} {
		if d != 0 && !slices.ContainsFunc(scalingDurations, d.is) {
			return fmt.Errorf("duration %s is not one of the platform's; write %s", d, alternatives(scalingDurations))
		}
	}
	return nil
}

// Body implements Task.
func (a *AutoscalingSet) Body() any { return a.settings() }

// settings are what is to change, as the API has them.
func (a *AutoscalingSet) settings() map[string]any {
	return map[string]any{"services": map[string]any{a.Service: a.change()}}
}

// change is what is to change of the service.
func (a *AutoscalingSet) change() map[string]any {
	service := map[string]any{}
	set := func(value float64, path string) {
		if value != 0 {
			put(service, value, strings.Split(path, ".")...)
		}
	}
	if a.Enabled != nil {
		put(service, *a.Enabled, "triggers", a.Metric, "enabled")
	}
	for direction, threshold := range map[string]*float64{"up": a.ThresholdUp, "down": a.ThresholdDown} {
		if threshold != nil {
			put(service, *threshold, "triggers", a.Metric, direction, "threshold")
		}
	}
	set(time.Duration(a.DurationUp).Seconds(), "triggers."+a.Metric+".up.duration")
	set(time.Duration(a.DurationDown).Seconds(), "triggers."+a.Metric+".down.duration")
	set(time.Duration(a.CooldownUp).Seconds(), "scale_cooldown.up")
	set(time.Duration(a.CooldownDown).Seconds(), "scale_cooldown.down")
	set(float64(a.InstancesMin), "instances.min")
	set(float64(a.InstancesMax), "instances.max")
	return service
}

// put sets a value in maps within maps, which it makes where they are missing.
func put(m map[string]any, value any, path ...string) {
	for ; len(path) > 1; path = path[1:] {
		next, ok := m[path[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[path[0]] = next
		}
		m = next
	}
	m[path[0]] = value
}

// prepare looks whether there is such a container, and whether everything is so already.
func (a *AutoscalingSet) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	path, ok := env.Links.Path(autoscalingSet.Link)
	if !ok {
		return platform.Request{}, refuse(autoscalingSet, env)
	}
	if err := a.checkService(env, look); err != nil {
		return platform.Request{}, err
	}
	settings, err := look(autoscalingSet.Route, "")
	if err != nil {
		return platform.Request{}, err
	}
	if err := refuseIfSo(settings, a.settings(), fmt.Sprintf("autoscaling of %q", a.Service)); err != nil {
		return platform.Request{}, err
	}
	if err := a.checkLimit(settings); err != nil {
		return platform.Request{}, err
	}
	return request(http.MethodPatch, path, autoscalingSet.Route, a.Body())
}

func (a *AutoscalingSet) checkService(env *platform.Environment, look Lookup) error {
	current, err := look(environmentRoute+"/deployments/current", "")
	if err != nil {
		return err
	}
	var has sized
	if current != nil {
		if err := current.Decode(&has); err != nil {
			return err
		}
	}
	if heading, _ := has.find(a.Service); heading == "" || heading == "tasks" {
		return &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no application, worker or service %q", env.ID, a.Service)}
	}
	return nil
}

// checkLimit holds the numbers of instances against the platform's.
func (a *AutoscalingSet) checkLimit(settings *platform.Resource) error {
	var has struct {
		Defaults struct{ Instances struct{ Max int } }
	}
	if settings != nil {
		if err := settings.Decode(&has); err != nil {
			return err
		}
	}
	if most := has.Defaults.Instances.Max; most > 0 && max(a.InstancesMin, a.InstancesMax) > most {
		return &Refusal{RefusedConflict, fmt.Sprintf("%q may have %d instances at most", a.Service, most)}
	}
	return nil
}
