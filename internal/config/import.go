package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
	"gopkg.in/yaml.v3"
)

// Imported is a configuration in which what could be declared is declared.
type Imported struct {
	YAML  []byte // a file of automatond's own
	Crons []ImportedCron
}

// ImportedCron says what became of one cron.
type ImportedCron struct {
	Name string
	Fate Fate
	Note string // what is to be known about it, as a sentence without an end; may be empty
}

// Fate is what import did with a cron.
type Fate string

// The fates of a cron.
const (
	Declares Fate = "declared"       // its script became a guard, and a task or steps
	Keeps    Fate = "kept as script" // its script cannot be declared exactly
	Leaves   Fate = "left"           // it stays in the application's container, and is not in the result
	Same     Fate = "unchanged"      // it was declared before
	Lacks    Fate = "not imported"   // it is not valid, and is not in the result
)

// Import rewrites the vendor's files, of which there may be several, or one of automatond's own. On
// every environment a cron does what it did, in both forms. One of the vendor's that is not valid is left
// out. The result is nil when something else is not valid, which the diagnostics say, or there is an error.
func Import(paths []string) (*Imported, Diagnostics, error) {
	cfg, diagnostics := Load(Input{Paths: paths, Offline: true, Partial: true})
	if cfg == nil {
		return nil, diagnostics, nil
	}
	im := importer{lacking: cfg.LeftOut, jobs: map[string]*job.Job{}, scripts: map[string]string{}, declared: map[string]shell.Declared{}}
	for _, j := range cfg.Jobs {
		im.jobs[j.Name] = j
	}
	root, err := im.read(paths)
	switch {
	case diagnostics.HasErrors() && (err != nil || im.own):
		return nil, diagnostics, nil
	case err != nil:
		return nil, diagnostics, err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(4)
	if err := encoder.Encode(root); err != nil {
		return nil, diagnostics, fmt.Errorf("write YAML: %w", err)
	}
	im.result.YAML = out.Bytes()
	if err := im.verify(); err != nil {
		return nil, diagnostics, err
	}
	return &im.result, diagnostics, nil
}

// importer is the state of one Import.
type importer struct {
	own      bool                // the file is one of automatond's own
	lacking  []string            // the crons that are not valid
	jobs     map[string]*job.Job // as loaded, by name
	scripts  map[string]string   // what a cron that keeps its script has in the result
	declared map[string]shell.Declared
	retries  bool // a declared cron would have some by default
	result   Imported
}

// read returns the root of the new file.
func (im *importer) read(paths []string) (*yaml.Node, error) {
	var apps []declared
	var origin []string
	l := newLoader(Input{})
	for _, path := range paths {
		for _, file := range l.expand(path) {
			src, err := readSource(file)
			if err != nil {
				return nil, err
			}
			root, problem := src.parse()
			if problem != nil {
				return nil, fmt.Errorf("%s: %s", file, problem.Message)
			}
			list, ok := applicationsOf(root)
			if !ok && len(paths) == 1 {
				return root, im.rewrite(root)
			}
			if !ok {
				return nil, fmt.Errorf("%s is a file of automatond's own; import it alone", file)
			}
			apps = append(apps, list...)
			origin = append(origin, filepath.Base(file))
		}
	}
	crons := &yaml.Node{Kind: yaml.MappingNode}
	for _, d := range apps {
		im.application(crons, d, len(apps) > 1)
	}
	if len(crons.Content) == 0 {
		return nil, errors.New("no cron of these files calls the platform, so there is nothing to import")
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{word("crons"), crons}}
	root.Content[0].HeadComment = "# Imported from " + strings.Join(origin, ", ") + "."
	if len(im.lacking) > 0 {
		root.Content[0].HeadComment += "\n# Not imported, because they are not valid: " + strings.Join(im.lacking, ", ") + "."
	}
	return root, nil
}

// rewrite declares the crons of a file of automatond's own, and leaves everything else in it alone.
func (im *importer) rewrite(root *yaml.Node) error {
	im.own = true
	plainMerges(root)
	crons := valueOf(root, "crons")
	if crons == nil {
		return errors.New("the file has no crons")
	}
	retries := textOf(valueOf(valueOf(root, "defaults"), "retries"))
	im.retries = retries != "" && retries != "0"
	for _, p := range pairsOf(crons) {
		j, ok := im.jobs[p.key.Value]
		switch {
		case !ok:
		case j.Script == nil && j.Left == nil:
			im.note(j, Same, "")
		case j.Left != nil:
			im.note(j, Same, "it runs the application's own programs, which are left to its container")
		default:
			im.declare(p.value, j)
		}
	}
	return nil
}

// plainMerges lets << be written as it was. The library would write its tag too.
func plainMerges(n *yaml.Node) {
	if n.Tag == "!!merge" {
		n.Tag = ""
	}
	for _, child := range n.Content {
		plainMerges(child)
	}
}

// application adds the crons of one of the vendor's applications.
func (im *importer) application(crons *yaml.Node, d declared, several bool) {
	for _, p := range pairsOf(valueOf(d.value, "crons")) {
		name := p.key.Value
		if several {
			name = d.name + ":" + name
		}
		if slices.Contains(im.lacking, name) {
			im.result.Crons = append(im.result.Crons, ImportedCron{Name: name, Fate: Lacks, Note: "it is not valid"})
			continue
		}
		j, ok := im.jobs[name]
		if !ok {
			continue
		}
		if j.Left != nil {
			im.note(j, Leaves, leftBecause(j))
			continue
		}
		key, value := copied(p.key), copied(p.value)
		drop(value, "shutdown_timeout")
		drop(valueOf(value, "commands"), "stop")
		if several {
			key = word(name)
			key.HeadComment, key.LineComment, key.FootComment = p.key.HeadComment, p.key.LineComment, p.key.FootComment
		}
		if zone := textOf(valueOf(d.value, "timezone")); zone != "" {
			value.Content = append(value.Content, word("timezone"), word(zone))
		}
		im.declare(value, j)
		crons.Content = append(crons.Content, key, value)
	}
}

// drop takes a key that has no effect here out of a section, with the comments that are about it.
func drop(section *yaml.Node, name string) {
	if section == nil {
		return
	}
	for i := 0; i+1 < len(section.Content); i += 2 {
		if section.Content[i].Value == name {
			section.Content = slices.Delete(section.Content, i, i+2)
			return
		}
	}
}

func leftBecause(j *job.Job) string {
	if len(j.Left) == 0 {
		return "it calls neither platform nor upsun"
	}
	return "it runs " + strings.Join(j.Left, ", ")
}

func (im *importer) note(j *job.Job, fate Fate, note string) {
	im.result.Crons = append(im.result.Crons, ImportedCron{Name: j.Name, Fate: fate, Note: note})
}

// declare replaces the script of a cron by a guard and what it asks for, or says in a comment why not.
func (im *importer) declare(cron *yaml.Node, j *job.Job) {
	at := scriptIndex(cron)
	if at < 0 || cron.Anchor != "" || cron.Content[at+1].Anchor != "" || cron.Content[at+1].Kind == yaml.AliasNode {
		im.scripts[j.Name] = j.Script.Source()
		im.note(j, Keeps, "it shares its text with others by an anchor")
		return
	}
	d, pairs, err := declaration(j)
	if err != nil {
		im.keep(cron.Content[at], cron.Content[at+1], j, err.Error())
		return
	}
	comments := append(commentsOf(cron.Content[at]), commentsOf(cron.Content[at+1])...)
	for _, line := range d.Comments {
		comments = append(comments, "# "+line)
	}
	pairs[0].HeadComment = strings.Join(comments, "\n")
	pairs[0].FootComment = cron.Content[at].FootComment
	cron.Content = slices.Replace(cron.Content, at, at+2, pairs...)
	if slices.ContainsFunc(d.Calls, func(c shell.Call) bool { return tasks.Destructive(c.Task) }) {
		put(cron, "allow_destructive", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	if im.retries {
		put(cron, "retries", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "0"}) // as a script has none
	}
	im.declared[j.Name] = d
	note := ""
	if j.Application != "" && j.Spec.HasHash() {
		note = "H in its spec stands for another time than before, because the application is no part of the cron any more"
	}
	im.note(j, Declares, note)
}

// commentsOf are the comments above and beside a node, and all within it, in the order of the text.
func commentsOf(n *yaml.Node) []string {
	list := []string{n.HeadComment, n.LineComment}
	for _, child := range n.Content {
		list = append(append(list, commentsOf(child)...), child.FootComment)
	}
	return slices.DeleteFunc(list, func(comment string) bool { return comment == "" })
}

// put gives a cron a key of its own, in the place of the one that it may have.
func put(cron *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i < len(cron.Content); i += 2 {
		if cron.Content[i].Value == key {
			cron.Content[i+1] = value
			return
		}
	}
	cron.Content = append(cron.Content, word(key), value)
}

// scriptIndex is where the key of a cron's script stands among its own keys, -1 if it is merged in.
func scriptIndex(cron *yaml.Node) int {
	for i := 0; i < len(cron.Content); i += 2 {
		if key := cron.Content[i].Value; key == "cmd" || key == "commands" {
			return i
		}
	}
	return -1
}

// keep leaves a script as it is. The application's name, which the vendor's file gives it, is written
// into a script that reads it.
func (im *importer) keep(key, value *yaml.Node, j *job.Job, because string) {
	const variable = "PLATFORM_APPLICATION_NAME"
	if script := value; j.Application != "" && strings.Contains(j.Script.Source(), variable) {
		if value.Kind == yaml.MappingNode {
			script = valueOf(value, "start")
		}
		script.Value = variable + "='" + strings.ReplaceAll(j.Application, "'", `'\''`) + "'\n" + script.Value
		script.Style, script.Tag = yaml.LiteralStyle, "!!str"
		im.scripts[j.Name] = script.Value
	} else {
		im.scripts[j.Name] = j.Script.Source()
	}
	const comment = "# Kept as a script: "
	if !strings.Contains(key.HeadComment, comment) { // it may be the result of an import
		key.HeadComment = strings.TrimPrefix(key.HeadComment+"\n"+comment+because+".", "\n")
	}
	im.note(j, Keeps, because)
}

// declaration is what a script says, and the keys and values that say it in YAML.
func declaration(j *job.Job) (shell.Declared, []*yaml.Node, error) {
	d, err := j.Script.Declare()
	if err != nil {
		return d, nil, err
	}
	pairs, err := guardOf(d.Conditions)
	if err != nil {
		return d, nil, err
	}
	if len(pairs) > 0 && !j.Guard.IsZero() {
		return d, nil, errors.New("it has conditions beside the cron's own only and except")
	}
	if kind := d.Calls[0].Task.Kind(); !slices.Equal(kind.Statuses, []string{"active"}) {
		return d, nil, fmt.Errorf("a script runs on active environments, and task %s on those that are %s", kind.Name, strings.Join(kind.Statuses, " or "))
	}
	steps := &yaml.Node{Kind: yaml.SequenceNode}
	for i, c := range d.Calls {
		if e, ok := c.Task.(*tasks.EnvironmentInfo); ok && e.Type != "" && i < len(d.Calls)-1 && len(pairs) > 0 {
			return d, nil, errors.New("it changes the environment type, and a guard is asked again before each step")
		}
		if isConfidential(c.Task.Kind()) {
			return d, nil, errors.New("what it asks for has confidential values, which import does not copy")
		}
		task, err := taskNode(c.Task)
		if err != nil {
			return d, nil, err
		}
		steps.Content = append(steps.Content, task)
	}
	switch {
	case len(d.Calls) == 1:
		pairs = append(pairs, word("task"), steps.Content[0])
	case d.Stops:
		pairs = append(pairs, word("steps"), steps)
	default:
		pairs = append(pairs, word("steps"), steps, word("on_failure"), word(string(job.OnFailureContinue)))
	}
	return d, pairs, nil
}

func isConfidential(k *tasks.Kind) bool {
	return slices.ContainsFunc(k.Options, func(o tasks.Option) bool { return o.Secret }) ||
		slices.ContainsFunc(k.Arguments, func(a tasks.Argument) bool { return a.Secret })
}

// guardOf writes conditions as only and except. Under except all fields must match for a veto, so two
// fields there would mean something else.
func guardOf(conditions []shell.Comparison) ([]*yaml.Node, error) {
	sections := map[bool]*yaml.Node{}
	asked := map[string]bool{} // whether the field stands under except
	for _, c := range conditions {
		field := "branches"
		if c.Variable == "PLATFORM_ENVIRONMENT_TYPE" {
			field = "environment_types"
		}
		if err := checkValues(field, c.Values); err != nil {
			return nil, err
		}
		section := sections[c.Differs]
		if section == nil {
			section = &yaml.Node{Kind: yaml.MappingNode}
			sections[c.Differs] = section
		}
		list := valueOf(section, field)
		differs, again := asked[field]
		switch {
		case again && !(differs && c.Differs):
			return nil, fmt.Errorf("it compares %s twice", c.Variable)
		case list == nil && c.Differs && len(section.Content) > 0:
			return nil, errors.New("it excludes branches and environment types, each of which is enough")
		case list == nil:
			list = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			section.Content = append(section.Content, word(field), list)
		}
		asked[field] = c.Differs
		for _, value := range c.Values {
			if !slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return n.Value == value }) {
				list.Content = append(list.Content, word(value))
			}
		}
	}
	var pairs []*yaml.Node
	for _, differs := range []bool{false, true} {
		if section := sections[differs]; section != nil {
			name := map[bool]string{false: "only", true: "except"}[differs]
			pairs = append(pairs, word(name), section)
		}
	}
	return pairs, nil
}

