package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/tasks"
)

// examineNeeds compares what crons would ask for with what each project offers and its user may do.
func (e *examination) examineNeeds(ctx context.Context) {
	inOrder(e, e.foreign, func(s *survey) []Finding {
		if s.user == nil {
			return s.own([]Finding{failed(CheckProject, "add it under projects:, with its automation_user",
				"project %s is named by cron %q, and no automation user is configured for it", s.project.ID, s.needs[0].cron).at(s.needs[0].at)})
		}
		return s.own(s.examine(ctx))
	})
	inOrder(e, slices.Concat(e.surveys, e.foreign), func(s *survey) []Finding {
		if !s.read {
			return nil
		}
		return s.own(s.examineNeeds(ctx))
	})
}

func (s *survey) examineNeeds(ctx context.Context) []Finding {
	r := rights{survey: s, wanted: map[string]*demand{}}
	seen := map[string]bool{} // a script makes the same call for each of its targets
	for _, n := range s.needs {
		kind := n.call.Task.Kind()
		key := fmt.Sprint(n.cron, "\x00", n.call.Environment, "\x00", tasks.Hash(n.call.Task), n.now)
		if seen[key] {
			continue
		}
		seen[key] = true
		env := s.environments[n.call.Environment]
		if env == nil {
			r.unknown = true
			if n.now { // a later request may be about what an earlier one makes
				r.fault("the environment "+quoteOrDefault(n.call.Environment)+" does not exist", n)
			}
			continue
		}
		if !r.demand(n, env) || !n.now || kind.ReadOnly { // what a task reads is its own to judge
			continue
		}
		if refusal := s.refusal(ctx, n, env); refusal != "" {
			r.fault(refusal, n)
		}
	}
	return r.findings()
}

func quoteOrDefault(environment string) string {
	if environment == "" {
		return "of the default branch"
	}
	return fmt.Sprintf("%q", environment)
}

// refusal says why the platform would not take a request now although the user's role suffices, or "".
// What passes by itself, or is done already, is no reason.
func (s *survey) refusal(ctx context.Context, n need, env *platform.Environment) string {
	_, err := tasks.Prepare(n.call.Task, env, func(route, name string) (*platform.Resource, error) {
		return s.user.client.Resource(ctx, route, s.project.ID, env.ID, name)
	})
	if refusal, ok := errors.AsType[*tasks.Refusal](err); ok {
		switch refusal.Reason {
		case tasks.RefusedDirty, tasks.RefusedInactive, tasks.RefusedAlready:
			return ""
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// rights compares a user's role in a project with what crons want there.
type rights struct {
	*survey
	wanted  map[string]*demand // by environment type; "" is the project itself
	unknown bool               // more is wanted, nobody knows on which type, or which role
	faults  []fault
}

// demand is the highest role that is wanted somewhere.
type demand struct {
	role  string
	tasks []string // that want it, with their crons
}

// fault is something that is not there to be asked for, with the crons that will ask.
type fault struct {
	what  string
	crons []string
	at    job.Position // where the first of them stands
}

func (r *rights) fault(what string, n need) {
	for i := range r.faults {
		if f := &r.faults[i]; f.what == what {
			f.crons = appendNew(f.crons, n.cron)
			return
		}
	}
	r.faults = append(r.faults, fault{what, []string{n.cron}, n.at})
}

// demand notes which role a need wants, and reports whether the user may have it: it does when its
// role is not known.
func (r *rights) demand(n need, env *platform.Environment) bool {
	kind, at := n.call.Task.Kind(), tasks.Place(n.call.Task, env)
	if kind.Free {
		r.unknown = true
		return true
	}
	d := r.wanted[at]
	if d == nil {
		d = &demand{}
		r.wanted[at] = d
	}
	if tasks.Rank(kind.Role) > tasks.Rank(d.role) {
		*d = demand{role: kind.Role}
	}
	if kind.Role == d.role {
		d.tasks = appendNew(d.tasks, fmt.Sprintf("%s (cron %q)", kind.Name, n.cron))
	}
	return r.access == nil || tasks.Rank(r.access.Role(at)) >= tasks.Rank(kind.Role)
}

func (r *rights) findings() []Finding {
	var list []Finding
	for _, f := range r.faults {
		list = append(list, failed(CheckTask, "", "project %s, cron %s: %s", r.project.Alias, Enumerate(quoted(f.crons)), f.what).at(f.at))
	}
	if r.access == nil {
		return list
	}
	enough := true
	for _, at := range r.places() {
		d := r.wanted[at]
		if has := r.access.Role(at); tasks.Rank(has) < tasks.Rank(d.role) {
			enough = false
			list = append(list, failed(CheckRole, fmt.Sprintf("give the account %s the role %s there", r.user.account.Username, d.role),
				"project %s: automation user %q is %s %s, and %s is wanted: %s",
				r.project.Alias, r.user.Name, cmp.Or(has, "nobody"), where(at), d.role, Enumerate(d.tasks)))
		}
	}
	if enough {
		list = append(list, passed(CheckRole, "project %s: automation user %q may do what %s", r.project.Alias, r.user.Name, r.askers()))
	}
	return append(list, r.privilege()...)
}

func (r *rights) askers() string {
	var crons []string
	for _, n := range r.needs {
		crons = appendNew(crons, n.cron)
	}
	switch len(crons) {
	case 0:
		return "is asked for: nothing"
	case 1:
		return "its cron asks for"
	}
	return fmt.Sprintf("its %d crons ask for", len(crons))
}

// privilege says where the user is an administrator and need not be. Of a type of which there are no
// environments nobody can say what crons would want there.
func (r *rights) privilege() []Finding {
	wants := func(at string) string {
		if d := r.wanted[at]; d != nil {
			return d.role
		}
		return ""
	}
	if r.unknown || r.vague || wants("") == "admin" {
		return nil
	}
	var more []string
	if r.access.Administrates() {
		more = append(more, "of the project")
	} else {
		for _, at := range r.types() {
			if r.access.Role(at) == "admin" && wants(at) != "admin" {
				more = append(more, where(at))
			}
		}
	}
	if len(more) == 0 {
		return nil
	}
	return []Finding{warning(CheckPrivilege, "these permissions are enough: "+strings.Join(r.least(), ", "),
		"project %s: automation user %q is administrator %s, and no cron needs that",
		r.project.Alias, r.user.Name, strings.Join(more, " and "))}
}

// least are the fewest permissions that the crons need, in the API's words.
func (r *rights) least() []string {
	permissions := []string{"viewer"}
	for _, at := range r.places() {
		if role := r.wanted[at].role; tasks.Rank(role) > tasks.Rank("viewer") {
			permissions = append(permissions, at+":"+role)
		}
	}
	return permissions
}

// places are where anything is wanted, in a fixed order.
func (r *rights) places() []string { return slices.Sorted(maps.Keys(r.wanted)) }

// types are those of which there are environments.
func (r *rights) types() []string {
	var list []string
	for _, env := range r.environments {
		list = appendNew(list, env.Type)
	}
	slices.Sort(list)
	return list
}

func where(at string) string {
	if at == "" {
		return "of the project"
	}
	return "on " + at + " environments"
}

func appendNew(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

func quoted(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name)
	}
	return list
}
