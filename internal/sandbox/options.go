package sandbox

import (
	"cmp"
	"time"
)

// Options describe a platform. The zero value is one without projects that
// accepts any API token.
type Options struct {
	Projects []Project
	// Users are those who have API tokens. Without any, every token is accepted
	// and belongs to the same administrator.
	Users []User

	// Open makes every project exist: one that is asked for by an unknown id is
	// made on the spot, with the environments of a Project that names none.
	Open          bool
	DefaultBranch string // of projects that do not name theirs; default "main"

	ActivityDuration time.Duration // from the start of an activity to its end; default 10 s, negative is none
	PendingDuration  time.Duration // from request to start; default a tenth of ActivityDuration, negative is none
	TokenLifetime    time.Duration // of an access token; default 900 s, as the platform's

	// BackupQuota is how many manual backups an environment keeps. By default it
	// is 2, and 4 for production, as the documentation has it for the larger plans.
	BackupQuota int

	PluralBackupPath bool         // backups are created at …/backups, as in the vendor's mock, not at …/backup
	WithoutLink      WithoutLink  // the answer to an operation that has no link at the moment
	InvalidToken     InvalidToken // the error for an API token that is not accepted
	NullCreatedAt    bool         // a pending activity has no created_at, for which the vendor's CLI is prepared

	PageSize     int           // the most items on a page of a list that has pages; default 100, as the platform's
	ClockSkew    time.Duration // how far the platform's clock is ahead of this machine's
	JournalLimit int           // how many requests the journal keeps at least; 0 = all
	Seed         int64         // makes other ids
}

// WithoutLink is what the platform answers when an operation is asked for
// although the environment does not offer it. No source says what the real one
// does. A user without the role is answered 403 in any case.
type WithoutLink int

// The answers to an operation without a link.
const (
	Conflict   WithoutLink = iota // 409
	Forbidden                     // 403
	BadRequest                    // 400
	Queue                         // accepted behind the activities under way; 409 when the status is wrong
)

// InvalidToken is the form of the error for an API token that is not accepted.
// The vendor's CLI knows two.
type InvalidToken int

// The forms of the error for an invalid token.
const (
	InvalidGrant        InvalidToken = iota // 400, error "invalid_grant", from the older provider
	RequestUnauthorized                     // 401, error "request_unauthorized", from the newer one
)

// Project is a project as it is set up.
type Project struct {
	ID            string
	Title         string // default: the id
	Organization  string // its name in small letters, or its id; default "sandbox"
	DefaultBranch string // default: Options.DefaultBranch

	// Environments, in the order of listings. Nil gives the default branch, a
	// staging and a development environment; empty gives none.
	Environments []Environment
}

// Environment is the state of an environment that a test can set.
type Environment struct {
	Name        string // also its id; may contain slashes
	Title       string // default: the name
	MachineName string // default: made from the name and a hash
	Type        string // "production", "staging" or "development"; default by the name
	Status      string // "active", "paused", "inactive", "deleting" or "dirty"; default "active"
	Parent      string // default: the project's default branch, which itself has none

	// Role, when set, is everybody's role on this environment, whatever their own.
	Role string

	Dirty               bool      // an activity that is not simulated is under way
	HasStagedActivities bool      // changes wait for a deployment by hand
	LastBackupAt        time.Time // zero is null

	HTTPAccess     HTTPAccess
	RestrictRobots bool
	NoSMTP         bool // it sends no mail

	ManualDeployments bool // changes are staged
	// Operations are the runtime operations of the application "app": the least
	// role for each by its name. Nil gives "clear-cache", for contributors.
	Operations map[string]string
	// Tasks are the tasks of the application that can be run. Nil gives "migrate".
	Tasks []string
	// SourceOperations are those of the application. Nil does not list them, and any is run.
	SourceOperations []string
	NoRollingDeploys bool // it cannot be deployed by the strategy rolling
	Size             Size
}

// User is somebody who has an API token.
type User struct {
	Token string // the API token; without one the user exists but cannot log in
	ID    string // default: made from the name
	Name  string // user name; default "automation"

	// Role is "admin" (the default), "contributor" or "viewer" on everything, or
	// the API's list of permissions, such as "viewer production:admin".
	Role string

	Projects      []string // the only projects the user may see; none means all
	Organizations []string // names of the only ones whose projects the user may list; none means all
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	o.PageSize = cmp.Or(o.PageSize, 100)
	o.DefaultBranch = cmp.Or(o.DefaultBranch, "main")
	o.ActivityDuration = cmp.Or(o.ActivityDuration, 10*time.Second)
	o.PendingDuration = max(cmp.Or(o.PendingDuration, o.ActivityDuration/10), 0)
	o.ActivityDuration = max(o.ActivityDuration, 0)
	o.TokenLifetime = cmp.Or(o.TokenLifetime, 900*time.Second)
	return o
}

// quota is how many manual backups an environment of this type keeps.
func (o Options) quota(environmentType string) int {
	switch {
	case o.BackupQuota > 0:
		return o.BackupQuota
	case environmentType == "production":
		return 4
	default:
		return 2
	}
}