// checkValues refuses what a guard would not take, or not take as it is written.
func checkValues(field string, values []string) error {
	if field == "branches" {
		if _, err := guard.ParsePatterns(values); err != nil {
			return fmt.Errorf("it compares the branch with what no branch is called: %w", err)
		}
		return nil
	}
	for _, value := range values {
		if !slices.Contains(guard.EnvironmentTypes(), value) {
			return fmt.Errorf("%q is no environment type", value)
		}
	}
	return nil
}

// taskNode writes a task as the section that reads as this task.
func taskNode(t tasks.Task) (*yaml.Node, error) {
	parameters := &yaml.Node{Kind: yaml.MappingNode}
	fields := reflect.ValueOf(t).Elem()
	for i := range fields.NumField() {
		name := yamlName(fields.Type().Field(i))
		if name == "" || fields.Field(i).IsZero() {
			continue
		}
		value := &yaml.Node{}
		if err := value.Encode(fields.Field(i).Interface()); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		quotePlaceholders(value)
		parameters.Content = append(parameters.Content, word(name), value)
	}
	if len(parameters.Content) == 0 {
		parameters.Style = yaml.FlowStyle
	}
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{word(t.Kind().Name), parameters}}, nil
}

// quotePlaceholders has what a shell would have expanded, if it were to, stand for itself.
func quotePlaceholders(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Value = tasks.QuotePlaceholders(n.Value)
	}
	for i, item := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 { // keys are never expanded
			quotePlaceholders(item)
		}
	}
}

