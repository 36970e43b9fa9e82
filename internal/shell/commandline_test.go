package shell

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/tasks"
)

// words splits a command line at spaces. Two quotation marks are an empty word, and _ within one a
// space.
func words(line string) []string {
	list := strings.Fields(line)
	for i, w := range list {
		list[i] = strings.ReplaceAll(strings.ReplaceAll(w, "''", ""), "_", " ")
	}
	return list
}

func confidential(value string) *tasks.Confidential { return new(tasks.Confidential(value)) }

func TestParseCommandLine_ReadsWhatTheCLIReads(t *testing.T) {
	backup, live := &tasks.Backup{}, &tasks.Backup{Live: true}
	update := func(variables map[string]string) *tasks.SourceOperation {
		return &tasks.SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": variables}}
	}
	for _, tt := range []struct {
		line string
		want Call
	}{
		{"platform backup:create", Call{Task: backup}},
		{"platform snapshot:create --yes --no-wait", Call{Task: backup}},
		{"upsun backup -y -W", Call{Task: backup}},

		// Commands are abbreviated part by part; aliases count.
		{"platform environment:sync data", Call{Task: &tasks.Synchronize{Data: true}}},
		{"platform env:sync data", Call{Task: &tasks.Synchronize{Data: true}}},
		{"platform e:sync data", Call{Task: &tasks.Synchronize{Data: true}}},
		{"platform Environment:Pause", Call{Task: &tasks.Pause{}}},
		{"platform e:pause -e x", Call{Task: &tasks.Pause{}, Environment: "x"}},
		{"platform environment:resume", Call{Task: &tasks.Resume{}}},
		{"platform redeploy", Call{Task: &tasks.Redeploy{}}},
		{"platform op:r clear-cache", Call{Task: &tasks.Operation{Operation: "clear-cache"}}},
		{"platform environment:deactivate -y", Call{Task: &tasks.Deactivate{}}},

		// Domains are production's unless an environment, or what a domain of another stands for, is named.
		{"platform domain:add a.example", Call{Task: &tasks.DomainAdd{Name: "a.example"}, Environment: "."}},
		{"platform domain:add a.example -e x", Call{Task: &tasks.DomainAdd{Name: "a.example"}, Environment: "x"}},
		{"platform domain:add a.example --attach b.example", Call{Task: &tasks.DomainAdd{Name: "a.example", Attach: "b.example"}}},
		{"platform domain:delete a.example -y", Call{Task: &tasks.DomainDelete{Name: "a.example"}, Environment: "."}},

		// Switches, alone and grouped, in any order and place.
		{"upsun backup -yW --live", Call{Task: live}},
		{"upsun backup -Wy", Call{Task: backup}},
		{"upsun backup --unsafe", Call{Task: live}},
		{"platform -y -vvv backup:create -q", Call{Task: backup}},
		{"platform -v backup:create -vv --verbose", Call{Task: backup}},
		{"platform -yqvW backup:create", Call{Task: backup}},
		{"platform --no-ansi backup:create --ansi --no-interaction --verbose --quiet", Call{Task: backup}},
		{"platform --yes --live backup:create", Call{Task: live}},
		{"platform backup:create --live --live", Call{Task: live}},
		{"platform backup:create -n -y", Call{Task: backup}},
		{"platform backup:create --no --yes", Call{Task: backup}},

		// Values, attached or as the next word; the last one of several counts.
		{"platform backup:create -p abc -e main", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create -pabc -emain", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create -yWpabc -e .", Call{Task: backup, Project: "abc", Environment: "."}},
		{"platform backup:create -yWp abc", Call{Task: backup, Project: "abc"}},
		{"platform backup:create -pW", Call{Task: backup, Project: "W"}},
		{"platform backup:create --project=abc --environment=feature/x", Call{Task: backup, Project: "abc", Environment: "feature/x"}},
		{"platform backup:create --project abc --environment main", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create --environment=a=b", Call{Task: backup, Environment: "a=b"}},
		{"platform backup:create --environment=-odd", Call{Task: backup, Environment: "-odd"}},
		{"platform backup:create -e-odd", Call{Task: backup, Environment: "-odd"}},
		{"platform backup:create -e a -e b", Call{Task: backup, Environment: "b"}},
		{"platform backup:create -e a --environment=b -ec", Call{Task: backup, Environment: "c"}},
		{"platform backup:create --host eu.example -e b", Call{Task: backup, Environment: "b"}},
		{"platform -epabc backup:create", Call{Task: backup, Environment: "pabc"}},
		{"platform --environment=x backup:create", Call{Task: backup, Environment: "x"}},
		{"platform source-operation:run update --variable env:A=b --variable=env:C=d", Call{Task: update(map[string]string{"A": "b", "C": "d"})}},
		{"platform source-operation:run update --variable env:A=b --variable env:A=", Call{Task: update(map[string]string{"A": ""})}},
		{"platform source-operation:run --variable env:A=b_c:d update", Call{Task: update(map[string]string{"A": "b c:d"})}},
		{"platform operation:run migrate --parameter=--force --parameter x -A app --parameter=", Call{Task: &tasks.Operation{
			Operation: "migrate", App: "app", Parameters: []string{"--force", "x", ""}}}},
		{"platform operation:run migrate --parameter ''", Call{Task: &tasks.Operation{Operation: "migrate", Parameters: []string{""}}}},

		// Long options may be abbreviated.
		{"platform backup:create --env main --proj abc", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create --env=main --no-w --li", Call{Task: live, Environment: "main"}},

		// Arguments, behind options and behind --.
		{"platform backup:create main", Call{Task: backup, Environment: "main"}},
		{"platform backup:create -y main -W", Call{Task: backup, Environment: "main"}},
		{"platform backup:create -y -- -odd", Call{Task: backup, Environment: "-odd"}},
		{"platform -- backup:create --yes", Call{Task: backup, Environment: "--yes"}},
		{"platform backup:create -", Call{Task: backup, Environment: "-"}},
		{"platform environment:sync code data -W", Call{Task: &tasks.Synchronize{Code: true, Data: true}}},
		{"platform sync data --rebase", Call{Task: &tasks.Synchronize{Data: true, Rebase: true}}},
		{"platform sync data --rebase code", Call{Task: &tasks.Synchronize{Code: true, Data: true, Rebase: true}}},
		{"platform source-operation:run -- -update", Call{Task: &tasks.SourceOperation{Operation: "-update"}}},
		{"platform source-operation:run -n update", Call{Task: &tasks.SourceOperation{Operation: "update"}}},

		// --no-wait wins.
		{"platform backup:create --wait", Call{Task: backup, Wait: true}},
		{"platform backup:create --wait --no-wait", Call{Task: backup}},
		{"platform backup:create -W --wait", Call{Task: backup}},

		// Every other task.
		{"platform environment:activate x -y", Call{Task: &tasks.Activate{}, Environment: "x"}},
		{"upsun e:activate --resources-init=minimum", Call{Task: &tasks.Activate{ResourcesInit: "minimum"}}},
		{"platform environment:delete x --no-delete-branch --allow-delete-parent -yW", Call{Task: &tasks.Deactivate{AllowParent: true}, Environment: "x"}},
		{"platform deploy -srolling -y", Call{Task: &tasks.Deploy{Strategy: "rolling"}}},
		{"platform e:deploy --strategy stopstart", Call{Task: &tasks.Deploy{Strategy: "stopstart"}}},
		{"platform httpaccess --enabled 0", Call{Task: &tasks.HTTPAccess{Enabled: new(false)}}},
		{"platform httpaccess --access allow:69.208.1.192 --access deny:any --auth 0 -e staging", Call{Environment: "staging",
			Task: &tasks.HTTPAccess{Access: []string{"allow:69.208.1.192", "deny:any"}, ClearAuth: true}}},
		{"platform vset env:A b", Call{Task: &tasks.VariableSet{Name: "env:A", Value: confidential("b"), JSON: new(false), Enabled: new(true)}}},
		{"platform variable:set A '' --disabled --json=", Call{}}, // a switch takes no value, not even an empty one
		{"platform variable:set A '' --disabled", Call{Task: &tasks.VariableSet{Name: "A", Value: confidential(""), JSON: new(false), Enabled: new(false)}}},
		{"platform variable:create env:A --level=e --value b --sensitive 1", Call{Task: &tasks.VariableCreate{
			Name: "env:A", Level: "environment", Value: confidential("b"), Sensitive: new(true)}}},
		{"platform variable:create -l project --name A --prefix env: --value=-b -u", Call{Task: &tasks.VariableSet{
			Name: "env:A", Level: "project", Value: confidential("-b")}}},
		{"platform variable:update A --app-scope app,api --app-scope x", Call{Task: &tasks.VariableUpdate{Name: "A", AppScope: []string{"app", "api", "x"}}}},
		{"platform variable:update A --enabled no --value= --allow-no-change", Call{Task: &tasks.VariableUpdate{Name: "A", Enabled: new(false)}}},
	} {
		args := words(tt.line)
		got, err := ParseCommandLine(args)
		if tt.want.Task == nil {
			if err == nil {
				t.Errorf("%s: got %+v, want an error", tt.line, got)
			}
			continue
		}
		tt.want.Args, got.Shown = args, nil
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.line, got, err, tt.want)
		}
	}
}

