package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

func TestRun_FailsWhenTheOutputCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no device that is always full: %v", err)
	}
	defer full.Close()
	for _, line := range []string{
		"version", "--help", "check ../../config.example.yaml", "next --spec @daily",
		"plan --branch main --config ../../config.example.yaml",
	} {
		var messages bytes.Buffer
		if got := run(context.Background(), strings.Fields(line), full, &messages); got != exitFailed {
			t.Errorf("%s: status %d, want %d\n%s", line, got, exitFailed, &messages)
		}
		if !strings.Contains(messages.String(), "no space left on device") {
			t.Errorf("%s does not say why it failed:\n%s", line, &messages)
		}
	}
}
