package app

import (
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

// Command carries out one command line where no daemon runs: it locks the data directory, asks the
// platform, and returns when follow does. What is open in the ledger by then, a former daemon's
// runs among it, is left for the next daemon to follow.
func Command(ctx context.Context, o Options, c control.Command, follow func(control.Asked) error) (err error) {
	a := newApp(o)
	a.aside = true
	defer func() { err = errors.Join(err, a.cleanup()) }()
	if err := a.load(); err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	asked, err := a.command(ctx, c)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.run(working) }()
	err = follow(asked)
	stop()
	return errors.Join(err, <-ended)
}

// The policies of a run by hand are the defaults of a cron.
const (
	commandStartDeadline = 10 * time.Minute
	commandTimeout       = 24 * time.Hour
)

// command carries out one command line of the vendor's CLI as a run by hand of its own: no cron's
// guard is asked, and no other run excludes it. Like the CLI it acts on the project and the
// environment that the command line names, else on those that the process's variables name.
func (a *app) command(_ context.Context, c control.Command) (control.Asked, error) {
	args := append([]string{"platform"}, c.Args...)
	call, err := shell.ParseCommandLine(args)
	if err != nil {
		return control.Asked{}, control.Misuse("platform: %v", err) // without its words: one may be a secret
	}
	project, err := a.projectNamed(call.Project)
	if err != nil {
		return control.Asked{}, err
	}
	environment := call.Environment
	if environment == "" && project.Environment != nil {
		environment = project.Environment.Branch
	}
	switch environment {
	case "":
		return control.Asked{}, control.Misuse("no environment is named: write it after the command, as --environment NAME")
	case ".":
		return control.Asked{}, control.Misuse("the environment \".\" is not known here: write its name")
	}
	anywhere := *project
	anywhere.Environment = nil // the command line decides, not where the daemon stands
	j := &job.Job{
		Location: time.UTC, Projects: []*job.Project{&anywhere}, Tasks: []tasks.Task{call.Task}, Args: call.Shown,
		Overlap: job.OverlapAllow, InDoubt: job.InDoubtGiveUp, CatchUp: job.CatchUpNone,
		StartDeadline: commandStartDeadline, Timeout: commandTimeout,
	}
	asked, err := a.ask(j, j.Projects, environment, c.ID)
	asked.Wait = call.Wait
	return asked, err
}

// projectNamed finds a project by alias or id. Without a name it is the only one there is.
func (a *app) projectNamed(name string) (*job.Project, error) {
	projects := a.current.Load().config.Projects
	if name == "" {
		if len(projects) != 1 {
			return nil, control.Misuse("no project is named: write it after the command, as --project NAME")
		}
		return projects[0], nil
	}
	for _, p := range projects {
		if p.IsCalled(name) {
			return p, nil
		}
	}
	if a.client(name) == nil {
		return nil, control.Refuse("no automation user is configured for project %q", name)
	}
	return &job.Project{Alias: name, ID: name}, nil
}
