package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

const (
	fleetCount   = 5000
	fleetFailing = 100 // projects that fail, when it is measured beside how many
	fleetLimit   = 4   // requests under way for one project, as configured by default

	// fleetEnd is when the records are read. What was not answered has been given up by then: a request
	// after 30 s, and a fire without a listing then too.
	fleetEnd = 45 * time.Second
)

// fleetFigures are one guarded backup cron over a fleet whose projects have three environments each.
type fleetFigures struct {
	Projects   int     `json:"projects"`
	Bare       summary `json:"bare"`
	Together   summary `json:"daemon_at_the_same_concurrency"` // as many requests at once as the bare program
	RatioWall  float64 `json:"ratio_wall_time"`
	Alone      summary `json:"daemon"`                   // with default settings
	Beside     summary `json:"daemon_beside_failing"`    // the others' delays, when some projects fail
	RatioP99   float64 `json:"ratio_p99_beside_failing"` // of the others
	Covered    int     `json:"slots_covered"`            // projects whose scheduled time has a record, of the worst round
	Listings   int64   `json:"environments_calls"`       // of the project that was asked most often, without failures
	PerProject int64   `json:"requests_at_once"`         // for one project, the worst round's
	Memory     memory  `json:"memory"`                   // after the fire, without failures, the worst round's
	Unhappy    int     `json:"records_without_success"`  // beside failing projects; a lost answer may be found to be a success
}

// fleetRound is one fire of a daemon over the fleet.
type fleetRound struct {
	summary
	covered, unhappy     int
	listings, perProject int64
	memory               memory
}

// fleet measures one fire of the bare program and three of the daemon: at the bare program's
// concurrency, with default settings, and the same beside projects that fail. It does so in each round, and
// takes the medians; of what must hold always, the worst.
func (b *bench) fleet(ctx context.Context) (*fleetFigures, error) {
	f := &fleetFigures{Projects: fleetCount, Covered: fleetCount}
	var bare, together, alone, beside []summary
	for i := range b.rounds {
		b.progress("fleet: the bare program, round %d of %d", i+1, b.rounds)
		samples, err := b.bareRound(ctx, fleetCount, time.Now().Add(2*time.Second))
		if err != nil {
			return nil, err
		}
		bare = append(bare, samples[0].summary)
		for _, daemon := range []struct {
			what, settings string
			fault          func(i int) fault
			into           *[]summary
		}{
			{fmt.Sprintf("at most %d requests at once", bareWorkers), fmt.Sprintf("api: {max_in_flight: %d}\n", bareWorkers), nil, &together},
			{"with default settings", "", nil, &alone},
			{fmt.Sprintf("%d projects fail", fleetFailing), "", failure, &beside},
		} {
			b.progress("fleet: the daemon, %s, round %d of %d", daemon.what, i+1, b.rounds)
			r, err := b.fleetRound(ctx, daemon.settings, daemon.fault)
			if err != nil {
				return nil, err
			}
			*daemon.into = append(*daemon.into, r.summary)
			f.add(r, daemon.fault != nil)
		}
	}
	f.Bare, f.Together, f.Alone, f.Beside = medians(bare), medians(together), medians(alone), medians(beside)
	f.RatioWall, f.RatioP99 = ratio(f.Together.Max, f.Bare.Max), ratio(f.Beside.P99, f.Alone.P99)
	return f, nil
}

// add takes what must hold in every round. Beside projects that fail, some listings are asked for again.
func (f *fleetFigures) add(r fleetRound, failing bool) {
	f.Covered = min(f.Covered, r.covered)
	f.PerProject = max(f.PerProject, r.perProject)
	if failing {
		f.Unhappy = max(f.Unhappy, r.unhappy)
		return
	}
	f.Listings = max(f.Listings, r.listings)
	f.Memory.RSS, f.Memory.Peak = max(f.Memory.RSS, r.memory.RSS), max(f.Memory.Peak, r.memory.Peak)
}

// fleetRound starts a daemon with one cron over the fleet, which is due once, and measures that fire.
// Fault says in which way a project fails, if it does.
func (b *bench) fleetRound(ctx context.Context, settings string, fault func(i int) fault) (f fleetRound, err error) {
	at, err := nextMinute(ctx)
	if err != nil {
		return f, err
	}
	dir, err := os.MkdirTemp(b.dir, "fleet-")
	if err != nil {
		return f, err
	}
	ids := projectIDs(dispatchPrefix, fleetCount)
	config, err := writeFleet(dir, settings, ids, at)
	if err != nil {
		return f, err
	}
	r := newFleet(ids, at, fault)
	b.api.load(r)
	d, err := b.startDaemon(ctx, dir, config)
	if err != nil {
		return f, err
	}
	if !await(ctx, r.all, at.Add(b.patience)) {
		return f, errors.Join(d.explain(&brokenPromise{fmt.Sprintf("%d of %d POSTs arrived within %s of the scheduled time",
			r.arrived.Load(), r.expected, b.patience)}), d.kill())
	}
	f.memory, err = d.memory()
	if err := sleep(ctx, time.Until(at.Add(fleetEnd))); err != nil {
		return f, errors.Join(err, d.kill())
	}
	settled, memoryErr := d.memory()
	f.memory.Peak = settled.Peak
	if err := errors.Join(err, memoryErr, r.promise(), d.stop()); err != nil {
		return f, err
	}
	f.summary = r.delays(at, func(i int) bool { return r.projects[i].fault == works }).summary()
	for _, p := range r.projects {
		f.listings = max(f.listings, p.listings.Load())
		f.perProject = max(f.perProject, p.underWay.most.Load())
	}
	f.covered, f.unhappy, err = b.records(ctx, dir)
	return f, err
}

