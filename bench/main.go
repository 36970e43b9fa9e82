// Command bench measures the daemon: how late its requests leave at a minute's start and what
// they cost, beside a bare program that posts the same requests; whether slow projects hold up
// fast ones; a fleet of 5,000 projects, some of which fail; how soon it is ready and how much memory
// it holds with 10,000 crons; what it needs while nothing is due; what a guard that says no costs;
// and what a history of a million runs does.
//
// Everything runs on this machine: the real daemon, built from this module, with default settings
// and a real data directory, against a loopback API that answers at once. Figures depend on the
// machine and never fail the run. The exit status is 1 only when something could not be measured,
// above all when not exactly one request per cron arrived.
//
// See README.md in this directory for what is included in each figure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		if err := bareProgram(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bare program:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// bench is what the measurements share.
type bench struct {
	options
	dir      string // temporary, below it one directory per start of a program
	binary   string // the daemon
	api      *api
	messages io.Writer
	patience time.Duration // from the scheduled time, until a POST that has not arrived is missing
}

type options struct {
	only   []string // parts to measure
	counts []int    // numbers of crons due together
	rounds int      // how often each comparison is repeated
	json   string   // file for the figures, "" for none
	daemon string   // a built daemon, "" to build one

	store    string // URL of a PostgreSQL database for the ledgers of dispatch, slow and history, "" for files
	runs     int    // in the long history
	replicas int    // how many daemons share it, when that is measured beside one
}

// parts are the measurements by name, in the order in which they run.
var parts = []string{"guards", "startup", "idle", "dispatch", "slow", "fleet", "history"}

// maxCrons bounds the crons of a comparison: more do not fit between two minutes.
const maxCrons = 20000

// parseOptions returns flag.ErrHelp, or another error that flag has already printed.
func parseOptions(args []string, messages io.Writer) (options, error) {
	o := options{only: parts, counts: []int{1, 100, 1000, 5000}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.Func("only", "comma-separated parts: "+strings.Join(parts, ","), func(value string) error {
		o.only = strings.Split(value, ",")
		for _, name := range o.only {
			if !slices.Contains(parts, name) {
				return fmt.Errorf("there is no part %q", name)
			}
		}
		return nil
	})
	flags.Func("crons", "comma-separated `numbers` of crons to compare (default 1,100,1000,5000)", func(value string) error {
		o.counts = nil
		for field := range strings.SplitSeq(value, ",") {
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 || n > maxCrons {
				return fmt.Errorf("a number of crons is between 1 and %d", maxCrons)
			}
			o.counts = append(o.counts, n)
		}
		return nil
	})
	short := flags.Bool("short", false, "compare 100 and 1,000 crons only, and once")
	flags.IntVar(&o.rounds, "rounds", 3, "how often to repeat each comparison (5,000 crons: once); each takes about four minutes")
	flags.StringVar(&o.json, "json", "", "write the figures to this `file`")
	flags.StringVar(&o.daemon, "daemon", "", "measure this `binary` instead of building one")
	flags.StringVar(&o.store, "store", "", "keep the ledgers of dispatch, slow and history in schemas of this PostgreSQL database, a `URL`")
	flags.IntVar(&o.runs, "runs", 1_000_000, "`number` of runs in the long history")
	flags.IntVar(&o.replicas, "replicas", 1, "measure dispatch also with so many daemons on one -store")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *short {
		o.counts, o.rounds = []int{100, 1000}, 1
	}
	if o.replicas > 1 && o.store == "" {
		fmt.Fprintln(messages, "bench: replicas need a -store that they share")
		return o, errors.New("usage")
	}
	if o.rounds < 1 || flags.NArg() > 0 {
		fmt.Fprintln(messages, "bench takes no arguments, and at least one round")
		return o, errors.New("usage")
	}
	return o, nil
}

// run measures all that was asked for. A part that fails does not keep the others from running.
func run(ctx context.Context, args []string, out, messages io.Writer) int {
	o, err := parseOptions(args, messages)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	b := &bench{options: o, messages: messages, patience: arriveLimit}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		fmt.Fprintln(messages, "bench:", err)
		return 1
	}
	report := &report{Machine: describeMachine(b.dir)}
	report.Machine.Store, err = b.describeStore(ctx)
	if err != nil {
		fmt.Fprintln(messages, "bench:", err)
		return 1
	}
	report.Machine.write(out)
	failed := false
	for _, part := range parts {
		if !slices.Contains(o.only, part) || ctx.Err() != nil {
			continue
		}
		if err := b.part(ctx, part, report, out); err != nil {
			fmt.Fprintf(messages, "bench: %s was not measured: %v\n", part, err)
			report.Failures = append(report.Failures, part+": "+err.Error())
			failed = true
		}
	}
	report.writeTargets(out)
	if err := report.save(o.json); err != nil {
		fmt.Fprintln(messages, "bench:", err)
		failed = true
	}
	if failed || ctx.Err() != nil {
		return 1
	}
	return 0
}

func (b *bench) prepare(ctx context.Context) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "automatond-bench-"); err != nil {
		return err
	}
	if b.api, err = startAPI(); err != nil {
		return err
	}
	if b.daemon != "" {
		b.binary, err = filepath.Abs(b.daemon)
		return err
	}
	b.progress("building the daemon")
	b.binary, err = buildDaemon(ctx, b.dir)
	return err
}

func (b *bench) close() {
	if b.api != nil {
		b.api.Close()
	}
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

// part runs one part and prints what it found.
func (b *bench) part(ctx context.Context, name string, r *report, out io.Writer) error {
	switch name {
	case "guards":
		list, err := measureGuards(ctx, b.dir)
		r.setGuards(list, out)
		return err
	case "startup":
		list, err := b.startup(ctx)
		r.setStartup(list, out)
		return err
	case "idle":
		figures, err := b.idle(ctx)
		if err == nil {
			r.setIdle(figures, out)
		}
		return err
	case "dispatch":
		return b.measureDispatch(ctx, r, out)
	case "history":
		figures, err := b.history(ctx)
		if err == nil {
			r.setHistory(figures, out)
		}
		return err
	case "slow":
		figures, err := b.slow(ctx)
		if err == nil {
			r.setSlow(figures, out)
		}
		return err
	default:
		figures, err := b.fleet(ctx)
		if err == nil {
			r.setFleet(figures, out)
		}
		return err
	}
}

func (b *bench) measureDispatch(ctx context.Context, r *report, out io.Writer) error {
	writeDispatchHeader(out)
	for _, n := range b.counts {
		rounds := b.rounds
		if n >= 5000 {
			rounds = 1
		}
		c, err := b.dispatch(ctx, n, rounds)
		if err != nil {
			return fmt.Errorf("%d crons: %w", n, err)
		}
		r.addDispatch(c, out)
	}
	return nil
}

// progress tells a person who waits what is going on.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.messages, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
