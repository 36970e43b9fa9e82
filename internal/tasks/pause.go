package tasks

// Pause puts the environment to sleep. It keeps its data and is unavailable
// until it is resumed.
type Pause struct{}

var pause = &Kind{
	Name:       "pause",
	Command:    "environment:pause",
	Summary:    "pause the environment until it is resumed",
	Link:       "#pause",
	Route:      environmentRoute + "/pause",
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Activities: []string{"environment.pause"}, Status: statusPaused},
	Repeatable: true,
	Confirms:   true,
	New:        func() Task { return &Pause{} },
	FromCLI:    func(Input) (Task, error) { return &Pause{}, nil },
}

// Kind implements Task.
func (*Pause) Kind() *Kind { return pause }

// Validate implements Task.
func (*Pause) Validate() error { return nil }

// Body implements Task.
func (*Pause) Body() any { return nil }
