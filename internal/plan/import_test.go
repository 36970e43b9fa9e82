package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

// TestImport_PlansAlikeInEveryContext holds real shapes of files, and generated ones, against what
// import makes of them. AUTOMATOND_IMPORT_FILES=10000 is the long form.
func TestImport_PlansAlikeInEveryContext(t *testing.T) {
	dir, long := t.TempDir(), os.Getenv("AUTOMATOND_IMPORT_FILES") != ""
	for i, f := range shapes(t) {
		planAlike(t, dir, f.Name, string(f.Data), someContexts(rand.New(rand.NewPCG(uint64(i), 6)), long))
	}
	files := 200
	if n, err := strconv.Atoi(os.Getenv("AUTOMATOND_IMPORT_FILES")); err == nil {
		files = n
	}
	fates := map[config.Fate]int{}
	for seed := range files {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 5))}
		for fate, n := range planAlike(t, dir, fmt.Sprint("seed ", seed), g.file(), someContexts(g.Rand, false)) {
			fates[fate] += n
		}
		if t.Failed() {
			return
		}
	}
	t.Log(fates)
	if fates[config.Declares] < files/4 || fates[config.Keeps] < files/4 || fates[steps] < files/8 {
		t.Errorf("the files show too little: %v", fates)
	}
}

// importContexts are where a guard and a script could part: what is unknown, what is special to test
// and to a pattern, and every status.
func importContexts() []plan.Offline {
	list := append([]plan.Offline{}, contexts...)
	for i, branch := range []string{"main", "release/1.0", "release/1", "Main", "dev", "a/b/c", "!", "(", "-n", "=", "main*", "$production", "{main,dev}"} {
		for k, kind := range []string{"", "production", "staging", "development", "other"} {
			status := []string{"", "active", "dirty", "paused"}[(i+k)%4]
			list = append(list, plan.Offline{
				Branch: branch, EnvironmentType: kind, Status: status, DefaultBranch: []string{"", "main"}[k%2],
				MachineName: []string{"", "main-bvxea6i"}[i%2], Variables: []map[string]string{nil, {"RUN": "yes"}}[k%2],
			})
		}
	}
	return list
}

// someContexts are a few contexts of all, or all of them.
func someContexts(r *rand.Rand, all bool) []plan.Offline {
	list := importContexts()
	if all {
		return list
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:20]
}

// steps counts the declared crons that have several tasks.
const steps config.Fate = "steps"

