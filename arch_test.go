// Package automatond_test holds the module to the architecture that its documents describe. What
// may import what stands in docs/architecture.md, and which libraries there are, in
// docs/adr/0002-libraries.md; this test reads the tables there, so document and code cannot part.
package automatond_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	module           = "github.com/automatond/automatond"
	architecturePage = "docs/architecture.md"
	librariesPage    = "docs/adr/0002-libraries.md"
)

func TestModule_KeepsToItsDocuments(t *testing.T) {
	for _, problem := range examine(os.DirFS(".")) {
		t.Error(problem)
	}
}

// architecture is what the documents say.
type architecture struct {
	packages  map[string][]string // by directory: what may be imported, as directories
	libraries map[string]bool     // by module path: whether tests alone may import it
}

// programs are the packages that start programs: one measures others, one is for tests.
var programs = []string{"bench", "internal/postgrestest"}

// apart are the packages that what is part of the daemon may not import.
var apart = append([]string{"internal/ledgertest", "internal/logtest"}, programs...)

// processes are the ways to start a program, which nothing else here may do.
var processes = map[string][]string{
	"os/exec": nil,
	"os":      {"StartProcess"},
	"syscall": {"Exec", "ForkExec", "StartProcess"},
	"plugin":  nil,
}

// examine reads every Go file of the tree and says what the documents do not allow.
func examine(tree fs.FS) []string {
	said, problems := readDocuments(tree)
	seen := map[string]bool{} // packages and libraries that the code has
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipForeign(tree, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		file := goFile{name: name, set: token.NewFileSet(), said: said, seen: seen}
		problems = append(problems, file.examine(tree)...)
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(said.packages)) {
		if !seen[name] {
			problems = append(problems, fmt.Sprintf("%s: package %s does not exist", architecturePage, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(said.libraries)) {
		if !seen[name] {
			problems = append(problems, fmt.Sprintf("%s: nothing imports %s", librariesPage, name))
		}
	}
	return problems
}

// skipForeign leaves out what the go command does not count to the module.
func skipForeign(tree fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if _, err := fs.Stat(tree, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	return nil
}

// goFile is one file under examination.
type goFile struct {
	name     string
	set      *token.FileSet
	said     architecture
	seen     map[string]bool
	problems []string
}

func (f *goFile) examine(tree fs.FS) []string {
	source, err := fs.ReadFile(tree, f.name)
	if err != nil {
		return []string{err.Error()}
	}
	syntax, err := parser.ParseFile(f.set, f.name, source, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	test := strings.HasSuffix(f.name, "_test.go")
	pkg := path.Dir(f.name)
	allowed, known := f.said.packages[pkg]
	if !test && !known && !f.seen[pkg] {
		f.problem(syntax, "package %s has no row in %s", pkg, architecturePage)
	}
	f.seen[pkg] = f.seen[pkg] || !test
	for _, spec := range syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			f.problem(spec, "import %s is not a string", spec.Path.Value)
			continue
		}
		if inside, ok := strings.CutPrefix(target, module+"/"); ok {
			if !test && known && (!slices.Contains(allowed, inside) || slices.Contains(apart, inside)) {
				f.problem(spec, "%s may not import %s", pkg, inside)
			}
			continue
		}
		f.examineLibrary(spec, target, test)
	}
	if test {
		return f.problems
	}
	if !slices.Contains(programs, pkg) {
		f.examineProcesses(syntax)
	}
	if strings.HasPrefix(pkg, "internal/") {
		f.examineGlobals(syntax)
	}
	return f.problems
}

func (f *goFile) problem(at ast.Node, format string, args ...any) {
	f.problems = append(f.problems, f.set.Position(at.Pos()).String()+": "+fmt.Sprintf(format, args...))
}

func (f *goFile) examineLibrary(at ast.Node, target string, test bool) {
	if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	for library, testOnly := range f.said.libraries {
		if target != library && !strings.HasPrefix(target, library+"/") {
			continue
		}
		f.seen[library] = true
		if testOnly && !test {
			f.problem(at, "%s is for tests only", library)
		}
		return
	}
	f.problem(at, "%s stands in no table of %s", target, librariesPage)
}

// examineProcesses holds the rule that automatond never executes a program.
func (f *goFile) examineProcesses(syntax *ast.File) {
	for _, spec := range syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		functions, starts := processes[target]
		if err != nil || !starts {
			continue
		}
		if functions == nil {
			f.problem(spec, "%s can execute a program", target)
			continue
		}
		ast.Inspect(syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(functions, call.Sel.Name) {
				return true
			}
			if of, ok := call.X.(*ast.Ident); ok && of.Name == path.Base(target) {
				f.problem(call, "%s.%s executes a program", target, call.Sel.Name)
			}
			return true
		})
	}
}

// examineGlobals holds the rule that an internal package has no init function, and no variable
// that others could change. A sentinel error is a variable only because Go has no other way.
func (f *goFile) examineGlobals(syntax *ast.File) {
	for _, decl := range syntax.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil && decl.Name.Name == "init" {
				f.problem(decl, "an internal package has no init function")
			}
		case *ast.GenDecl:
			if decl.Tok != token.VAR {
				continue
			}
			for _, spec := range decl.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.IsExported() && !strings.HasPrefix(name.Name, "Err") {
						f.problem(name, "variable %s can be changed from outside", name.Name)
					}
				}
			}
		}
	}
}

