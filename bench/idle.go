package main

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	idleCrons  = 100
	idleWindow = time.Minute
)

// idleFigures are what the daemon needs while nothing is due.
type idleFigures struct {
	Crons   int      `json:"crons"`
	Window  duration `json:"window_seconds"`
	CPU     duration `json:"cpu_seconds"`
	Percent float64  `json:"percent_of_a_core"`
}

// idle measures a daemon with 100 daily crons, none of which is near.
func (b *bench) idle(ctx context.Context) (f *idleFigures, err error) {
	dir, err := os.MkdirTemp(b.dir, "idle-")
	if err != nil {
		return nil, err
	}
	ids := projectIDs("i", 10)
	config, err := writeConfig(dir, ids, overTheDay(idleCrons, ids, time.Now()))
	if err != nil {
		return nil, err
	}
	b.api.load(newRound(ids, time.Now(), nil))
	b.progress("idle: %d daily crons for %s", idleCrons, idleWindow)
	d, err := b.startDaemon(ctx, dir, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := sleep(ctx, settleTime); err != nil {
		return nil, err
	}
	before, err := d.cpu()
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, idleWindow); err != nil {
		return nil, err
	}
	after, err := d.cpu()
	if err != nil {
		return nil, err
	}
	used := after - before
	return &idleFigures{
		Crons: idleCrons, Window: duration(idleWindow), CPU: duration(used),
		Percent: 100 * used.Seconds() / idleWindow.Seconds(),
	}, nil
}
