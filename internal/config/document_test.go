package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loadAPI loads a cron that asks the API for something, with this body.
func loadAPI(t *testing.T, method, body string) (*Config, Diagnostics) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "automatond.yaml")
	text := "crons:\n  it:\n    spec: '@daily'\n    task:\n      api: {method: " + method + ", path: settings, witness: none, body: " + body + "}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Input{Paths: []string{file}, Offline: true})
}

func TestLoad_SendsABodyAsItIsWritten(t *testing.T) {
	cfg, diagnostics := loadAPI(t, "PATCH", `{z: &z {n: 1, x: 1.5}, a: [true, ~, 'no', no, []], copy: *z, merged: {<<: *z, n: 2}, at: 2026-08-02, id: "007"}`)
	if cfg == nil {
		t.Fatal(diagnostics)
	}
	const want = `{"a":[true,null,"no","no",[]],"at":"2026-08-02","copy":{"n":1,"x":1.5},"id":"007","merged":{"n":2,"x":1.5},"z":{"n":1,"x":1.5}}`
	if got := string(cfg.Jobs[0].Tasks[0].Body().(json.RawMessage)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoad_RefusesABodyThatJSONCannotHold(t *testing.T) {
	for body, want := range map[string]string{
		"{a: .inf}":         "task.api.body",
		"{a: {b: 1, b: 2}}": "is there twice",
		"[1]":               "task.api.body",
		"~":                 "task.api.body",
		"{a: !include x}":   "is not read",
	} {
		cfg, diagnostics := loadAPI(t, "PATCH", body)
		if cfg != nil || len(diagnostics) == 0 || !strings.Contains(diagnostics[0].Message, want) {
			t.Errorf("%s: got %v, want %q", body, diagnostics, want)
		}
	}
}

func TestLoad_WantsConsentForWhatTheAPIIsToDelete(t *testing.T) {
	cfg, diagnostics := loadAPI(t, "DELETE", "{}")
	if cfg != nil || len(diagnostics) != 1 || diagnostics[0].Code != "task-destructive" {
		t.Errorf("got %v", diagnostics)
	}
}