func TestParseCommandLine_SaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		line string
		word string // the word that is wrong, or "" for the line as a whole
		want string
	}{
		{"", "", "the command line is empty"},
		{"platform", "", "no command is given"},
		{"platform -y", "", "no command is given"},
		{"platform ''", "", "no command is given"},
		{"platform -p abc backup:create", "abc", `command "abc" is not defined`},
		{"platform redploy", "redploy", "did you mean redeploy?"},
		{"platform -y redploy", "redploy", "did you mean redeploy?"},
		{"platform e:re", "e:re", "is ambiguous: it may be environment:restore, environment:redeploy"},
		{"platform db:dump", "db:dump", "automatond does not offer it"},
		{"platform - backup:create", "-", `"-" stands where the command belongs`},
		{"platform -- -y backup:create", "-y", `"-y" stands where the command belongs`},

		{"platform project:clear-build-cache --no-wait", "--no-wait", "option --no-wait does not exist for project:clear-build-cache"},
		{"platform backup:create --what", "--what", "option --what does not exist for backup:create"},
		{"platform backup:create --life", "--life", "option --life does not exist for backup:create; did you mean --live?"},
		{"platform backup:create --no-wiat", "--no-wiat", "did you mean --no-wait?"},
		{"platform backup:create --yess=1", "--yess=1", "option --yess does not exist for backup:create; did you mean --yes?"},
		{"platform --life backup:create", "--life", "option --life does not exist for backup:create"},
		{"platform redeploy --live", "--live", "option --live does not exist for environment:redeploy"},
		{"platform backup:create --=x", "--=x", "option -- does not exist"},
		{"platform backup:create -x", "-x", "option -x does not exist for backup:create"},
		{"platform backup:create -yx", "-yx", "option -x does not exist"},
		{"platform backup:create -é", "-é", "option -é does not exist"},
		{"platform backup:create -A app", "-A", "option -A does not exist for backup:create"},
		{"platform backup:create --live=1", "--live=1", "option --live does not accept a value"},
		{"platform backup:create --live=", "--live=", "option --live does not accept a value"},
		{"platform backup:create --verbose=3", "--verbose=3", "option --verbose does not accept a value"},
		{"platform backup:create -y=1", "-y=1", "option -= does not exist"},
		{"platform backup:create --no-", "--no-", "is ambiguous: it may be --no-interaction or --no-wait"},
		{"platform backup:create --un", "--un", "option --un does not exist"}, // --unsafe is hidden

		{"platform backup:create -e", "-e", "option --environment requires a value"},
		{"platform backup:create -e -y", "-e", "option --environment requires a value"},
		{"platform backup:create -e -", "-e", "option --environment requires a value"},
		{"platform backup:create --project --yes", "--project", "option --project requires a value"},
		{"platform backup:create -e=x", "-e=x", "write -e x"},
		{"platform backup:create -e ''", "", "the environment is empty"},
		{"platform backup:create --environment=", "", "the environment is empty"},
		{"platform backup:create --environment= main", "", "the environment is empty"},
		{"platform backup:create ''", "", "the environment is empty"},
		{"platform backup:create -p ''", "", "the project is empty"},
		{"platform backup:create -p https://x/y", "", "give the project's ID"},

		{"platform backup:create a b", "b", `argument "b" is one too many for backup:create`},
		{"platform backup:create a -e b", "", "given twice"},
		{"platform redeploy main", "main", `argument "main" is one too many`},
		{"platform environment:activate a b", "", "2 environments are named; write one call for each"},
		{"platform source-operation:run -W", "source-operation:run", "argument <operation> is missing"},
		{"platform source-operation:run update --variable env:A=b e", "e", `argument "e" is one too many`},
		{"platform vset A", "vset", "argument <value> is missing"},
		{"platform vset A s3cret word", "word", "one argument too many for variable:set"},
		{"platform sync -y", "", "at least one of code, data and resources"},
		{"platform sync all", "", `"all" cannot be synchronized`},
		{"platform operation:run", "", "operation is missing"},
		{"platform httpaccess", "", "nothing to change"},
		{"platform variable:create A --value b", "", "option --level is missing"},

		{"platform backup:create --help", "", "would only print help"},
		{"platform -hy backup:create", "", "would only print help"},
		{"platform -V backup:create", "", "would only print help"},
		{"platform backup:create -n", "", "answers the CLI's question with no"},
		{"platform backup:create --no --no-interaction", "", "answers the CLI's question with no"},
	} {
		args := words(tt.line)
		got, err := ParseCommandLine(args)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %+v, %v, want %q", tt.line, got, err, tt.want)
			continue
		}
		word := ""
		if e, ok := errors.AsType[*wordError](err); ok {
			word = args[e.word]
		}
		if word != tt.word {
			t.Errorf("%s: the fault is at %q, want %q", tt.line, word, tt.word)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a value is in %v", tt.line, err)
		}
	}
}

