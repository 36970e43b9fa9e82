package shell

import (
	"reflect"
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/tasks"
)

func TestParseCommandLine_ReadsWhatTheCLIReads(t *testing.T) {
	backup, live := &tasks.Backup{}, &tasks.Backup{Live: true}
	for _, tt := range []struct {
		line string
		want Call
	}{
		{"platform backup:create", Call{Task: backup}},
		{"platform snapshot:create --yes --no-wait", Call{Task: backup}},
		{"upsun backup -y -W", Call{Task: backup}},
		{"upsun backup -yW --live", Call{Task: live}},
		{"upsun backup --unsafe", Call{Task: live}},
		{"platform -y -vvv backup:create -q", Call{Task: backup}},
		{"platform --no-ansi backup:create --ansi --no-interaction --verbose --quiet", Call{Task: backup}},
		{"platform backup:create -p abc -e main", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create -pabc -emain", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create -yWpabc -e .", Call{Task: backup, Project: "abc", Environment: "."}},
		{"platform backup:create --project=abc --environment=feature/x", Call{Task: backup, Project: "abc", Environment: "feature/x"}},
		{"platform backup:create --project abc --environment main", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create -e a -e b", Call{Task: backup, Environment: "b"}},
		{"platform backup:create -e= x", Call{}}, // an error, see below
		{"platform backup:create --environment= main", Call{Task: backup, Environment: "main"}},
		{"platform backup:create --env main --proj abc", Call{Task: backup, Project: "abc", Environment: "main"}},
		{"platform backup:create main", Call{Task: backup, Environment: "main"}},
		{"platform backup:create -y -- -odd", Call{Task: backup, Environment: "-odd"}},
		{"platform backup:create --wait", Call{Task: backup, Wait: true}},
		{"platform backup:create --wait --no-wait", Call{Task: backup}},
		{"platform backup:create -n -y", Call{Task: backup}},
		{"platform environment:sync code data -W", Call{Task: &tasks.Synchronize{Code: true, Data: true}}},
		{"platform sync data --rebase code", Call{Task: &tasks.Synchronize{Code: true, Data: true, Rebase: true}}},
		{"platform source-operation:run update --variable env:A=b --variable=env:C=d e", Call{}},
		{"platform source-operation:run update --variable env:A=b --variable=env:C=d", Call{Task: &tasks.SourceOperation{
			Operation: "update", Variables: map[string]map[string]string{"env": {"A": "b", "C": "d"}}}}},
		{"platform source-operation:run -n update", Call{Task: &tasks.SourceOperation{Operation: "update"}}},
		{"platform e:pause -e x", Call{Task: &tasks.Pause{}, Environment: "x"}},
		{"platform environment:resume", Call{Task: &tasks.Resume{}}},
		{"platform redeploy", Call{Task: &tasks.Redeploy{}}},
	} {
		args := strings.Fields(tt.line)
		got, err := ParseCommandLine(args)
		if tt.want.Task == nil {
			if err == nil {
				t.Errorf("%s: got %+v, want an error", tt.line, got)
			}
			continue
		}
		tt.want.Args = args
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.line, got, err, tt.want)
		}
	}
}

func TestParseCommandLine_SaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "the command line is empty"},
		{[]string{"platform"}, "no command is given"},
		{[]string{"platform", "-y"}, "no command is given"},
		{[]string{"platform", ""}, "no command is given"},
		{[]string{"platform", "-p", "abc", "backup:create"}, `command "abc" is not defined`},
		{[]string{"platform", "redploy"}, "did you mean redeploy?"},
		{[]string{"platform", "backup:create", "--what"}, "option --what does not exist for backup:create"},
		{[]string{"platform", "backup:create", "-x"}, "option -x does not exist for backup:create"},
		{[]string{"platform", "backup:create", "-A", "app"}, "option -A does not exist for backup:create"},
		{[]string{"platform", "backup:create", "--live=1"}, "option --live does not accept a value"},
		{[]string{"platform", "backup:create", "--no-"}, "is ambiguous: it may be --no-interaction or --no-ansi or --no-wait"},
		{[]string{"platform", "backup:create", "-e"}, "option --environment requires a value"},
		{[]string{"platform", "backup:create", "-e", "-y"}, "option --environment requires a value"},
		{[]string{"platform", "backup:create", "-e=x"}, "write -e x"},
		{[]string{"platform", "backup:create", "-e", ""}, "the environment is empty"},
		{[]string{"platform", "backup:create", "--environment="}, "option --environment requires a value"},
		{[]string{"platform", "backup:create", ""}, "the environment is empty"},
		{[]string{"platform", "backup:create", "-p", ""}, "the project is empty"},
		{[]string{"platform", "backup:create", "-p", "https://x/y"}, "give the project's ID"},
		{[]string{"platform", "backup:create", "a", "b"}, `argument "b" is one too many`},
		{[]string{"platform", "backup:create", "a", "-e", "b"}, "given twice"},
		{[]string{"platform", "redeploy", "main"}, `argument "main" is one too many`},
		{[]string{"platform", "source-operation:run"}, "argument <operation> is missing"},
		{[]string{"platform", "sync", "-y"}, "at least one of code, data and resources"},
		{[]string{"platform", "sync", "all"}, `"all" cannot be synchronized`},
		{[]string{"platform", "backup:create", "--help"}, "would only print help"},
		{[]string{"platform", "-V", "backup:create"}, "would only print help"},
		{[]string{"platform", "backup:create", "-n"}, "answers the CLI's question with no"},
	} {
		got, err := ParseCommandLine(tt.args)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %+v, %v, want %q", tt.args, got, err, tt.want)
		}
	}
}

func FuzzParseCommandLine(f *testing.F) {
	for _, line := range []string{
		"platform backup:create -yW -p abc -e main", "upsun sync code data --rebase", "platform source-operation:run x --variable=env:a=b",
		"platform -- backup", "platform backup -", "platform backup --=x", "platform b:c", "platform backup -e",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		call, err := ParseCommandLine(strings.Split(line, " "))
		if err != nil {
			return
		}
		if call.Task == nil || call.Task.Validate() != nil {
			t.Errorf("%q: got %+v without an error", line, call)
		}
	})
}
