package main

import (
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/postgrestest"
	"github.com/automatond/automatond/internal/sandbox"
)

// TestReplicas_ActOnceThroughFaults lets three daemons on one database fire 200 crons every ten
// seconds. One is frozen, one is cut off from the database, the database crashes, and one is killed.
func TestReplicas_ActOnceThroughFaults(t *testing.T) {
	if os.Getenv("AUTOMATOND_CHAOS") == "" {
		t.Skip("takes three minutes; make chaos runs it")
	}
	const (
		crons = 200
		every = 10 * time.Second
		lease = 10 * time.Second
		grace = 2 * time.Second
	)
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: time.Second}, hourly(crons, justNow()))
	s.store = postgrestest.URL(t)
	link := newLink(t, s.store)
	options := []string{"--test.every", every.String(), "--test.settle", "2s", "--test.request-timeout", "5s", "--test.lease", lease.String()}
	killed := s.startIn("killed", append(options, "--store", s.store)...)
	frozen := s.startIn("frozen", append(options, "--store", s.store)...)
	cut := s.startIn("cut", append(options, "--store", link.url)...)
	for _, d := range []*daemon{killed, frozen, cut} {
		d.eventually("three replicas", func() bool { return d.metric("automatond_replicas") == "3" })
	}
	time.Sleep(lease/3 + time.Second) // each has renewed its lease, and so heard of the others

	quiet := time.Now()
	time.Sleep(3 * every)
	faults := time.Now()
	frozen.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(20 * time.Second)
	frozen.cmd.Process.Signal(syscall.SIGCONT)
	time.Sleep(5 * time.Second)
	link.cut(true)
	time.Sleep(30 * time.Second)
	link.cut(false)
	time.Sleep(5 * time.Second)
	postgrestest.Crash(t)
	time.Sleep(5 * time.Second)
	killed.kill()
	time.Sleep(lease + every)
	frozen.stop()
	end := time.Now() // from here on there is one
	time.Sleep(lease)
	cut.stop()

	records := s.records()
	s.holdRecords(records, quiet, end, every)
	s.holdRequests(records)
	owners, outcomes := map[string]int{}, map[string]int{}
	var calm, rough []time.Duration
	for _, f := range records {
		outcomes[string(f.Outcome)+"/"+string(f.Reason)]++
		delay := f.ClaimedAt.Sub(f.ScheduledAt)
		switch at := f.ScheduledAt; {
		case at.After(quiet) && at.Before(faults):
			owners[f.Owner]++
			calm = append(calm, delay)
		case at.After(faults) && at.Before(end):
			rough = append(rough, delay)
		}
	}
	if len(owners) != 3 {
		t.Errorf("%d replicas claimed before the faults, want 3", len(owners))
	}
	for owner, n := range owners {
		if even := len(calm) / 3; n < even*8/10 || n > even*12/10 {
			t.Errorf("replica %s claimed %d of %d fires before the faults, want a third within 20 %%", owner, n, len(calm))
		}
	}
	slices.Sort(calm)
	slices.Sort(rough)
	if worst := rough[len(rough)-1]; worst > lease+grace {
		t.Errorf("a fire was claimed %v late, want at most a lease and the grace", worst)
	}
	t.Logf("%d records, outcomes %v, shares before the faults %v", len(records), outcomes, owners)
	t.Logf("claimed late before the faults: median %v, p99 %v, most %v", calm[len(calm)/2], calm[len(calm)*99/100], calm[len(calm)-1])
	t.Logf("claimed late from then on: median %v, p99 %v, most %v", rough[len(rough)/2], rough[len(rough)*99/100], rough[len(rough)-1])
}

// holdRecords demands one record of each scheduled time between two times.
func (s *site) holdRecords(records []ledger.Fire, from, to time.Time, every time.Duration) {
	s.t.Helper()
	covered := map[string]map[time.Time]int{}
	for _, f := range records {
		if covered[f.Cron] == nil {
			covered[f.Cron] = map[time.Time]int{}
		}
		first := f.ScheduledAt
		if f.MissedCount > 0 {
			first = f.MissedFrom
		}
		for at := first; !at.After(f.ScheduledAt); at = at.Add(every) {
			covered[f.Cron][at]++
		}
		if f.Outcome == "" && f.ScheduledAt.Before(to) {
			s.t.Errorf("fire %s of %s has no outcome", f.Slot, f.Cron)
		}
	}
	for cron, slots := range covered {
		var at time.Time
		for first := range slots {
			if at.IsZero() || first.Before(at) {
				at = first
			}
		}
		if at.After(from.Add(every)) {
			s.t.Errorf("%s has its first record at %v", cron, at)
		}
		for ; at.Before(to); at = at.Add(every) {
			if n := slots[at]; n != 1 {
				s.t.Errorf("%s has %d records of %v, want 1", cron, n, at)
			}
		}
	}
}

// holdRequests demands at most one request for each fire that ran something.
func (s *site) holdRequests(records []ledger.Fire) {
	s.t.Helper()
	ran := map[string]int{} // by project
	for _, f := range records {
		switch f.Outcome {
		case ledger.Succeeded, ledger.Failed, ledger.Unknown, "":
			ran[f.Project]++
		}
	}
	for path, n := range s.asked() {
		for project, most := range ran {
			if strings.Contains(path, "/"+project+"/") && n > most {
				s.t.Errorf("%d requests to %s for %d fires", n, path, most)
			}
		}
	}
}

// link is a way to the database that can be cut.
type link struct {
	url, server string

	mu     sync.Mutex
	isCut  bool
	active map[net.Conn]bool
}

// newLink opens a way to a store. It ends with the test.
func newLink(t *testing.T, store string) *link {
	t.Helper()
	u, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{server: u.Host, active: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	l.url = u.String()
	var work sync.WaitGroup
	work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { l.carry(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.cut(true)
		work.Wait()
	})
	return l
}

// cut ends all connections and lets none in, or lets them in again.
func (l *link) cut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = cut
	for c := range l.active {
		if cut {
			c.Close()
		}
	}
}

// carry passes on what two sides say, until one of them ends or the link is cut.
func (l *link) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	l.mu.Lock()
	if l.isCut {
		l.mu.Unlock()
		return
	}
	l.active[client] = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.active, client)
		l.mu.Unlock()
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
	client.Close()
	<-done
}
