package inventory

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/logtest"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/secret"
)

const listPath = "/projects/shop/environments"

// world is an inventory of a simulated platform, in the bubble's time.
type world struct {
	*Inventory
	platform *sandbox.Sandbox
	client   *platform.Client
	registry *prometheus.Registry
	log      *logtest.Log
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{registry: prometheus.NewRegistry(), log: &logtest.Log{}}
	w.platform = sandbox.New(sandbox.Options{Projects: []sandbox.Project{{ID: "shop", DefaultBranch: "trunk", Environments: []sandbox.Environment{
		{Name: "trunk"}, {Name: "feature/x"},
	}}}, Open: true})
	var err error
	w.client, err = platform.New(platform.Options{
		APIURL: "http://sandbox.test", AuthURL: "http://sandbox.test", User: "bot",
		Token: secret.FromEnv("TOKEN", "t"), Transport: w.platform.Transport(), Logger: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Client: func(project string) *platform.Client {
			if project == "stranger" {
				return nil
			}
			return w.client
		},
		Metrics: NewMetrics(w.registry), Logger: zerolog.New(w.log),
	}
	for _, f := range change {
		f(&o)
	}
	w.Inventory = New(o)
	return w
}

// reads counts the requests that ended with a path.
func (w *world) reads(suffix string) int {
	n := 0
	for _, e := range w.platform.Journal() {
		if e.Method == "GET" && strings.HasSuffix(e.Path, suffix) {
			n++
		}
	}
	return n
}

func names(l Listing) []string {
	var all []string
	for _, e := range l.Environments {
		all = append(all, e.ID)
	}
	slices.Sort(all)
	return all
}

func TestInventory_ListsAndKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, ok := w.Cached("shop", time.Hour); ok {
			t.Error("a listing before any was read")
		}
		if _, ok := w.Last("shop"); ok {
			t.Error("a last listing before any was read")
		}
		l, err := w.Environments(t.Context(), "shop", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(names(l), []string{"feature/x", "trunk"}) || l.DefaultBranch != "trunk" || !l.FetchedAt.Equal(time.Now()) {
			t.Errorf("listing %+v", l)
		}
		time.Sleep(time.Minute)
		if _, err := w.Environments(t.Context(), "shop", time.Minute); err != nil || w.reads(listPath) != 1 {
			t.Errorf("%d listings within a minute, want 1 (%v)", w.reads(listPath), err)
		}
		if _, ok := w.Cached("shop", time.Minute); !ok {
			t.Error("not cached at its greatest age")
		}
		time.Sleep(time.Millisecond)
		if _, ok := w.Cached("shop", time.Minute); ok {
			t.Error("cached beyond its greatest age")
		}
		if _, err := w.Environments(t.Context(), "shop", time.Minute); err != nil || w.reads(listPath) != 2 {
			t.Errorf("%d listings after a minute, want 2 (%v)", w.reads(listPath), err)
		}
	})
}

func TestInventory_CallersAtOneTimeShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Latency: time.Second, Times: -1})
		w.platform.Inject(sandbox.Fault{PathSuffix: "/trunk", Latency: time.Second, Times: -1})
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if _, err := w.Environments(t.Context(), "shop", time.Minute); err != nil {
					t.Error(err)
				}
			})
			callers.Go(func() {
				if _, err := w.Environment(t.Context(), "shop", "trunk"); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if lists, single := w.reads(listPath), w.reads("/trunk"); lists != 1 || single != 1 {
			t.Errorf("%d listings and %d reads, want one each", lists, single)
		}
	})
}

func TestInventory_EachCallerWaitsAsLongAsItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Latency: 10 * time.Second})
		var callers sync.WaitGroup
		callers.Go(func() {
			hasty, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			if _, err := w.Environments(hasty, "shop", 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("the hasty one got %v after %s", err, time.Since(began))
			}
		})
		synctest.Wait()
		callers.Go(func() {
			if _, err := w.Environments(t.Context(), "shop", 0); err != nil {
				t.Errorf("the patient one got %v", err)
			}
		})
		callers.Wait()
		if got := w.reads(listPath); got != 1 {
			t.Errorf("%d listings, want 1", got)
		}
	})
}

func TestInventory_RequestEndsWhenNobodyWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Latency: 20 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = w.Environments(ctx, "shop", 0)
		began := time.Now()
		if _, err := w.Environments(t.Context(), "shop", 0); err != nil || time.Since(began) != 0 {
			t.Errorf("the next caller got %v after %s, want its own request at once", err, time.Since(began))
		}
	})
}

func TestInventory_FailureKeepsTheLastKnownListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first, err := w.Environments(t.Context(), "shop", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Kind: sandbox.Status, Status: 500, Times: -1})
		time.Sleep(time.Hour)
		var failed *platform.Error
		if _, err := w.Environments(t.Context(), "shop", time.Minute); !errors.As(err, &failed) || failed.StatusCode != 500 {
			t.Errorf("error %v, want the platform's 500", err)
		}
		last, ok := w.Last("shop")
		if !ok || !last.FetchedAt.Equal(first.FetchedAt) || len(last.Environments) != 2 {
			t.Errorf("last known %+v, want the first listing", last)
		}
	})
}

