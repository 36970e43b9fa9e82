package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
)

// ErrNoDaemon means that no daemon runs on the data directory.
var ErrNoDaemon = errors.New("no daemon is running")

// Client asks the daemon that runs on a data directory.
type Client struct {
	Dir string
}

// Trigger lets a cron fire now.
func (c Client) Trigger(ctx context.Context, t Trigger) (asked Asked, err error) {
	return asked, c.post(ctx, "/v1/trigger", t, &asked)
}

// Command asks for one command line of the vendor's CLI.
func (c Client) Command(ctx context.Context, command Command) (asked Asked, err error) {
	return asked, c.post(ctx, "/v1/command", command, &asked)
}

// Suspend stops new requests and returns what is suspended then.
func (c Client) Suspend(ctx context.Context, s Suspend) (active []Suspension, err error) {
	return active, c.post(ctx, "/v1/suspend", s, &active)
}

// Resume ends a suspension and returns what is suspended then.
func (c Client) Resume(ctx context.Context, cron string) (active []Suspension, err error) {
	return active, c.post(ctx, "/v1/resume", Resume{Cron: cron}, &active)
}

// Resolve closes a run by hand.
func (c Client) Resolve(ctx context.Context, r Resolve) (resolved Resolved, err error) {
	return resolved, c.post(ctx, "/v1/resolve", r, &resolved)
}

// Reload puts the configuration that the files have now into force. The error is a *Refusal with
// diagnostics when it is not valid.
func (c Client) Reload(ctx context.Context) (r Reloaded, err error) {
	return r, c.post(ctx, "/v1/reload", struct{}{}, &r)
}

// post makes one request. The error is ErrNoDaemon, a *Refusal, or says what went wrong.
func (c Client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://automatond"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{DialContext: c.dial, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return c.explain(err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		refusal := &Refusal{}
		if err := decoder.Decode(refusal); err != nil || refusal.Message == "" {
			return fmt.Errorf("the daemon answered %s", response.Status)
		}
		return refusal
	}
	if err := decoder.Decode(out); err != nil {
		return fmt.Errorf("the daemon's answer is not understood: %w", err)
	}
	return nil
}

func (c Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	path, release, err := address(c.Dir)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	return conn, errors.Join(err, release())
}

// explain says what a failure to reach the socket means.
func (c Client) explain(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on the data directory %s: start `automatond run` there, or name another with --data", ErrNoDaemon, c.Dir)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the daemon on %s belongs to another user: run the command as that user", c.Dir)
	}
	return fmt.Errorf("ask the daemon on %s: %w", c.Dir, err)
}
