package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fleet has n projects with 20 environments each.
func fleet(n int) Options {
	o := options()
	o.ActivityDuration = time.Hour
	o.Projects = make([]Project, n)
	for i := range o.Projects {
		o.Projects[i] = Project{ID: fmt.Sprintf("project%04d", i), Environments: make([]Environment, 20)}
		o.Projects[i].Environments[0].Name = "main"
		for j := 1; j < 20; j++ {
			o.Projects[i].Environments[j].Name = fmt.Sprintf("feature/%d", j)
		}
	}
	return o
}

func TestSandbox_TakesEveryRequestOfALargeFleetOnce(t *testing.T) {
	const projects = 5000
	s := New(fleet(projects))
	v := visit(t, s)
	v.login()
	var failed atomic.Int32
	var all sync.WaitGroup
	for i := range projects {
		all.Go(func() {
			path := fmt.Sprintf("/projects/project%04d/environments/main/backup", i)
			r, _ := http.NewRequest("POST", v.base+path, strings.NewReader(`{"safe":true}`))
			r.Header.Set("Authorization", "Bearer "+v.access)
			answer, err := s.Transport().RoundTrip(r)
			if err != nil || answer.StatusCode != 202 {
				failed.Add(1)
			}
		})
	}
	all.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d requests failed", failed.Load())
	}
	seen := map[string]bool{}
	for _, e := range s.Posts("/backup") {
		if !e.Executed || seen[e.Path] {
			t.Fatalf("entry %+v", e)
		}
		seen[e.Path] = true
	}
	if len(seen) != projects {
		t.Errorf("%d posts, want %d", len(seen), projects)
	}
}

func BenchmarkSandbox(b *testing.B) {
	s := New(fleet(100))
	s.accounts.login(apiToken, "access", s.now(), s.now().Add(time.Hour))
	for _, c := range []struct{ name, method, path string }{
		{"list environments", "GET", "/api/projects/project%04d/environments"},
		{"get environment", "GET", "/api/projects/project%04d/environments/main"},
		{"post", "POST", "/api/projects/project%04d/environments/main/backup"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s.options.WithoutLink = Queue
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r, _ := http.NewRequest(c.method, "http://platform.test"+fmt.Sprintf(c.path, i%100), strings.NewReader(""))
				r.Header.Set("Authorization", "Bearer access")
				if answer, err := s.Transport().RoundTrip(r); err != nil || answer.StatusCode/100 != 2 {
					b.Fatal(answer, err)
				}
			}
		})
	}
}
