package sandbox

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entry is a request that reached the platform. No header is kept, and of the
// token endpoint's form no token.
type Entry struct {
	At       time.Time // arrival, on this machine's clock
	Method   string
	Path     string // as sent, so with escaped slashes
	Query    string
	Body     string
	User     string // id; "" when the request had no valid access token
	Status   int    // of the answer; 0 while there is none, and when it was lost
	Fault    string // kind of the fault that struck; "" = none
	Executed bool   // an operation took effect; reads and tokens have none
}

// Journal lists the requests in the order of their arrival.
func (s *Sandbox) Journal() []Entry { return s.journal.list(nil) }

// Posts lists the POST requests whose path ends like this.
func (s *Sandbox) Posts(pathSuffix string) []Entry {
	return s.journal.list(func(e *Entry) bool {
		return e.Method == "POST" && strings.HasSuffix(e.Path, pathSuffix)
	})
}

// journal is the record of requests.
type journal struct {
	limit int // entries kept at least; 0 = all

	mu      sync.Mutex
	entries []*Entry
}

// arrive adds a request, to be completed by answered.
func (j *journal) arrive(e *Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	if j.limit > 0 && len(j.entries) > 2*j.limit {
		j.entries = slices.Clone(j.entries[len(j.entries)-j.limit:])
	}
}

// change completes an entry.
func (j *journal) change(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

func (j *journal) list(choose func(*Entry) bool) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []Entry
	for _, e := range j.entries {
		if choose == nil || choose(e) {
			list = append(list, *e)
		}
	}
	return list
}

// withoutTokens hides the secrets of a form sent to the token endpoint.
func withoutTokens(body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "<unreadable form>"
	}
	for _, key := range []string{"api_token", "token", "refresh_token", "client_secret"} {
		if form.Get(key) != "" {
			form[key] = []string{"<redacted>"}
		}
	}
	return form.Encode()
}
