package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

const (
	historyBurst  = 1000 // runs due together, of as many crons on as many projects
	historyBatch  = 250  // claims that the runner makes at once
	historyRounds = 15   // bursts on each ledger
	historyPrune  = 200  // fires that the daemon prunes at once
	historyAsked  = 5    // how often each question is asked
)

// historyFigures are what a long history costs.
type historyFigures struct {
	Runs        int               `json:"runs"`
	Made        duration          `json:"made_seconds"`
	Empty       burstFigures      `json:"empty"`
	Full        burstFigures      `json:"full"`
	Pruning     burstFigures      `json:"pruning"` // on the full ledger, while it is pruned
	Pruned      int               `json:"pruned"`  // fires, meanwhile
	Ratio       float64           `json:"ratio"`   // claim and record, full against empty
	RatioP99    float64           `json:"ratio_p99_pruning"`
	RatioLogged float64           `json:"ratio_logged"`
	Questions   []historyQuestion `json:"questions"`
}

// burstFigures are the medians of the bursts on one ledger.
type burstFigures struct {
	Claim  duration `json:"claim_seconds"`  // until the last claim is on the disk
	Record duration `json:"record_seconds"` // of all answers, after that
	End    duration `json:"end_seconds"`    // of all runs, after that
	P99    duration `json:"p99_seconds"`    // from the burst's start until a run's request may leave
	Logged int64    `json:"logged_bytes"`   // what claim and record wrote to the store's log, in the first burst
}

func (f burstFigures) claimAndRecord() float64 { return float64(f.Claim + f.Record) }

// historyQuestion is what automatond runs was asked, and how long its process took to answer.
type historyQuestion struct {
	Flags []string `json:"flags"`
	Took  duration `json:"seconds"`
}

// history measures bursts on an empty ledger and on one with many runs in alternation, then asks
// the long history all that can be asked.
func (b *bench) history(ctx context.Context) (*historyFigures, error) {
	empty, err := b.newLedger(ctx, "empty")
	if err != nil {
		return nil, err
	}
	defer empty.drop()
	full, err := b.newLedger(ctx, "full")
	if err != nil {
		return nil, err
	}
	defer full.drop()
	f := &historyFigures{Runs: b.runs}
	b.progress("history: writing %d runs", f.Runs)
	began := time.Now()
	if err := full.fill(ctx, f.Runs, began.UTC()); err != nil {
		return nil, fmt.Errorf("write the history: %w", err)
	}
	f.Made = duration(time.Since(began))
	b.progress("history: bursts of %d runs", historyBurst)
	if err := f.bursts(ctx, empty, full); err != nil {
		return nil, err
	}
	b.progress("history: questions")
	for _, flags := range historyQuestions {
		took, err := b.ask(ctx, full, flags)
		if err != nil {
			return nil, err
		}
		f.Questions = append(f.Questions, historyQuestion{flags, took})
	}
	return f, nil
}

// historyQuestions are the filters of automatond runs. Some of them find little, so that reading until
// enough is found would read everything.
var historyQuestions = [][]string{
	{}, {"--cron", "cron-0007"}, {"--cron", "retired"}, {"--project", "project0007"}, {"--environment", "main"},
	{"--environment", "feature-x"}, {"--outcome", "succeeded"}, {"--outcome", "failed"}, {"--outcome", "canceled"},
	{"--reason", "activity_failed"}, {"--reason", "no_target"}, {"--since", "24h"}, {"--in-doubt"},
	{"--cron", "cron-0007", "--outcome", "failed"}, {"--limit", "1000"},
}

// bursts measures each ledger in turn, so that whatever else the machine does falls on all alike.
func (f *historyFigures) bursts(ctx context.Context, empty, full *historyLedger) error {
	if err := errors.Join(empty.open(ctx), full.open(ctx)); err != nil {
		return err
	}
	var logged [2]int64
	for i, l := range []*historyLedger{empty, full} {
		var err error
		if logged[i], err = l.logs(ctx, time.Now().UTC().Truncate(time.Second).Add(-time.Second)); err != nil {
			return err
		}
	}
	rounds := map[*burstFigures][]burstFigures{}
	for round := range historyRounds + 1 {
		for i, into := range []*burstFigures{&f.Empty, &f.Full, &f.Pruning} {
			on, stop := full, func() (int, error) { return 0, nil }
			switch into {
			case &f.Empty:
				on = empty
			case &f.Pruning:
				stop = full.prune(ctx)
			}
			at := time.Now().UTC().Truncate(time.Second).Add(time.Duration(3*round+i) * time.Second)
			figures, err := on.burst(ctx, at)
			pruned, stopped := stop()
			if err := errors.Join(err, stopped); err != nil {
				return err
			}
			if f.Pruned += pruned; round > 0 { // the first one fills caches
				rounds[into] = append(rounds[into], figures)
			}
		}
	}
	f.Empty, f.Full, f.Pruning = medianBurst(rounds[&f.Empty]), medianBurst(rounds[&f.Full]), medianBurst(rounds[&f.Pruning])
	f.Empty.Logged, f.Full.Logged = logged[0], logged[1]
	f.Ratio = f.Full.claimAndRecord() / f.Empty.claimAndRecord()
	f.RatioP99 = float64(f.Pruning.P99) / float64(f.Full.P99)
	f.RatioLogged = float64(f.Full.Logged) / float64(f.Empty.Logged)
	return nil
}

func medianBurst(list []burstFigures) burstFigures {
	pick := func(figure func(burstFigures) duration) duration {
		values := make([]duration, len(list))
		for i, f := range list {
			values[i] = figure(f)
		}
		return median(values)
	}
	return burstFigures{
		Claim:  pick(func(f burstFigures) duration { return f.Claim }),
		Record: pick(func(f burstFigures) duration { return f.Record }),
		End:    pick(func(f burstFigures) duration { return f.End }),
		P99:    pick(func(f burstFigures) duration { return f.P99 }),
	}
}

// ask has the daemon's binary answer one question, and returns what its process took at the median.
func (b *bench) ask(ctx context.Context, l *historyLedger, flags []string) (duration, error) {
	times := make([]duration, historyAsked)
	for i := range times {
		args := append([]string{"runs", "--data", l.dir, "-o", "json"}, flags...)
		if l.store != "" {
			args = append(args, "--store", l.store)
		}
		began := time.Now()
		if output, err := exec.CommandContext(ctx, b.binary, args...).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("runs %q: %w\n%s", flags, err, output)
		}
		times[i] = duration(time.Since(began))
	}
	return median(times), nil
}
