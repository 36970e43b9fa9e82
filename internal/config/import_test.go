package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
)

// FuzzImport holds that no file makes Import panic, and that what it returns is complete and loads.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"crons: {a: {spec: '0 5 * * *', cmd: '[ \"$PLATFORM_BRANCH\" = main ] && platform backup -yW'}}\n",
		"name: app\ntype: 'php:8.3'\ncrons:\n  # why\n  a:\n    spec: '0 5 * * *'\n    cmd: |\n      if [ \"$PLATFORM_BRANCH\" != main ]; then\n        platform sync data -yW # how\n      fi\n",
		"- &app\n  name: app\n  type: 'php:8.3'\n  crons: {a: &a {spec: '@daily', commands: {start: upsun redeploy -yW}}, b: *a}\n- {<<: *app, name: front}\n",
		"applications:\n  app:\n    type: 'php:8.3'\n    timezone: Europe/Paris\n    crons: {a: {spec: 'H 5 * * *', cmd: 'platform backup -yW -e main; echo $PLATFORM_APPLICATION_NAME'}}\n",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	file, result := filepath.Join(dir, "file.yaml"), filepath.Join(dir, "result.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		imported, diagnostics, err := config.Import([]string{file})
		switch {
		case err != nil:
			if imported != nil {
				t.Errorf("there is a result beside the error %v", err)
			}
			return
		case imported == nil:
			if !diagnostics.HasErrors() {
				t.Error("there is neither a result nor an error")
			}
			return
		}
		if err := os.WriteFile(result, imported.YAML, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diagnostics := config.Load(config.Input{Paths: []string{result}, Offline: true})
		if cfg == nil {
			t.Errorf("the result does not load: %v\n%s", diagnostics, imported.YAML)
		}
	})
}

func TestImport_KeepsTheApplicationsNameForAScriptThatReadsIt(t *testing.T) {
	imported := imported(t, `name: it's
type: 'php:8.3'
crons:
    kept:
        spec: '0 5 * * *'
        commands:
            start: '[ "$PLATFORM_APPLICATION_NAME" = "it''s" ] && platform backup -yW'
`)
	want := `            start: |-
                PLATFORM_APPLICATION_NAME='it'\''s'
                [ "$PLATFORM_APPLICATION_NAME" = "it's" ] && platform backup -yW
`
	if !strings.Contains(imported, want) {
		t.Errorf("got:\n%s", imported)
	}
}

func TestImport_LeavesEverythingElseInAnOwnFileAlone(t *testing.T) {
	got := imported(t, `# Ours.
x-shared: &shared {spec: '0 5 * * *', cmd: platform backup -yW}
variables: {A: b} # ours too
crons:
    shared: *shared
    merged: {<<: *shared, spec: '0 6 * * *'}
    guarded:
        spec: '0 7 * * *'
        only: {branches: [main]}
        # what
        cmd: platform backup -yW --live
    twice:
        spec: '0 8 * * *'
        only: {branches: [main]}
        cmd: '[ "$PLATFORM_ENVIRONMENT_TYPE" = production ] && platform backup -yW'
`)
	want := `# Ours.
x-shared: &shared {spec: '0 5 * * *', cmd: platform backup -yW}
variables: {A: b} # ours too
crons:
    shared: *shared
    merged: {<<: *shared, spec: '0 6 * * *'}
    guarded:
        spec: '0 7 * * *'
        only: {branches: [main]}
        # what
        task:
            backup:
                live: true
    twice:
        spec: '0 8 * * *'
        only: {branches: [main]}
        # Kept as a script: it has conditions beside the cron's own only and except.
        cmd: '[ "$PLATFORM_ENVIRONMENT_TYPE" = production ] && platform backup -yW'
`
	if got != want {
		t.Errorf("got:\n%s", got)
	}
}

// What a shell takes as it is written must not become a name of the target.
func TestImport_QuotesWhatADeclaredTaskWouldExpand(t *testing.T) {
	got := imported(t, `crons:
    op:
        spec: '0 5 * * *'
        cmd: platform operation:run clean --parameter '${branch} $HOME' -yW
`)
	if want := "- $${branch} $HOME\n"; !strings.Contains(got, want) {
		t.Errorf("got:\n%s\nwant %s", got, want)
	}
}

func TestImport_WritesSeveralCallsAsSteps(t *testing.T) {
	got := imported(t, `defaults: {retries: 2}
crons:
    stop:
        spec: '0 5 * * *'
        cmd: cd /app && platform sync data -y --wait && platform redeploy -y
    continue:
        spec: '0 6 * * *'
        cmd: '[ "$PLATFORM_BRANCH" = dev ] || exit 0; platform sync data -y --wait; platform backup:delete abc -y'
    accepted:
        spec: '0 7 * * *'
        cmd: platform sync data -yW && platform redeploy -yW
    type:
        spec: '0 8 * * *'
        cmd: '[ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] || exit 0; platform redeploy -y; platform environment:info type development; platform redeploy -y'
`)
	want := `defaults: {retries: 2}
crons:
    stop:
        spec: '0 5 * * *'
        steps:
            - synchronize:
                data: true
            - redeploy: {}
        retries: 0
    continue:
        spec: '0 6 * * *'
        only:
            branches: [dev]
        steps:
            - synchronize:
                data: true
            - backup_delete:
                backup: abc
        on_failure: continue
        allow_destructive: true
        retries: 0
    accepted:
        spec: '0 7 * * *'
        # Kept as a script: a call of it follows as soon as the one before is accepted, and a step when that has succeeded; with --wait it could be declared.
        cmd: platform sync data -yW && platform redeploy -yW
    type:
        spec: '0 8 * * *'
        # Kept as a script: it changes the environment type, and a guard is asked again before each step.
        cmd: '[ "$PLATFORM_ENVIRONMENT_TYPE" = staging ] || exit 0; platform redeploy -y; platform environment:info type development; platform redeploy -y'
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func imported(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	result, diagnostics, err := config.Import([]string{file})
	if err != nil || result == nil {
		t.Fatalf("%v %v", err, diagnostics)
	}
	return string(result.YAML)
}
