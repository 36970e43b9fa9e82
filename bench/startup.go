package main

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	startupCrons    = 10000
	startupProjects = 10
	settleTime      = 10 * time.Second // from ready to the first look at the memory
)

// startupFigures are one start with 10,000 crons.
type startupFigures struct {
	Ledger   string   `json:"ledger"` // "new" or "existing"
	Ready    duration `json:"ready_seconds"`
	Settled  memory   `json:"memory_settled"` // 10 s after ready
	Scraped  memory   `json:"memory_scraped"` // after one scrape of the metrics
	Metrics  int64    `json:"metrics_bytes"`
	ScrapeIn duration `json:"scrape_seconds"`
}

// startup starts the daemon with 10,000 daily crons, first without a ledger, then with the one
// that the first start left.
func (b *bench) startup(ctx context.Context) ([]startupFigures, error) {
	dir, err := os.MkdirTemp(b.dir, "startup-")
	if err != nil {
		return nil, err
	}
	ids := projectIDs("d", startupProjects)
	config, err := writeConfig(dir, ids, overTheDay(startupCrons, ids, time.Now()))
	if err != nil {
		return nil, err
	}
	b.api.load(newRound(ids, time.Now(), nil))
	var list []startupFigures
	for _, ledger := range []string{"new", "existing"} {
		b.progress("startup: %d crons, %s ledger", startupCrons, ledger)
		f, err := b.startOnce(ctx, dir, config)
		if err != nil {
			return list, err
		}
		f.Ledger = ledger
		list = append(list, f)
	}
	return list, nil
}

func (b *bench) startOnce(ctx context.Context, dir, config string) (f startupFigures, err error) {
	d, err := b.startDaemon(ctx, dir, config)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	f.Ready = duration(d.ready)
	if err := sleep(ctx, settleTime); err != nil {
		return f, err
	}
	if f.Settled, err = d.memory(); err != nil {
		return f, err
	}
	var took time.Duration
	if f.Metrics, took, err = d.scrape(ctx); err != nil {
		return f, err
	}
	f.ScrapeIn = duration(took)
	f.Scraped, err = d.memory()
	return f, err
}
