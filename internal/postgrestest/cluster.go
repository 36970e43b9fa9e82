// Package postgrestest starts a private PostgreSQL for the tests of other packages: one for each
// test binary, on a loopback port of its own, in a temporary directory. Nothing else may import it,
// because it executes programs.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is the user's. It is written otherwise in a URL, so a test looks for both.
const Password = "never/be@seen:in a log"

const role = "automatond"

// URL makes an empty schema for a test and returns the URL of a store in it. The test is skipped
// where there is no PostgreSQL, and fails there when CI is set.
func URL(t testing.TB) string {
	t.Helper()
	server, err := start()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", schemas.Add(1)) // a database of its own would take a second
	execute(t, server.url, "CREATE SCHEMA "+name)
	return WithParameter(server.url, "search_path", name)
}

// WithParameter adds a parameter to a URL.
func WithParameter(store, name, value string) string {
	return store + "&" + name + "=" + url.QueryEscape(value)
}

var (
	schemas atomic.Int64 // made so far
	start   = sync.OnceValues(startCluster)

	errMissing = errors.New("PostgreSQL's server is not installed: apt-get install postgresql")
)

// cluster is a server that runs.
type cluster struct {
	url   string
	input io.Closer // its supervisor's standard input; never closed, so it is when this process ends
}

func urlOf(port int) *url.URL {
	return &url.URL{
		Scheme: "postgres", User: url.UserPassword(role, Password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path: "postgres", RawQuery: "sslmode=disable",
	}
}

func execute(t testing.TB, url, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// startCluster returns a server that answers. It ends with this process.
func startCluster() (*cluster, error) {
	programs, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "automatond-postgres-")
	if err != nil {
		return nil, err
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(Password+"\n"), 0o644); err != nil { // read by another user; the directory is closed
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// A collation unlike that of bytes shows where the order of texts was left to the database.
	initdb := exec.Command(filepath.Join(programs, "initdb"), "--pgdata="+data, "--username="+role, "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return serve(programs, dir, data, attributes)
}

// supervise runs the server until its standard input is closed, as it is when the tests are over,
// however they end. Then nothing of it is left.
const supervise = `
dir=$1; shift
"$@" >"$dir/log" 2>&1 </dev/null &
cat
kill -QUIT $!
wait $!
cd /
rm -rf "$dir"
`

func serve(programs, dir, data string, attributes *syscall.SysProcAttr) (*cluster, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := exec.Command("/bin/sh", "-c", supervise, "sh", dir, filepath.Join(programs, "postgres"), "-D", data,
		"-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off",
		"-c", "synchronous_commit=off") // what must be on is asked for by who needs it
	server.Dir, server.SysProcAttr = dir, attributes
	input, err := server.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	url := urlOf(port).String()
	if err := await(url); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, fmt.Errorf("PostgreSQL does not answer: %w: %s", err, log)
	}
	return &cluster{url, input}, nil
}

// await returns when a server answers.
func await(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// programs is the directory of the newest server there is.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errMissing
	}
	return filepath.Dir(path), nil
}

// unprivileged gives the directory to a user whose processes the server's are, where this process
// is root's: PostgreSQL refuses to run as root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return &syscall.SysProcAttr{Credential: credential}, os.Chown(dir, int(uid), int(gid))
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// Crash kills one of the server's processes, after which the server ends all others, recovers, and
// answers again when Crash returns.
func Crash(t testing.TB) {
	t.Helper()
	server, err := start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := syscall.Kill(int(conn.PgConn().PID()), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for conn.Ping(ctx) == nil { // until it has noticed
	}
	if err := await(server.url); err != nil {
		t.Fatal(err)
	}
}
