package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// crashDir, when it is set, makes this test binary a process that works on the ledger there, or on
// that of crashStore, until it is killed.
const (
	crashDir   = "LEDGER_CRASH_DIR"
	crashStore = "LEDGER_CRASH_STORE"
)

// TestCrash_KeepsEverythingAcknowledged kills a process in the middle of its work, again and again
// on one ledger, and looks for everything that it had been told is written.
func TestCrash_KeepsEverythingAcknowledged(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		workUntilKilled(Options{Dir: dir, Store: os.Getenv(crashStore), LockWait: time.Minute})
		return
	}
	engines(t, func(t *testing.T, o Options) {
		acknowledged := map[string][]string{} // what happened, to the ids that it happened to
		for _, lines := range []int{1, 50, 700} {
			crash(t, o, lines, acknowledged)
			verify(t, o, acknowledged)
		}
		for _, step := range []string{"claimed", "intended", "recorded", "finished"} {
			if len(acknowledged[step]) == 0 {
				t.Errorf("no process came as far as %q", step)
			}
		}
	})
}

// crash starts a process, kills it after it has acknowledged some steps, and notes all it has.
func crash(t *testing.T, o Options, lines int, acknowledged map[string][]string) {
	t.Helper()
	binary, err := os.Executable()
	must(t, err)
	cmd := exec.Command(binary, "-test.run=^TestCrash_KeepsEverythingAcknowledged$")
	cmd.Env = append(os.Environ(), crashDir+"="+o.Dir, crashStore+"="+o.Store)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // the process ends with this one, whatever happens
	must(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	out := bufio.NewReader(stdout)
	for n := 0; ; n++ {
		if n == lines {
			must(t, cmd.Process.Kill())
		}
		line, err := out.ReadString('\n')
		if err != nil {
			break // what has no newline was cut off
		}
		step, id, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			t.Fatalf("the process says %q", line)
		}
		acknowledged[step] = append(acknowledged[step], id)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
}

// workUntilKilled takes runs from claim to end on several goroutines and prints each step that
// the ledger has acknowledged.
func workUntilKilled(o Options) {
	ctx := context.Background()
	l, err := Open(ctx, o)
	if err != nil {
		panic(err)
	}
	owner := NewID()
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				if err := workOnce(ctx, l, owner, worker, n); err != nil {
					panic(err)
				}
			}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

func workOnce(ctx context.Context, l *Ledger, owner string, worker, n int) error {
	c := claimOf(slotTime.Add(time.Duration(n)*time.Minute), "main")
	c.Fire.Cron = fmt.Sprint(owner, worker)
	id := c.Runs[0].ID
	if _, err := l.Claim(ctx, owner, []Claim{c}); err != nil {
		return err
	}
	fmt.Println("claimed", id)
	d := Dispatch{RunID: id, Kind: "backup", Project: "p", Environment: "main", Dedupe: id}
	if _, err := l.BeginAndIntend(ctx, d, owner, slotTime, slotTime); err != nil {
		return err
	}
	fmt.Println("intended", id)
	r := Result{RunID: id, Owner: owner, State: DispatchTracking, Activities: []Activity{activity(id)}}
	if err := l.Record(ctx, r); err != nil {
		return err
	}
	fmt.Println("recorded", id)
	r.State, r.Outcome = DispatchDone, Succeeded
	_, err := l.Finish(ctx, Finish{RunID: id, Owner: owner, Outcome: Succeeded, Dispatches: []Result{r}})
	if err != nil {
		return err
	}
	fmt.Println("finished", id)
	return nil
}

func verify(t *testing.T, o Options, acknowledged map[string][]string) {
	t.Helper()
	l := open(t, o)
	defer l.Close()
	for _, id := range acknowledged["claimed"] {
		u, _, err := l.Run(t.Context(), id)
		if err != nil {
			t.Errorf("a claimed run is gone: %v", err)
			continue
		}
		fires, err := l.Fires(t.Context(), Filter{Cron: u.Cron, Since: u.ScheduledAt, Limit: 10_000})
		if err != nil || len(fires) == 0 || fires[len(fires)-1].ID != u.FireID {
			t.Errorf("the fire of run %s is gone: %v", id, err)
		}
	}
	for _, id := range acknowledged["intended"] {
		if d := mustDispatch(t, l, id, 0); d.State == DispatchClaimed || d.Attempts != 1 {
			t.Errorf("an intent is gone: %+v", d)
		}
	}
	for _, id := range acknowledged["recorded"] {
		if d := mustDispatch(t, l, id, 0); !isTaken(t, l, id) || len(d.Activities) != 1 {
			t.Errorf("an activity is gone: %+v", d)
		}
	}
	finished := map[string]bool{}
	for _, id := range acknowledged["finished"] {
		finished[id] = true
		if u, _, err := l.Run(t.Context(), id); err != nil || u.State != RunDone || u.Outcome != Succeeded {
			t.Errorf("an end is gone: %+v, %v", u, err)
		}
	}
	taken, err := l.TakeOver(t.Context(), NewID(), true)
	must(t, err)
	for _, u := range taken {
		if finished[u.ID] {
			t.Errorf("run %s is open after its end was acknowledged", u.ID)
		}
	}
}