func TestParseCommandLine_ShowsNoSecretValue(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"platform vset env:A s3cret --json", ""}, // no JSON
		{"platform vset env:A s3cret -e main", "platform vset env:A <redacted> -e main"},
		{"platform vset -- env:A -s3cret", "platform vset -- env:A <redacted>"},
		{"platform variable:create A --level p --value=s3cret", "platform variable:create A --level p --value=<redacted>"},
		{"platform variable:create A --level p --val s3cret", "platform variable:create A --level p --val <redacted>"},
		{"platform variable:update A --value s3cret --value s3cret2", "platform variable:update A --value <redacted> --value <redacted>"},
		{"platform httpaccess --auth guest:s3cret -e main --auth=other:s3cret", "platform httpaccess --auth <redacted> -e main --auth=<redacted>"},
		{"platform backup -e main", "platform backup -e main"},
	} {
		got, err := ParseCommandLine(words(tt.line))
		if tt.want == "" {
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: got %v", tt.line, err)
			}
			continue
		}
		if err != nil || strings.Join(got.Shown, " ") != tt.want || strings.Join(got.Args, " ") != tt.line {
			t.Errorf("%s: got %q, shown as %q, %v", tt.line, got.Args, got.Shown, err)
		}
	}
}

func TestParse_FindsWhatIsWrongWithACallAtItsWord(t *testing.T) {
	for _, tt := range []struct {
		src  string
		at   string // what begins at the problem's column; "" when there is no problem
		code string
	}{
		{`platform backup:create --life -W`, `--life -W`, "command-line"},
		{`platform -y "backup:craete" -W`, `"backup:craete"`, "unknown-command"},
		{`platform db:dump -W`, `db:dump`, "unsupported-command"},
		{`platform backup:create -W extra more`, `more`, "command-line"},
		{`platform backup:create --life -e "$X" -W`, `--life`, "command-line"},
		{`platform backup:create -e "$X" --life -W`, `--life`, "command-line"},
		{`platform backup:create -e $X -Wx`, `-Wx`, "command-line"},
		{`platform backup:create --environmen="$X" -W`, ``, ""}, // an abbreviation
		{`platform backup:create --branch="$X" -W`, `--branch=`, "command-line"},
		{`platform backup:create --"$X" -W`, ``, ""},
		{`platform backup:create "--$X" -W`, ``, ""},
		{`platform backup:create -W -- "$X" --life`, ``, ""},
		{`platform backup:create -We--life "$X"`, ``, ""},
		{`platform backup:create -e "$X" -W`, ``, ""},
		{`platform redploy "$X"`, `redploy`, "unknown-command"},
		{`platform "$X" --life`, ``, ""},
		{`platform -p "$X" backup:create --life`, ``, ""},
	} {
		_, problems := Parse(tt.src)
		problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Severity != Error })
		switch {
		case tt.at == "" && len(problems) > 0:
			t.Errorf("%s: got %+v", tt.src, problems)
		case tt.at != "" && len(problems) != 1:
			t.Errorf("%s: got %d problems: %+v", tt.src, len(problems), problems)
		case tt.at != "" && (problems[0].Code != tt.code || !strings.HasPrefix(tt.src[problems[0].Column-1:], tt.at)):
			t.Errorf("%s: got %s at %q, want %s at %q", tt.src, problems[0].Code, tt.src[problems[0].Column-1:], tt.code, tt.at)
		}
	}
}

