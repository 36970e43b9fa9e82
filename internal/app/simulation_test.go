package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/ledgertest"
	"github.com/automatond/automatond/internal/logtest"
	"github.com/automatond/automatond/internal/runner"
	"github.com/automatond/automatond/internal/sandbox"
)

var (
	simulatedSeed  = flag.Uint64("simulation.seed", 0, "simulate this seed only; 0 is the first ones")
	simulatedSeeds = flag.Int("simulation.seeds", 0, "how many seeds to simulate; 0 is 20, or 200 with CI set")
	simulatedDays  = flag.Int("simulation.days", 3, "how many days each simulation lasts")
)

// TestSimulation_KeepsThePromise lives through some days with everything that can go wrong, by a plan
// that follows from a seed, and holds what the platform saw and what the ledger says against the
// promise. The plan of a seed is always the same; in which order goroutines act on it is not.
func TestSimulation_KeepsThePromise(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates days for half a minute")
	}
	first, seeds := uint64(1), *simulatedSeeds
	switch {
	case *simulatedSeed > 0:
		first, seeds = *simulatedSeed, 1
	case seeds == 0 && os.Getenv("CI") != "":
		seeds = 200
	case seeds == 0:
		seeds = 20
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // what a simulation keeps is small, and it throws a lot away
	var all tally
	began := time.Now()
	t.Run("seed", func(t *testing.T) {
		for seed := first; seed < first+uint64(seeds); seed++ {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				simulate(t, seed, *simulatedDays, &all)
			})
		}
	})
	t.Logf("%d seeds of %d days in %.0f s: %s", seeds, *simulatedDays, time.Since(began).Seconds(), &all)
	if seeds >= 20 {
		all.mustHaveSeenEverything(t)
	}
}

// simulation is the fleet's daemon, which dies and comes back, and a platform that stays.
type simulation struct {
	t       *testing.T
	rand    *rand.Rand
	dir     string // of everything
	token   string // the API token that is accepted now
	sandbox *sandbox.Sandbox
	crons   []*cron
	logs    *logtest.Log
	history history

	app   *app
	gate  *gate
	lives int    // processes so far; each has a data directory, which it may take over from the last
	data  string // the present one
	ended chan error
	stop  context.CancelFunc
	later []deed // what ends what was begun, in order
}

// nights are the last quiet evenings before the clocks change somewhere, in 2000, where virtual time
// begins: in Lord Howe, in Europe, in America, and some that are like any other.
var nights = []string{
	"2000-03-25", "2000-03-24", "2000-04-01", "2000-08-26", "2000-10-28", "2000-10-27", "2000-02-28", "2000-06-10",
}

func simulate(t *testing.T, seed uint64, days int, all *tally) {
	dir := ledgertest.Dir(t, "data0")
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 1))
		night, err := time.Parse(time.DateOnly, nights[r.IntN(len(nights))])
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(night.Add(time.Duration(r.IntN(86400)) * time.Second)))
		s := &simulation{t: t, rand: r, dir: dir, token: "first-token-nobody-may-see", crons: fleet(), logs: &logtest.Log{}}
		s.build()
		s.history = newHistory(s.crons, time.Now())
		s.configure()
		s.data = filepath.Join(dir, "data0")
		s.start()
		s.live(time.Duration(days) * 24 * time.Hour)
		s.comeToRest()
		s.judge(all)
		s.end()
		if strings.Contains(s.logs.String(), "nobody-may-see") {
			t.Error("an API token is in the log")
		}
		if t.Failed() {
			t.Logf("replay: go test ./internal/app -run TestSimulation_KeepsThePromise -simulation.seed=%d -simulation.days=%d", seed, days)
			keepLog(t, seed, s.logs.String())
		}
	})
}

func keepLog(t *testing.T, seed uint64, log string) {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("automatond-simulation-%d.log", seed))
	if err := os.WriteFile(file, []byte(log), 0o600); err == nil {
		t.Logf("the daemon's log: %s", file)
	}
}

