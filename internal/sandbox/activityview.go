package sandbox

import (
	"encoding/json"
	"fmt"
	"html"
	"time"
)

// activityView is the JSON form, after the OpenAPI description's Activity.
type activityView struct {
	ID            string             `json:"id"`
	CreatedAt     stamp              `json:"created_at"`
	UpdatedAt     stamp              `json:"updated_at"`
	Type          string             `json:"type"`
	Parameters    map[string]any     `json:"parameters"`
	Project       string             `json:"project"`
	Environments  []string           `json:"environments"`
	State         string             `json:"state"`
	Result        optional           `json:"result"`
	FailureReason optional           `json:"failure_reason"`
	StartedAt     stamp              `json:"started_at"`
	CompletedAt   stamp              `json:"completed_at"`
	Percent       int                `json:"completion_percent"`
	CancelledAt   stamp              `json:"cancelled_at"`
	Timings       map[string]float64 `json:"timings"`
	Log           string             `json:"log"`
	Payload       payload            `json:"payload"`
	Description   string             `json:"description"`
	Text          string             `json:"text"`
	ExpiresAt     stamp              `json:"expires_at"`
	Commands      []command          `json:"commands"`
	Links         links              `json:"_links"`
}

type payload struct {
	User        author             `json:"user"`
	Environment payloadEnvironment `json:"environment"`
	BackupName  string             `json:"backup_name,omitempty"`
}

type payloadEnvironment struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type command struct {
	App      string `json:"app"`
	Type     string `json:"type"`
	ExitCode int    `json:"exit_code"`
}

func (s *Sandbox) viewActivity(a *activity, c caller, now time.Time) activityView {
	e := a.environment
	v := activityView{
		ID:           a.id,
		CreatedAt:    stamp(a.createdAt),
		UpdatedAt:    stamp(a.createdAt),
		Type:         a.kind,
		Parameters:   map[string]any{},
		Project:      e.project.id,
		Environments: []string{e.Name},
		State:        a.state(now),
		Result:       optional(a.result(now)),
		StartedAt:    stamp(a.startedAt(now)),
		CompletedAt:  stamp(a.completedAt(now)),
		Percent:      a.percent(now),
		Timings:      map[string]float64{},
		Payload:      payload{a.user, payloadEnvironment{e.Name, e.Title}, a.backup},
		Description: fmt.Sprintf("<user>%s</user> %s <environment>%s</environment>",
			html.EscapeString(a.user.Name), a.operation, html.EscapeString(e.Title)),
		Text:     a.user.Name + " " + a.operation + " " + e.Title,
		Commands: []command{},
		Links:    links{"self": e.project.self(a.path()), "log": link{a.path() + "/log"}},
	}
	if a.body != "" {
		json.Unmarshal([]byte(a.body), &v.Parameters) // was checked when it came
	}
	v.Parameters["user"] = a.user.ID
	if e == e.project.itself {
		v.Environments, v.Text = []string{}, a.user.Name+" "+a.operation+" the project"
	} else {
		v.Parameters["environment"] = e.Name
	}
	if s.options.NullCreatedAt && v.State == "pending" {
		v.CreatedAt = stamp{}
	}
	if now.Before(a.endAt) {
		if c.roleOn(e) == "admin" {
			v.Links["#cancel"] = link{a.path() + "/cancel"}
		}
		return v
	}
	v.UpdatedAt = stamp(a.endAt)
	switch a.ending {
	case Cancelled:
		v.CancelledAt = stamp(a.endAt)
	case Failure:
		v.FailureReason = "error"
	case HookFailure:
		v.Commands = []command{{"app", "deploy", 1}}
	}
	if !a.startAt.IsZero() {
		v.Timings["wait"] = a.startAt.Sub(a.createdAt).Seconds()
		v.Timings["execute"] = a.endAt.Sub(a.startAt).Seconds()
	}
	return v
}

// activityLog answers with the log's lines and, at its end, the seal.
func (s *Sandbox) activityLog(c *call, a *activity) {
	type line struct {
		ID   string         `json:"_id"`
		Data map[string]any `json:"data,omitempty"`
		Seal bool           `json:"seal,omitempty"`
	}
	lines := []line{{ID: a.id + "-1", Data: map[string]any{
		"timestamp": stamp(a.createdAt), "message": "The sandbox pretends: " + a.kind + "\n",
	}}}
	if !c.now.Before(a.endAt) {
		lines = append(lines, line{ID: a.id + "-2", Seal: true})
	}
	encoder := json.NewEncoder(&c.content)
	for _, l := range lines {
		encoder.Encode(l) // to memory
	}
	c.Header().Set("Content-Type", "application/x-ndjson")
}
