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

// activityJSON is an activity as the API sends it.
type activityJSON struct {
	ID                string    `json:"id"`
	Type              string    `json:"type"`
	State             string    `json:"state"`
	Result            string    `json:"result"`
	CompletionPercent percent   `json:"completion_percent"`
	Project           string    `json:"project"`
	Environments      []string  `json:"environments"`
	CreatedAt         timestamp `json:"created_at"`
	StartedAt         timestamp `json:"started_at"`
	CompletedAt       timestamp `json:"completed_at"`
	FailureReason     string    `json:"failure_reason"`
	Text              string    `json:"text"`
	Commands          []Command `json:"commands"`
	Parameters        struct {
		User userID `json:"user"`
	} `json:"parameters"`
	Payload struct {
		User       userID `json:"user"`
		BackupName string `json:"backup_name"`
	} `json:"payload"`
}

func (w *activityJSON) activity() Activity {
	a := Activity{
		ID: w.ID, Type: w.Type, State: w.State, Result: w.Result,
		CompletionPercent: int(w.CompletionPercent), Project: w.Project,
		Environments: w.Environments, UserID: string(w.Payload.User), BackupName: w.Payload.BackupName,
		CreatedAt: w.CreatedAt.Time, StartedAt: w.StartedAt.Time, CompletedAt: w.CompletedAt.Time,
		FailureReason: w.FailureReason, Text: w.Text, Commands: w.Commands,
	}
	if a.UserID == "" {
		a.UserID = string(w.Parameters.User)
	}
	return a
}

// activities leaves out what has no id: nobody could ask for it again.
func activities(wire []activityJSON) []Activity {
	list := make([]Activity, 0, len(wire))
	for i := range wire {
		if wire[i].ID != "" {
			list = append(list, wire[i].activity())
		}
	}
	return list
}

// percent is a whole number from 0 to 100. Fractions are cut off, and what is no number is 0.
type percent int

// UnmarshalJSON never fails. It does not parse floating point for the common case, whose deep stack
// would cost more than all the rest of a fresh goroutine's decoding.
func (p *percent) UnmarshalJSON(data []byte) error {
	n, err := strconv.Atoi(string(data))
	if err != nil {
		f, _ := strconv.ParseFloat(string(data), 64)
		n = int(min(max(f, 0), 100))
	}
	*p = percent(min(max(n, 0), 100))
	return nil
}

// userID reads a user that is an object with an id, or the id itself.
type userID string

// UnmarshalJSON never fails.
func (u *userID) UnmarshalJSON(data []byte) error {
	var id string
	if len(data) > 0 && data[0] == '{' {
		var object struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(data, &object) // of another form: no user
		id = object.ID
	} else {
		_ = json.Unmarshal(data, &id)
	}
	*u = userID(id)
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
		// Up to the next microsecond, so that nothing is left out by a finer stamp.
		cursor = cursor.Add(time.Microsecond - time.Nanosecond)
		v.Set("starts_at", cursor.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
	}
	return v
}

// Activities lists activities of an environment, or of the whole project when environment is "",
// newest first. A page begins with the activity the one before ended with, so each is returned
// once. The list ends with a page that brings nothing new, or whose last activity has no creation
// time to go on from; how many the platform puts on a page at most is not documented.
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
		wire, err := read[[]activityJSON](ctx, c, project, endpoint, path, q.values(cursor))
		if err != nil {
			return nil, err
		}
		page, known := activities(wire), len(all)
		for _, a := range page {
			if !a.CreatedAt.IsZero() && a.CreatedAt.Before(q.Since) {
				return all, nil
			}
			if !seen[a.ID] {
				seen[a.ID] = true
				all = append(all, a)
			}
		}
		if len(all) == known {
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
	const endpoint = "/projects/{project}/activities/{activity}"
	wire, err := read[activityJSON](ctx, c, project, endpoint, projectPath(project)+"/activities/"+url.PathEscape(id), nil)
	if err == nil && wire.ID == "" {
		err = nameless(endpoint)
	}
	if err != nil {
		return nil, err
	}
	a := wire.activity()
	return &a, nil
}
