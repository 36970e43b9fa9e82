package sandbox

import (
	"slices"
	"sync"
	"time"
)

// accounts are the users, their API tokens, and the access tokens they got.
type accounts struct {
	open bool // every API token that was not revoked is accepted

	mu      sync.RWMutex
	users   []*User // in the order in which they were added
	revoked []string
	access  map[string]session
	sweepAt time.Time // when to forget the access tokens that have expired
}

// session is the life of an access token.
type session struct {
	user    *User
	expires time.Time
}

func (a *accounts) add(u User) {
	u = u.withDefaults()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = slices.DeleteFunc(a.revoked, func(t string) bool { return t == u.Token })
	if u.Token != "" {
		a.users = slices.DeleteFunc(a.users, func(x *User) bool { return x.Token == u.Token })
	}
	a.users = append(a.users, &u)
}

func (a *accounts) revoke(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = append(a.revoked, token)
}

func (a *accounts) expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.access)
}

func (a *accounts) setRole(user, role string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range a.users {
		if u.Token == user || u.ID == user {
			u.Role = role
		}
	}
}

func (a *accounts) byID(id string) (User, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, u := range a.users {
		if u.ID == id {
			return *u, true
		}
	}
	return User{}, false
}

// login exchanges an API token for the access token given, which becomes valid.
func (a *accounts) login(token, access string, now, expires time.Time) (User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.owner(token)
	if u == nil {
		return User{}, false
	}
	if a.access == nil {
		a.access = map[string]session{}
	}
	if now.After(a.sweepAt) {
		for t, s := range a.access {
			if !now.Before(s.expires) {
				delete(a.access, t)
			}
		}
		a.sweepAt = expires
	}
	a.access[access] = session{u, expires}
	return *u, true
}

// owner is the user whose API token this is, or nil.
func (a *accounts) owner(token string) *User {
	if token == "" || slices.Contains(a.revoked, token) {
		return nil
	}
	for _, u := range a.users {
		if u.Token == token {
			return u
		}
	}
	if !a.open {
		return nil
	}
	u := User{Token: token}.withDefaults()
	a.users = append(a.users, &u)
	return &u
}

// logout ends the life of one access token.
func (a *accounts) logout(access string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.access, access)
}

// caller is who sent an access token, as far as it is valid.
func (a *accounts) caller(access string, now time.Time) caller {
	a.mu.RLock()
	defer a.mu.RUnlock()
	s, ok := a.access[access]
	if !ok || !now.Before(s.expires) {
		return caller{}
	}
	return caller{*s.user, true}
}
