package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine is what the figures depend on.
type machine struct {
	CPU   string   `json:"cpu"`
	Cores int      `json:"cores"`
	OS    string   `json:"os"`
	Go    string   `json:"go"`
	Dir   string   `json:"dir"`             // where the data directories lie
	Sync  duration `json:"fsync_seconds"`   // median of small writes synced to that disk; 0 if unknown
	Store string   `json:"store,omitempty"` // the database server, "" for files
}

func describeMachine(dir string) machine {
	m := machine{
		CPU: "unknown processor", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Dir: filepath.Dir(dir), Sync: syncTime(dir),
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// syncTime measures what every durable claim waits for at least.
func syncTime(dir string) duration {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	page := make([]byte, 4096)
	times := make([]duration, 20)
	for i := range times {
		began := time.Now()
		if _, err := file.Write(page); err != nil {
			return 0
		}
		if err := file.Sync(); err != nil {
			return 0
		}
		times[i] = duration(time.Since(began))
	}
	return median(times)
}

func (m machine) write(out io.Writer) {
	fmt.Fprintf(out, "%d cores (%s), %s, %s; a synced write in %s takes %s\n", m.Cores, m.CPU, m.OS, m.Go, m.Dir, m.Sync)
	if m.Store != "" {
		fmt.Fprintf(out, "ledgers in %s\n", m.Store)
	}
}
