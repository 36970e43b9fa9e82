package app

import (
	"context"
	"errors"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/doctor"
)

// Doctor examines the installation that Run would start with the same options, and reports what it
// finds, and how far it is, while it goes on. It works beside a daemon, and changes nothing. An invalid configuration is
// a finding for each of its problems, and then a *ConfigError; a token that is missing is one of its user alone.
func Doctor(ctx context.Context, o Options, report func(doctor.Finding), progress func(done, total int)) (err error) {
	a := newApp(o)
	defer func() { err = errors.Join(err, a.cleanup()) }()
	cfg, diagnostics, invalid := a.read(config.Input{LateTokens: true, Now: time.Now()})
	for _, f := range doctor.Configuration(cfg, diagnostics) {
		report(f)
	}
	if a.Data, err = a.dataDir(); err != nil {
		return err
	}
	examined := doctor.Options{Config: cfg, Data: a.Data, Store: a.Store, Report: report, Progress: progress}
	if cfg == nil {
		return errors.Join(invalid, doctor.Examine(ctx, examined))
	}
	if err := a.connect(cfg); err != nil {
		return err
	}
	examined.Clients = a.current.Load().users
	return doctor.Examine(ctx, examined)
}

// Compare holds the crons of a configuration against the platform as it is now, and reports what does
// not fit. It changes nothing. An invalid configuration is a *ConfigError.
func Compare(ctx context.Context, o Options, report func(doctor.Finding)) (err error) {
	a := newApp(o)
	defer func() { err = errors.Join(err, a.cleanup()) }()
	if err := a.load(); err != nil {
		return err
	}
	s := a.current.Load()
	return doctor.Compare(ctx, doctor.Options{Config: s.config, Clients: s.users, Report: report})
}
