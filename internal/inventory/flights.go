package inventory

import (
	"context"
	"sync"
)

// flights lets callers who want the same thing at the same time share one request. Each waits only
// as long as its own context lasts; the request goes on while anybody waits.
type flights[T any] struct {
	mu    sync.Mutex
	going map[string]*flight[T]
}

type flight[T any] struct {
	done    chan struct{} // closed when value and err are set
	cancel  context.CancelFunc
	waiting int
	value   T
	err     error
}

func (f *flights[T]) do(ctx context.Context, key string, fetch func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	going := f.going[key]
	if going == nil {
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		going = &flight[T]{done: make(chan struct{}), cancel: cancel}
		if f.going == nil {
			f.going = map[string]*flight[T]{}
		}
		f.going[key] = going
		go f.fly(shared, key, going, fetch)
	}
	going.waiting++
	f.mu.Unlock()

	select {
	case <-going.done:
		return going.value, going.err
	case <-ctx.Done():
		f.leave(key, going)
		var none T
		return none, context.Cause(ctx)
	}
}

func (f *flights[T]) fly(ctx context.Context, key string, going *flight[T], fetch func(context.Context) (T, error)) {
	going.value, going.err = fetch(ctx)
	f.mu.Lock()
	if f.going[key] == going {
		delete(f.going, key)
	}
	f.mu.Unlock()
	going.cancel()
	close(going.done)
}

// leave ends a request that nobody waits for any more.
func (f *flights[T]) leave(key string, going *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if going.waiting--; going.waiting == 0 {
		going.cancel()
		if f.going[key] == going {
			delete(f.going, key)
		}
	}
}
