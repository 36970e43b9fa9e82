package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// report is all figures of one run. It is what -json writes.
type report struct {
	Machine  machine          `json:"machine"`
	Guards   []guardFigures   `json:"guards,omitempty"`
	Startup  []startupFigures `json:"startup,omitempty"`
	Idle     *idleFigures     `json:"idle,omitempty"`
	Dispatch []*comparison    `json:"dispatch,omitempty"`
	Slow     *slowFigures     `json:"slow,omitempty"`
	Fleet    *fleetFigures    `json:"fleet,omitempty"`
	History  *historyFigures  `json:"history,omitempty"`
	Targets  []target         `json:"targets,omitempty"`
	Failures []string         `json:"failures,omitempty"`
}

// target is a figure that the project wants to stay below.
type target struct {
	Name    string  `json:"name"`
	Got     float64 `json:"got"`
	Limit   float64 `json:"limit"`
	Unit    string  `json:"unit"`
	Reached bool    `json:"reached"`
}

func (r *report) target(name string, got, limit float64, unit string) {
	r.Targets = append(r.Targets, target{name, got, limit, unit, got <= limit})
}

func (r *report) setGuards(list []guardFigures, out io.Writer) {
	r.Guards = list
	fmt.Fprint(out, "\nA guard that says no (one decision)\n")
	for _, g := range list {
		fmt.Fprintf(out, "  %-10s %10s %8d B %5d allocations\n", g.Cron, g.Time, g.Bytes, g.Allocs)
		if g.Cron == "shell" {
			r.target("false shell guard", float64(g.Time)/1e3, 50, "µs")
		}
	}
}