func planAlike(t *testing.T, dir, name, text string, contexts []plan.Offline) map[config.Fate]int {
	t.Helper()
	if ownBranch.MatchString(text) {
		contexts = slices.DeleteFunc(contexts, func(o plan.Offline) bool { return o.Branch == "-n" })
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	imported, diagnostics, err := config.Import([]string{file})
	switch {
	case err != nil && strings.Contains(err.Error(), "nothing to import"):
		return nil
	case err != nil:
		t.Errorf("%s: %v\n%s", name, err, text)
		return nil
	case imported == nil:
		t.Errorf("%s is not valid:\n%v\n%s", name, diagnostics, text)
		return nil
	}
	fates := map[config.Fate]int{}
	left := map[string]bool{}
	for _, c := range imported.Crons {
		fates[c.Fate]++
		left[c.Name] = c.Fate == config.Leaves
	}
	was, is := foreign(t, dir, text), foreign(t, dir, string(imported.YAML))
	for _, j := range is {
		if len(j.Tasks) > 1 {
			fates[steps]++
		}
		if i := slices.IndexFunc(was, func(w *job.Job) bool { return w.Name == j.Name && w.Script != nil }); i >= 0 && len(j.Tasks) > 0 {
			asksAlike(t, was[i], j, contexts)
		}
	}
	for _, context := range contexts {
		if diff := cmp.Diff(answers(t, context, was, left), answers(t, context, is, left)); diff != "" {
			t.Errorf("%s on %+v (-file +import):\n%s\n%s\n%s", name, context, diff, text, imported.YAML)
			break
		}
	}
	return fates
}

// asksAlike holds a declared cron against the script that it was, whichever of the calls fail.
func asksAlike(t *testing.T, was, is *job.Job, contexts []plan.Offline) {
	t.Helper()
	all, shown := 1<<len(is.Tasks)-1, 0
	for _, c := range contexts {
		if shown == 2 {
			return
		}
		for failing := range all + 1 {
			var made, asked []string
			call := func(_ context.Context, c shell.Call) int {
				made = append(made, tasks.Hash(c.Task))
				return failing >> (len(made) - 1) & 1
			}
			was.Script.Run(t.Context(), variables(c), call)
			if len(made) == 0 {
				break // not where its conditions hold
			}
			shown += failing / all
			for i, task := range is.Tasks {
				asked = append(asked, tasks.Hash(tasks.Expand(task, tasks.Names{})))
				if is.OnFailure == job.OnFailureStop && failing>>i&1 == 1 {
					break
				}
			}
			if diff := cmp.Diff(made, asked); diff != "" {
				t.Errorf("when calls %b fail (-script +steps):\n%s\n%s", failing, diff, was.Script.Source())
				return
			}
		}
	}
}

// answers are the decisions on a target in words, of the crons that are not left to the container.
// Where both a guard and the status say no, either may be the reason.
func answers(t *testing.T, o plan.Offline, jobs []*job.Job, left map[string]bool) []string {
	t.Helper()
	var list []string
	for _, c := range o.For(t.Context(), jobs).Crons {
		if left[c.Cron] {
			continue
		}
		if c.Decision == plan.Error && (o.Branch == "!" || o.Branch == "(") {
			c.Decision = plan.Skip // the one difference: [ with -a or -o takes such a branch for an operator
		}
		if c.Decision == plan.Skip {
			c.Reason = ""
		}
		line := fmt.Sprint(c.Cron, " ", c.Decision, " ", c.Reason)
		for _, task := range c.Tasks {
			line += fmt.Sprintf(" %s %s %s %s", task.Kind, task.Project, task.Environment, tasks.Hash(task.Params))
		}
		list = append(list, line)
	}
	return list
}

// ownBranch is a call that names its own branch. One that begins with a dash, which git does not allow,
// would be an option.
var ownBranch = regexp.MustCompile(`-e "?\$\{?PLATFORM_BRANCH`)

// generator writes files of the shapes that people write, and some that they do not.
type generator struct{ *rand.Rand }

func (g generator) of(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) file() string {
	switch g.IntN(4) {
	case 0:
		return "name: app\ntype: 'php:8.3'\n" + g.of("", "timezone: Europe/Paris\n") + g.crons("")
	case 1:
		return "- name: one\n  type: 'php:8.3'\n" + g.crons("  ") + "- name: two\n  type: 'nodejs:20'\n  timezone: America/Lima\n" + g.crons("  ")
	case 2:
		return "applications:\n    one:\n        type: 'php:8.3'\n" + g.crons("        ") + "routes: {}\n"
	}
	return "# own\nvariables: {RUN: 'no'}\n" + g.crons("")
}

func (g generator) crons(indent string) string {
	var b strings.Builder
	b.WriteString(indent + "crons:\n")
	for i := range 1 + g.IntN(3) {
		fmt.Fprintf(&b, g.of("%s    cron-%d:\n", "%s    'a cron: %d':\n"), indent, i)
		b.WriteString(indent + "        spec: '0 5 * * *'\n")
		b.WriteString(indent + g.of("", "        # a comment\n"+indent))
		at := "            "
		if g.IntN(3) == 0 {
			b.WriteString("        commands:\n" + indent + "            start: |\n")
			at += "    "
		} else {
			b.WriteString("        cmd: |\n")
		}
		for line := range strings.Lines(strings.TrimSuffix(g.script(), "\n")) {
			b.WriteString(indent + at + line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (g generator) script() string {
	script := g.of("", "", "", "set -e\n", "set -eu\n", "# why\n", "cd /app\n", "cd \"$PLATFORM_APP_DIR\" || exit 1\n", "export PATH=\"$HOME/bin:$PATH\"\n",
		"echo \"on $PLATFORM_BRANCH\"\n")
	if g.IntN(4) == 0 {
		script += g.gate() + "\n"
	}
	return script + g.body() + "\n" + g.of("", "", "", "exit 0\n", "true\n", "echo done\n")
}

func (g generator) gate() string {
	switch g.IntN(5) {
	case 0:
		return g.condition() + " || exit" + g.of("", " 0", " 1", " $?")
	case 4:
		return g.condition() + " || { echo \"not on $PLATFORM_BRANCH\"; exit 0; }"
	case 1:
		return g.condition() + " && exit 0"
	case 2:
		return "if " + g.condition() + "; then exit 0; fi"
	}
	return "case " + g.variable() + " in " + g.names() + ") " + g.of(";;", ": ;;") + " *) exit 0 ;; esac"
}

func (g generator) body() string {
	switch g.IntN(12) {
	case 0:
		return g.call()
	case 1, 2:
		return g.condition() + " && " + g.calls(" && ") + g.of("", "", " || true")
	case 10, 11:
		return g.calls(g.of("\n", "; ", "; ", " && ", " || ", " || exit 1\n", " || true\n", " >> /app/log 2>&1; "), "\n")
	case 3:
		return g.condition() + " || " + g.call()
	case 4:
		return "case " + g.variable() + " in\n    " + g.names() + ") " + g.body() + " ;;\n" + g.of("", "    *) exit 0 ;;\n", "    *) ;;\n") + "esac"
	case 5:
		return "if " + g.condition() + "; then\n    " + g.body() + "\nelse\n    " + g.of("exit 0", "true", g.call()) + "\nfi"
	case 6:
		return "{ " + g.of("", "cd /app && ") + g.calls("; ") + "; }"
	case 7:
		return g.calls(g.of("\n", " && ", " || exit 1\n"))
	}
	return "if " + g.condition() + "; then\n    " + g.body() + "\nfi"
}

func (g generator) condition() string {
	switch g.IntN(12) {
	case 0:
		return g.test() + g.of(" && ", " || ") + g.test()
	case 1:
		return "[ " + g.comparison() + g.of(" -o ", " -a ") + g.comparison() + " ]"
	case 2:
		return "! " + g.test()
	}
	return g.test()
}

func (g generator) test() string {
	switch g.IntN(10) {
	case 0, 1:
		return "test " + g.comparison()
	case 2:
		return g.of("[ -n ", "[ -z ") + g.variable() + " ]"
	}
	return "[ " + g.comparison() + " ]"
}

func (g generator) comparison() string {
	switch g.IntN(4) {
	case 0:
		return `"$PLATFORM_BRANCH"` + g.of(" = ", " != ") + g.of("main", "dev")
	case 1:
		return `"$PLATFORM_ENVIRONMENT_TYPE"` + g.of(" = ", " != ") + g.of("production", "staging")
	}
	if g.IntN(4) == 0 {
		return g.name() + g.of(" = ", " != ") + g.variable()
	}
	return g.variable() + g.of(" = ", " = ", " != ") + g.name()
}

func (g generator) variable() string {
	if g.IntN(3) > 0 {
		return g.of(`"$PLATFORM_BRANCH"`, `"$PLATFORM_ENVIRONMENT_TYPE"`)
	}
	return g.of(`"${PLATFORM_BRANCH}"`, `"${PLATFORM_ENVIRONMENT_TYPE}"`, `"$PLATFORM_ENVIRONMENT"`, `"$RUN"`, `$PLATFORM_BRANCH`, `"x$PLATFORM_BRANCH"`, `x$PLATFORM_ENVIRONMENT_TYPE`, `"${PLATFORM_BRANCH:-main}"`, `"${PLATFORM_ENVIRONMENT_TYPE:-}"`, `${PLATFORM_BRANCH-dev}`, `"$PLATFORM_APPLICATION_NAME"`)
}

func (g generator) name() string {
	if g.IntN(3) > 0 {
		return g.of("main", "production", "release/1.0")
	}
	return g.of("main", "main", `"main"`, "'dev'", "release/1.0", "production", "development", `"staging"`, `"main*"`, "'!'", `"("`, `""`, "yes", "xmain", "xproduction",
		`"$PLATFORM_BRANCH"`, "'{main,dev}'", "'$production'", "one", "app", "a/b/c")
}

func (g generator) names() string {
	return g.of("main", "main|dev", "'main' | \"release/1.0\"", "release/*", "production", "production|staging", "m[a]in", "*")
}

// calls are a few, joined in one of these ways.
func (g generator) calls(joins ...string) string {
	calls := g.call()
	for range g.IntN(4) {
		calls += g.of(joins...) + g.step()
	}
	return calls
}

// step is a call that may be one of several.
func (g generator) step() string {
	return "platform " + g.of("backup -y", "redeploy -y", "sync data -y", "source-operation:run update", "environment:info title x") +
		g.of(" --wait", " --wait", " --no-wait", "")
}

func (g generator) call() string {
	switch g.IntN(4) {
	case 0:
		return g.step()
	case 1:
		return "platform backup:create --yes --no-wait"
	}
	return g.of("platform backup:create --yes --no-wait", "platform snapshot:create -yW --live", "croncape platform backup -y --no-wait",
		"/app/.platformsh/bin/platform redeploy --yes --no-wait", "upsun sync data code --yes --no-wait", "platform environment:pause --yes --no-wait",
		"platform environment:resume --yes --no-wait", "platform source-operation:run update --variable env:X=1 --no-wait", "platform backup -y --wait",
		`platform backup -yW -e "$PLATFORM_BRANCH"`, "platform backup -yW --environment=$PLATFORM_BRANCH", "platform backup -yW -e main",
		`platform source-operation:run update --variable "env:B=$PLATFORM_BRANCH" -W`, "platform backup -yW >/dev/null 2>&1",
		"platform variable:set foo secret-1 --no-wait", "platform operation:run clear --app one --no-wait", "platform deploy --yes --no-wait")
}