// TestRun_FailsOnWhatIsWrongOnlyAtRun expects what is not literal to fail then,
// without telling the other words.
func TestRun_FailsOnWhatIsWrongOnlyAtRun(t *testing.T) {
	vars := map[string]string{"CMD": "redploy", "OPT": "--life", "SECRET": "s3cret s3cret"}
	for src, want := range map[string]string{
		`platform "$CMD" -W`:                            `platform redploy: command "redploy" is not defined; did you mean redeploy?`,
		`platform backup -W "$OPT"`:                     `platform backup: option --life does not exist for backup:create; did you mean --live?`,
		`platform vset A $SECRET -W`:                    `platform vset: there is one argument too many for variable:set`,
		`platform variable:update A --value $SECRET -W`: `platform variable:update: there is one argument too many for variable:update`,
	} {
		result, calls := play(t, src, vars)
		if result.Err == nil || result.Err.Error() != want || len(calls) > 0 {
			t.Errorf("%s: got %v and calls %q, want %s", src, result.Err, calls, want)
		}
	}
}

// canonical writes a line that was read in one way of all those there are:
// options first, each with its value attached, then -- and the arguments.
func canonical(l *line) []string {
	out := []string{l.args[0], l.kind.Command}
	for _, name := range slices.Sorted(maps.Keys(l.input.Options)) {
		option, _ := findOption(l.kind, name)
		for _, value := range l.input.Options[name] {
			if option.TakesValue {
				out = append(out, "--"+name+"="+value)
			} else {
				out = append(out, "--"+name)
			}
		}
	}
	out = append(out, "--")
	for _, a := range l.kind.Arguments {
		out = append(out, l.input.Arguments[a.Name]...)
	}
	return out
}

