package sandbox

import (
	"encoding/json"
	"errors"
	"maps"
)

// Autoscaling are the settings by which the instances of the application "app" follow its load.
type Autoscaling struct {
	Triggers map[string]Trigger `json:"triggers"` // by metric, "cpu" or "memory"
	Cooldown struct {           // seconds
		Up   int `json:"up"`
		Down int `json:"down"`
	} `json:"scale_cooldown"`
	Instances struct {
		Min int `json:"min"`
		Max int `json:"max"`
	} `json:"instances"`
}

// Trigger says when a metric counts.
type Trigger struct {
	Enabled bool      `json:"enabled"`
	Up      Condition `json:"up"`
	Down    Condition `json:"down"`
}

// Condition is what a metric must be, and for how many seconds.
type Condition struct {
	Threshold float64 `json:"threshold"`
	Duration  int     `json:"duration"`
}

// mostInstances is how many instances a container may have.
const mostInstances = 8

func defaultAutoscaling() Autoscaling {
	var a Autoscaling
	usual := Trigger{Up: Condition{80, 300}, Down: Condition{20, 600}}
	a.Triggers = map[string]Trigger{"cpu": usual, "memory": usual}
	a.Cooldown.Up, a.Cooldown.Down = 300, 300
	a.Instances.Min, a.Instances.Max = 1, mostInstances
	return a
}

// autoscalingSet is what setting them is to the environment.
var autoscalingSet = operation{link: "#manage-autoscaling", method: "PATCH", path: "autoscaling/settings", kinds: noActivity,
	clause: "changed the autoscaling of", statuses: []string{"active"}, plain: true, check: checkAutoscaling, apply: setAutoscaling}

type newAutoscaling struct {
	Services map[string]json.RawMessage `json:"services"`
}

func checkAutoscaling(body []byte) error {
	var b newAutoscaling
	if err := decode(body, &b); err != nil {
		return err
	}
	if _, ok := b.Services[application]; !ok || len(b.Services) > 1 {
		return errors.New("there is one container, the application " + application)
	}
	return decode(b.Services[application], &Autoscaling{})
}

// setAutoscaling takes over what the request mentions.
func setAutoscaling(c *call, e *environment) (any, bool) {
	var b newAutoscaling
	json.Unmarshal(c.body, &b) // was checked
	var said struct{ Triggers map[string]json.RawMessage }
	json.Unmarshal(b.Services[application], &said)
	changed := e.scaling()
	before := maps.Clone(changed.Triggers)
	json.Unmarshal(b.Services[application], &changed) // forgets the rest of a trigger
	for metric, change := range said.Triggers {
		trigger := before[metric]
		json.Unmarshal(change, &trigger)
		changed.Triggers[metric] = trigger
	}
	e.autoscaling = &changed
	return e.viewAutoscaling(), true
}

func (s *Sandbox) getAutoscaling(c *call, e *environment) { c.json(200, e.viewAutoscaling()) }

// viewAutoscaling is the JSON form, after the OpenAPI description's AutoscalerSettings and the vendor's CLI.
func (e *environment) viewAutoscaling() map[string]any {
	return map[string]any{"defaults": defaultAutoscaling(), "services": map[string]any{application: e.scaling()}}
}

// scaling are the environment's settings, or the platform's default.
func (e *environment) scaling() Autoscaling {
	if e.autoscaling == nil {
		return defaultAutoscaling()
	}
	return *e.autoscaling
}

// Autoscaling returns an environment's settings, the zero value when there is no such environment.
func (s *Sandbox) Autoscaling(project, name string) (a Autoscaling) {
	s.peek(project, name, func(e *environment) { a = e.scaling() })
	return a
}