// writeFleet writes a configuration of one cron over all projects, due at one time of the day.
func writeFleet(dir, settings string, ids []string, at time.Time) (string, error) {
	path, err := writeConfig(dir, ids, nil)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	at = at.UTC()
	// What waits for a listing gives up before the records are read.
	cron := fmt.Sprintf("    nightly-backup:\n        spec: '%d %d * * *'\n        projects: ['*']\n        start_deadline: %s\n"+
		"        only: {environment_types: [production]}\n        task: {backup: {}}\n", at.Minute(), at.Hour(), fleetEnd/3)
	return path, os.WriteFile(path, []byte(settings+string(text)+cron), 0o600)
}

// records reads the ledger as a user does: how many projects have a record, and how many records do not
// say success, those of open runs among them.
func (b *bench) records(ctx context.Context, dir string) (covered, unhappy int, err error) {
	cmd := exec.CommandContext(ctx, b.binary, "runs", "--data", filepath.Join(dir, "data"), "-o", "json", "-n", fmt.Sprint(3*fleetCount))
	cmd.Env = b.environment()
	output, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("read the records: %w", err)
	}
	var list []struct{ Project, Outcome string }
	if err := json.Unmarshal(output, &list); err != nil {
		return 0, 0, fmt.Errorf("read the records: %w", err)
	}
	projects := map[string]bool{}
	for _, record := range list {
		projects[record.Project] = true
		if record.Outcome != "succeeded" {
			unhappy++
		}
	}
	return len(projects), unhappy, nil
}

// fault is a way in which a project fails.
type fault int

const (
	works           fault = iota
	listingFails          // its environments are answered with 500
	listingHangs          // its environments are never answered
	listingGarbled        // its environments are no JSON
	postForbidden         // its POST is answered with 403
	postDropped           // its POST is taken, and the connection closed
	postHangs             // its POST is taken and never answered
	numberOfFaults  = int(postHangs)
	failingDistance = fleetCount / fleetFailing
)

// failure spreads the failing projects over the fleet, and the ways of failing over them.
func failure(i int) fault {
	if i%failingDistance != failingDistance/2 {
		return works
	}
	return fault(i/failingDistance%numberOfFaults) + listingFails
}

// newFleet is a round of projects with three environments each, of which one is for production.
func newFleet(ids []string, at time.Time, fault func(i int) fault) *round {
	r := newRound(ids, at, nil)
	for i, p := range r.projects {
		main := string(p.environment)
		list := []string{main}
		for _, name := range []string{"staging", "develop"} {
			list = append(list, strings.NewReplacer(`"id":"main","name":"main","machine_name":"main-`,
				`"id":"`+name+`","name":"`+name+`","machine_name":"`+name+`-`, `"type":"production"`, `"type":"development"`,
				"/environments/main", "/environments/"+name, `"parent":null`, `"parent":"main"`).Replace(main))
		}
		p.environments = []byte("[" + strings.Join(list, ",") + "]")
		if fault == nil {
			continue
		}
		p.fault = fault(i)
		switch p.fault {
		case listingFails, listingHangs, listingGarbled:
			r.expected--
		}
	}
	return r
}

// fail answers a request to a failing project, if it is one that fails.
func (p *project) fail(w http.ResponseWriter, req *http.Request, rest string) bool {
	listing, post := rest == "environments", req.Method == http.MethodPost
	switch {
	case listing && p.fault == listingFails:
		answer(w, http.StatusInternalServerError, failedAnswer)
	case listing && p.fault == listingGarbled:
		answer(w, http.StatusOK, []byte("<html>"))
	case post && p.fault == postForbidden:
		answer(w, http.StatusForbidden, forbiddenAnswer)
	case listing && p.fault == listingHangs, post && p.fault == postHangs:
		<-req.Context().Done()
	case post && p.fault == postDropped:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

var (
	failedAnswer    = []byte(`{"code":500,"title":"Internal Server Error","message":"The listing is broken"}`)
	forbiddenAnswer = []byte(`{"code":403,"title":"Forbidden","message":"You may not do this"}`)
)

// gauge counts what is under way, and the most there was at once.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) enter() {
	n := g.now.Add(1)
	for {
		most := g.most.Load()
		if n <= most || g.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (g *gauge) leave() { g.now.Add(-1) }
