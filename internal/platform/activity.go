package platform

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// Activity is the platform's record of asynchronous work. Times are zero while the platform has
// none.
type Activity struct {
	ID                string
	Type              string // such as environment.backup
	State             string // pending, in_progress, complete, cancelled, scheduled or staged
	Result            string // success or failure; "" until it is known
	CompletionPercent int
	Project           string
	Environments      []string
	UserID            string // who asked for it, "" if the activity does not say
	BackupName        string // of a finished backup
	CreatedAt         time.Time
	StartedAt         time.Time
	CompletedAt       time.Time
	FailureReason     string
	Text              string
	Commands          []Command
}

// Command is one command that an activity ran in a container.
type Command struct {
	App      string `json:"app"`
	Type     string `json:"type"`
	ExitCode int    `json:"exit_code"`
}

// Done reports whether the activity is over, by the test of the vendor's CLI.
func (a Activity) Done() bool {
	return a.CompletionPercent >= 100 || a.State == "cancelled" || a.State == "staged"
}

// UnmarshalJSON reads an activity as the API sends it. Parts of an unexpected form read as absent.
func (a *Activity) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID                string       `json:"id"`
		Type              string       `json:"type"`
		State             string       `json:"state"`
		Result            string       `json:"result"`
		CompletionPercent float64      `json:"completion_percent"`
		Project           string       `json:"project"`
		Environments      []string     `json:"environments"`
		Parameters        activityUser `json:"parameters"`
		Payload           activityUser `json:"payload"`
		CreatedAt         timestamp    `json:"created_at"`
		StartedAt         timestamp    `json:"started_at"`
		CompletedAt       timestamp    `json:"completed_at"`
		FailureReason     string       `json:"failure_reason"`
		Text              string       `json:"text"`
		Commands          []Command    `json:"commands"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*a = Activity{
		ID: wire.ID, Type: wire.Type, State: wire.State, Result: wire.Result,
		CompletionPercent: int(min(max(wire.CompletionPercent, 0), 100)), Project: wire.Project,
		Environments: wire.Environments, UserID: wire.Payload.user, BackupName: wire.Payload.backup,
		CreatedAt: wire.CreatedAt.Time, StartedAt: wire.StartedAt.Time, CompletedAt: wire.CompletedAt.Time,
		FailureReason: wire.FailureReason, Text: wire.Text, Commands: wire.Commands,
	}
	if a.UserID == "" {
		a.UserID = wire.Parameters.user
	}
	return nil
}

// activityUser reads the user out of an activity's payload or parameters, where it is an object
// with an id or the id itself, and a backup's name.
type activityUser struct{ user, backup string }

// UnmarshalJSON never fails.
func (p *activityUser) UnmarshalJSON(data []byte) error {
	*p = activityUser{}
	var wire struct {
		User   json.RawMessage `json:"user"`
		Backup json.RawMessage `json:"backup_name"`
	}
	if json.Unmarshal(data, &wire) != nil {
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(wire.User, &p.user) != nil && json.Unmarshal(wire.User, &object) == nil {
		p.user = object.ID
	}
	_ = json.Unmarshal(wire.Backup, &p.backup) // absent, null or of another form: no name
	return nil
}

// ActivityQuery narrows a list of activities. The parameters are those of the vendor's PHP client.
type ActivityQuery struct {
	Types    []string
	States   []string
	Before   time.Time // created at or before; zero is now
	Since    time.Time // stop when an activity is older; zero is no limit
	Count    int       // of one page; default 50
	MaxPages int       // default 10
}

func (q ActivityQuery) values(cursor time.Time) url.Values {
	v := url.Values{"count": {strconv.Itoa(q.Count)}}
	for _, t := range q.Types {
		v.Add("type", t)
	}
	for _, s := range q.States {
		v.Add("state", s)
	}
	if !cursor.IsZero() {
		v.Set("starts_at", cursor.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
	}
	return v
}

// Activities lists activities of an environment, or of the whole project when environment is "",
// newest first. A page begins with the activity the one before ended with, so each is returned
// once, and an activity without a creation time ends the list.
func (c *Client) Activities(ctx context.Context, project, environment string, q ActivityQuery) ([]Activity, error) {
	path, endpoint := projectPath(project)+"/activities", "/projects/{project}/activities"
	if environment != "" {
		path = environmentPath(project, environment) + "/activities"
		endpoint = "/projects/{project}/environments/{environment}/activities"
	}
	if q.Count == 0 {
		q.Count = 50
	}
	if q.MaxPages == 0 {
		q.MaxPages = 10
	}
	var all []Activity
	seen := map[string]bool{}
	cursor := q.Before
	for range q.MaxPages {
		var page []Activity
		if _, err := read(ctx, c, project, endpoint, path, q.values(cursor), &page); err != nil {
			return nil, err
		}
		fresh := 0
		for _, a := range page {
			if !q.Since.IsZero() && !a.CreatedAt.IsZero() && a.CreatedAt.Before(q.Since) {
				return all, nil
			}
			if a.ID == "" || seen[a.ID] {
				continue
			}
			seen[a.ID] = true
			fresh++
			all = append(all, a)
		}
		if fresh == 0 || len(page) < q.Count {
			return all, nil
		}
		if cursor = page[len(page)-1].CreatedAt; cursor.IsZero() {
			return all, nil
		}
	}
	return all, nil
}

// Activity reads one activity.
func (c *Client) Activity(ctx context.Context, project, id string) (*Activity, error) {
	var a Activity
	return read(ctx, c, project, "/projects/{project}/activities/{activity}",
		projectPath(project)+"/activities/"+url.PathEscape(id), nil, &a)
}
