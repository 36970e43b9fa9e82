package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

var update = flag.Bool("update", false, "write the parts of the pages on tasks that are made from the catalogue")

// TestDocs_DescribeEveryTask holds a page of each task against the catalogue: it has the task's facts,
// configurations that load and ask for it, and command lines that mean it.
func TestDocs_DescribeEveryTask(t *testing.T) {
	pages, err := filepath.Glob("../../docs/tasks/*.md")
	if err != nil || len(pages) != len(tasks.Catalogue()) {
		t.Errorf("%d pages in docs/tasks for %d tasks, %v", len(pages), len(tasks.Catalogue()), err)
	}
	said := whatKeysSay(t)
	for _, k := range tasks.Catalogue() {
		page := "docs/tasks/" + k.Name + ".md"
		if _, err := os.Stat(filepath.Join("../..", page)); err != nil {
			t.Errorf("%v; write it as the others are, with an empty block of facts, and have that filled with -update", err)
			continue
		}
		keepBlock(t, page, "facts", taskFacts(k)+taskKeys(k, said))
		text := readPage(t, page)
		if !strings.HasPrefix(text, "# "+k.Name+"\n") {
			t.Errorf("%s does not begin with its name", page)
		}
		asked := false
		for _, j := range loadBlocks(t, text) {
			asked = asked || len(j.Tasks) == 1 && j.Tasks[0].Kind() == k
		}
		if !asked {
			t.Errorf("no configuration in %s has the task", page)
		}
		checkCommandLines(t, k, text)
	}
	keepBlock(t, "docs/tasks.md", "tasks", taskIndex())
	commands := commandTable()
	keepBlock(t, "docs/tasks.md", "commands", commands)
	if n := strings.Count(commands, "\n") - 2; n != 42 || strings.Contains(commands, "not yet") {
		t.Errorf("the table has %d commands, want 42, each with a task or a reason", n)
	}
}

