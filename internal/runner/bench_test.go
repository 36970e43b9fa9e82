package runner

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/inventory"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/scheduler"
	"github.com/automatond/automatond/internal/secret"
)

const burst = 1000

// BenchmarkBurst takes 1,000 declared backups on 1,000 projects from their fire to the recorded
// answer, over loopback. Its processor time includes the platform's side of the requests. Package
// bench measures the same from outside, with processes of their own.
func BenchmarkBurst(b *testing.B) {
	api := &burstAPI{}
	server := httptest.NewServer(api)
	defer server.Close()
	dir := b.TempDir()
	batch := burstFires(b, dir)

	log := zerolog.New(io.Discard)
	store, err := ledger.Open(b.Context(), ledger.Options{Dir: filepath.Join(dir, "data"), Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	limiter := platform.NewLimiter(platform.LimiterOptions{})
	client, err := platform.New(platform.Options{
		APIURL: server.URL, AuthURL: server.URL, User: "bot", Token: secret.FromEnv("TOKEN", token),
		Limiter: limiter, UserAgent: "automatond/bench", Logger: log,
	})
	if err != nil {
		b.Fatal(err)
	}
	of := func(string) *platform.Client { return client }
	lease, err := NewLease(b.Context(), LeaseOptions{Ledger: store, Replica: ledger.Replica{StartedAt: time.Now()}, TTL: time.Hour, Exclusive: true, Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	jobs := map[string]*job.Job{}
	for _, f := range batch {
		jobs[f.Job.Name] = f.Job
	}
	known := inventory.New(inventory.Options{Client: of, Logger: log})
	r := New(Options{
		Ledger: store, Lease: lease, Limiter: limiter, Client: of, Inventory: known,
		Job:     func(name string) *job.Job { return jobs[name] },
		Timing:  Timing{PollFirst: time.Hour, PollMax: time.Hour},
		Metrics: NewMetrics(prometheus.NewRegistry()), Logger: log,
	})
	for _, f := range batch {
		if _, err := known.Environments(b.Context(), f.Project.ID, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(b.Context()) }()

	b.ReportAllocs()
	b.ResetTimer()
	api.measure(b, func(i int) time.Time {
		at := time.Now().Truncate(time.Second).Add(2 * time.Second)
		for n := range batch {
			batch[n].ScheduledAt = at
		}
		time.Sleep(time.Until(at.Add(-time.Second))) // fires leave the scheduler ahead
		r.Fire(batch)
		time.Sleep(time.Until(at))
		for r.tracker.count() < (i+1)*burst {
			time.Sleep(20 * time.Millisecond) // seldom: counting costs as much as a dispatch
		}
		return at
	})
}

// BenchmarkBare sends the same requests from 32 workers and does nothing else.
func BenchmarkBare(b *testing.B) {
	api := &burstAPI{}
	server := httptest.NewServer(api)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	api.measure(b, func(int) time.Time {
		at := time.Now()
		var next atomic.Int64
		var workers sync.WaitGroup
		for range 32 {
			workers.Go(func() {
				for n := next.Add(1); n <= burst; n = next.Add(1) {
					url := fmt.Sprintf("%s/projects/p%04d/environments/main/backup", server.URL, n-1)
					response, err := client.Post(url, "application/json", strings.NewReader(`{"safe":true}`))
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
			})
		}
		workers.Wait()
		return at
	})
}

// measure times rounds of a burst, and reports when the last request of each arrived after the time that the
// round returns.
func (a *burstAPI) measure(b *testing.B, round func(i int) time.Time) {
	var cpu, last []time.Duration
	for i := range b.N {
		before := cpuTime()
		at := round(i)
		cpu = append(cpu, cpuTime()-before)
		last = append(last, time.Unix(0, a.latest.Load()).Sub(at))
	}
	b.StopTimer()
	if n := a.posts.Load(); n != int64(b.N*burst) {
		b.Fatalf("%d requests for %d runs", n, b.N*burst)
	}
	// The quickest quarter says more of the code than of what else the machine did.
	b.ReportMetric(lowerQuartile(cpu).Seconds()*1e6/burst, "cpu-us/dispatch")
	b.ReportMetric(lowerQuartile(last).Seconds()*1e3, "last-ms")
}

func lowerQuartile(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/4]
}

// count returns how many dispatches are followed.
func (t *tracker) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, p := range t.projects {
		n += len(p.dispatches)
	}
	return n
}

func burstFires(b *testing.B, dir string) []scheduler.Fire {
	var text strings.Builder
	text.WriteString("automation_users: {bot: {token_env: TOKEN}}\nprojects:\n")
	for i := range burst {
		fmt.Fprintf(&text, "    p%04d: {id: p%04d}\n", i, i)
	}
	text.WriteString("crons:\n")
	for i := range burst {
		fmt.Fprintf(&text, "    backup-%04d: {spec: '* * * * *', projects: [p%04d], overlap: allow, task: {backup: {}}}\n", i, i)
	}
	file := filepath.Join(dir, "automatond.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	environment := map[string]string{"TOKEN": token}
	cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, LookupEnv: func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}})
	if cfg == nil {
		b.Fatalf("load: %v", diagnostics)
	}
	var batch []scheduler.Fire
	for _, j := range cfg.Jobs {
		batch = append(batch, scheduler.Fire{Job: j, Project: j.Projects[0]})
	}
	return batch
}

// burstAPI answers at once, with the fields that the platform's answers have.
type burstAPI struct {
	posts  atomic.Int64
	latest atomic.Int64 // when the latest arrived, Unix nanoseconds
}

func (a *burstAPI) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/projects/"), "/")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case req.Method == http.MethodPost && rest == "environments/main/backup":
		a.latest.Store(time.Now().UnixNano())
		io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"status":"Accepted","code":202,"_embedded":{"activities":[{"id":"a%d","type":"environment.backup",`+
			`"state":"pending","result":null,"completion_percent":0,"project":%q,"environments":["main"],`+
			`"created_at":"2026-08-02T05:00:03.417000+00:00","started_at":null,"completed_at":null,`+
			`"text":"bot created a backup of Main","payload":{"user":{"id":"bot"}}}]}}`, a.posts.Add(1), id)
	case req.Method == http.MethodPost:
		io.WriteString(w, `{"access_token":"access","expires_in":900,"token_type":"bearer"}`)
	case rest == "":
		fmt.Fprintf(w, `{"id":%q,"default_branch":"main","_links":{"environments":{"href":"/projects/%[1]s/environments"}}}`, id)
	default:
		fmt.Fprintf(w, `[{"id":"main","name":"main","type":"production","status":"active","project":%q,`+
			`"_links":{"#backup":{"href":"/projects/%[1]s/environments/main/backup"}}}]`, id)
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
