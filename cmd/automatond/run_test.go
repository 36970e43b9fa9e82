package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

// seed is the cron of the vendor's documentation, with nothing but its spec changed.
const seed = `
crons:
    snapshot:
        spec: '* * * * *'
        cmd: |
            if [ "$PLATFORM_BRANCH" = master ]; then
                platform snapshot:create --yes --no-wait
            fi
`

// TestRun_FiresTheDocumentedCronAtTheMinute waits for a real minute, beside an API whose backup link
// has the singular path, one whose link has the plural path, and on another branch.
func TestRun_FiresTheDocumentedCronAtTheMinute(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the next minute")
	}
	cases := []struct {
		name, branch string
		plural       bool
		posts        int
		outcome      string
		reason       string
	}{
		{"on its branch", "master", false, 1, "succeeded", ""},
		{"a link of its own", "master", true, 1, "succeeded", ""},
		{"on another branch", "staging", false, 0, "skipped", "guard"},
	}
	untilSafe() // all of them start within the same minute
	sites, daemons := make([]*site, len(cases)), make([]*daemon, len(cases))
	for i, c := range cases {
		sites[i] = newSite(t, sandbox.Options{
			ActivityDuration: time.Second, PluralBackupPath: c.plural,
			Projects: []sandbox.Project{{ID: "shop", DefaultBranch: "master"}},
		}, seed)
		sites[i].env = append(sites[i].env, "PLATFORM_PROJECT=shop", "PLATFORM_BRANCH="+c.branch)
		daemons[i] = sites[i].start()
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, d := sites[i], daemons[i]
			series := `automatond_runs_total{cron="snapshot",outcome="` + c.outcome + `",reason="` + c.reason + `"}`
			d.eventually("ready", d.ready)
			if got := d.metric(series); i == 0 && got != "0" {
				t.Errorf("%s is %q before the first fire, want 0", series, got)
			}
			d.eventually("the outcome in the metrics", func() bool { return d.metric(series) == "1" })
			d.stop()

			posts := s.posts()
			if len(posts) != c.posts {
				t.Fatalf("%d requests, want %d: %+v", len(posts), c.posts, posts)
			}
			for _, p := range posts {
				if p.Body != `{"safe":true}` {
					t.Errorf("body %s, want {\"safe\":true}", p.Body)
				}
				if second := p.At.Second(); second != 0 {
					t.Errorf("sent at second %d of the minute, want 0", second)
				}
			}
			if records := s.records(); len(records) != 1 || string(records[0].Outcome) != c.outcome || string(records[0].Reason) != c.reason {
				t.Errorf("records %+v, want one %s/%s", records, c.outcome, c.reason)
			}
			contains(t, d.log.String(), `"message":"first fire scheduled"`)
			s.holdsNoToken()
		})
	}
}

// untilSafe waits while a minute is about to begin.
func untilSafe() {
	if second := time.Now().Second(); second > 50 {
		time.Sleep(time.Duration(60-second) * time.Second)
	}
}

// holdsNoToken looks for the API token in every file of the data directory.
func (s *site) holdsNoToken() {
	s.t.Helper()
	err := filepath.Walk(s.data(), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), apiToken) {
			s.t.Errorf("the API token is in %s", path)
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}

// TestRun_NeverShowsAToken goes through every fault and looks at every output.
func TestRun_NeverShowsAToken(t *testing.T) {
	faults := map[string][]sandbox.Fault{
		"lost after":    {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetAfter, Times: 1}},
		"lost before":   {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.ResetBefore, Times: 1}},
		"unauthorized":  {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 401, Times: 1}},
		"forbidden":     {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 403, Times: 9}},
		"server error":  {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Status, Status: 503, Times: 9}},
		"a page":        {{PathSuffix: "/environments", Kind: sandbox.HTML, Times: 2}, {Method: "POST", PathSuffix: "/backup", Kind: sandbox.HTML, Times: 9}},
		"half a body":   {{Method: "POST", PathSuffix: "/backup", Kind: sandbox.Truncated, Times: 1}},
		"sick tokens":   {{PathSuffix: "/oauth2/token", Kind: sandbox.Status, Status: 500, Times: 2}},
		"cut tokens":    {{PathSuffix: "/oauth2/token", Kind: sandbox.Truncated, Times: 2}},
		"html tokens":   {{PathSuffix: "/oauth2/token", Kind: sandbox.HTML, Times: 2}},
		"echoing token": {{PathSuffix: "/oauth2/token", Kind: sandbox.Status, Status: 400, Times: 2, Body: `{"error":"` + apiToken + `"}`}},
		"no fault":      {},
	}
	for name, list := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := justNow()
			s := newSite(t, sandbox.Options{Open: true, ActivityDuration: time.Second}, hourly(1, at))
			for _, f := range list {
				s.server.Inject(f)
			}
			s.owe(at.Add(-time.Minute))
			d := s.start("--test.settle", "1s", "--test.request-timeout", "1s", "--log.level", "debug")
			d.eventually("an outcome", func() bool {
				return len(d.lines("run ended"))+len(d.lines("fire ended without a run")) > 0
			})
			web, probes := d.addresses()
			for _, page := range []string{web + "/", web + "/metrics", web + "/-/ready", probes + "/-/healthy", probes + "/metrics"} {
				d.get(page) // looks for the token
			}
			d.stop()
			for _, e := range s.server.Journal() {
				if strings.HasPrefix(e.Path, "/api") && strings.Contains(e.Query+e.Body, apiToken) {
					t.Errorf("the API token was sent to %s %s", e.Method, e.Path)
				}
			}
			s.holdsNoToken()
		})
	}
}

