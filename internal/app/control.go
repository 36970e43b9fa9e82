package app

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/control"
)

// openControl opens the control socket. A daemon without one does its work all the same, so that
// is an error for the log and no reason to stop.
func (a *app) openControl() {
	server, err := control.Listen(control.Options{
		Dir: a.Data, Trigger: a.trigger, Command: a.command, Suspend: a.suspend, Resume: a.resume,
		Resolve: a.runner.Resolve, Reload: a.controlledReload, Logger: a.Logger,
	})
	if err != nil {
		a.Logger.Error().Err(err).Msg("no control socket: trigger, suspend, resume, reload, platform and runs resolve cannot reach this daemon")
		return
	}
	a.control = server
}

// controlledReload is reload for somebody who waits for its result.
func (a *app) controlledReload(ctx context.Context) (control.Reloaded, error) {
	res, err := a.reload(ctx)
	var invalid *ConfigError
	switch {
	case errors.As(err, &invalid):
		diagnostics, err := json.Marshal(invalid.Diagnostics)
		if err != nil {
			return control.Reloaded{}, err
		}
		return control.Reloaded{}, &control.Refusal{
			Message:     "the configuration is not valid; the former one stays in force",
			Diagnostics: diagnostics,
		}
	case err != nil:
		return control.Reloaded{}, err
	}
	if res.diagnostics == nil {
		res.diagnostics = config.Diagnostics{}
	}
	diagnostics, err := json.Marshal(res.diagnostics)
	return control.Reloaded{
		Crons: res.crons, Added: orEmpty(res.added), Changed: orEmpty(res.changed), Removed: orEmpty(res.removed),
		Restart: res.restart, Diagnostics: diagnostics,
	}, err
}

// orEmpty makes a list that JSON shows as [] and not as null.
func orEmpty(list []string) []string { return append([]string{}, list...) }