func TestInventory_DefaultBranchIsKeptAndNeverInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := func(want string) {
			t.Helper()
			began := time.Now()
			l, err := w.Environments(t.Context(), "shop", 0)
			if err != nil || l.DefaultBranch != want || time.Since(began) > branchTimeout {
				t.Errorf("default branch %q after %s, %v; want %q", l.DefaultBranch, time.Since(began), err, want)
			}
			time.Sleep(time.Second)
		}
		list("trunk")
		list("trunk")
		if got := w.reads("/projects/shop"); got != 1 {
			t.Errorf("read %d times within ten minutes, want 1", got)
		}
		time.Sleep(branchAge)
		w.platform.Inject(sandbox.Fault{PathSuffix: "/projects/shop", Kind: sandbox.Status, Status: 404, Times: -1})
		list("trunk")
		list("trunk")
		if got := w.reads("/projects/shop"); got != 2 {
			t.Errorf("read %d times after a failure, want 2: not again at once", got)
		}
		w.platform.ClearFaults()
		w.platform.Inject(sandbox.Fault{PathSuffix: "/projects/shop", Latency: time.Hour})
		time.Sleep(branchPause)
		list("trunk")
		time.Sleep(branchPause)
		list("trunk")
		if got := w.reads("/projects/shop"); got != 4 {
			t.Errorf("read %d times, want 4", got)
		}
	})
}

func TestInventory_ReadingOneUpdatesTheListingAndChangesNoneThatWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before, err := w.Environments(t.Context(), "shop", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		w.platform.SetEnvironment("shop", "feature/x", func(e *sandbox.Environment) { e.Status = "paused" })
		time.Sleep(time.Second)
		env, err := w.Environment(t.Context(), "shop", "feature/x")
		if err != nil || env.Status != "paused" {
			t.Fatalf("%+v, %v", env, err)
		}
		status := func(l Listing) string {
			for _, e := range l.Environments {
				if e.ID == "feature/x" {
					return e.Status
				}
			}
			return "absent"
		}
		after, ok := w.Cached("shop", time.Minute)
		if !ok || status(after) != "paused" || len(after.Environments) != 2 || !after.FetchedAt.Equal(before.FetchedAt) {
			t.Errorf("listing afterwards: %s of %d", status(after), len(after.Environments))
		}
		if status(before) != "active" {
			t.Errorf("the listing given before now says %s", status(before))
		}
		if again, err := w.Environment(t.Context(), "shop", "feature/x"); err != nil || again == env {
			t.Errorf("the second read was not a read: %v", err)
		}
		if _, err := w.Environment(t.Context(), "shop", "gone"); !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("an unknown environment: %v", err)
		}
	})
}

func TestInventory_KeepsTheLinksThatRequestsAreMadeFrom(t *testing.T) {
	for name, tt := range map[string]struct {
		links []string
		check func(platform.Links) bool
	}{
		"all operations": {nil, func(l platform.Links) bool { return l["#backup"] != "" && l["#redeploy"] != "" && l["self"] == "" }},
		"those named":    {[]string{"#backup", "#absent"}, func(l platform.Links) bool { return len(l) == 1 && l["#backup"] != "" }},
		"none":           {[]string{}, func(l platform.Links) bool { return len(l) == 0 }},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Links = tt.links })
			l, err := w.Environments(t.Context(), "shop", 0)
			if err != nil {
				t.Fatal(err)
			}
			env, err := w.Environment(t.Context(), "shop", "trunk")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range append(slices.Clone(l.Environments), env) {
				if !tt.check(e.Links) {
					t.Errorf("%s: kept %v", name, e.Links)
				}
			}
		})
	}
}

func TestInventory_ProjectWithoutAnAutomationUserIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, err := w.Environments(t.Context(), "stranger", 0)
		if !errors.Is(err, platform.ErrForbidden) || !strings.Contains(err.Error(), "stranger") {
			t.Errorf("listing: %v", err)
		}
		if _, err := w.Environment(t.Context(), "stranger", "main"); !errors.Is(err, platform.ErrForbidden) {
			t.Errorf("environment: %v", err)
		}
	})
}

func TestInventory_MetricSaysWhenAProjectWasListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.Environments(t.Context(), "shop", 0); err != nil {
			t.Fatal(err)
		}
		at := float64(time.Now().UnixMicro()) / 1e6
		w.platform.Inject(sandbox.Fault{PathSuffix: listPath, Kind: sandbox.Status, Status: 403})
		time.Sleep(time.Minute)
		_, _ = w.Environments(t.Context(), "shop", 0)
		scrape := httptest.NewRecorder()
		promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{}).ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
		want := `automatond_inventory_last_success_timestamp_seconds{project="shop"} ` + strconv.FormatFloat(at, 'g', -1, 64)
		if !strings.Contains(scrape.Body.String(), want) {
			t.Errorf("scraped:\n%s\nwant %s", scrape.Body, want)
		}
	})
}

// BenchmarkCached is what each fire of a batch pays for its targets.
func BenchmarkCached(b *testing.B) {
	i := New(Options{Logger: zerolog.Nop()})
	for p := range 5000 {
		i.listings[strconv.Itoa(p)] = Listing{FetchedAt: time.Now()}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := i.Cached("2500", time.Hour); !ok {
				b.Fatal("not cached")
			}
		}
	})
}

func TestKeep_ForgetsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Keep([]string{"shop", "blog"})
		for _, project := range []string{"shop", "blog"} {
			if _, err := w.Environments(t.Context(), project, 0); err != nil {
				t.Fatal(err)
			}
		}
		w.Keep([]string{"blog", "news"})
		if _, err := w.Environments(t.Context(), "shop", 0); err != nil {
			t.Errorf("a project that is not kept is not listed: %v", err)
		}
		for project, want := range map[string]bool{"shop": false, "blog": true, "news": false} {
			if _, ok := w.Last(project); ok != want {
				t.Errorf("%s is known: %t, want %t", project, ok, want)
			}
		}
		families, err := w.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var series []string
		for _, m := range families[0].Metric {
			series = append(series, m.Label[0].GetValue())
		}
		if !slices.Equal(series, []string{"blog", "news"}) {
			t.Errorf("series of %q, want blog and news", series)
		}
	})
}