// build sets up the platform, whose clock is wrong.
func (s *simulation) build() {
	o := sandbox.Options{
		Users:            []sandbox.User{{Token: s.token, ID: "automation-id", Name: "automation"}},
		ActivityDuration: time.Duration(5+s.rand.IntN(90)) * time.Second,
		ClockSkew:        time.Duration(s.rand.IntN(181)-90) * time.Second,
		WithoutLink:      sandbox.WithoutLink(s.rand.IntN(3)),
		NullCreatedAt:    s.rand.IntN(4) == 0,
		InvalidToken:     sandbox.InvalidToken(s.rand.IntN(2)),
	}
	for p := range fleetProjects {
		o.Projects = append(o.Projects, sandbox.Project{ID: fmt.Sprintf("project%d", p)})
	}
	s.sandbox = sandbox.New(o)
}

func (s *simulation) tokenFile() string { return filepath.Join(s.dir, "token") }
func (s *simulation) file() string      { return filepath.Join(s.dir, "automatond.yaml") }

// configure writes the configuration as the history has it, and the token.
func (s *simulation) configure() {
	s.write(s.file(), yaml(s.crons, s.history.spec, s.tokenFile()))
	s.write(s.tokenFile(), s.token)
}

func (s *simulation) write(file, text string) {
	s.must(os.WriteFile(file, []byte(text), 0o600))
}

func (s *simulation) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// start brings up a process.
func (s *simulation) start() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s.gate = newGate(s.sandbox.Transport())
	s.app = newApp(Options{
		Paths: []string{s.file()}, Data: s.data,
		Lookup: func(string) (string, bool) { return "", false },
		// Each renewal of a lease, look and try is a transaction or a request, and there are days of them.
		Timing: runner.Timing{Lease: 3 * time.Hour, PollFirst: time.Minute, PollMax: 10 * time.Minute, RetryMax: time.Minute},
		Logger: zerolog.New(s.logs).With().Timestamp().Logger(),
	})
	s.app.transport = s.gate
	s.must(s.app.load())
	s.must(s.app.open(ctx))
	s.must(s.app.begin(ctx))
	ended := make(chan error, 1)
	app := s.app
	go func() { ended <- app.run(ctx) }()
	s.stop, s.ended = stop, ended
	s.history.started(time.Now())
}

// end stops the process as a container runtime does.
func (s *simulation) end() {
	s.t.Helper()
	s.history.stopped(time.Now())
	s.stop()
	s.must(<-s.ended)
	s.must(s.app.cleanup())
}

// kill drops the process between two of its transactions. Its successor finds a copy of the ledger
// as it was then. What is left of the process ends meanwhile, and neither can see the other.
func (s *simulation) kill() {
	s.t.Helper()
	s.gate.kill()
	s.history.stopped(time.Now())
	s.lives++
	next := filepath.Join(s.dir, fmt.Sprintf("data%d", s.lives))
	s.must(os.Mkdir(next, 0o700))
	_, err := ledger.Backup(context.Background(), filepath.Join(s.data, "ledger.db"), filepath.Join(next, "ledger.db"))
	s.must(err)
	s.stop()
	close(s.gate.gone)
	<-s.ended // with whatever a dying process says
	_ = s.app.cleanup()
	s.must(os.RemoveAll(s.data))
	s.data = next
}

// reload loads what configure has written.
func (s *simulation) reload() {
	_, err := s.app.reload(context.Background())
	s.must(err)
}

// suspend and resume are for one cron, or for all with control.AllCrons. A suspension that is refused leaves
// the one in force, which ends later.
func (s *simulation) suspend(cron string, until time.Time) {
	_, err := s.app.suspend(context.Background(), control.Suspend{Cron: cron, Until: until, Note: "simulated"})
	if _, refused := errors.AsType[*control.Refusal](err); refused {
		return
	}
	s.must(err)
	s.history.suspended(cron, time.Now(), until)
}

func (s *simulation) resume(cron string) {
	_, err := s.app.resume(context.Background(), cron)
	s.must(err)
	s.history.resumed(cron, time.Now())
}

// comeToRest lets every run end while nothing new begins.
func (s *simulation) comeToRest() {
	s.suspend(control.AllCrons, time.Time{})
	s.history.over = time.Now()
	time.Sleep(longTimeout + 10*time.Minute)
	synctest.Wait()
}