// keepBlock holds the block of a page that is made by this test against what it is to be, or writes it.
func keepBlock(t *testing.T, page, name, want string) {
	t.Helper()
	begin := "<!-- " + name + ": written by go test ./cmd/automatond -run Docs_DescribeEveryTask -update -->\n"
	end := "<!-- end of " + name + " -->\n"
	text := readPage(t, page)
	before, rest, ok := strings.Cut(text, begin)
	got, after, ended := strings.Cut(rest, end)
	switch {
	case !ok || !ended:
		t.Errorf("%s has no block\n%s%s", page, begin, end)
	case got == want:
	case *update:
		if err := os.WriteFile(filepath.Join("../..", page), []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is stale, run this test with -update (-page +catalogue):\n%s", page, gocmp.Diff(got, want))
	}
}

// taskIndex is the list of all tasks.
func taskIndex() string {
	var b strings.Builder
	b.WriteString("| task | what it does |\n|---|---|\n")
	for _, k := range tasks.Catalogue() {
		fmt.Fprintf(&b, "| [%s](tasks/%[1]s.md) | %s |\n", k.Name, k.Summary)
	}
	return b.String()
}

// changing are the command classes of the vendor's CLI that start activities: those with the options
// --wait and --no-wait in its sources.
const changing = `backup:create backup:delete backup:restore certificate:add certificate:delete
	domain:add domain:delete domain:update
	environment:activate environment:branch environment:delete environment:deploy environment:deploy:type
	environment:http-access environment:info environment:init environment:merge environment:pause
	environment:push environment:redeploy environment:resume environment:synchronize
	integration:add integration:delete integration:update operation:run
	project:info project:variable:delete project:variable:set resources:set source-operation:run team:update
	user:add user:delete user:get user:update
	variable:create variable:delete variable:disable variable:enable variable:set variable:update`

// commandTable says of all 42 of them what becomes of them here.
func commandTable() string {
	var b strings.Builder
	b.WriteString("| command | here |\n|---|---|\n")
	for _, command := range strings.Fields(changing) {
		_, err := tasks.ByCommand(command)
		if err == nil {
			fmt.Fprintf(&b, "| `%s` | %s |\n", command, kindsBehind(command))
			continue
		}
		_, reason, _ := strings.Cut(err.Error(), "does not offer it: ")
		text := "refused: " + cmp.Or(reason, "not yet")
		if strings.HasSuffix(reason, "of the kind api") {
			text = "by [api](tasks/api.md)"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", command, text)
	}
	return b.String()
}

// kindsBehind lists the pages of the tasks that a command can mean.
func kindsBehind(command string) string {
	var pages []string
	for _, k := range tasks.Catalogue() {
		if k.Command == command {
			pages = append(pages, fmt.Sprintf("[%s](tasks/%[1]s.md)", k.Name))
		}
	}
	return strings.Join(pages, ", ")
}

// taskFacts is the table that a task's page has.
func taskFacts(k *tasks.Kind) string {
	yes := map[bool]string{true: "yes", false: "no"}
	command, request, role, destructive := "none", fmt.Sprintf("`%s` `%s`", cmp.Or(k.Method, "POST"), k.Link), "`"+k.Role+"`", yes[k.Destructive]
	if k.Command != "" {
		command = quoted(append([]string{k.Command}, k.Aliases...), ", ")
	}
	switch {
	case k.ReadOnly:
		request = "none: " + k.Route[strings.LastIndex(k.Route, "/")+1:] + " are read"
	case k.Free:
		request, role, destructive = "as given", "not known", "when its method is `DELETE`"
	case k.Link == "":
		request = fmt.Sprintf("`%s` `%s`", cmp.Or(k.Method, "POST"), k.Route)
	}
	return fmt.Sprintf("| | |\n|---|---|\n| CLI | %s |\n| request | %s |\n| role | %s |\n| statuses | %s |\n| witness | %s |\n| repeatable | %s |\n| destructive | %s |\n",
		command, request, role, quoted(k.Statuses, ", "), witnessFacts(k), yes[k.Repeatable], destructive)
}

func witnessFacts(k *tasks.Kind) string {
	var list []string
	if len(k.Witness.Activities) > 0 {
		list = append(list, "activity "+quoted(k.Witness.Activities, " or "))
	}
	if k.Witness.Status != "" {
		list = append(list, "status `"+k.Witness.Status+"`")
	}
	if k.Witness.Done {
		list = append(list, "nothing left to do")
	}
	if k.Free {
		list = append(list, "as given")
	}
	return cmp.Or(strings.Join(list, ", or "), "none is needed")
}

var keyRow = regexp.MustCompile("(?m)^\\| `([a-z_.<>]+)` \\|[^|]*\\|[^|]*\\| ([^|]+) \\|$")

// whatKeysSay returns the sentence on each key in docs/configuration.md.
func whatKeysSay(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, row := range keyRow.FindAllStringSubmatch(readPage(t, "docs/configuration.md"), -1) {
		said[row[1]] = row[2]
	}
	return said
}

// taskKeys is the table of a task's parameters, "" when it has none.
func taskKeys(k *tasks.Kind, said map[string]string) string {
	var b strings.Builder
	for _, key := range config.Keys() {
		if name, ok := strings.CutPrefix(key.Path, "crons.<cron>.task."+k.Name+"."); ok {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, key.Type, key.Default, said[key.Path])
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| key | type | default | what it says |\n|---|---|---|---|\n" + b.String()
}

// quoted lists names, with a word before the last.
func quoted(names []string, last string) string {
	text := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += last
		default:
			text += ", "
		}
		text += "`" + name + "`"
	}
	return text
}

// checkCommandLines runs a page's command lines as scripts and wants each to mean the task.
func checkCommandLines(t *testing.T, k *tasks.Kind, text string) {
	t.Helper()
	called := 0
	for _, block := range shBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			script, problems := shell.Parse(line)
			if script == nil || len(problems) > 0 {
				t.Errorf("%s%+v", line, problems)
				continue
			}
			result := script.Run(t.Context(), nil, func(_ context.Context, c shell.Call) int {
				if c.Task.Kind() != k {
					t.Errorf("%smeans %s", line, c.Task.Kind().Name)
				}
				called++
				return 0
			})
			if result.Err != nil || result.Calls != 1 {
				t.Errorf("%sended with %+v", line, result)
			}
		}
	}
	if called == 0 && k.Command != "" {
		t.Errorf("the page on %s has no command line", k.Name)
	}
}
