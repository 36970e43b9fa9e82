// Package doctor examines an installation while it is not too late: does the store work, does the
// platform answer, are the tokens accepted, and may each automation user do what the crons will ask
// for, and little more.
//
// It changes nothing on the platform, which it only reads. What a cron would ask for is package
// plan's answer, and which role that needs is the catalogue's; so what is examined is what will
// happen, on the environments that there are now.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
)

// Status says how a check went.
type Status string

// The statuses of a finding.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, and should not stay so
	Failed  Status = "failed"  // something will not work
)

// The checks. One of them may have several findings, or none when it could not be made because
// another failed.
const (
	CheckConfiguration = "configuration" // the files and the process's variables
	CheckStore         = "store"         // the ledger can be read and written
	CheckAPI           = "api"           // the API answers
	CheckAuth          = "auth"          // the token endpoint answers
	CheckClock         = "clock"         // this machine's clock is the platform's
	CheckToken         = "token"         // an API token can be read and is accepted
	CheckAccount       = "account"       // whose it is, and that no other project hangs on it
	CheckDiscovery     = "discovery"     // the projects that an entry stands for can be listed
	CheckProject       = "project"       // a project and its environments can be read
	CheckTargets       = "targets"       // there is an environment for each cron
	CheckTask          = "task"          // what a cron asks for is there to be asked
	CheckRole          = "role"          // the user may do what the crons ask for
	CheckPrivilege     = "privilege"     // the user may not do much more
)

// Finding is what one check found. It holds no secret.
type Finding struct {
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Message string `json:"message"` // one sentence that names what it is about
	Hint    string `json:"hint"`    // what to do about it, "" if there is nothing to do

	// The one project and the one automation user that were examined, as the configuration calls them; ""
	// when it is about more than one, or none.
	Project string `json:"project,omitempty"`
	User    string `json:"automation_user,omitempty"`

	// The entry of the configuration that is at fault; "" and 0 when there is none.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`

	// Rejected says that the platform does not accept an API token.
	Rejected bool `json:"-"`
}

// Place is the entry of the configuration that is at fault, with a colon and a blank after it; or "".
func (f Finding) Place() string {
	return job.Position{File: f.File, Line: f.Line, Column: f.Column}.Prefix()
}

// at is the finding with its place, unless nothing is at fault.
func (f Finding) at(p job.Position) Finding {
	if f.Status != OK {
		f.File, f.Line, f.Column = p.File, p.Line, p.Column
	}
	return f
}

// ofCrons are the checks that say whether crons will work, and those without which nobody can say.
func ofCrons() []string {
	return []string{CheckAPI, CheckAuth, CheckToken, CheckDiscovery, CheckProject, CheckTargets, CheckTask, CheckRole}
}

// Options are what an examination needs.
type Options struct {
	Config  *config.Config              // nil when it is not valid: only the store is examined then
	Clients map[string]*platform.Client // by name of the automation user
	Data    string                      // data directory
	Store   string                      // postgres:// URL of the store, "" for a file in Data
	Report  func(Finding)               // is told each finding when it is there, in an order of its own
	// Progress is told how many of how many users or projects are through with one of the rounds; nil is nobody.
	Progress func(done, total int)
}

// atOnce is how many projects are examined at once.
const atOnce = 32

// examination is one examination under way.
type examination struct {
	Options
	users   []*user
	surveys []*survey          // of the projects that are configured
	foreign []*survey          // of those that only scripts name
	byID    map[string]*survey // all of them
}

// Examine makes every check that can be made. The error says that ctx ended before.
func Examine(ctx context.Context, o Options) error {
	e := newExamination(ctx, o)
	e.examineStore(ctx)
	if e.Config != nil {
		e.examinePlatform(ctx)
	}
	return ctx.Err()
}

// Compare holds the crons against the platform as it is now, and reports what does not fit. The error
// says that ctx ended before.
func Compare(ctx context.Context, o Options) error {
	report := o.Report
	o.Report = func(f Finding) {
		if f.Status != OK && slices.Contains(ofCrons(), f.Check) {
			report(f)
		}
	}
	newExamination(ctx, o).examinePlatform(ctx)
	return ctx.Err()
}

func newExamination(ctx context.Context, o Options) *examination {
	report := o.Report
	o.Report = func(f Finding) {
		if ctx.Err() == nil { // what fails from then on fails because of it
			report(f)
		}
	}
	return &examination{Options: o, byID: map[string]*survey{}}
}

func (e *examination) examinePlatform(ctx context.Context) {
	if !e.examineEndpoints(ctx) {
		return
	}
	e.begin()
	e.examineUsers(ctx)
	e.discover(ctx)
	e.examineProjects(ctx)
	e.examineCrons()
	e.examineNeeds(ctx)
}

// begin makes what is examined of the configuration.
func (e *examination) begin() {
	for _, u := range e.Config.Users {
		e.users = append(e.users, &user{User: u, client: e.Clients[u.Name]})
	}
	for _, p := range e.Config.Projects {
		u := e.user(p.User)
		u.projects = append(u.projects, p.Alias)
		e.survey(p, u)
	}
	for _, d := range e.Config.Discoveries {
		u := e.user(d.User)
		u.discoveries = append(u.discoveries, d.Name)
	}
}

func (e *examination) survey(p *job.Project, u *user) {
	s := &survey{project: p, user: u}
	e.surveys = append(e.surveys, s)
	e.byID[p.ID] = s
}

// user returns the automation user of that name, which the configuration has.
func (e *examination) user(name string) *user {
	return e.users[slices.IndexFunc(e.users, func(u *user) bool { return u.Name == name })]
}

func (e *examination) ok(check, format string, args ...any) {
	e.Report(passed(check, format, args...))
}

func (e *examination) warn(check, hint, format string, args ...any) {
	e.Report(warning(check, hint, format, args...))
}

func (e *examination) fail(check, hint, format string, args ...any) {
	e.Report(failed(check, hint, format, args...))
}

func passed(check, format string, args ...any) Finding {
	return Finding{Check: check, Status: OK, Message: fmt.Sprintf(format, args...)}
}

func warning(check, hint, format string, args ...any) Finding {
	return Finding{Check: check, Status: Warning, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func failed(check, hint, format string, args ...any) Finding {
	return Finding{Check: check, Status: Failed, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// placed is something that has an entry in the configuration, or the zero Position.
type placed interface{ place() job.Position }

// inOrder does work for several things at once, and reports in their order what was found, which is at
// fault where they stand unless it says where.
func inOrder[T placed](e *examination, things []T, work func(T) []Finding) {
	found := make([]chan []Finding, len(things))
	for i := range found {
		found[i] = make(chan []Finding, 1)
	}
	var group errgroup.Group // of works without an error of their own
	group.Go(func() error {
		var workers errgroup.Group
		workers.SetLimit(atOnce)
		for i, thing := range things {
			workers.Go(func() error {
				found[i] <- work(thing)
				return nil
			})
		}
		return workers.Wait()
	})
	for i, findings := range found {
		for _, f := range <-findings {
			if f.File == "" {
				f = f.at(things[i].place())
			}
			e.Report(f)
		}
		if e.Progress != nil {
			e.Progress(i+1, len(things))
		}
	}
	_ = group.Wait()
}

// Enumerate lists names for a sentence, the first few of many.
func Enumerate(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