func FuzzParseCommandLine(f *testing.F) {
	for _, line := range []string{
		"platform backup:create -yW -p abc -e main", "upsun sync code data --rebase", "platform source-operation:run x --variable=env:a=b",
		"platform -- backup", "platform backup -", "platform backup --=x", "platform b:c", "platform backup -e",
		"platform vset env:A b --json", "platform variable:create -l e --name A --value=b --sensitive true -u",
		"platform httpaccess --auth guest:secret --access deny:any --enabled 0", "platform operation:run o -Aapp --parameter -- x",
		"platform environment:delete x --no-delete-branch -y", "platform deploy -ysrolling", "platform e:activate --res parent",
	} {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\n")
		call, err := ParseCommandLine(args)
		if err != nil {
			return
		}
		if call.Task == nil || call.Task.Validate() != nil || !slices.Equal(call.Args, args) || len(call.Shown) != len(args) {
			t.Fatalf("%q: got %+v without an error", args, call)
		}
		l, err := parseLine(args)
		if err != nil {
			t.Fatalf("%q: read once, then %v", args, err)
		}
		again, err := ParseCommandLine(canonical(l))
		if err != nil {
			t.Fatalf("%q is %q, which has the error %v", args, canonical(l), err)
		}
		if got, want := meaning(again), meaning(call); got != want || tasks.Hash(again.Task) != tasks.Hash(call.Task) {
			t.Errorf("%q means %s, but %q means %s", args, want, canonical(l), got)
		}
	})
}

// meaning is what a call asks for, but for confidential values.
func meaning(c Call) string {
	kind, params, err := tasks.Encode(c.Task)
	return fmt.Sprintf("%s %s of %q in %q, wait %v, %v", kind, params, c.Environment, c.Project, c.Wait, err)
}
