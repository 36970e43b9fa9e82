package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/tasks"
	"gopkg.in/yaml.v3"
)

// loader is the state of one Load. All files are read first, because defaults and projects may
// stand in another file than the crons that use them; then what they contain is put together.
type loader struct {
	findings
	in     Input
	config *Config
	hash   hash.Hash

	settings     map[setting]found // what may be defined once, and where it was
	defaults     policy
	history      history
	vars         map[string]string // `variables:` of all files
	users        []*userEntry
	projects     []*projectEntry
	crons        []cronEntry
	foreign      []reader // the applications with crons in the vendor's files, at their keys
	nameless     bool     // a cron's keys stand where its name is expected, which is reported
	applications int      // how many the vendor's files have, with crons or without
	fleet        bool     // a file has the section projects, even if an empty one
	unread       bool     // a file could not be read, so what it has may seem to be missing

	fields fieldTables

	// What equal jobs share.
	zones      map[string]*time.Location
	specs      map[string]parsedSpec
	scripts    map[string]parsedScript
	guards     map[string]guard.Guard
	tasks      map[string][]tasks.Task
	hashes     map[hashKey]string
	selections map[string][]*job.Project // what lists with patterns choose, by their entries
	allOf      []*job.Project            // every project, for crons that name none
	byAlias    map[string]*job.Project
	aliases    []string
	unguarded  []unguarded
	planned    []planned // crons whose coming fires are looked at
	faulty     map[*job.Job]bool
}

// fieldTables are the tables a loader needs often.
type fieldTables struct {
	file      []field[loader]
	project   []field[projectEntry]
	cron      []field[cron]
	vendor    []field[cron] // those of cron that the vendor's files have
	condition []field[guard.Condition]
}

func newLoader(in Input) *loader {
	if in.LookupEnv == nil {
		in.LookupEnv = func(string) (string, bool) { return "", false }
	}
	return &loader{
		findings: findings{order: map[string]int{}, seen: map[finding]bool{}},
		in:       in,
		config: &Config{
			Limits:        Limits{InFlight: 4096, PerProject: 4},
			ShutdownGrace: 8 * time.Second,

			DiscoveryInterval: 10 * time.Minute,
			selections:        map[*job.Job]*selection{},
		},
		hash:     sha256.New(),
		settings: map[setting]found{},
		defaults: standardPolicy(),
		fields: fieldTables{
			file: fileFields(), project: projectFields(), cron: cronFields(), vendor: vendorFields(), condition: conditionFields(),
		},
		zones:      map[string]*time.Location{"UTC": time.UTC},
		specs:      map[string]parsedSpec{},
		scripts:    map[string]parsedScript{},
		guards:     map[string]guard.Guard{},
		tasks:      map[string][]tasks.Task{},
		hashes:     map[hashKey]string{},
		byAlias:    map[string]*job.Project{},
		selections: map[string][]*job.Project{},
		faulty:     map[*job.Job]bool{},
	}
}

// readFiles reads every file of every path.
func (l *loader) readFiles() {
	if len(l.in.Paths) == 0 {
		l.add(Diagnostic{
			Severity: Error, Code: "no-file", Message: "no configuration file is named",
			Hint: "name a file or a directory with --config",
		})
	}
	for _, path := range l.in.Paths {
		for _, file := range l.expand(path) {
			l.readFile(file)
		}
	}
}

// expand returns the file itself, or a directory's YAML files. Names that begin with a dot are
// left out: they are editors' and Kubernetes' own.
func (l *loader) expand(path string) []string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		l.fileError(path, err)
		return nil
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
			continue
		}
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			continue
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		l.fileProblem(path, "no-file", "the directory contains no *.yaml or *.yml file", "name a file, or the directory it is in")
	}
	return files
}

func (l *loader) readFile(path string) {
	if _, ok := l.order[path]; ok {
		l.fileProblem(path, "file-repeated", "the file is read already", "name every file once")
		return
	}
	l.order[path] = len(l.order)
	src, err := readSource(path)
	if err != nil {
		l.fileError(path, err)
		return
	}
	l.read(src)
}

// read reads the content of a file.
func (l *loader) read(src *source) {
	l.hash.Write(src.data)
	l.hash.Write([]byte{0})
	root, problem := src.parse()
	if problem != nil {
		problem.Severity, problem.File, problem.source = Error, src.path, src
		l.add(*problem)
		l.unread = true
		return
	}
	r := reader{loader: l, src: src, key: root}
	if list, ok := applicationsOf(root); ok {
		l.readForeign(r, root, list)
		return
	}
	l.readRoot(r, root)
}

// vendorFile returns the file of the vendor's in a directory that may have crons, "" if it has none.
func vendorFile(dir string) string {
	for _, name := range []string{".platform.app.yaml", ".platform/applications.yaml", ".upsun/config.yaml"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// fileError words an error of the operating system without repeating the path.
func (l *loader) fileError(path string, err error) {
	message, hint := err.Error(), "name a file that can be read"
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		message = pathError.Err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) {
		// Commands differ in how a file is named, which who named this one knows.
		option := ""
		if path == DefaultPath {
			option = "--config "
		}
		hint = "write the file, or name another one"
		if beside := vendorFile(filepath.Dir(path)); beside != "" {
			hint = "name the file that is there: " + option + beside
		} else if option != "" {
			hint += " with --config"
		}
	}
	l.fileProblem(path, "file-unreadable", "read configuration: "+message, hint)
	l.unread = true
}

func (l *loader) fileProblem(path, code, message, hint string) {
	if _, ok := l.order[path]; !ok {
		l.order[path] = len(l.order)
	}
	l.add(Diagnostic{Severity: Error, File: path, Code: code, Message: message, Hint: hint})
}

// setting is something that may be defined once in all files: a key of a section, or a name in it.
type setting struct{ section, name string }

// found is where a setting was defined.
type found struct {
	src *source
	key *yaml.Node
}

// once reports whether the setting is met for the first time, at the reader's key.
func (r reader) once(section, name, code string) bool {
	if first, ok := r.settings[setting{section, name}]; ok {
		r.errorf(r.key, code, "keep one of them", "it is defined twice, first at %s:%d:%d", first.src.path, first.key.Line, first.key.Column)
		return false
	}
	r.settings[setting{section, name}] = found{r.src, r.key}
	return true
}

// unique makes fields that may be set in one file only.
func unique[T any](section string, fields []field[T]) []field[T] {
	list := make([]field[T], len(fields))
	for i, f := range fields {
		list[i] = field[T]{f.name, f.kind, f.preset, func(r reader, into *T, value *yaml.Node) {
			if r.once(section, f.name, "setting-duplicate") {
				f.read(r, into, value)
			}
		}}
	}
	return list
}

func (r reader) position(n *yaml.Node) job.Position {
	return job.Position{File: r.src.path, Line: n.Line, Column: n.Column}
}

// finish puts together what the files contain.
func (l *loader) finish() {
	l.finishUsers()
	l.finishProjects()
	l.chooseApplications()
	l.finishCrons()
	l.finishEndpoints()
	l.finishHistory()
	l.reportUnguarded()
	l.lookAhead()
	l.config.Hash = hex.EncodeToString(l.hash.Sum(nil)[:16])
}
