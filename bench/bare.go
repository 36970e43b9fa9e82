package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// bareCommand is the hidden first argument that makes this program the bare one.
const bareCommand = "bare-program"

// bareWorkers is how many keep-alive connections the bare program posts over.
const bareWorkers = 32

// bareProgram is what the daemon is compared with: it posts the same requests at a given time and
// does nothing else, a few times. One timer, 32 workers with a warm connection each, no store, no guard,
// no tracking, no repeat. It says "warm" when the connections stand, and stays until SIGTERM.
func bareProgram(args []string) error {
	flags := flag.NewFlagSet(bareCommand, flag.ContinueOnError)
	url := flags.String("url", "", "base URL of the API")
	n := flags.Int("n", 0, "how many projects to post to")
	at := flags.Int64("at", 0, "when, in Unix nanoseconds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	urls := make([]string, *n)
	for i, id := range projectIDs(dispatchPrefix, *n) {
		urls[i] = *url + "/api/projects/" + id + "/environments/main/backup"
	}
	clients := make([]*http.Client, bareWorkers)
	for i := range clients {
		clients[i] = &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
		if err := send(clients[i], http.MethodGet, *url+"/users/me", ""); err != nil {
			return fmt.Errorf("warm a connection: %w", err)
		}
	}
	fmt.Println("warm")

	for i := range fires {
		if err := sleep(ctx, time.Until(time.Unix(0, *at).Add(time.Duration(i)*bareEvery))); err != nil {
			return nil
		}
		if err := postAll(clients, urls); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func postAll(clients []*http.Client, urls []string) error {
	var (
		workers sync.WaitGroup
		next    atomic.Int64
		failed  = make([]error, len(clients))
	)
	for w, client := range clients {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(urls) {
					return
				}
				if err := send(client, http.MethodPost, urls[i], backupBody); err != nil {
					failed[w] = err
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(failed...)
}

// send makes one request and reads its answer to the end, so that the connection stays warm.
func send(client *http.Client, method, url, body string) error {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", bearer)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return errors.New(method + " " + url + ": " + response.Status)
	}
	return nil
}

// startBare starts this same program as the bare one and waits until its connections are warm.
func (b *bench) startBare(ctx context.Context, dir string, n int, at time.Time) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the bare program: %w", err)
	}
	p, err := start(ctx, "bare program", filepath.Join(dir, "bare.log"), b.environment(), self, bareCommand,
		"-url", b.api.URL, "-n", fmt.Sprint(n), "-at", fmt.Sprint(at.UnixNano()))
	if err != nil {
		return nil, err
	}
	for {
		if text, _ := os.ReadFile(p.output); strings.HasPrefix(string(text), "warm\n") {
			return p, nil
		}
		if err := p.gone(); err != nil {
			return nil, err
		}
		if time.Now().After(at) {
			return nil, errors.Join(p.explain(errors.New("its connections were not warm in time")), p.kill())
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return nil, errors.Join(err, p.kill())
		}
	}
}
