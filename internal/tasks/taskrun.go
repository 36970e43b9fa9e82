package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// TaskRun runs what the platform calls a task: a container of its own that the
// application defines, which ends when its command does.
type TaskRun struct {
	Task string `yaml:"task" json:"task"` // its name
	// Variables are set during the run, by type and name; the type "env" makes an
	// environment variable.
	Variables map[string]map[string]string `yaml:"variables" json:"variables,omitempty"`
}

var taskRun = &Kind{
	Name:    "task_run",
	Command: "task:run",
	Summary: "run one of the application's tasks in a container of its own",
	// The vendor's CLI follows no link either.
	Route:    environmentRoute + "/tasks/{task}/run",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.task"}},
	Confirms: true, // in production

	NeverWaits: true,
	Options:    []Option{{Name: "variable", TakesValue: true, Repeated: true}, {Name: "wait"}},
	Arguments:  []Argument{{Name: "task", Required: true}},
	New:        func() Task { return &TaskRun{} },
	FromCLI: func(in Input) (Task, error) {
		variables, err := variablesFromCLI(in)
		return &TaskRun{Task: in.Argument("task"), Variables: variables}, err
	},
}

// Kind implements Task.
func (*TaskRun) Kind() *Kind { return taskRun }

// Validate implements Task.
func (r *TaskRun) Validate() error {
	if r.Task == "" {
		return errors.New("task is missing: name the task to run")
	}
	return checkVariables(r.Variables)
}

// Body implements Task. The variables are always an object, as the CLI sends
// them.
func (r *TaskRun) Body() any {
	return struct {
		Variables map[string]map[string]string `json:"variables"`
	}{asObject(r.Variables)}
}

// prepare looks for the task, as the vendor's CLI does. There is no link that
// would say whether it may be run now, so it is run once the environment is clean.
func (r *TaskRun) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	if !ready(taskRun, env) {
		return platform.Request{}, refuse(taskRun, env)
	}
	type named struct{ Name string }
	defined, err := list[named](look, environmentRoute+"/tasks")
	if err != nil {
		return platform.Request{}, err
	}
	if !slices.Contains(defined, named{r.Task}) {
		return platform.Request{}, &Refusal{RefusedMissing, fmt.Sprintf("environment %q has no task %q", env.ID, r.Task)}
	}
	self, err := look(environmentRoute, "")
	if err != nil {
		return platform.Request{}, err
	}
	path, ok := "", false
	if self != nil {
		path, ok = self.Links.Path("self")
	}
	if !ok {
		return platform.Request{}, refuse(taskRun, env)
	}
	return request(http.MethodPost, path+"/tasks/"+url.PathEscape(r.Task)+"/run", taskRun.Route, r.Body())
}
