package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The test binary is also the programs under measurement: the bare one, and a stand-in for the
// daemon that takes the same command line.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != bareCommand && os.Args[1] != "run" {
		os.Exit(m.Run())
	}
	run := bareProgram
	if os.Args[1] == "run" {
		run = standIn
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// script is what a test has the stand-in do, in a file beside its directories.
const script = "script"

// writeScript says when the stand-in posts, and in which way it goes wrong, if any.
func writeScript(t *testing.T, dir string, at time.Time, fault string) {
	t.Helper()
	text := fmt.Sprintf("%d %s", at.UnixNano(), fault)
	if err := os.WriteFile(filepath.Join(dir, script), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// standIn lists every configured project's environments, is ready, posts once for each at the
// scripted time, reads the activities and stays until SIGTERM.
func standIn(args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	config := flags.String("config", "", "")
	data := flags.String("data", "", "")
	web := flags.String("web.listen-address", "", "")
	probe := flags.String("probe.listen-address", "", "")
	store := flags.String("store", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)

	text, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(*data))), script))
	if err != nil {
		return err
	}
	when, fault, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseInt(when, 10, 64)
	if err != nil {
		return err
	}
	declared, err := os.ReadFile(*config)
	if err != nil {
		return err
	}
	if *store != "" {
		if err := mark(*store); err != nil {
			return err
		}
	}
	if os.Getenv("BENCH_TOKEN") != apiToken || fault == "crash" {
		return errors.New("no token, or told to crash")
	}
	api := os.Getenv("PLATFORMSH_CLI_API_URL")
	client := &http.Client{}
	var projects []string
	for _, m := range regexp.MustCompile(`projects: \[(\w+)\]`).FindAllStringSubmatch(string(declared), -1) {
		projects = append(projects, api+"/projects/"+m[1])
		if err := send(client, http.MethodGet, projects[len(projects)-1]+"/environments", ""); err != nil {
			return err
		}
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	go http.ListenAndServe(*web, ok)
	go http.ListenAndServe(*probe, ok)

	if fault != "early" {
		time.Sleep(time.Until(time.Unix(0, ns)))
	}
	if fault == "missing" {
		projects = projects[1:]
	}
	if fault == "twice" {
		projects = append(projects[1:], projects...)
	}
	for _, p := range projects {
		if err := send(client, http.MethodPost, p+"/environments/main/backup", backupBody); err != nil {
			return err
		}
		if err := send(client, http.MethodGet, p+"/activities", ""); err != nil {
			return err
		}
	}
	<-stop
	return nil
}

// mark leaves a trace in a store, and fails when one is there already.
func mark(store string) error {
	conn, err := pgx.Connect(context.Background(), store)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), "CREATE TABLE mark ()")
	return err
}
