package tasks

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// Variable is what variable_set, variable_create and variable_update say about
// a variable of the environment or the project. What is nil is not mentioned.
//
// Which request that is depends on whether the variable exists, so it is looked
// up first, as the vendor's CLI does; see docs/adr/0008-look-before-asking.md.
type Variable struct {
	Name           string        `yaml:"name" json:"name"` // with its prefix, such as "env:FOO"
	Value          *Confidential `yaml:"value" json:"value,omitempty"`
	Level          string        `yaml:"level" json:"level,omitempty"` // "environment", the default, or "project"
	JSON           *bool         `yaml:"json" json:"json,omitempty"`
	Sensitive      *bool         `yaml:"sensitive" json:"sensitive,omitempty"`
	Enabled        *bool         `yaml:"enabled" json:"enabled,omitempty"`         // environment level only
	Inheritable    *bool         `yaml:"inheritable" json:"inheritable,omitempty"` // environment level only
	VisibleBuild   *bool         `yaml:"visible_build" json:"visible_build,omitempty"`
	VisibleRuntime *bool         `yaml:"visible_runtime" json:"visible_runtime,omitempty"`
	AppScope       []string      `yaml:"app_scope" json:"app_scope,omitzero"` // the applications that have it; empty is all
}

const (
	levelEnvironment = "environment"
	levelProject     = "project"
)

// variableWitness is the witness of a kind that does these things to a variable, at either level.
func variableWitness(verbs ...string) Witness {
	var w Witness
	for _, level := range []string{levelEnvironment, levelProject} {
		for _, verb := range verbs {
			w.Activities = append(w.Activities, level+".variable."+verb)
		}
	}
	return w
}

// variableOptions are those that variable:create and variable:update share.
var variableOptions = []Option{
	{Name: "level", Short: "l", TakesValue: true},
	{Name: "value", TakesValue: true, Secret: true},
	{Name: "json", TakesValue: true},
	{Name: "sensitive", TakesValue: true},
	{Name: "enabled", TakesValue: true},
	{Name: "inheritable", TakesValue: true},
	{Name: "visible-build", TakesValue: true},
	{Name: "visible-runtime", TakesValue: true},
	{Name: "app-scope", TakesValue: true, Repeated: true},
}

// variableFromCLI reads the options that variable:create and variable:update
// share.
func variableFromCLI(in Input) (Variable, error) {
	v := Variable{Name: in.Argument("name"), AppScope: split(in.Options["app-scope"])}
	if value := Confidential(in.Option("value")); value != "" { // the CLI takes an empty one for none
		v.Value = &value
	}
	if level := strings.ToLower(in.Option("level")); level != "" {
		v.Level = level
		for _, l := range []string{levelProject, levelEnvironment} {
			if strings.HasPrefix(l, level) {
				v.Level = l
			}
		}
	}
	for _, flag := range []struct {
		option string
		into   **bool
	}{
		{"json", &v.JSON}, {"sensitive", &v.Sensitive}, {"enabled", &v.Enabled}, {"inheritable", &v.Inheritable},
		{"visible-build", &v.VisibleBuild}, {"visible-runtime", &v.VisibleRuntime},
	} {
		var err error
		if *flag.into, err = in.Flag(flag.option); err != nil {
			return Variable{}, err
		}
	}
	return v, nil
}

// environmentName is what the platform accepts behind "env:".
var environmentName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

const longestName = 256

