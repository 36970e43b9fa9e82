package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
	"gopkg.in/yaml.v3"
)

// cronEntry is one entry under `crons:` before it is read.
type cronEntry struct {
	reader
	value  *yaml.Node
	hollow bool // its keys stand beside it instead of below, which is reported
}

// cron is one entry while it is read.
type cron struct {
	policy
	job     *job.Job
	actions []*yaml.Node // the keys that say what it does; one is right
	spec    *yaml.Node   // nil when it has none
	start   bool         // commands has a start

	allowDestructive bool

	retriesKey   *yaml.Node // nil when it says nothing of retries itself
	onFailureKey *yaml.Node // nil when it says nothing of what follows a failure
}

func cronFields() []field[cron] {
	own := []field[cron]{
		{"spec", "cron expression", "required", func(r reader, c *cron, v *yaml.Node) {
			c.spec = v
			r.readSpec(v, c.job)
		}},
		{"cmd", "script", "", func(r reader, c *cron, v *yaml.Node) {
			c.actions = append(c.actions, r.key)
			r.readScript(v, c.job)
		}},
		{"commands", "section", "", func(r reader, c *cron, v *yaml.Node) {
			c.actions = append(c.actions, r.key)
			r.readCommands(v, c)
		}},
		{"task", "section with one key", "", func(r reader, c *cron, v *yaml.Node) {
			c.actions = append(c.actions, r.key)
			c.job.Tasks = r.readTask(v)
		}},
		{"steps", "list of sections with one key", "", func(r reader, c *cron, v *yaml.Node) {
			c.actions = append(c.actions, r.key)
			c.job.Tasks = r.readSteps(v)
		}},
		{"on_failure", "`stop` or `continue`", "`stop`", func(r reader, c *cron, v *yaml.Node) {
			c.onFailureKey = r.key
			if word, ok := oneOf(r, v, job.OnFailureStop, job.OnFailureContinue); ok {
				c.job.OnFailure = word
			}
		}},
		{"only", "section", "everything", func(r reader, c *cron, v *yaml.Node) {
			r.readCondition(v, &c.job.Guard.Only)
		}},
		{"except", "section", "nothing", func(r reader, c *cron, v *yaml.Node) {
			r.readCondition(v, &c.job.Guard.Except)
		}},
		{"projects", "list of aliases and patterns", "all projects", func(r reader, c *cron, v *yaml.Node) {
			r.readProjects(v, c.job)
		}},
		{"variables", "texts by name", "", func(r reader, c *cron, v *yaml.Node) {
			r.readVariables(v, &c.job.Variables, false)
		}},
		{"suspended", "`true` or `false`", "`false`", func(r reader, c *cron, v *yaml.Node) {
			if value, ok := r.boolean(v); ok {
				c.job.Suspended = value
			}
		}},
		{"allow_destructive", "`true` or `false`", "`false`", func(r reader, c *cron, v *yaml.Node) {
			if value, ok := r.boolean(v); ok {
				c.allowDestructive = value
			}
		}},
		{"shutdown_timeout", "duration; has no effect", "", func(r reader, c *cron, v *yaml.Node) {
			if isNull(v) {
				return // the vendor's own default
			}
			if _, ok := r.duration(v, 0, maxTimeout); ok {
				r.report(Info, r.key, "no-process", "", "it has no effect: automatond starts no process that could be stopped")
			}
		}},
	}
	policies := lift(policyFields(), func(c *cron) *policy { return &c.policy })
	for i := range policies {
		if read := policies[i].read; policies[i].name == "retries" {
			policies[i].read = func(r reader, c *cron, v *yaml.Node) {
				c.retriesKey = r.key
				read(r, c, v)
			}
		}
		policies[i].preset = "`defaults." + policies[i].name + "`"
	}
	return append(own, policies...)
}

func commandsFields() []field[cron] {
	return []field[cron]{
		{"start", "script", "required", func(r reader, c *cron, v *yaml.Node) {
			c.start = true
			r.readScript(v, c.job)
		}},
		{"stop", "text; has no effect", "", func(r reader, c *cron, v *yaml.Node) {
			if isNull(v) {
				return // the vendor's own default
			}
			if _, ok := r.text(v); ok {
				r.report(Info, r.key, "no-process", "", "it has no effect: automatond starts no process that could be stopped")
			}
		}},
	}
}

// vendorFields are the keys of a cron in the vendor's files, from its JSON Schemas and documentation.
func vendorFields() []field[cron] {
	return slices.DeleteFunc(cronFields(), func(f field[cron]) bool {
		switch f.name {
		case "spec", "cmd", "commands", "shutdown_timeout", "timeout":
			return false
		}
		return true
	})
}

// addCron notes a cron. Its name may be anything but empty, as on the platform.
func (l *loader) addCron(r reader, key, value *yaml.Node) {
	r.key = key
	if problem := nameProblem(key.Value); problem != "" {
		r.errorf(key, "cron-name", "", "a cron's name %s", problem)
		return
	}
	if l.besideCron(r, key, value) {
		return
	}
	r.cron = key.Value
	if r.isElsewhere(value) {
		return
	}
	l.crons = append(l.crons, cronEntry{reader: r, value: value})
}

