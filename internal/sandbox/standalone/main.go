// Command standalone serves a sandbox as a process of its own, for tests in which the platform
// outlives the daemon. It is no part of automatond, and protects nothing: it listens on addresses
// of this machine only.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("standalone: ")
	address := flag.String("address", "127.0.0.1:8639", "where the platform listens")
	control := flag.String("control", "127.0.0.1:8638", "where a test looks at it and changes it")
	branch := flag.String("branch", "main", "the default branch of every project")
	activity := flag.Duration("activity", 10*time.Second, "how long an activity takes")
	flag.Parse()

	platform, err := sandbox.Start(sandbox.Options{
		Open: true, DefaultBranch: *branch, ActivityDuration: *activity,
	}, *address)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *control)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("a simulated platform on %s, its control on %s", platform.URL, listener.Addr())
	server := http.Server{Handler: controls(platform.Sandbox), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// controls are what a test can do to a platform in another process:
//
//	GET  /journal        a line for each request: time, method, path, status
//	POST /revoke?token=  the API token is refused from now on, and so is what was granted for any
func controls(platform *sandbox.Sandbox) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /journal", func(w http.ResponseWriter, _ *http.Request) {
		for _, e := range platform.Journal() {
			fmt.Fprintln(w, e.At.UTC().Format(time.RFC3339Nano), e.Method, e.Path, e.Status)
		}
	})
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		platform.RevokeToken(r.URL.Query().Get("token"))
		platform.ExpireAccessTokens()
	})
	return mux
}
