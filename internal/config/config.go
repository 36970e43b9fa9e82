// Package config turns YAML files and the process's variables into validated jobs, projects and
// automation users, or into diagnostics that name file, line and column of everything that is
// wrong, in one pass.
//
// It reads YAML as nodes and decodes them itself: each section is a table of fields, which also
// is the reference in docs/configuration.md. A key that no table knows is an error. What a value
// means is left to the packages it belongs to: cronspec, guard, shell and tasks.
//
// Loading changes nothing and starts nothing, so a daemon validates a whole new configuration
// before it swaps the old one out.
package config

import (
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/secret"
)

// Config is a valid configuration.
type Config struct {
	Jobs     []*job.Job // in the order of the files
	Projects []*job.Project
	Users    []*User

	Discoveries       []*Discovery  // what stands for projects that are not listed; see With
	DiscoveryInterval time.Duration // how often they are found out

	APIURL  string // base of the platform's API, without a slash at the end
	AuthURL string // base of its token endpoint, likewise
	CAFile  string // certificates to trust besides the system's; "" for none
	Limits  Limits
	History History

	ShutdownGrace time.Duration // how long requests in flight may take at shutdown

	selections map[*job.Job]*selection // of crons that choose among discovered projects
	base       *Config                 // the one without discovered projects; nil if this is it

	LeftOut []string // crons that are not valid, of a partial configuration

	Hash string // over the content of all files; the ledger keeps the one a replica started with
}

// User is an automation user: the account whose API token is used.
type User struct {
	Name  string // its key under `automation_users:`, or DefaultUser
	Token secret.Source

	MaxInFlight int // requests under way under its token; zero is no bound of its own

	Source job.Position // where its name stands; zero where none is configured
}

// DefaultUser is the automation user's name where none is configured.
const DefaultUser = "default"

// Limits bound the requests to the platform.
type Limits struct {
	InFlight          int
	PerProject        int
	RequestsPerSecond float64 // zero is no limit
}

// DefaultPath is the file that is read where none is named.
const DefaultPath = "automatond.yaml"

// Input is what a configuration is made of.
type Input struct {
	// Paths are files, or directories of which every *.yaml and *.yml is read in lexical order.
	Paths []string
	// LookupEnv reads the process's variables; nil is a process without any.
	LookupEnv func(string) (string, bool)
	// Sandbox needs no token, and makes up a target where none is configured.
	Sandbox bool
	// Offline asks only whether the files are valid: a target or a token that the files leave to
	// the process's variables is not missed, and no file but the configuration is looked at.
	Offline bool
	// LateTokens leaves it to whoever uses a token that an automation user names to find it missing.
	LateTokens bool
	// Partial leaves out crons that are not valid, for somebody who looks at the others.
	Partial bool
	// Now is when somebody reads the diagnostics. They then tell also what the time from there on
	// holds, such as crons that are due together. The zero Now does not look ahead.
	Now time.Time
}

// Load reads a configuration. The Config is nil exactly when one of the diagnostics is an error; a
// partial one when that is no cron's own, or no cron is valid.
func Load(in Input) (*Config, Diagnostics) {
	l := newLoader(in)
	l.readFiles()
	l.finish()
	diagnostics := l.sorted()
	if diagnostics.HasErrors() && !(in.Partial && l.leaveOut(diagnostics)) {
		return nil, diagnostics
	}
	return l.config, diagnostics
}