// besideCron recognises a key of a cron that is indented like the cron's name, and reports the first
// one after each name.
func (l *loader) besideCron(r reader, key, value *yaml.Node) bool {
	if !slices.Contains(names(l.fields.cron), key.Value) || value.Kind == yaml.AliasNode || hasKey(value, "spec") || hasKey(value, "<<") {
		return false
	}
	if len(l.crons) == 0 || l.crons[len(l.crons)-1].app != r.app {
		if l.nameless {
			return true
		}
		l.nameless = true
		r.errorf(key, "cron-indentation", "write the cron's name on a line above it, and indent "+key.Value+": and what follows below that",
			"%s belongs to a cron, and stands where a cron's name is expected", key.Value)
		return true
	}
	last := &l.crons[len(l.crons)-1]
	if !last.hollow {
		r.errorf(key, "cron-indentation", fmt.Sprintf("indent it, and what follows, further than %s on line %d", plainOrQuoted(last.cron), last.key.Line),
			"%s is indented like the name of a cron, so it is no part of cron %s", key.Value, plainOrQuoted(last.cron))
		last.hollow = true
	}
	return true
}

// finishCrons reads the crons, now that defaults and projects are known, and lets go of their YAML.
func (l *loader) finishCrons() {
	if len(l.crons) == 0 && len(l.order) > 0 && !l.list.HasErrors() {
		l.noCrons()
	}
	l.config.Jobs = make([]*job.Job, 0, len(l.crons))
	for i, e := range l.crons {
		l.crons[i] = cronEntry{}
		e.cron = e.unique()
		if e.once("crons", e.cron, "cron-duplicate") {
			before := l.errors
			j := l.readCron(e)
			l.faulty[j] = l.errors > before
			l.config.Jobs = append(l.config.Jobs, j)
		}
	}
}

// leaveOut takes the crons that are not valid out of the configuration. It reports whether a valid one
// is what remains.
func (l *loader) leaveOut(diagnostics Diagnostics) bool {
	if slices.ContainsFunc(diagnostics, func(d Diagnostic) bool { return d.Severity == Error && d.Cron == "" }) {
		return false
	}
	jobs := l.config.Jobs
	l.config.Jobs = nil
	for _, j := range jobs {
		if l.faulty[j] {
			l.config.LeftOut = append(l.config.LeftOut, j.Name)
		} else {
			l.config.Jobs = append(l.config.Jobs, j)
		}
	}
	return len(l.config.Jobs) > 0
}

func (l *loader) noCrons() {
	if len(l.foreign) > 0 && l.foreign[0].app.other {
		l.processError("no-crons", "unset PLATFORM_APPLICATION_NAME to load the crons of all applications",
			"the application that PLATFORM_APPLICATION_NAME names has no crons")
		return
	}
	l.processError("no-crons", "write a cron under crons:", "the configuration has no crons")
}

func (l *loader) readCron(e cronEntry) *job.Job {
	c := &cron{policy: l.defaults, job: &job.Job{
		Name: e.cron, Projects: l.allOf, OnFailure: job.OnFailureStop, Source: e.position(e.key),
	}}
	fields := l.fields.cron
	if e.app != nil {
		fields = l.fields.vendor
		c.job.Application = e.app.name
		if e.app.location != nil {
			c.location = e.app.location
		}
	}
	if v := e.reader.value(e.value); v != nil && isNull(v) {
		if e.hollow {
			return c.job
		}
		e.errorf(e.key, "missing-value", "give it a spec: and "+e.actionHint("a task: or a cmd:"), "the cron is empty")
		return c.job
	}
	before := len(l.list)
	if !section(e.reader, e.value, fields, c) {
		return c.job
	}
	if !e.hollow && !l.unknownSince(before) {
		e.reportMissing(c)
	}
	if len(c.actions) > 1 {
		e.errorf(c.actions[1], "action-conflict", "keep one of them",
			"%s and %s are both there, and a cron does one thing", c.actions[0].Value, c.actions[1].Value)
	}
	e.reportDestructive(c)
	e.reportOnFailure(c)
	l.complete(e, c)
	return c.job
}

// reportDestructive reports a task that wants consent and has none. A command line has the CLI's own,
// --yes.
func (e cronEntry) reportDestructive(c *cron) {
	i := slices.IndexFunc(c.job.Tasks, tasks.Destructive)
	if i < 0 || c.allowDestructive {
		return
	}
	e.errorf(c.actions[0], "task-destructive", "if that is meant, write allow_destructive: true beside "+c.actions[0].Value,
		"%s ends what cannot be brought back, and the cron does not allow that", c.job.Tasks[i].Kind().Name)
}