// word is a text of a YAML file; it gets quotation marks where it would be read as something else.
func word(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// copied is a value that stands on its own: aliases are followed, and merged sections written out.
func copied(n *yaml.Node) *yaml.Node {
	n = resolved(n)
	c := *n
	c.Anchor, c.Content = "", nil
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			c.Content = append(c.Content, copied(item))
		}
		return &c
	}
	for _, p := range pairsOf(n) {
		c.Content = append(c.Content, copied(p.key), copied(p.value))
	}
	return &c
}

// verify loads the result, so that no mistake of import's, and none of the YAML library's, becomes
// one of the daemon's.
func (im *importer) verify() error {
	l := newLoader(Input{Offline: true})
	l.read(&source{path: "import", data: im.result.YAML})
	l.finish()
	if l.list.HasErrors() {
		return fmt.Errorf("the result is not valid: %s", l.list[0].Message)
	}
	loaded := map[string]*job.Job{}
	for _, j := range l.config.Jobs {
		loaded[j.Name] = j
	}
	for _, c := range im.result.Crons {
		j, was := loaded[c.Name], im.jobs[c.Name]
		same := c.Fate == Leaves || c.Fate == Lacks
		if j != nil {
			script, kept := im.scripts[c.Name]
			d, declared := im.declared[c.Name]
			same = j.Spec.String() == was.Spec.String() && j.Location.String() == was.Location.String() && j.Timeout == was.Timeout
			switch {
			case kept:
				same = same && j.Script != nil && j.Script.Source() == script
			case declared:
				same = same && j.Retries == was.Retries && declares(j, d)
			}
		}
		if !same {
			return fmt.Errorf("cron %s would not be the same, which is a mistake of automatond's; please report it", plainOrQuoted(c.Name))
		}
	}
	return nil
}

// declares reports whether a job asks for what a script did, in the same order.
func declares(j *job.Job, d shell.Declared) bool {
	stops := j.OnFailure == job.OnFailureStop
	return (len(d.Calls) == 1 || stops == d.Stops) && slices.EqualFunc(j.Tasks, d.Calls, func(t tasks.Task, c shell.Call) bool {
		return tasks.Hash(tasks.Expand(t, tasks.Names{})) == tasks.Hash(c.Task)
	})
}
