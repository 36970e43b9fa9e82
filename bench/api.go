package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	apiToken    = "bench-api-token"
	bearer      = "Bearer bench-access-token"
	backupBody  = `{"safe":true}`
	stampLayout = "2006-01-02T15:04:05.000000-07:00" // as the API writes times
)

// api is a platform on loopback that answers at once: encoded beforehand, nothing stored, no
// faults. It serves the projects of the current round and notes when each POST arrives.
type api struct {
	URL     string
	server  *http.Server
	current atomic.Pointer[round]
}

func startAPI() (*api, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the loopback API: %w", err)
	}
	a := &api{URL: "http://" + listener.Addr().String()}
	a.current.Store(&round{})
	// A killed client's half-sent request is no news here.
	a.server = &http.Server{Handler: a, ErrorLog: log.New(io.Discard, "", 0)}
	go a.server.Serve(listener) // ends with Close
	return a, nil
}

func (a *api) Close() error { return a.server.Close() }

// load makes r the round that is served from now on.
func (a *api) load(r *round) { a.current.Store(r) }

// ServeHTTP routes by hand, because a client's cost is measured beside it. Paths are the
// platform's, with and without its /api prefix.
func (a *api) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := time.Now()
	path := strings.TrimPrefix(req.URL.Path, "/api")
	if path == "/oauth2/token" {
		answer(w, http.StatusOK, tokenAnswer)
		return
	}
	if req.Header.Get("Authorization") != bearer {
		answer(w, http.StatusUnauthorized, unauthorizedAnswer)
		return
	}
	if path == "/users/me" {
		answer(w, http.StatusOK, userAnswer)
		return
	}
	rest, ok := strings.CutPrefix(path, "/projects/")
	if !ok {
		answer(w, http.StatusNotFound, notFoundAnswer)
		return
	}
	id, rest, _ := strings.Cut(rest, "/")
	r := a.current.Load()
	p := r.byID[id]
	if p == nil {
		answer(w, http.StatusNotFound, notFoundAnswer)
		return
	}
	p.underWay.enter()
	defer p.underWay.leave()
	if req.Method == http.MethodPost {
		r.post(w, req, p, rest, at)
		return
	}
	r.get(w, req, p, rest)
}

var (
	tokenAnswer        = []byte(`{"access_token":"bench-access-token","expires_in":900,"token_type":"bearer"}`)
	userAnswer         = []byte(`{"id":"bench-user","username":"bench-bot"}`)
	unauthorizedAnswer = []byte(`{"code":401,"title":"Unauthorized","message":"The bearer is not the one handed out"}`)
	notFoundAnswer     = []byte(`{"code":404,"title":"Not Found","message":"Not found"}`)
	emptyList          = []byte(`[]`)
)

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	w.Write(body) // a client that is gone is noticed by what it did not send
}

var jsonType = []string{"application/json"}

// round is what one measurement asks of the API: its projects, and what arrived for each.
type round struct {
	projects []*project
	byID     map[string]*project

	expected int64        // projects whose POST is to arrive
	arrived  atomic.Int64 // projects whose POST arrived
	repeated atomic.Int64 // POSTs beyond a project's first
	wrong    atomic.Int64 // POSTs to another path or with another body
	reads    atomic.Int64 // GET requests
	listed   atomic.Int64 // projects whose environments were listed
	followed atomic.Int64 // projects whose activity was read after its POST

	all   chan struct{} // closed when every expected POST has arrived
	ended chan struct{} // closed when every project's activity was read as well
}

// project is one project of a round, with its encoded answers.
type project struct {
	id    string
	delay time.Duration // from the arrival of a POST to its answer

	self, environments, environment, accepted, activity, activities []byte

	fault fault

	post     atomic.Int64 // when the first POST arrived, Unix nanoseconds; 0 before
	listings atomic.Int64
	underWay gauge // requests
	followed atomic.Bool
}

// newRound prepares a round whose POSTs are due at the given time. Every id is a project with one
// active environment, main; delay says how long its POSTs take.
func newRound(ids []string, at time.Time, delay func(i int) time.Duration) *round {
	r := &round{
		projects: make([]*project, len(ids)),
		byID:     make(map[string]*project, len(ids)),
		expected: int64(len(ids)),
		all:      make(chan struct{}),
		ended:    make(chan struct{}),
	}
	for i, id := range ids {
		p := newProject(id, at)
		if delay != nil {
			p.delay = delay(i)
		}
		r.projects[i], r.byID[id] = p, p
	}
	return r
}