func (v Variable) validate() error {
	switch name, isEnv := strings.CutPrefix(v.Name, "env:"); {
	case v.Name == "":
		return errors.New("name is missing: name the variable")
	case len(v.Name) > longestName:
		return fmt.Errorf("the variable's name is longer than %d characters", longestName)
	case strings.Contains(v.Name, " "):
		return fmt.Errorf("the variable's name %q has a space", v.Name)
	case isEnv && !environmentName.MatchString(name):
		return fmt.Errorf("the variable's name %q is not valid; behind env: write a letter, then letters, digits and _", v.Name)
	}
	switch {
	case v.Level != "" && v.Level != levelEnvironment && v.Level != levelProject:
		return fmt.Errorf("level %q is not known; write environment or project", v.Level)
	case v.projectWide() && (v.Enabled != nil || v.Inheritable != nil):
		return errors.New("enabled and inheritable apply to the level environment only")
	case isTrue(v.JSON) && v.Value != nil && *v.Value != redacted && !json.Valid([]byte(*v.Value)):
		return errors.New("the value is not valid JSON")
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func (v Variable) projectWide() bool { return v.Level == levelProject }

func (v Variable) level() string { return cmp.Or(v.Level, levelEnvironment) }

// witness is what is left of the kind's at the variable's level.
func (v Variable) witness(of *Kind) Witness {
	var w Witness
	for _, a := range of.Witness.Activities {
		if strings.HasPrefix(a, v.level()+".") {
			w.Activities = append(w.Activities, a)
		}
	}
	return w
}

func (v Variable) confidences() []Confidential {
	if v.Value == nil {
		return nil
	}
	return []Confidential{*v.Value}
}

// properties are a variable's, as the API names them.
type properties struct {
	Name           string  `json:"name,omitempty"`
	Value          *string `json:"value,omitempty"` // of a sensitive one it is never told
	JSON           *bool   `json:"is_json,omitempty"`
	Sensitive      *bool   `json:"is_sensitive,omitempty"`
	Enabled        *bool   `json:"is_enabled,omitempty"`
	Inheritable    *bool   `json:"is_inheritable,omitempty"`
	VisibleBuild   *bool   `json:"visible_build,omitempty"`
	VisibleRuntime *bool   `json:"visible_runtime,omitempty"`

	AppScope []string `json:"application_scope,omitzero"`
}

// changes are the properties that v mentions.
func (v Variable) changes() properties {
	return properties{
		Value: (*string)(v.Value), JSON: v.JSON, Sensitive: v.Sensitive, Enabled: v.Enabled,
		Inheritable: v.Inheritable, VisibleBuild: v.VisibleBuild, VisibleRuntime: v.VisibleRuntime,
		AppScope: v.AppScope,
	}
}

// whole are the properties of a new variable. It says what it wants where the
// vendor's CLI does, with the CLI's defaults.
func (v Variable) whole() properties {
	p := v.changes()
	p.Name = v.Name
	preset := func(of **bool, value bool) {
		if *of == nil {
			*of = &value
		}
	}
	preset(&p.JSON, false)
	preset(&p.Sensitive, false)
	if v.projectWide() {
		preset(&p.VisibleBuild, true)
		preset(&p.VisibleRuntime, true)
	} else {
		preset(&p.Enabled, true)
		preset(&p.Inheritable, true)
	}
	return p
}

// existing is a variable that the platform has.
type existing struct {
	path   string // of its #edit link, "" when it has none
	remove string // of its #delete link, "" when it has none
	properties
	Inherited bool `json:"inherited"` // from the parent environment
}

// is reports whether nothing that is to change is different already. An unknown
// value counts as different.
func (e *existing) is(to properties) bool {
	same := func(have, want *bool) bool { return want == nil || have != nil && *have == *want }
	return (to.Value == nil || e.Value != nil && *e.Value == *to.Value) &&
		same(e.JSON, to.JSON) && same(e.Sensitive, to.Sensitive) &&
		same(e.Enabled, to.Enabled) && same(e.Inheritable, to.Inheritable) &&
		same(e.VisibleBuild, to.VisibleBuild) && same(e.VisibleRuntime, to.VisibleRuntime) &&
		(to.AppScope == nil || slices.Equal(e.AppScope, to.AppScope))
}

// staysValid reports whether the value is JSON when it is to be that. A value that is not told may be anything.
func (e *existing) staysValid(to properties) bool {
	value, isJSON := cmp.Or(to.Value, e.Value), cmp.Or(to.JSON, e.JSON)
	return value == nil || !isTrue(isJSON) || json.Valid([]byte(*value))
}

// place is where a level's variables are.
type place struct {
	collection string // path
	route      string
}

func (p place) item() string { return p.route + "/{variable}" }

// find returns where the variable belongs, and the variable itself or nil. The
// error is a *Refusal when the user may not manage variables there.
func (v Variable) find(k *Kind, env *platform.Environment, look Lookup) (place, *existing, error) {
	p, err := v.place(k, env, look)
	if err != nil {
		return place{}, nil, err
	}
	found, err := look(p.item(), v.Name)
	if err != nil || found == nil {
		return p, nil, err
	}
	e := &existing{}
	e.path, _ = found.Links.Path("#edit")
	e.remove, _ = found.Links.Path("#delete")
	return p, e, found.Decode(e)
}

func (v Variable) place(k *Kind, env *platform.Environment, look Lookup) (place, error) {
	if !v.projectWide() {
		path, ok := env.Links.Path(k.Link)
		if !ok {
			return place{}, refuse(k, env)
		}
		return place{path, environmentRoute + "/variables"}, nil
	}
	project, err := look(projectRoute, "")
	if err != nil {
		return place{}, err
	}
	if project != nil {
		if path, ok := project.Links.Path(k.Link); ok {
			return place{path, projectRoute + "/variables"}, nil
		}
	}
	return place{}, &Refusal{RefusedForbidden, fmt.Sprintf(
		"the platform does not offer variables on project %q; the automation user needs the role admin there", env.Project)}
}

// create is the request for a new variable.
func (v Variable) create(p place) (platform.Request, error) {
	return request(http.MethodPost, p.collection, p.route, v.whole())
}

// update is the request that changes an existing variable.
func (v Variable) update(k *Kind, env *platform.Environment, p place, e *existing) (platform.Request, error) {
	switch changes := v.changes(); {
	case e.is(changes):
		return platform.Request{}, &Refusal{RefusedAlready, fmt.Sprintf("variable %q is as it should be already", v.Name)}
	case e.path == "":
		return platform.Request{}, refuse(k, env)
	case !e.staysValid(changes):
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("the value of variable %q is to be JSON, and is not valid", v.Name)}
	default:
		return request(http.MethodPatch, e.path, p.item(), changes)
	}
}

// updateExisting is the request that changes the variable, which must exist.
func (v Variable) updateExisting(k *Kind, env *platform.Environment, look Lookup) (platform.Request, error) {
	p, found, err := v.find(k, env, look)
	if err != nil {
		return platform.Request{}, err
	}
	if found == nil {
		return platform.Request{}, v.missing()
	}
	return v.update(k, env, p, found)
}

func (v Variable) missing() *Refusal {
	message := fmt.Sprintf("there is no variable %q at the level %s", v.Name, v.level())
	if v.Level == "" {
		message += "; one of the project's wants the level project"
	}
	return &Refusal{RefusedMissing, message}
}
