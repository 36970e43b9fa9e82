package job

// Project is one project a job runs on. Jobs share their projects.
type Project struct {
	Alias string // its key under `projects:`; in a sidecar the same as ID
	ID    string // the platform's project id
	User  string // name of the automation user whose token is used

	Source Position // where its alias stands; zero for a sidecar's

	// Environment is the one target of a sidecar. It is nil for a fleet, whose targets are all
	// environments of the project.
	Environment *Sidecar

	// Variables are the user variables of the file and of the project, merged. They may be shared.
	Variables map[string]string
}

// IsCalled reports whether a name is the project's alias or its id.
func (p *Project) IsCalled(name string) bool { return name == p.ID || name == p.Alias }

// Sidecar is the environment beside which the daemon runs, as the container's variables describe
// it. Fields other than Branch are empty when their variable is not set.
type Sidecar struct {
	Branch      string // PLATFORM_BRANCH: the environment's id and name
	MachineName string // PLATFORM_ENVIRONMENT
	Type        string // PLATFORM_ENVIRONMENT_TYPE
	Application string // PLATFORM_APPLICATION_NAME
}
