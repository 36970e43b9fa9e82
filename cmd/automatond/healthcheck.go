package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthcheckTimeout is how long the answer may take. It is shorter than the timeout of the image's
// HEALTHCHECK, so that the reason is told before the container runtime gives up.
const healthcheckTimeout = 3 * time.Second

func newHealthcheck() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the daemon on this host whether it is healthy",
		Long: `Ask the daemon on this host whether it is healthy, as its HEALTHCHECK does in a
container. It needs no configuration and no token.

The exit status is 0 when the daemon says so, and 1 when it says no, does not
answer within 3 s or does not run.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			probe, err := probeURL(address)
			if err != nil {
				return usage(err)
			}
			if err := askHealth(probe); err != nil {
				return fmt.Errorf("healthcheck: %s: %w", probe, err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "healthy")
			return nil
		},
	}
	probeFlag(cmd.Flags(), &address, "where the daemon listens for health probes, as run was told")
	return cmd
}

// probeURL is where a daemon that listens on the address tells its health. A listener on every
// interface is asked on the loopback one.
func probeURL(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return "", fmt.Errorf("--probe.listen-address is HOST:PORT or :PORT, not %q", address)
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	probe := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/-/healthy"}
	return probe.String(), nil
}

// askHealth returns nil if the daemon says that it is healthy. It asks the daemon itself: neither a
// proxy nor a redirection is followed.
func askHealth(probe string) error {
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       healthcheckTimeout,
	}
	response, err := client.Get(probe)
	if err != nil {
		return unanswered(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusServiceUnavailable:
		return errors.New(firstLine(response.Body))
	default:
		return fmt.Errorf("%s, which is no answer of automatond", response.Status)
	}
}

// unanswered says why no answer came, without what the caller knows already.
func unanswered(err error) error {
	if os.IsTimeout(err) {
		return fmt.Errorf("no answer within %s", healthcheckTimeout)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// firstLine is the daemon's reason. What is not readable as a line of reasonable length is not it.
func firstLine(body io.Reader) string {
	line, err := bufio.NewReader(io.LimitReader(body, 1<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" || err != nil && err != io.EOF {
		return "not healthy, without a reason"
	}
	return line
}