// reportOnFailure reports on_failure where there are no steps that it could be about.
func (e cronEntry) reportOnFailure(c *cron) {
	if c.onFailureKey == nil || len(c.actions) == 0 || c.actions[0].Value == "steps" {
		return
	}
	hint := "leave it out: nothing follows the one task"
	if c.actions[0].Value != "task" {
		hint = "leave it out: the script itself says what follows a call that failed"
	}
	e.errorf(c.onFailureKey, "on-failure-steps", hint, "on_failure is for steps, and the cron has none")
}

// takeRetries refuses retries on a script: what its calls answered has decided how it went on. Those
// of defaults are for the declared crons.
func (e cronEntry) takeRetries(c *cron) {
	if c.job.Script == nil {
		c.job.Retries = c.retries
		return
	}
	if key := c.retriesKey; key != nil {
		e.errorf(key, "retries-script", "declare what it does with task:, or leave retries out",
			"a script is not retried: its calls' answers have decided how it went on")
	}
}

// reportMissing reports what every cron has.
func (e cronEntry) reportMissing(c *cron) {
	const spec = "write spec: with a cron expression, such as '0 5 * * *'"
	switch {
	case c.spec == nil && len(c.actions) == 0:
		e.errorf(e.key, "spec-missing", spec+", and "+e.actionHint("task: with what to do, or cmd: with a script"), "it has no spec, and nothing to do")
	case c.spec == nil:
		e.errorf(e.key, "spec-missing", spec, "it has no spec")
	case len(c.actions) == 0:
		e.errorf(e.key, "action-missing", "write "+e.actionHint("task: with what to do, such as task: {backup: {}}, or cmd: with a script"), "it has nothing to do")
	}
}

// actionHint is the hint for a file of automatond's own, or what the vendor's files have for it.
func (e cronEntry) actionHint(own string) string {
	if e.app != nil {
		return "commands: {start: …} with a script"
	}
	return own
}

// unknownSince reports whether an unknown key was met since there were so many diagnostics. It may be
// the one that is missing: one mistake, one message.
func (l *loader) unknownSince(before int) bool {
	return slices.ContainsFunc(l.list[before:], func(d Diagnostic) bool { return d.Code == "unknown-key" })
}

// complete fills in what follows from the fields.
func (l *loader) complete(e cronEntry, c *cron) {
	j := c.job
	j.Location = c.location
	j.Spread, j.StartDeadline, j.Timeout, j.MaxSuccessAge = c.spread, c.startDeadline, c.timeout, c.maxSuccessAge
	j.Overlap, j.InDoubt, j.CatchUp = c.overlap, c.inDoubt, c.catchUp
	e.takeRetries(c)
	if len(j.Projects) == 0 && !l.discovers() {
		// Without a project there is nobody else to hold the file's variables.
		j.Variables = merged(l.vars, j.Variables)
	}
	text := ""
	if !j.Guard.IsZero() {
		text = j.Guard.String()
		if known, ok := l.guards[text]; ok {
			j.Guard = known
		} else {
			l.guards[text] = j.Guard
		}
	}
	e.lint(j)
	if j.Spec == nil || j.Script == nil && j.Tasks == nil {
		return
	}
	j.Hash = l.fingerprint(j, text)
	if !l.in.Now.IsZero() && j.Left == nil && !j.Suspended {
		l.planned = append(l.planned, planned{e.reader, e.reader.value(c.spec), j})
	}
}

// hashKey tells jobs apart as their fingerprint does, by the parts that equal jobs share.
type hashKey struct {
	spec   *cronspec.Spec
	zone   *time.Location
	guard  string
	script *shell.Script
	task   *tasks.Task
	app    string
}

func (l *loader) fingerprint(j *job.Job, guard string) string {
	if len(j.Variables) > 0 {
		return j.Fingerprint()
	}
	key := hashKey{spec: j.Spec, zone: j.Location, guard: guard, script: j.Script, app: j.Application}
	if len(j.Tasks) > 0 {
		key.task = &j.Tasks[0]
	}
	h, ok := l.hashes[key]
	if !ok {
		h = j.Fingerprint()
		l.hashes[key] = h
	}
	return h
}

func (r reader) readProjects(v *yaml.Node, j *job.Job) {
	aliases, nodes, ok := r.texts(v, "projects")
	if !ok {
		return
	}
	if r.discovers() {
		r.config.selections[j] = r.selection(aliases)
	}
	if slices.ContainsFunc(aliases, r.isProjectPattern) {
		j.Projects = r.matching(aliases, nodes)
		return
	}
	j.Projects = make([]*job.Project, 0, len(aliases))
	for i, alias := range aliases {
		if p := r.projectCalled(alias, nodes[i]); p != nil {
			j.Projects = append(j.Projects, p)
		}
	}
}

// projectHint says what to write instead of an alias that is none.
func (r reader) projectHint(alias string) string {
	if !r.fleet {
		return "leave it out: without projects: at the top level, there is one target"
	}
	for _, p := range r.config.Projects {
		if p.ID == alias {
			return fmt.Sprintf("write %s, which is the project's name here", inline(p.Alias))
		}
	}
	return didYouMean(alias, r.aliases)
}