// TestRun_StaysReadyWithoutThePlatform holds that a rejected token, or a platform that is gone, does
// not take the pod out of service.
func TestRun_StaysReadyWithoutThePlatform(t *testing.T) {
	for name, c := range map[string]struct {
		hurt   func(*site)
		series string // not zero once the platform was asked in vain
	}{
		"token rejected": {
			func(s *site) { s.server.RevokeToken(apiToken) },
			`automatond_runs_total{cron="backup0000",outcome="failed",reason="auth"}`,
		},
		"platform gone": {
			func(s *site) { s.server.Close() },
			`automatond_api_requests_total{code="error",endpoint="/oauth2/token"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := justNow()
			s := newSite(t, sandbox.Options{Open: true}, hourly(1, at))
			s.owe(at.Add(-time.Minute))
			c.hurt(s)
			d := s.start()
			d.eventually(c.series, func() bool { return !slices.Contains([]string{"", "0"}, d.metric(c.series)) })
			web, probes := d.addresses()
			for _, page := range []string{web + "/-/healthy", web + "/-/ready", probes + "/-/healthy", probes + "/-/ready", probes + "/healthz", probes + "/readyz"} {
				if status, body := d.get(page); status != http.StatusOK {
					t.Errorf("%s answers %d %s, want 200", page, status, body)
				}
			}
			if valid := d.metric(`automatond_token_valid{user="default"}`); valid != "0" {
				t.Errorf("automatond_token_valid is %q, want 0", valid)
			}
			d.stop()
		})
	}
}

// TestRun_IsNotReadyWhenItsDataDirectoryIsInUse starts a second daemon beside the first.
func TestRun_IsNotReadyWhenItsDataDirectoryIsInUse(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, hourly(1, justNow()))
	first := s.start()
	first.eventually("ready", first.ready)
	second := s.start()
	second.eventually("a message", func() bool { return strings.Contains(second.log.String(), "in use") })
	if second.ready() {
		t.Error("ready without its data directory")
	}
	first.stop()
	second.eventually("ready once the other is gone", second.ready)
	second.stop()
}

func TestRun_RefusesTheLedgerOfAnotherEnvironment(t *testing.T) {
	s := newSite(t, sandbox.Options{Open: true}, "crons: {backup: {spec: '0 5 29 2 *', task: {backup: {}}}}\n")
	s.env = append(s.env, "PLATFORM_PROJECT=shopid", "PLATFORM_BRANCH=main")
	d := s.start()
	d.eventually("ready", d.ready)
	d.stop()
	var health struct{ Installation, Project, Branch string }
	if err := json.Unmarshal([]byte(s.mustCommand("ledger", "check", "-o", "json")), &health); err != nil || health.Branch != "main" {
		t.Fatalf("%+v, %v", health, err)
	}

	s.env = append(s.env, "PLATFORM_BRANCH=feature") // the last one counts
	d = s.start()
	d.refuses()
	for _, want := range []string{
		"installation " + health.Installation + " is for project shopid, branch main, and this is project shopid, branch feature",
		"move ledger.db, ledger.db-wal and ledger.db-shm there away", "automatond run --adopt-ledger " + health.Installation,
	} {
		contains(t, d.log.String(), want)
	}

	for range 2 { // the flag may stay
		d = s.start("--adopt-ledger", health.Installation)
		d.eventually("ready", d.ready)
		d.stop()
	}
	contains(t, s.mustCommand("ledger", "check", "-o", "json"), `"branch": "feature"`)
}
