package sandbox

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Ending is how an activity ends.
type Ending string

// The endings of an activity.
const (
	Success     Ending = "success"
	HookFailure Ending = "hook failure" // result success, but a command of a hook exited with 1
	Failure     Ending = "failure"      // complete with result failure; without effect
	Cancelled   Ending = "cancelled"    // cancelled half way; without effect
	Staged      Ending = "staged"       // accepted, but waits for a deployment by hand; without effect
)

// NextResult says how the next activity ends that is started in an environment;
// "" stands for any project or environment. Several calls script several
// activities, in order. Those without a script succeed.
func (s *Sandbox) NextResult(project, environment string, e Ending) {
	s.endings.add(scripted{project, environment, e})
}

type scripted struct {
	project, environment string
	ending               Ending
}

// endings are those that are scripted and have not been used.
type endings struct {
	count atomic.Int32 // spares those who have none the lock
	mu    sync.Mutex
	list  []scripted
}

func (e *endings) add(s scripted) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, s)
	e.count.Store(int32(len(e.list)))
}

func (e *endings) next(project, environment string) Ending {
	if e.count.Load() == 0 {
		return Success
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.list, func(s scripted) bool {
		return (s.project == "" || s.project == project) && (s.environment == "" || s.environment == environment)
	})
	if i < 0 {
		return Success
	}
	ending := e.list[i].ending
	e.list = slices.Delete(e.list, i, i+1)
	e.count.Store(int32(len(e.list)))
	return ending
}
