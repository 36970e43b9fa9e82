package tasks

// Resume wakes a paused environment.
type Resume struct{}

var resume = &Kind{
	Name:       "resume",
	Command:    "environment:resume",
	Summary:    "resume a paused environment",
	Link:       "#resume",
	Route:      environmentRoute + "/resume",
	Role:       "admin",
	Statuses:   []string{statusPaused},
	Witness:    Witness{Activities: []string{"environment.resume"}, Status: statusActive},
	Repeatable: true,
	Confirms:   true,
	New:        func() Task { return &Resume{} },
	FromCLI:    func(Input) (Task, error) { return &Resume{}, nil },
}

// Kind implements Task.
func (*Resume) Kind() *Kind { return resume }

// Validate implements Task.
func (*Resume) Validate() error { return nil }

// Body implements Task.
func (*Resume) Body() any { return nil }