// readDocuments reads the tables, and says what is wrong with them.
func readDocuments(tree fs.FS) (architecture, []string) {
	said := architecture{packages: map[string][]string{}, libraries: map[string]bool{}}
	var problems []string
	packages, err := fs.ReadFile(tree, architecturePage)
	if err != nil {
		problems = append(problems, err.Error())
	}
	rows := tableUnder(packages, "## The packages")
	for _, row := range rows {
		said.packages[onlyName(row[0])] = nil
	}
	for _, row := range rows {
		name := onlyName(row[0])
		if row[2] == "all" {
			said.packages[name] = slices.Collect(maps.Keys(said.packages))
			continue
		}
		for _, target := range names(row[2]) {
			dir := path.Join("internal", target)
			if _, ok := said.packages[dir]; !ok {
				problems = append(problems, fmt.Sprintf("%s: %s may import %s, which has no row", architecturePage, name, target))
			}
			said.packages[name] = append(said.packages[name], dir)
		}
	}
	libraries, err := fs.ReadFile(tree, librariesPage)
	if err != nil {
		problems = append(problems, err.Error())
	}
	for heading, testOnly := range map[string]bool{"### In the binary": false, "### In tests only": true} {
		for _, row := range tableUnder(libraries, heading) {
			said.libraries[onlyName(row[0])] = testOnly
		}
	}
	return said, problems
}

// tableUnder returns the rows of the first table after a heading, at least three cells each,
// without its head.
func tableUnder(document []byte, heading string) [][]string {
	_, after, _ := strings.Cut("\n"+string(document), "\n"+heading+"\n")
	var rows [][]string
	for line := range strings.Lines(after) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" && len(rows) > 0 {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) < 3 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows[min(2, len(rows)):]
}

var quoted = regexp.MustCompile("`([^`]+)`")

// names returns what stands between back quotes.
func names(cell string) []string {
	var list []string
	for _, match := range quoted.FindAllStringSubmatch(cell, -1) {
		list = append(list, match[1])
	}
	return list
}

func onlyName(cell string) string { return strings.Join(names(cell), " ") }

func TestExamine_FindsWhatTheDocumentsDoNotAllow(t *testing.T) {
	const documented = `# Architecture

## The packages

| package | job | may import |
|---|---|---|
| ` + "`internal/a`" + ` | one | nothing |
| ` + "`internal/b`" + ` | two | ` + "`a`" + ` (types) |

More text.
`
	const libraries = `# Libraries

### In the binary

| module | for | licence |
|---|---|---|
| ` + "`example.org/log`" + ` | logs | MIT |

### In tests only

| module | for | licence |
|---|---|---|
| ` + "`example.org/check`" + ` | tests | MIT |
`
	tree := func(change map[string]string) fs.FS {
		files := map[string]string{
			architecturePage:           documented,
			librariesPage:              libraries,
			"internal/a/a.go":          "package a\n\nimport (\n\t\"errors\"\n\t_ \"example.org/log/sub\"\n)\n\nvar ErrGone = errors.New(\"gone\")\n",
			"internal/a/a_test.go":     "package a\n\nimport (\n\t_ \"example.org/check\"\n\t_ \"os/exec\"\n)\n",
			"internal/b/b.go":          "package b\n\nimport _ \"" + module + "/internal/a\"\n",
			"internal/b/testdata/x.go": "not Go at all",
			"tools/go.mod":             "module tools\n",
			"tools/main.go":            "package main\n\nimport _ \"example.org/anything\"\n",
		}
		maps.Copy(files, change)
		m := fstest.MapFS{}
		for name, content := range files {
			m[name] = &fstest.MapFile{Data: []byte(content)}
		}
		return m
	}
	if got := examine(tree(nil)); len(got) > 0 {
		t.Fatalf("a tree that keeps to its documents has problems: %q", got)
	}
	for name, c := range map[string]struct{ file, source, want string }{
		"an import against the arrows": {"internal/a/x.go", "package a\n\nimport _ \"" + module + "/internal/b\"\n",
			"internal/a/x.go:3:8: internal/a may not import internal/b"},
		"a package without a row": {"internal/c/c.go", "package c\n",
			"internal/c/c.go:1:1: package internal/c has no row in docs/architecture.md"},
		"a row without a package": {architecturePage, documented[:strings.Index(documented, "\n\nMore")] + "\n| `internal/d` | gone | nothing |\n",
			"docs/architecture.md: package internal/d does not exist"},
		"a row that names no package": {architecturePage, strings.ReplaceAll(documented, "`a`", "`a`, `e`"),
			"docs/architecture.md: internal/b may import e, which has no row"},
		"a library without a reason": {"internal/a/x_test.go", "package a\n\nimport _ \"example.org/other\"\n",
			"internal/a/x_test.go:3:8: example.org/other stands in no table of docs/adr/0002-libraries.md"},
		"a library nobody uses": {librariesPage, libraries + "| `example.org/old` | once | MIT |\n",
			"docs/adr/0002-libraries.md: nothing imports example.org/old"},
		"a test library in the binary": {"internal/a/x.go", "package a\n\nimport _ \"example.org/check/deep\"\n",
			"internal/a/x.go:3:8: example.org/check is for tests only"},
		"an init function": {"internal/a/x.go", "package a\n\nfunc init() {}\n",
			"internal/a/x.go:3:1: an internal package has no init function"},
		"a variable others can change": {"internal/a/x.go", "package a\n\nvar Limit = 3\n",
			"internal/a/x.go:3:5: variable Limit can be changed from outside"},
		"a process package": {"internal/a/x.go", "package a\n\nimport _ \"os/exec\"\n",
			"internal/a/x.go:3:8: os/exec can execute a program"},
		"a process function": {"internal/a/x.go", "package a\n\nimport \"syscall\"\n\nvar run = syscall.ForkExec\n",
			"internal/a/x.go:5:11: syscall.ForkExec executes a program"},
	} {
		t.Run(name, func(t *testing.T) {
			got := examine(tree(map[string]string{c.file: c.source}))
			if !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want only %q", got, c.want)
			}
		})
	}
}