// newProject encodes a project's answers. Shapes follow the API's OpenAPI description.
func newProject(id string, at time.Time) *project {
	stamp := at.UTC().Format(stampLayout)
	base := "/api/projects/" + id
	environment := fmt.Sprintf(`{"id":"main","name":"main","machine_name":"main-bvxea6i","title":"Main",`+
		`"project":%q,"type":"production","status":"active","parent":null,"is_main":true,"is_dirty":false,`+
		`"has_staged_activities":false,"created_at":"2025-02-03T09:12:44.120000+00:00",`+
		`"updated_at":"2025-02-03T09:12:44.120000+00:00","last_backup_at":null,"_links":{`+
		`"self":{"href":"%[2]s/environments/main"},"#edit":{"href":"%[2]s/environments/main"},`+
		`"#backup":{"href":"%[2]s/environments/main/backup"},`+
		`"#redeploy":{"href":"%[2]s/environments/main/redeploy"}}}`, id, base)
	activity := func(state, result, completed string, percent int) string {
		return fmt.Sprintf(`{"id":"a%[1]s","type":"environment.backup","state":%[2]q,"result":%[3]s,`+
			`"completion_percent":%[4]d,"project":%[1]q,"environments":["main"],"created_at":%[5]q,`+
			`"started_at":%[6]s,"completed_at":%[6]s,"text":"bench-bot created a backup of Main",`+
			`"payload":{"user":{"id":"bench-user"}},"_links":{"self":{"href":"%[7]s/activities/a%[1]s"}}}`,
			id, state, result, percent, stamp, completed, base)
	}
	over := activity("complete", `"success"`, `"`+stamp+`"`, 100)
	return &project{
		id: id,
		self: fmt.Appendf(nil, `{"id":%q,"title":"Bench","default_branch":"main","_links":{`+
			`"self":{"href":"%[2]s"},"environments":{"href":"%[2]s/environments"}}}`, id, base),
		environments: []byte("[" + environment + "]"),
		environment:  []byte(environment),
		accepted: []byte(`{"status":"Accepted","code":202,"_embedded":{"activities":[` +
			activity("pending", "null", "null", 0) + `]}}`),
		activity:   []byte(over),
		activities: []byte("[" + over + "]"),
	}
}

// post notes a backup request and answers it when the project's delay is over.
func (r *round) post(w http.ResponseWriter, req *http.Request, p *project, rest string, at time.Time) {
	var buf [64]byte
	n, err := io.ReadFull(req.Body, buf[:])
	if rest != "environments/main/backup" || err != io.ErrUnexpectedEOF || !isBackup(buf[:n]) {
		r.wrong.Add(1)
		answer(w, http.StatusNotFound, notFoundAnswer)
		return
	}
	if p.post.CompareAndSwap(0, at.UnixNano()) {
		if r.arrived.Add(1) == r.expected {
			close(r.all)
		}
	} else {
		r.repeated.Add(1)
	}
	if p.fail(w, req, rest) {
		return
	}
	if p.delay > 0 {
		select {
		case <-time.After(p.delay):
		case <-req.Context().Done():
			return
		}
	}
	answer(w, http.StatusAccepted, p.accepted)
}

// isBackup compares with backupBody, whatever white space an encoder put in.
func isBackup(body []byte) bool {
	text := strings.ReplaceAll(strings.TrimSpace(string(body)), " ", "")
	return text == backupBody
}

func (r *round) get(w http.ResponseWriter, req *http.Request, p *project, rest string) {
	r.reads.Add(1)
	switch {
	case rest == "":
		answer(w, http.StatusOK, p.self)
	case rest == "environments":
		if p.listings.Add(1) == 1 {
			r.listed.Add(1)
		}
		if !p.fail(w, req, rest) {
			answer(w, http.StatusOK, p.environments)
		}
	case rest == "environments/main":
		answer(w, http.StatusOK, p.environment)
	case rest == "environments/main/backups":
		answer(w, http.StatusOK, emptyList)
	case rest == "activities" || rest == "environments/main/activities":
		// The one activity exists once it was asked for, and stands on the first page.
		if p.post.Load() == 0 || strings.Contains(req.URL.RawQuery, "starts_at=") {
			answer(w, http.StatusOK, emptyList)
			return
		}
		answer(w, http.StatusOK, p.activities)
		r.follow(p)
	case strings.HasSuffix(rest, "activities/a"+p.id) && p.post.Load() != 0:
		answer(w, http.StatusOK, p.activity)
		r.follow(p)
	default:
		answer(w, http.StatusNotFound, notFoundAnswer)
	}
}

func (r *round) follow(p *project) {
	if p.followed.CompareAndSwap(false, true) && r.followed.Add(1) == int64(len(r.projects)) {
		close(r.ended)
	}
}

// delays returns how long after the given time each chosen project's POST arrived; nil chooses
// all. Projects without a POST are left out.
func (r *round) delays(at time.Time, choose func(i int) bool) delays {
	list := make(delays, 0, len(r.projects))
	for i, p := range r.projects {
		if post := p.post.Load(); post != 0 && (choose == nil || choose(i)) {
			list = append(list, time.Unix(0, post).Sub(at))
		}
	}
	return list
}

// await waits for a channel of the round, at most until the given time.
func await(ctx context.Context, ch <-chan struct{}, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ch:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}
