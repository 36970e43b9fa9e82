package inventory

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

const (
	// ahead is how long before a fire its listing is fetched at the earliest.
	ahead = 20 * time.Second
	// spread is over how long the fetches of one round are spread. It leaves the slow ones a few
	// seconds until the fire.
	spread = 10 * time.Second
	// group is how many of them go together: as many connections are warm at the fire.
	group = 128
	// near is so short before a fire that a fetch may not be put off any more.
	near = 10 * time.Second
	// fresh is how young a listing may be to be left as it is.
	fresh = 40 * time.Second
	// every is the time between two rounds.
	every = 5 * time.Second
)

// Run fetches the listings, and with them the access tokens, of projects that have a fire soon, so
// that its requests leave at the scheduled second. upcoming names the projects with a fire due
// within a duration. Run returns when ctx ends.
func (i *Inventory) Run(ctx context.Context, upcoming func(within time.Duration) []string) error {
	var fetches sync.WaitGroup
	defer fetches.Wait()
	pending := pendingSet{projects: map[string]bool{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		for _, project := range upcoming(near / 5) { // too soon to be spread
			i.prefetch(ctx, &fetches, &pending, project, 0)
		}
		for _, project := range upcoming(near) { // new, or a second try
			i.prefetch(ctx, &fetches, &pending, project, rand.N(near/4))
		}
		projects := upcoming(ahead)
		i.ensureTokens(ctx, &fetches, projects)
		step := spread / time.Duration(len(projects)/group+1)
		first := rand.N(step)
		for n, project := range projects {
			i.prefetch(ctx, &fetches, &pending, project, first+time.Duration(n/group)*step)
		}
		timer.Reset(every)
	}
}

// ensureTokens has the access tokens at hand, also where the listing is fresh. A client logs itself
// what keeps it from one.
func (i *Inventory) ensureTokens(ctx context.Context, fetches *sync.WaitGroup, projects []string) {
	seen := map[*platform.Client]bool{nil: true}
	for _, project := range projects {
		if client := i.options.Client(project); !seen[client] {
			seen[client] = true
			fetches.Go(func() { _ = client.EnsureToken(ctx) })
		}
	}
}

func (i *Inventory) prefetch(ctx context.Context, fetches *sync.WaitGroup, pending *pendingSet, project string, delay time.Duration) {
	if _, ok := i.Cached(project, fresh); ok || !pending.add(project) {
		return
	}
	fetches.Go(func() {
		defer pending.remove(project)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return
		}
		if _, err := i.Environments(ctx, project, fresh); err != nil && ctx.Err() == nil {
			i.log.Warn().Err(err).Str("project", project).Msg("environments not listed ahead of a fire")
		}
	})
}

// pendingSet holds the projects whose fetch is planned or under way.
type pendingSet struct {
	mu       sync.Mutex
	projects map[string]bool
}

func (p *pendingSet) add(project string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.projects[project] {
		return false
	}
	p.projects[project] = true
	return true
}

func (p *pendingSet) remove(project string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.projects, project)
}
