package tasks

// Redeploy deploys the environment's present code again, which also renews its
// certificates.
type Redeploy struct{}

var redeploy = &Kind{
	Name:     "redeploy",
	Command:  "environment:redeploy",
	Aliases:  []string{"redeploy"},
	Summary:  "deploy the environment's present code again",
	Link:     "#redeploy",
	Route:    environmentRoute + "/redeploy",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.redeploy"}},
	Confirms: true,
	New:      func() Task { return &Redeploy{} },
	FromCLI:  func(Input) (Task, error) { return &Redeploy{}, nil },
}

// Kind implements Task.
func (*Redeploy) Kind() *Kind { return redeploy }

// Validate implements Task.
func (*Redeploy) Validate() error { return nil }

// Body implements Task.
func (*Redeploy) Body() any { return nil }