func (r *report) setStartup(list []startupFigures, out io.Writer) {
	r.Startup = list
	fmt.Fprintf(out, "\nStart with %d crons on %d projects\n", startupCrons, startupProjects)
	fmt.Fprintf(out, "  %-9s %10s %12s %12s %10s %14s\n", "ledger", "ready", "RSS at 10 s", "RSS scraped", "RSS peak", "one scrape")
	for _, s := range list {
		fmt.Fprintf(out, "  %-9s %10s %9.1f MB %9.1f MB %7.1f MB %6.1f MB %6s\n", s.Ledger, s.Ready,
			megabytes(s.Settled.RSS), megabytes(s.Scraped.RSS), megabytes(s.Scraped.Peak), megabytes(s.Metrics), s.ScrapeIn)
		with := fmt.Sprintf("%d crons, %s ledger: ", startupCrons, s.Ledger)
		r.target(with+"ready", float64(s.Ready)/1e9, 0.5, "s")
		r.target(with+"RSS 10 s after ready", megabytes(s.Settled.RSS), 60, "MB")
		r.target(with+"RSS after one scrape", megabytes(s.Scraped.RSS), 60, "MB")
	}
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

func (r *report) setIdle(f *idleFigures, out io.Writer) {
	r.Idle = f
	fmt.Fprintf(out, "\nIdle with %d daily crons\n  %s CPU in %s: %.4f %% of a core\n", f.Crons, f.CPU, f.Window, f.Percent)
	r.target("idle", f.Percent, 0.1, "% of a core")
}

func writeDispatchHeader(out io.Writer) {
	fmt.Fprint(out, "\nDispatch at a minute's start (arrival at the API minus the scheduled time; medians of the fires after a program's first)\n")
	fmt.Fprintf(out, "  %5s  %-8s %6s %10s %10s %10s %10s %14s %13s %13s %10s\n",
		"crons", "program", "fires", "first", "p50", "p99", "max", "first fire p99", "CPU/dispatch", "with tracking", "CPU of API")
}

func (r *report) addDispatch(c *comparison, out io.Writer) {
	r.Dispatch = append(r.Dispatch, c)
	c.Bare.write(out, c.Crons, "bare", "-")
	c.Daemon.write(out, c.Crons, "daemon", c.Daemon.CPUToEnd.String())
	fmt.Fprintf(out, "  %5d  ratio: p99 %.2fx, CPU %.2fx; of the first fire: p99 %.2fx\n", c.Crons, c.RatioP99, c.RatioCPU, c.RatioFirstP99)
	if others := max(c.Bare.Others, c.Daemon.Others); others > 0.1 {
		fmt.Fprintf(out, "  %5d  other programs used up to %.0f %% of the machine meanwhile: these figures are not worth much\n", c.Crons, 100*others)
	}
	if n := c.Daemon.Unlisted; n > 0 {
		fmt.Fprintf(out, "  %5d  environments of %d projects were not fetched ahead of the minute\n", c.Crons, n)
	}
	if n := c.Daemon.Unfollowed; n > 0 {
		fmt.Fprintf(out, "  %5d  %d activities were not read within %s\n", c.Crons, n, followLimit)
	}
	if c.Replicas != nil {
		c.Replicas.write(out, c.Crons, "replicas", c.Replicas.CPUToEnd.String())
		fmt.Fprintf(out, "  %5d  ratio: p99 of the replicas %.2fx that of one\n", c.Crons, c.RatioReplicasP99)
	}
	switch {
	case c.Crons != 1000:
	case r.Machine.Store == "":
		r.target("dispatch of 1000, p99 against bare", c.RatioP99, 2, "x")
		r.target("dispatch of 1000, CPU against bare", c.RatioCPU, 4, "x")
	default:
		r.target("dispatch of 1000, p99 against bare", c.RatioP99, 4, "x")
		if c.Replicas != nil {
			r.target("dispatch of 1000, p99 of replicas against one", c.RatioReplicasP99, 1.5, "x")
		}
	}
}

func (f *dispatchFigures) write(out io.Writer, crons int, program, tracked string) {
	fmt.Fprintf(out, "  %5d  %-8s %6d %10s %10s %10s %10s %14s %13s %13s %10s\n",
		crons, program, f.Fires, f.Min, f.P50, f.P99, f.Max, f.FirstP99, f.CPU, tracked, f.APICPU)
}

func (r *report) setSlow(f *slowFigures, out io.Writer) {
	r.Slow = f
	fmt.Fprintf(out, "\n%d projects that answer at once, alone and beside %d that answer after %s (delay of the fast ones)\n",
		slowCount, slowCount, slowDelay)
	fmt.Fprintf(out, "  %-9s %10s %10s %10s %10s\n", "", "first", "p50", "p99", "max")
	for _, row := range []struct {
		name string
		summary
	}{{"alone", f.Alone}, {"together", f.Together}} {
		fmt.Fprintf(out, "  %-9s %10s %10s %10s %10s\n", row.name, row.Min, row.P50, row.P99, row.Max)
	}
	r.target("fast p99 beside slow projects against alone", f.Ratio, 3, "x")
}

func (r *report) setFleet(f *fleetFigures, out io.Writer) {
	r.Fleet = f
	fmt.Fprintf(out, "\nA fleet: %d projects with 3 environments each, one guarded backup cron (delay of the POSTs)\n", f.Projects)
	fmt.Fprintf(out, "  %-28s %10s %10s %10s %10s\n", "", "first", "p50", "p99", "max")
	for _, row := range []struct {
		name string
		summary
	}{
		{fmt.Sprintf("bare, %d at once", bareWorkers), f.Bare}, {fmt.Sprintf("daemon, %d at once", bareWorkers), f.Together},
		{"daemon", f.Alone}, {fmt.Sprintf("others, beside %d failing", fleetFailing), f.Beside},
	} {
		fmt.Fprintf(out, "  %-28s %10s %10s %10s %10s\n", row.name, row.Min, row.P50, row.P99, row.Max)
	}
	fmt.Fprintf(out, "  %d of %d scheduled times have a record; beside %d failing projects, %d records do not say success\n",
		f.Covered, f.Projects, fleetFailing, f.Unhappy)
	r.target("fleet: scheduled times without a record", float64(f.Projects-f.Covered), 0, "")
	r.target("fleet: requests at once for one project", float64(f.PerProject), fleetLimit, "")
	r.target("fleet: environments calls for one project", float64(f.Listings), 1, "")
	r.target("fleet: RSS after the fire", megabytes(f.Memory.RSS), 150, "MB")
	r.target("fleet: RSS peak", megabytes(f.Memory.Peak), 150, "MB")
	r.target("fleet: wall time against bare", f.RatioWall, 2, "x")
	r.target("fleet: p99 beside failing projects", f.RatioP99, 1.2, "x")
}

func (r *report) setHistory(f *historyFigures, out io.Writer) {
	r.History = f
	fmt.Fprintf(out, "\nA history of %d runs, written in %s (bursts of %d; medians)\n", f.Runs, f.Made, historyBurst)
	fmt.Fprintf(out, "  %-16s %10s %10s %10s %16s\n", "ledger", "claim", "record", "end", "p99 to its claim")
	for _, row := range []struct {
		name string
		burstFigures
	}{{"empty", f.Empty}, {"full", f.Full}, {"while it prunes", f.Pruning}} {
		fmt.Fprintf(out, "  %-16s %10s %10s %10s %16s\n", row.name, row.Claim, row.Record, row.End, row.P99)
	}
	fmt.Fprintf(out, "  %d fires were pruned meanwhile; claim and record of a run wrote %d bytes to the log, %d on the empty ledger\n",
		f.Pruned, f.Full.Logged/historyBurst, f.Empty.Logged/historyBurst)
	slowest := duration(0)
	for _, q := range f.Questions {
		fmt.Fprintf(out, "  %10s  automatond runs %s\n", q.Took, strings.Join(q.Flags, " "))
		slowest = max(slowest, q.Took)
	}
	with := fmt.Sprintf("%d runs: ", f.Runs)
	r.target(with+"claim and record against empty", f.Ratio, 1.3, "x")
	r.target(with+"bytes to the log against empty", f.RatioLogged, 1.3, "x")
	r.target(with+"p99 while it prunes", f.RatioP99, 1.5, "x")
	r.target(with+"slowest answer of runs", time.Duration(slowest).Seconds()*1e3, 100, "ms")
}

func (r *report) writeTargets(out io.Writer) {
	if len(r.Targets) == 0 {
		return
	}
	fmt.Fprint(out, "\nTargets\n")
	for _, t := range r.Targets {
		verdict := "reached"
		if !t.Reached {
			verdict = "MISSED"
		}
		fmt.Fprintf(out, "  %-46s %8.3g %s  (at most %g)  %s\n", t.Name, t.Got, t.Unit, t.Limit, verdict)
	}
}

// save writes the figures as JSON; times are in seconds.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
