package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// ActivityCancel cancels the newest activity of the environment that is pending
// or in progress and can be cancelled. With none, nothing is left to do.
type ActivityCancel struct {
	// Types narrow the choice: names such as "environment.backup", of which the
	// first part may be left out, and * stands for anything.
	Types        []string `yaml:"types" json:"types,omitempty"`
	ExcludeTypes []string `yaml:"exclude_types" json:"exclude_types,omitempty"` // the same, of what is not meant
}

var activityCancel = &Kind{
	Name:    "activity_cancel",
	Command: "activity:cancel",
	Summary: "cancel an activity of the environment that is not over",
	// The link is on the activity.
	Link:       "#cancel",
	Route:      environmentRoute + "/activities/{activity}/cancel",
	Role:       "admin",
	Statuses:   []string{statusActive, statusPaused, statusInactive},
	Witness:    Witness{Done: true},
	NeverWaits: true,
	Unfollowed: true,
	Options: []Option{
		{Name: "type", Short: "t", TakesValue: true, Repeated: true},
		{Name: "exclude-type", Short: "x", TakesValue: true, Repeated: true},
		{Name: "all", Short: "a"},
	},
	Arguments: []Argument{{Name: "id"}},
	New:       func() Task { return &ActivityCancel{} },
	FromCLI: func(in Input) (Task, error) {
		switch {
		case in.Argument("id") != "":
			return nil, errors.New("an activity's ID is not offered: it is over by the next time; narrow the choice by --type")
		case in.Given("all"):
			return nil, errors.New("option --all is not offered; name one environment, and narrow the cron with a guard")
		}
		return &ActivityCancel{Types: split(in.Options["type"]), ExcludeTypes: split(in.Options["exclude-type"])}, nil
	},
}

// split takes values apart at commas and spaces, as the vendor's CLI does.
func split(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' || r == ' ' })
}

// Kind implements Task.
func (*ActivityCancel) Kind() *Kind { return activityCancel }

// Validate implements Task.
func (a *ActivityCancel) Validate() error {
	if slices.Contains(a.Types, "") || slices.Contains(a.ExcludeTypes, "") {
		return errors.New("a type is empty")
	}
	return nil
}

// Body implements Task.
func (*ActivityCancel) Body() any { return nil }

// prepare follows the link of the newest activity that has one. That the
// environment is dirty is no hindrance here.
func (a *ActivityCancel) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	type open struct {
		Type  string
		Links platform.Links `json:"_links"`
	}
	activities, err := list[open](look, environmentRoute+"/activities?count=50&state=pending&state=in_progress") // newest first
	if err != nil {
		return platform.Request{}, err
	}
	reason, message := RefusedAlready, fmt.Sprintf("environment %q has no activity to cancel", env.ID)
	for _, activity := range activities {
		if !a.means(activity.Type) {
			continue
		}
		if path, ok := activity.Links.Path(activityCancel.Link); ok {
			return request(http.MethodPost, path, activityCancel.Route, nil)
		}
		reason, message = RefusedForbidden, fmt.Sprintf(
			"the platform does not offer to cancel %s on environment %q; the automation user needs the role admin there", activity.Type, env.ID)
	}
	return platform.Request{}, &Refusal{reason, message}
}

// means reports whether activities of a type may be cancelled.
func (a *ActivityCancel) means(kind string) bool {
	is := func(pattern string) bool { return isOfType(kind, pattern) }
	return (len(a.Types) == 0 || slices.ContainsFunc(a.Types, is)) && !slices.ContainsFunc(a.ExcludeTypes, is)
}

// isOfType reports whether a type is meant by a name, whose first part may be
// left out, and in which * and % stand for anything. A script may make any bytes a name, of which an
// expression takes texts only.
func isOfType(kind, pattern string) bool {
	pattern = strings.ToValidUTF8(pattern, "\uFFFD")
	anything := strings.NewReplacer(`\*`, ".*", "%", ".*").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`^(.*\.)?` + anything + `$`).MatchString(kind)
}
