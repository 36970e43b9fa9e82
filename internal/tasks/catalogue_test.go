package tasks

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestCatalogue_EveryEntryIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Catalogue() {
		t.Run(k.Name, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(k.Name) {
				t.Errorf("name %q is no key in snake case", k.Name)
			}
			if names[k.Name] {
				t.Errorf("name %q is taken twice", k.Name)
			}
			names[k.Name] = true
			if k.Summary == "" || strings.HasSuffix(k.Summary, ".") {
				t.Errorf("summary %q: want one clause without a full stop", k.Summary)
			}
			if !strings.HasPrefix(k.Link, "#") {
				t.Errorf("link %q does not start with #", k.Link)
			}
			if !strings.HasPrefix(k.Route, environmentRoute+"/") {
				t.Errorf("route %q is not under the environment", k.Route)
			}
			if !slices.Contains([]string{"viewer", "contributor", "admin"}, k.Role) {
				t.Errorf("role %q is none of the platform's", k.Role)
			}
			if len(k.Statuses) == 0 {
				t.Error("no status accepts it")
			}
			for _, s := range k.Statuses {
				if !slices.Contains([]string{"active", "inactive", "paused"}, s) {
					t.Errorf("status %q: no environment stays in it", s)
				}
			}
			if k.Witness == (Witness{}) {
				t.Error("nothing proves that it executed")
			}
			if k.Repeatable && k.Witness.Status == "" {
				t.Error("repeatable, but it leaves no status by which to see that it is done")
			}
			if k.Witness.Status != "" && k.Accepts(k.Witness.Status) {
				t.Error("accepted in the status it leads to")
			}
			checkCommand(t, k)
			checkTask(t, k)
		})
	}
}

// checkCommand holds the entry against the list of the CLI's commands.
func checkCommand(t *testing.T, k *Kind) {
	t.Helper()
	i := slices.IndexFunc(cliCommands, func(names []string) bool { return names[0] == k.Command })
	if i < 0 {
		t.Fatalf("command %q is not one of the CLI's", k.Command)
	}
	if got, want := k.Aliases, cliCommands[i][1:]; !slices.Equal(got, want) {
		t.Errorf("aliases: got %q, the CLI has %q", got, want)
	}
	for _, name := range append([]string{k.Command}, k.Aliases...) {
		if got, err := ByCommand(name); got != k {
			t.Errorf("ByCommand(%q) = %v, %v", name, got, err)
		}
	}
	for i, a := range k.Arguments {
		if a.Repeated && i != len(k.Arguments)-1 {
			t.Errorf("argument %q is repeated, but not the last", a.Name)
		}
	}
}

// checkTask holds the entry's Go type against what others do with it.
func checkTask(t *testing.T, k *Kind) {
	t.Helper()
	task := k.New()
	typ := reflect.TypeOf(task)
	if typ.Kind() != reflect.Pointer || typ.Elem().Kind() != reflect.Struct {
		t.Fatalf("New returns a %v, which is no pointer to a struct", typ)
	}
	if task.Kind() != k {
		t.Error("its task names another kind")
	}
	if k.New() == task && typ.Elem().Size() > 0 {
		t.Error("New returns the same task twice")
	}
	for i := range typ.Elem().NumField() {
		f := typ.Elem().Field(i)
		y, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		j, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if y == "" || y != j {
			t.Errorf("field %s: yaml key %q and json key %q differ or are missing", f.Name, y, j)
		}
	}
	if _, err := json.Marshal(task.Body()); err != nil {
		t.Errorf("body: %v", err)
	}
	if parsed, err := k.FromCLI(Input{}); err == nil && parsed.Kind() != k {
		t.Error("FromCLI returns another kind")
	}
}

func TestByName_FindsOnlyWhatTheCatalogueHas(t *testing.T) {
	if k, ok := ByName("backup"); !ok || k.Command != "backup:create" {
		t.Errorf(`ByName("backup") = %v, %v`, k, ok)
	}
	if k, ok := ByName("restore"); ok {
		t.Errorf(`ByName("restore") = %v, want nothing`, k.Name)
	}
}

func TestKind_AcceptsDirtyAsActive(t *testing.T) {
	for _, tt := range []struct {
		kind   *Kind
		status string
		want   bool
	}{
		{backup, "active", true},
		{backup, "dirty", true},
		{backup, "paused", false},
		{backup, "inactive", false},
		{backup, "", false},
		{resume, "paused", true},
		{resume, "active", false},
		{resume, "dirty", false},
	} {
		if got := tt.kind.Accepts(tt.status); got != tt.want {
			t.Errorf("%s accepts %q: got %v", tt.kind.Name, tt.status, got)
		}
	}
}

func TestTask_ReadsItsYAMLSection(t *testing.T) {
	for _, tt := range []struct {
		kind, yaml string
		want       Task
	}{
		{"backup", "{}", &Backup{}},
		{"backup", "live: true", &Backup{Live: true}},
		{"synchronize", "{code: true, rebase: true}", &Synchronize{Code: true, Rebase: true}},
		{"source_operation", "{operation: update, variables: {env: {A: b}}}",
			&SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "b"}}}},
	} {
		k, _ := ByName(tt.kind)
		got := k.New()
		if err := yaml.Unmarshal([]byte(tt.yaml), got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s: got %+v", tt.kind, tt.yaml, got)
		}
	}
}

func TestTask_ValidateNamesWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		task Task
		want string // part of the error, or empty
	}{
		{&Backup{}, ""},
		{&Synchronize{Data: true}, ""},
		{&Synchronize{}, "at least one of code, data and resources"},
		{&Synchronize{Data: true, Rebase: true}, "rebase applies to code"},
		{&SourceOperation{Operation: "update"}, ""},
		{&SourceOperation{}, "operation is missing"},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"": {"a": "b"}}}, "type is empty"},
		{&SourceOperation{Operation: "x", Variables: map[string]map[string]string{"env": {"": "b"}}}, `name under "env" is empty`},
	} {
		err := tt.task.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.task, err, tt.want)
		}
	}
}

func TestKind_FromCLI(t *testing.T) {
	for _, tt := range []struct {
		kind *Kind
		in   Input
		want Task
		err  string
	}{
		{backup, Input{}, &Backup{}, ""},
		{backup, Input{Options: map[string][]string{"live": {""}}}, &Backup{Live: true}, ""},
		{backup, Input{Options: map[string][]string{"unsafe": {""}}}, &Backup{Live: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"data", "code"}}}, &Synchronize{Code: true, Data: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"both"}}}, &Synchronize{Code: true, Data: true}, ""},
		{synchronize, Input{Arguments: map[string][]string{"synchronize": {"all"}}}, nil, `"all" cannot be synchronized`},
		{sourceOperation, Input{
			Arguments: map[string][]string{"operation": {"update"}},
			Options:   map[string][]string{"variable": {"env:A=b:c=d", "env:B=", "env:A=e"}},
		}, &SourceOperation{Operation: "update", Variables: map[string]map[string]string{"env": {"A": "e", "B": ""}}}, ""},
		{sourceOperation, Input{Options: map[string][]string{"variable": {"A=b"}}}, nil, "has no type"},
		{sourceOperation, Input{Options: map[string][]string{"variable": {"env:A"}}}, nil, "has no value"},
	} {
		got, err := tt.kind.FromCLI(tt.in)
		if err != nil {
			if tt.err == "" || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %v: got error %v, want %q", tt.kind.Name, tt.in, err, tt.err)
			}
			continue
		}
		if tt.err != "" || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %v: got %+v, want %+v, error %q", tt.kind.Name, tt.in, got, tt.want, tt.err)
		}
	}
}
