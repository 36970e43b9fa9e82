package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program under measurement. Its output goes to a file.
type process struct {
	name    string
	cmd     *exec.Cmd
	output  string
	started time.Time
	exited  chan struct{} // closed when the process has ended and err is set
	err     error
}

// start runs a program with exactly the given environment. It is killed when ctx ends.
func start(ctx context.Context, name, output string, env []string, path string, args ...string) (*process, error) {
	file, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{name: name, output: output, exited: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, path, args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, file, file
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop asks the process to end, and makes it end when it does not within 15 s. Anything but exit
// status 0 is an error.
func (p *process) stop() error {
	// Signalling a process that has ended fails, which is fine: its status is asked for below.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return p.explain(errors.New("it did not stop within 15 s of SIGTERM"))
	}
	if p.err != nil {
		return p.explain(p.err)
	}
	return nil
}

// gone returns an error when the process has ended before it was asked to.
func (p *process) gone() error {
	select {
	case <-p.exited:
		return p.explain(fmt.Errorf("it ended by itself: %w", cmp.Or(p.err, errors.New("exit status 0"))))
	default:
		return nil
	}
}

// explain adds the last lines of the process's output to an error.
func (p *process) explain(err error) error {
	text, readErr := os.ReadFile(p.output)
	if readErr != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-10):]
	return fmt.Errorf("%s: %w; the end of its output:\n    %s", p.name, err, strings.Join(lines, "\n    "))
}

func (p *process) cpu() (time.Duration, error) { return cpuTime(p.cmd.Process.Pid) }

// cpuTime is the processor time, user and system, that the live threads of a process have used,
// from the scheduler's own count in nanoseconds. Threads of a Go program do not end, so nothing
// is lost. Without that count in the kernel, it is the process's time in clock ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return cpuTicks(pid)
	}
	var sum time.Duration
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %s: %w", name, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// cpuTicks reads utime and stime, fields 14 and 15 of proc_pid_stat(5). Linux counts them in
// hundredths of a second on every platform Go supports.
func cpuTicks(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	// The second field is the command's name in parentheses and may contain spaces.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read processor time: /proc/%d/stat has %d fields", pid, len(fields)+2)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// memory is what a process holds, in bytes.
type memory struct {
	RSS  int64 `json:"rss_bytes"`      // VmRSS: resident now, the binary's own pages included
	Peak int64 `json:"rss_peak_bytes"` // VmHWM: the most so far
}

func (p *process) memory() (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return memory{}, fmt.Errorf("read memory: %w", err)
	}
	var m memory
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("read memory: %w", err)
		}
		switch fields[0] {
		case "VmRSS:":
			m.RSS = kib * 1024
		case "VmHWM:":
			m.Peak = kib * 1024
		}
	}
	if m.RSS == 0 {
		return memory{}, errors.New("read memory: no VmRSS in /proc/PID/status")
	}
	return m, nil
}

// busyTime is the processor time that all programs of the machine and its kernel have used, from
// the first line of /proc/stat (see cpuTicks for the unit); zero if unknown.
func busyTime() time.Duration {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	var ticks int64
	for i, field := range strings.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal; guests are part of user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
