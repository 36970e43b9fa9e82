package app

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/sandbox"
)

// deed is something that happens at a time.
type deed struct {
	at time.Time
	do func()
}

// calm is how long nothing goes wrong at the end, so that what is due then has to go well.
const calm = 8 * time.Hour

// live lets the time pass, with a mishap every now and then and peace at the end.
func (s *simulation) live(span time.Duration) {
	end := time.Now().Add(span)
	for {
		gap := time.Duration(s.rand.ExpFloat64() * float64(35*time.Minute))
		at := time.Now().Add(gap).Truncate(time.Minute).Add(s.second())
		if at.After(end.Add(-calm)) {
			break
		}
		s.pass(at)
		s.mishap()
	}
	s.pass(latest(end.Add(-calm).Truncate(time.Minute).Add(s.second()), time.Now()))
	for len(s.later) > 0 {
		s.endFirst()
	}
	s.calm()
	s.pass(latest(end.Truncate(time.Minute).Add(s.second()), time.Now()))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// second is a moment within a minute, at which nothing is due.
func (s *simulation) second() time.Duration { return time.Duration(1+s.rand.IntN(59)) * time.Second }

// pass waits until a time and ends meanwhile what has had its time.
func (s *simulation) pass(until time.Time) {
	for len(s.later) > 0 && !s.later[0].at.After(until) {
		time.Sleep(time.Until(s.later[0].at))
		s.endFirst()
	}
	time.Sleep(time.Until(until))
	synctest.Wait()
}

func (s *simulation) endFirst() {
	first := s.later[0]
	s.later = s.later[1:]
	first.do()
}

// after plans what ends a mishap.
func (s *simulation) after(d time.Duration, do func()) {
	s.later = append(s.later, deed{time.Now().Add(d.Truncate(time.Minute) + s.second()), do})
	slices.SortStableFunc(s.later, func(a, b deed) int { return a.at.Compare(b.at) })
}

// calm mends what has no end of its own.
func (s *simulation) calm() {
	s.sandbox.ClearFaults()
	s.resume(control.AllCrons)
	for _, c := range s.crons {
		s.history.set(c, c.spec, time.Now())
		if s.history.isSuspended(c.name) {
			s.resume(c.name)
		}
	}
	s.configure()
	s.reload()
	s.history.calm = time.Now()
}

// mishap lets one thing go wrong.
func (s *simulation) mishap() {
	mishaps := []struct {
		weight int
		happen func()
	}{
		{25, s.loseRequests}, {5, s.breakPlatform}, {6, s.breakReads}, {3, s.loseActivities}, {5, s.rejectToken}, {2, s.expireTokens},
		{2, s.takeRole}, {10, s.endBadly}, {8, s.interfere}, {6, s.changeStatus},
		{7, s.restart}, {7, s.killSometime}, {14, s.killAtRequest}, {6, s.edit}, {5, s.suspendSomething}, {3, s.resumeSomething},
	}
	total := 0
	for _, m := range mishaps {
		total += m.weight
	}
	pick := s.rand.IntN(total)
	for _, m := range mishaps {
		if pick -= m.weight; pick < 0 {
			m.happen()
			return
		}
	}
}

func choose[T any](s *simulation, list ...T) T { return list[s.rand.IntN(len(list))] }

// between is a random time span, with as many minutes as hours.
func (s *simulation) between(low, high time.Duration) time.Duration {
	return time.Duration(float64(low) * math.Pow(float64(high)/float64(low), s.rand.Float64()))
}

func (s *simulation) project() string { return fmt.Sprintf("project%d", s.rand.IntN(fleetProjects)) }

// loseRequests lets the next changes fail in one of the ways a request can.
func (s *simulation) loseRequests() {
	latency := time.Duration(s.rand.IntN(45)) * time.Second
	f := choose(s,
		sandbox.Fault{Kind: sandbox.ResetBefore}, sandbox.Fault{Kind: sandbox.ResetAfter},
		sandbox.Fault{Kind: sandbox.ResetBefore, Latency: latency}, sandbox.Fault{Kind: sandbox.ResetAfter, Latency: latency},
		sandbox.Fault{Kind: sandbox.Delay, Latency: latency}, sandbox.Fault{Kind: sandbox.Delay, Latency: latency, Executed: true},
		sandbox.Fault{Kind: sandbox.Truncated}, sandbox.Fault{Kind: sandbox.SlowBody, Latency: latency},
		sandbox.Fault{Kind: sandbox.Status, Status: 500}, sandbox.Fault{Kind: sandbox.Status, Status: 503, Executed: true},
		sandbox.Fault{Kind: sandbox.HTML}, sandbox.Fault{Kind: sandbox.HTML, Executed: true},
		sandbox.Fault{Kind: sandbox.Status, Status: 429, RetryAfter: 3 * latency}, sandbox.Fault{Kind: sandbox.Status, Status: 409},
		sandbox.Fault{Kind: sandbox.Refuse}, sandbox.Fault{Kind: sandbox.NoActivities},
	)
	f.Method, f.Match, f.Times = http.MethodPost, "/environments/", 1+s.rand.IntN(4)
	s.sandbox.Inject(f)
}

// breakPlatform lets every request fail for a while.
func (s *simulation) breakPlatform() {
	f := choose(s, sandbox.Fault{Kind: sandbox.Refuse}, sandbox.Fault{Kind: sandbox.Status, Status: 503},
		sandbox.Fault{Kind: sandbox.HTML}, sandbox.Fault{Kind: sandbox.ResetBefore}, sandbox.Fault{Kind: sandbox.Delay, Latency: 31 * time.Second},
		sandbox.Fault{Kind: sandbox.Status, Status: 429, RetryAfter: 20 * time.Second})
	f.Times = -1
	s.sandbox.Inject(f)
	s.after(s.between(30*time.Second, 40*time.Minute), s.sandbox.ClearFaults)
}

// breakReads lets what is read fail for a while, so that ends are not seen, and doubts last.
func (s *simulation) breakReads() {
	s.sandbox.Inject(sandbox.Fault{
		Method: http.MethodGet, PathSuffix: choose(s, "/activities", "/activities", "/environments", "/me"),
		Kind: choose(s, sandbox.Status, sandbox.ResetBefore, sandbox.Truncated), Times: -1,
	})
	s.after(s.between(10*time.Minute, 4*time.Hour), s.sandbox.ClearFaults)
}

// loseActivities lets the platform know of no activity for a while.
func (s *simulation) loseActivities() {
	s.sandbox.Inject(sandbox.Fault{Method: http.MethodGet, PathSuffix: "/activities", Kind: sandbox.Status, Status: 200, Body: "[]", Times: -1})
	s.sandbox.Inject(sandbox.Fault{Method: http.MethodGet, Match: "/activities/", Kind: sandbox.Status, Status: 404, Times: -1})
	s.after(s.between(5*time.Minute, 3*time.Hour), s.sandbox.ClearFaults)
}

// rejectToken lets the API token be refused until another is in the file.
func (s *simulation) rejectToken() {
	s.sandbox.RevokeToken(s.token)
	if s.rand.IntN(3) > 0 {
		s.sandbox.ExpireAccessTokens()
	}
	s.after(s.between(time.Minute, 2*time.Hour), func() {
		s.token = fmt.Sprintf("token-%d-nobody-may-see", s.rand.IntN(1_000_000))
		s.sandbox.AddToken(sandbox.User{Token: s.token, ID: "automation-id", Name: "automation"})
		s.write(s.tokenFile(), s.token)
	})
}

func (s *simulation) expireTokens() { s.sandbox.ExpireAccessTokens() }

// takeRole takes the user's rights for a while.
func (s *simulation) takeRole() {
	s.sandbox.SetRole("automation-id", "viewer")
	s.after(s.between(5*time.Minute, 2*time.Hour), func() { s.sandbox.SetRole("automation-id", "admin") })
}

// endBadly lets the next activity somewhere not succeed.
func (s *simulation) endBadly() {
	s.sandbox.NextResult(s.project(), "", choose(s, sandbox.Failure, sandbox.HookFailure, sandbox.Cancelled, sandbox.Staged))
}

// interfere lets somebody else do something.
func (s *simulation) interfere() {
	kind := choose(s, "environment.backup", "environment.redeploy", "environment.synchronize", "environment.source-operation")
	for range 1 + s.rand.IntN(20) {
		s.sandbox.StartActivity(s.project(), choose(s, everywhere...), kind, "somebody")
	}
}

// changeStatus lets an environment be something else for a while.
func (s *simulation) changeStatus() {
	project, name := s.project(), choose(s, everywhere...)
	was := func(status string, dirty bool) func(*sandbox.Environment) {
		return func(e *sandbox.Environment) { e.Status, e.Dirty = status, dirty }
	}
	s.sandbox.SetEnvironment(project, name, choose(s, was("paused", false), was("inactive", false), was("active", true), was("active", true)))
	s.after(s.between(2*time.Minute, 3*time.Hour), func() { s.sandbox.SetEnvironment(project, name, was("active", false)) })
}

// restart ends the process and starts another, at once or much later.
func (s *simulation) restart() {
	s.end()
	s.absent()
}

func (s *simulation) killSometime() {
	s.kill()
	s.absent()
}

// killAtRequest kills the process just before or after one of the next requests.
func (s *simulation) killAtRequest() {
	s.gate.set(trap{changes: s.rand.IntN(4) > 0, left: s.rand.IntN(5), after: s.rand.IntN(2) == 0})
	deadline := time.Now().Add(6 * time.Hour)
	for {
		until := deadline
		if len(s.later) > 0 && s.later[0].at.Before(until) {
			until = s.later[0].at
		}
		select {
		case <-s.gate.dead:
			s.kill()
			s.absent()
			return
		case <-time.After(time.Until(until)):
		}
		if until.Equal(deadline) {
			s.killSometime()
			return
		}
		s.endFirst()
	}
}

// absent is the time without a process. The configuration may have changed when it is over.
func (s *simulation) absent() {
	d := s.between(time.Second, 9*time.Hour)
	if s.rand.IntN(2) == 0 {
		d = s.between(time.Second, 5*time.Minute)
	}
	s.pass(time.Now().Add(d))
	if s.rand.IntN(4) == 0 {
		s.change()
	}
	s.configure()
	s.start()
}

// edit changes some crons and reloads.
func (s *simulation) edit() {
	s.change()
	s.configure()
	s.reload()
}

// change gives some crons another spec, or takes them out of the configuration, or brings them back.
func (s *simulation) change() {
	for range 1 + s.rand.IntN(5) {
		c := choose(s, s.crons...)
		spec := cmp.Or(choose(s, c.spec, c.edited, ""), c.spec)
		if s.history.spec(c) == spec {
			spec = ""
		}
		s.history.set(c, spec, time.Now())
	}
}

func (s *simulation) suspendSomething() {
	name := control.AllCrons
	if s.rand.IntN(4) > 0 {
		c := choose(s, s.crons...)
		if s.history.spec(c) == "" {
			return
		}
		name = c.name
	}
	until := time.Time{}
	if s.rand.IntN(3) > 0 {
		until = time.Now().Add(s.between(10*time.Minute, 12*time.Hour))
	}
	s.suspend(name, until)
}

// resumeSomething ends a suspension, if there is one.
func (s *simulation) resumeSomething() {
	names := []string{control.AllCrons}
	for _, c := range s.crons {
		if s.history.spec(c) != "" && s.history.isSuspended(c.name) {
			names = append(names, c.name)
		}
	}
	s.resume(choose(s, names...))
}
