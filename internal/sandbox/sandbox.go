package sandbox

import (
	"encoding/base32"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sandbox is a simulated platform. Its methods may be called from several
// goroutines. It is an http.Handler that serves the token endpoint and the API
// on one host, the API also under /api.
type Sandbox struct {
	options    Options
	operations []operation
	mux        *http.ServeMux

	accounts accounts
	journal  journal
	faults   faults
	endings  endings
	lastID   atomic.Uint64

	mu       sync.RWMutex
	projects map[string]*project
}

// New returns a platform with the given projects and users.
func New(o Options) *Sandbox {
	o = o.withDefaults()
	s := &Sandbox{
		options:  o,
		journal:  journal{limit: o.JournalLimit},
		projects: make(map[string]*project, len(o.Projects)),
	}
	s.operations = s.everyOperation(o)
	s.accounts.open = len(o.Users) == 0
	for _, u := range o.Users {
		s.accounts.add(u)
	}
	for _, p := range o.Projects {
		s.AddProject(p)
	}
	s.mux = s.routes()
	return s
}

// AddProject adds a project, or replaces the one with its id.
func (s *Sandbox) AddProject(p Project) {
	made := s.newProject(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.projects[p.ID] = made
}

// RemoveProject deletes a project.
func (s *Sandbox) RemoveProject(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.projects, id)
}

// SetEnvironment changes an environment, which is added if the project has none
// of that name; so is the project. The change must not use the sandbox.
func (s *Sandbox) SetEnvironment(project, environment string, change func(*Environment)) {
	p := s.project(project)
	if p == nil {
		p = s.addMissing(project)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(s.now())
	e := p.environment(environment)
	if e == nil {
		e = p.add(Environment{Name: environment}, s.now())
	}
	change(&e.Environment)
}

// AddToken gives a user an API token, or an existing token to another user.
func (s *Sandbox) AddToken(u User) { s.accounts.add(u) }

// RevokeToken makes the token endpoint refuse an API token. Access tokens that
// were issued for it stay valid until they expire, as on the real platform.
func (s *Sandbox) RevokeToken(token string) { s.accounts.revoke(token) }

// ExpireAccessTokens ends the life of every access token now.
func (s *Sandbox) ExpireAccessTokens() { s.accounts.expire() }

// SetRole changes what a user may do. The user is named by API token or by id;
// the role is as in User.
func (s *Sandbox) SetRole(user, role string) { s.accounts.setRole(user, role) }

// project returns a project, or nil. When the sandbox is open it makes those it
// does not have.
func (s *Sandbox) project(id string) *project {
	s.mu.RLock()
	p := s.projects[id]
	s.mu.RUnlock()
	if p == nil && s.options.Open {
		p = s.addMissing(id)
	}
	return p
}

// addMissing adds a project with its default environments, unless it is there.
func (s *Sandbox) addMissing(id string) *project {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.projects[id]; p != nil {
		return p
	}
	p := s.newProject(Project{ID: id})
	s.projects[id] = p
	return p
}

// peek calls look with an environment, or with what stands for the project when its name is "". There may be
// none.
func (s *Sandbox) peek(project, name string, look func(*environment)) {
	p := s.project(project)
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(s.now())
	if e := p.holder(name); e != nil {
		look(e)
	}
}

// everyProject returns all projects, ordered by id.
func (s *Sandbox) everyProject() []*project {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*project, 0, len(s.projects))
	for _, p := range s.projects {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *project) int { return strings.Compare(a.id, b.id) })
	return list
}

// now is the time on the platform's clock.
func (s *Sandbox) now() time.Time { return time.Now().UTC().Add(s.options.ClockSkew) }

// newID returns an id that looks like the platform's: 13 letters and digits.
// The mixing is a bijection, so that no id comes twice.
func (s *Sandbox) newID() string {
	x := uint64(s.options.Seed) + s.lastID.Add(1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return lettered(x ^ x>>31)
}

// lettered writes a number with 13 letters and digits.
func lettered(x uint64) string {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], x)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))
}

// hashed returns a number that depends on nothing but the words.
func hashed(words ...string) uint64 {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3 // of FNV-1a
	h := uint64(offset)
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * prime
		}
		h *= prime // as after a zero byte
	}
	return h
}
